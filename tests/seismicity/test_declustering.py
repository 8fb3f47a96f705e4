"""geotools.seismicity.declustering and zaliapin: clusters found, and none where there are none."""

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.seismicity.declustering import WINDOWS, gardner_knopoff, reasenberg
from geotools.seismicity.distance import great_circle_km
from geotools.seismicity.zaliapin import nearest_neighbours, two_modes, zaliapin


def poisson(n: int, *, days: float = 18_000, seed: int = 0, west: float = -125.0):
    """Time, longitude, latitude and magnitude of independent events in a box of 12 x 10 degrees."""
    random = np.random.default_rng(seed)
    return [
        np.sort(random.uniform(0, days, n)),
        random.uniform(west, west + 12, n),
        random.uniform(32, 42, n),
        np.round(random.exponential(1 / np.log(10), n) + 2.95, 1),
    ]


def sequence(*, seed: int = 1, n: int = 300, at: float = 9000.0, place=(-119.0, 37.0)):
    """A magnitude 7.1 and its aftershocks: Omori in time, a few kilometres about."""
    random = np.random.default_rng(seed)
    wait = np.sort(0.02 * ((1 - random.random(n) * 0.999) ** -2 - 1))
    wait = wait[wait < 300]
    aftershocks = [
        at + wait,
        place[0] + random.normal(0, 0.05, wait.size),
        place[1] + random.normal(0, 0.05, wait.size),
        np.round(np.minimum(random.exponential(1 / np.log(10), wait.size) + 2.95, 6.0), 1),
    ]
    main = [[at], [place[0]], [place[1]], [7.1]]
    return [np.concatenate(pair) for pair in zip(main, aftershocks, strict=True)]


METHODS = {
    "gardner-knopoff": gardner_knopoff,
    "reasenberg": lambda *arrays: reasenberg(*arrays, mc=3.0),
    "zaliapin": zaliapin,
}


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


def test_a_sequence_is_one_cluster(method):
    """A magnitude 7.1 with its aftershocks is found in a quiet background, as their main shock."""
    quiet, busy = poisson(400), sequence()
    arrays = [np.concatenate(pair) for pair in zip(quiet, busy, strict=True)]
    made = method(*arrays)
    label = made.cluster[400]
    assert made.mainshock[400]
    assert (made.cluster[400:] == label).mean() > 0.9
    assert (made.cluster[:400] == label).sum() <= 8
    assert made.sizes[label] == (made.cluster == label).sum()
    assert made.clusters == made.mainshock.sum() == made.cluster.max() + 1


def test_independent_events_stay(method):
    """A Poisson catalog keeps nearly all of its events."""
    made = method(*poisson(1000, seed=3))
    assert made.mainshock.mean() > 0.95


def test_order_does_not_matter(method):
    """Shuffled events get the labels that they had."""
    arrays = [np.concatenate(pair) for pair in zip(poisson(800), sequence(), strict=True)]
    made = method(*arrays)
    order = np.random.default_rng(5).permutation(arrays[0].size)
    shuffled = method(*(values[order] for values in arrays))
    assert np.array_equal(shuffled.cluster, made.cluster[order])
    assert np.array_equal(shuffled.mainshock, made.mainshock[order])


def test_labels_follow_their_main_shocks(method):
    """Clusters are numbered in the order of their main shocks; each has one, its largest event."""
    arrays = [np.concatenate(pair) for pair in zip(poisson(500), sequence(), strict=True)]
    made = method(*arrays)
    time, *_, magnitude = arrays
    main = np.flatnonzero(made.mainshock)
    main = main[np.argsort(time[main])]
    assert np.array_equal(made.cluster[main], np.arange(made.clusters))
    largest = np.full(made.clusters, -np.inf)
    np.maximum.at(largest, made.cluster, magnitude)
    assert np.array_equal(largest, magnitude[main])


def test_across_the_date_line(method):
    """A cluster that lies on both sides of 180 degrees is one."""
    here, there = sequence(place=(-119.0, 10.0)), sequence(place=(180.0, 10.0))
    there[1] = (there[1] + 180) % 360 - 180
    assert np.array_equal(method(*here).cluster, method(*there).cluster)


@pytest.mark.parametrize("count", [0, 1])
def test_no_events_and_one(method, count):
    """Nothing has no clusters; one event is its own."""
    made = method(*(values[:count] for values in poisson(5)))
    assert made.cluster.tolist() == [0] * count
    assert made.mainshock.tolist() == [True] * count


def test_same_event_many_times(method):
    """Events at one place and moment neither fail nor take long."""
    made = method(*(np.full(3000, value) for value in (10.0, 20.0, 30.0, 4.0)))
    assert made.cluster.shape == (3000,)
    assert made.clusters == made.mainshock.sum()


@pytest.mark.parametrize("column", range(4))
def test_what_is_missing_is_said(method, column):
    """A NaN anywhere is refused with the name of its column."""
    arrays = poisson(10)
    arrays[column][3] = np.nan
    name = ("time", "longitude", "latitude", "magnitude")[column]
    with pytest.raises(EventsError, match=f"1 of 10 events have no {name}"):
        method(*arrays)
    with pytest.raises(EventsError, match="one value per event"):
        method(*poisson(10)[:3], np.zeros(9))


def test_windows_of_the_papers():
    """Magnitude 6: 54 km, 510 days in the table; nearly so in its log-linear form."""
    km, days = WINDOWS["gardner-knopoff-table"](np.array([6.0, 2.0, 9.0]))
    assert km.tolist() == pytest.approx([54, 19.5, 94])
    assert days.tolist() == pytest.approx([510, 6, 985])
    km, days = WINDOWS["gardner-knopoff"](np.array([6.0, 7.0]))
    assert km.tolist() == pytest.approx([53.2, 70.7], abs=0.1)
    assert days.tolist() == pytest.approx([499, 918], abs=1)
    km, days = WINDOWS["uhrhammer"](np.array([6.0]))
    assert (km[0], days[0]) == (pytest.approx(44.7, abs=0.1), pytest.approx(93.6, abs=0.2))
    km, days = WINDOWS["gruenthal"](np.array([6.0]))
    assert (km[0], days[0]) == (pytest.approx(70.2, abs=0.1), pytest.approx(530.5, abs=1))
    with pytest.raises(EventsError, match="unknown"):
        gardner_knopoff(*poisson(3), windows="mine")


@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("foreshocks", [0.0, 1.0])
def test_windows_by_brute_force(windows, foreshocks):
    """The index gives what comparing every pair gives, at high latitudes and the date line too."""
    arrays = poisson(600, days=900, seed=7, west=174.0)
    arrays[1] = (arrays[1] + 180) % 360 - 180
    arrays[2] = np.concatenate([arrays[2][:300], 85 + arrays[2][300:] / 8.5])
    made = gardner_knopoff(*arrays, windows=windows, foreshocks=foreshocks)
    time, lon, lat, magnitude = arrays
    km, days = WINDOWS[windows](magnitude)
    main = np.full(600, -1)
    for event in np.lexsort((time, -magnitude)):
        if main[event] < 0:
            wait = time - time[event]
            near = great_circle_km(lon[event], lat[event], lon, lat) <= km[event]
            near &= (wait >= -foreshocks * days[event]) & (wait <= days[event])
            main[near & (main < 0)] = event
    assert np.array_equal(np.flatnonzero(made.mainshock), np.unique(main))
    assert np.array_equal(np.flatnonzero(made.mainshock)[0], main[0])
    same = made.cluster[:, None] == made.cluster
    assert np.array_equal(same, main[:, None] == main)


def test_reasenberg_links_in_time_and_space():
    """A magnitude 5 reaches 11 km for a day; farther or later events are not linked."""
    time = np.array([0.0, 0.5, 0.6, 3.0])
    lat = np.array([0.0, 0.09, 0.2, 0.0])  # 0, 10, 22, 0 km
    made = reasenberg(time, np.zeros(4), lat, np.array([5.0, 3.0, 3.0, 3.0]), mc=1.5)
    assert made.cluster.tolist() == [0, 0, 1, 2]
    made = reasenberg(time, np.zeros(4), lat, np.array([5.0, 3.0, 3.0, 3.0]), tau_days=(4.0, 10.0))
    assert made.cluster.tolist() == [0, 0, 1, 0]
    with pytest.raises(EventsError, match="tau"):
        reasenberg(time, np.zeros(4), lat, np.full(4, 3.0), tau_days=(10.0, 1.0))


def test_nearest_neighbours_by_brute_force():
    """The tree finds what comparing every pair finds."""
    arrays = [np.concatenate(pair) for pair in zip(poisson(1500), sequence(), strict=True)]
    arrays[0] = np.round(arrays[0], 2)  # some events at one moment
    time, lon, lat, magnitude = arrays
    found = nearest_neighbours(*arrays, b=0.9, dimension=1.5)
    wait = (time[:, None] - time) / 365.25  # (event, earlier)
    km = np.maximum(great_circle_km(lon[:, None], lat[:, None], lon, lat), 0.1)
    eta = np.full(wait.shape, np.inf)
    earlier = wait > 0
    eta[earlier] = (wait * km**1.5 * 10 ** (-0.9 * magnitude))[earlier]
    with np.errstate(divide="ignore"):
        least = np.log10(eta.min(axis=1))
    assert np.allclose(found.log_eta, least)
    has = np.isfinite(least)
    assert np.array_equal(found.parent >= 0, has)
    assert np.allclose(np.log10(eta[has, found.parent[has]]), least[has])


def test_two_modes():
    """The threshold lies between two modes, and is absent where there is one."""
    random = np.random.default_rng(0)
    both = np.concatenate([random.normal(-6, 0.7, 3000), random.normal(-3, 0.7, 3000)])
    assert two_modes(both) == pytest.approx(-4.5, abs=0.1)
    assert two_modes(random.normal(-3, 0.7, 3000)) == -np.inf
    assert two_modes(np.log10(random.weibull(1.0, 100_000))) == -np.inf
    assert two_modes(np.full(100, -3.0)) == -np.inf
    assert two_modes(both[:10]) == -np.inf


def test_california(shared):
    """Nearest neighbours of California part near log eta = -5 (Zaliapin & Ben-Zion 2013)."""
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(shared / "catalogs" / "california_comcat_m32_1971_2020.csv")
    table = table[table["magnitude"] >= 3.4]
    time = pandas.to_datetime(table["time"], utc=True, format="mixed")
    days = (time - time.min()).dt.total_seconds().to_numpy() / 86_400
    arrays = [days, *(table[name].to_numpy() for name in ("longitude", "latitude", "magnitude"))]
    made = zaliapin(*arrays)
    assert made.threshold == pytest.approx(-5, abs=0.3)
    # two thirds of the events of the region are clustered in all three views
    for found in (made, gardner_knopoff(*arrays)):
        assert 0.2 < found.mainshock.mean() < 0.5
    landers = int(np.argmax(arrays[3]))
    assert made.sizes[made.cluster[landers]] > 300
