"""The forecaster: what goes in, what may not, and what it says of itself."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.events import event_table
from geotools.inference.choosing import choose_forecaster, forecaster_of, generic_forecaster
from geotools.inference.forecast import default_edges
from geotools.inference.model import shipped_model
from geotools.inference.remarks import EventArrays, inside, past_dispersion

BEGIN = np.datetime64("2010-01-01", "us")
START = datetime(2014, 1, 1, tzinfo=UTC)


def catalog(count=300, seed=0, center=(10.0, 45.0), last="2014-03-01"):
    """A Poisson catalog of b = 1 around a place, from 2010 on."""
    random = np.random.default_rng(seed)
    span = (np.datetime64(last, "us") - BEGIN).astype(np.int64)
    time = BEGIN + random.integers(0, span, count).astype("timedelta64[us]")
    places = random.normal(center, 0.4, (count, 2))
    magnitude = np.round(2.95 + random.exponential(1 / np.log(10), count), 1)
    return event_table(time, places[:, 0], places[:, 1], magnitude=magnitude)


@pytest.fixture(scope="module")
def forecaster():
    return generic_forecaster(catalog(), start=START, min_magnitude=3.0)


@pytest.mark.parametrize(
    ("lowest", "edges"),
    [(3.2, (3.2, 4, 5, 6)), (5.0, (5, 6, 7)), (6.98, (6.98,)), (7.5, (7.5,)), (1.0, (1, 2, 3, 4))],
)
def test_bins_are_whole_magnitudes_above_the_lowest(lowest, edges):
    assert default_edges(lowest) == edges


def test_the_generic_baseline_has_the_rate_of_the_catalog(forecaster):
    """Events after the first per day before the start, times the horizon."""
    issued = forecaster.issue(catalog(), START, horizon_days=10)
    events = catalog()
    before = events[(events["time"] < START) & (events["magnitude"] >= 3.0)]
    span = (START - before["time"].iloc[0]).total_seconds() / 86400
    assert issued.smoothed.total == pytest.approx(10 * (len(before) - 1) / span, rel=1e-6)
    assert issued.baselines["uniform"].total == pytest.approx(issued.smoothed.total)
    assert issued.used.sum() == len(before)


def test_the_future_changes_nothing(forecaster):
    """Events at or after the start may be anything: the rates are the same bits."""
    events = catalog()
    future = events["time"] >= START
    assert future.any()
    changed = events.copy()
    changed.loc[future, "magnitude"] = 9.0
    changed.loc[future, "longitude"] += 0.3
    without = events[~future]
    rates = [
        forecaster.issue(table, START).forecast.rates.data for table in (events, changed, without)
    ]
    assert np.array_equal(rates[0], rates[1])
    assert np.array_equal(rates[0], rates[2])


def test_the_order_of_rows_changes_nothing(forecaster):
    events = catalog()
    turned = events.sample(frac=1, random_state=1)
    first = forecaster.issue(events, START).forecast.rates.data
    assert np.array_equal(first, forecaster.issue(turned, START).forecast.rates.data)


def test_a_large_event_raises_the_rate_where_it_was(forecaster):
    events = catalog()
    import pandas as pd

    shock = event_table(
        np.array([np.datetime64("2013-12-31T22:00", "us")]), [10.2], [45.1], magnitude=[6.0]
    )
    after = forecaster.issue(pd.concat([events, shock]), START, horizon_days=1)
    before = forecaster.issue(events, START, horizon_days=1)
    gain = after.forecast.at_least(3.0) - before.forecast.at_least(3.0)
    assert after.forecast.total > 3 * before.forecast.total
    row, col = np.unravel_index(int(gain.argmax()), gain.shape)
    x, y = before.forecast.rates.grid.transform @ (col + 0.5, row + 0.5)
    assert abs(x - 10.2) <= 0.06
    assert abs(y - 45.1) <= 0.06
    assert after.smoothed.total == before.smoothed.total


def test_magnitudes_follow_gutenberg_and_richter(forecaster):
    issued = forecaster.issue(catalog(), START, magnitudes=(3.0, 4.0, 5.0))
    inside = issued.forecast.rates.valid
    totals = [issued.forecast.at_least(edge)[inside].sum() for edge in (3.0, 4.0, 5.0)]
    assert totals[1] / totals[0] == pytest.approx(10**-issued.b_value)
    assert totals[2] / totals[0] == pytest.approx(10 ** (-2 * issued.b_value))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"magnitudes": (2.0, 3.0)}, "from M 3 on"),
        ({"horizon_days": -1.0}, "more than 0"),
        ({"horizon_days": float("nan")}, "more than 0"),
    ],
)
def test_what_it_cannot_do_is_said(forecaster, changed, message):
    with pytest.raises(EventsError, match=message):
        forecaster.issue(catalog(), START, **changed)


def test_left_out_events_are_counted_by_reason(forecaster):
    events = catalog()
    events.loc[0, "magnitude"] = np.nan
    events.loc[1, "longitude"] = 60.0
    issued = forecaster.issue(events, START)
    assert issued.left_out["without a magnitude"] == 1
    assert issued.left_out["outside the grid (what they trigger in it counts)"] == 1
    assert issued.left_out["at or after the start"] > 0


def test_a_silent_end_of_the_catalog_is_said(forecaster):
    issued = forecaster.issue(catalog(), START + timedelta(days=400))
    assert any("days before the start" in note for note in issued.notes)


def test_no_event_before_the_start_is_an_error():
    with pytest.raises(EventsError, match="before the start"):
        generic_forecaster(catalog(), start=datetime(2000, 1, 1, tzinfo=UTC))


def test_few_events_are_enough_for_a_generic_forecast_and_fewer_are_not():
    events = catalog(8, last="2011-02-01")
    issued = generic_forecaster(events, start=START).issue(events, START)
    assert issued.forecast.total > 0
    assert any("neither completeness nor b" in note for note in issued.notes)
    with pytest.raises(EventsError, match="needs 5"):
        generic_forecaster(catalog(3), start=START)
    sudden = events.assign(time=events["time"].iloc[0])
    with pytest.raises(EventsError, match="within a day"):
        generic_forecaster(sudden, start=START)


def test_a_catalog_that_has_ended_keeps_its_rate():
    """Years of silence after the last event are no years without earthquakes."""
    events = catalog()
    rates = [
        generic_forecaster(events, start=START + timedelta(days=days)).backbone.smoothed.sum()
        for days in (100, 4000)
    ]
    assert rates[1] == pytest.approx(rates[0], rel=0.1)


def test_large_aftershocks_do_not_depend_on_the_completeness():
    """The same catalog, cut at M 1, 2 or 3, expects as many of M 4 or more after an M 7."""
    random = np.random.default_rng(3)
    count = 20_000
    time = BEGIN + np.sort(random.integers(0, 1400, count)).astype("timedelta64[D]")
    places = random.normal((10, 45), 0.3, (count, 2))
    magnitude = np.round(0.95 + random.exponential(1 / np.log(10), count), 1)
    time[-1], places[-1], magnitude[-1] = np.datetime64("2013-12-31T12:00", "us"), (10, 45), 7.0
    whole = event_table(time, places[:, 0], places[:, 1], magnitude=magnitude)
    expected = []
    for lowest in (1.0, 2.0, 3.0):
        cut = whole[whole["magnitude"] >= lowest - 0.01]
        made = generic_forecaster(cut, start=START)
        assert made.backbone.mc == pytest.approx(lowest)
        issued = made.issue(cut, START, magnitudes=(lowest, 4.0))
        expected.append(float(issued.forecast.at_least(4.0).sum()))
    assert min(expected) > 3
    assert max(expected) < 1.3 * min(expected)


def test_magnitudes_far_below_completeness_are_refused():
    """Where b would not be plausible, nothing is extrapolated."""
    random = np.random.default_rng(1)
    events = catalog(3000)
    small = event_table(
        events["time"].to_numpy("datetime64[us]"),
        events["longitude"], events["latitude"], magnitude=random.uniform(0, 3, 3000).round(1),
    )  # fmt: skip
    import pandas as pd

    mixed = pd.concat([events, small])
    with pytest.raises(EventsError, match="misses events"):
        generic_forecaster(mixed, start=START, min_magnitude=0.0)
    made = generic_forecaster(mixed, start=START)
    assert made.backbone.mc >= 3.0
    assert made.backbone.b_value == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("decimals", [1, 2])
def test_the_b_of_a_cut_catalog_does_not_depend_on_its_decimals(decimals):
    """Pure Gutenberg-Richter of b = 1, cut at M 3, to one decimal and to two."""
    random = np.random.default_rng(4)
    magnitude = np.round(1.95 + random.exponential(1 / np.log(10), 60_000), decimals)
    magnitude = magnitude[magnitude >= 3.0]
    count = magnitude.size
    time = BEGIN + np.sort(random.integers(0, 1400, count)).astype("timedelta64[D]")
    places = random.normal((10, 45), 0.3, (count, 2))
    events = event_table(time, places[:, 0], places[:, 1], magnitude=magnitude)
    made = generic_forecaster(events, start=START)
    assert made.backbone.mc == pytest.approx(3.0)
    assert made.backbone.b_value == pytest.approx(1.0, abs=0.04)


def test_counts_of_past_windows_give_the_dispersion():
    """None for few windows; about 0 for a Poisson process; variance beyond it for clusters."""
    random = np.random.default_rng(0)
    even = random.uniform(0, 1000, 3000)
    assert past_dispersion(even, 100.0, 10.0) is None
    assert past_dispersion(even, 1000.0, 10.0) == pytest.approx(0, abs=0.02)
    clusters = np.repeat(random.uniform(0, 1000, 300), 10)
    assert past_dispersion(clusters, 1000.0, 10.0) == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("horizon", [1e9, 3659.0])
def test_the_year_9999_is_the_end(forecaster, horizon):
    with pytest.raises(EventsError, match=r"days|9999"):
        forecaster.issue(catalog(), datetime(9999, 1, 1, tzinfo=UTC), horizon_days=horizon)


def test_a_region_across_180_degrees_is_not_the_whole_earth():
    """The rectangle takes the short way round, and both sides are in it."""
    events = catalog(center=(180.0 - 1e-9, -20.0))
    assert events["longitude"].min() < -179
    assert events["longitude"].max() > 179
    made = generic_forecaster(events, start=START, min_magnitude=3.0)
    assert made.backbone.grid.width * made.backbone.grid.transform.a < 5
    before = events[(events["time"] < START) & (events["magnitude"] >= 3.0)]
    assert inside(made.backbone, EventArrays.of(before)).all()
    west = event_table(
        np.array([np.datetime64("2013-12-31", "us")]), [-179.8], [-20.0], magnitude=[6.0]
    )
    gain = made.issue(west, START).forecast.at_least(3.0)
    _, col = np.unravel_index(int(gain.argmax()), gain.shape)
    assert (made.backbone.grid.transform @ (col + 0.5, 0))[0] == pytest.approx(180.2, abs=0.11)


def test_without_a_model_that_fits_the_catalog_is_its_own():
    """Magnitudes below those of every shipped model, far from California, are its own business."""
    events = catalog()
    chosen = choose_forecaster(events, start=START, min_magnitude=3.0)
    assert chosen.identity["name"] == "generic"
    assert "nobody has evaluated" in chosen.notes[0]


def test_a_short_catalog_is_taken_on_with_the_long_term_mean():
    """A catalog that begins just now knows nothing: about the long-term baseline is expected."""
    model = forecaster_of(shipped_model("seismicity-global-v1"))
    quiet = event_table(
        np.array([np.datetime64("2020-01-01", "us")]), [0.0], [0.0], magnitude=[5.0]
    )
    issued = model.issue(quiet, datetime(2020, 1, 1, 0, 1, tzinfo=UTC))
    assert issued.forecast.total == pytest.approx(issued.smoothed.total, rel=0.15)
    assert any("without the net" in note for note in issued.notes)


def test_a_shipped_model_issues_with_its_net_when_the_catalog_is_long():
    """The net's rates are not those of ETAS, and nothing is said to be missing."""
    model = forecaster_of(shipped_model("seismicity-global-v1"))
    random = np.random.default_rng(2)
    time = np.datetime64("2012-01-01", "us") + np.sort(
        random.integers(0, 2500 * 86_400_000_000, 4000)
    ).astype("timedelta64[us]")
    events = event_table(
        time, random.normal(140, 3, 4000), random.normal(38, 3, 4000),
        magnitude=np.round(5 + random.exponential(0.4, 4000), 1),
    )  # fmt: skip
    issued = model.issue(events, datetime(2018, 11, 1, tzinfo=UTC))
    assert not any("without the net" in note for note in issued.notes)
    etas = issued.baselines["etas"].rates.data
    assert not np.allclose(issued.forecast.rates.data, etas)
    assert 0.2 < issued.forecast.total / issued.baselines["etas"].total < 5


@pytest.mark.parametrize("name", ["seismicity-california-v1", "seismicity-global-v1"])
def test_a_start_in_the_years_of_the_fit_is_said(name):
    """Shipped models say until when they were fitted, and forecasts before that are no test."""
    model = forecaster_of(shipped_model(name))
    assert model.trained_until is not None
    early = model.issue(catalog(), datetime(2000, 1, 1, tzinfo=UTC))
    late = model.issue(catalog(), datetime(2020, 1, 1, tzinfo=UTC))
    assert any("fitted to" in note for note in early.notes)
    assert not any("fitted to" in note for note in late.notes)
