"""geotools.seismicity.indicators: what the last events before a moment tell."""

import math

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.seismicity.indicators import (
    elapsed_days,
    energy_j,
    panakkat_adeli,
    z_from_counts,
    z_value,
)


def catalog(n: int = 500, seed: int = 0):
    random = np.random.default_rng(seed)
    time = np.sort(random.uniform(0, 5000, n))
    return time, np.round(random.exponential(1 / np.log(10), n) + 2.95, 1)


def test_closed_forms():
    """Five events by hand; the one at the issue time and the oldest do not enter."""
    time = np.array([0.0, 10.0, 12.0, 16.0, 20.0, 30.0, 40.0])
    magnitude = np.array([8.0, 3.0, 4.0, 3.0, 4.0, 5.0, 9.0])
    found = panakkat_adeli(time, magnitude, issue_days=40.0, characteristic=4.0, n=5)
    assert found.elapsed_days == 20
    assert found.mean_magnitude == pytest.approx(3.8)
    joules = 10 ** (4.8 + 1.5 * np.array([3, 4, 3, 4, 5.0]))
    assert found.root_energy == pytest.approx(np.sqrt(joules).sum() / 20)
    # log10 N at each event: 5 events from 3, 3 from 4, 1 from 5
    line = np.polyfit([3, 3, 4, 4, 5], np.log10([5, 5, 3, 3, 1]), 1)
    assert found.b == pytest.approx(-line[0])
    assert found.a == pytest.approx(line[1])
    rest = np.log10([5, 5, 3, 3, 1]) - np.polyval(line, [3, 3, 4, 4, 5])
    assert found.mean_square_deviation == pytest.approx((rest**2).sum() / 4)
    assert found.magnitude_deficit == pytest.approx(5 + line[1] / line[0])
    assert found.mean_interval_days == 9  # 12, 20, 30
    assert found.interval_variation == pytest.approx(math.sqrt(2) / 9)


def test_the_future_does_not_enter():
    """Whatever happens at or after the issue time, every indicator is the same to the last bit."""
    time, magnitude = catalog()
    random = np.random.default_rng(1)
    issue = time[400]
    known = panakkat_adeli(time, magnitude, issue_days=issue, characteristic=4.0)
    later = time >= issue
    for _ in range(3):
        other = magnitude.copy()
        other[later] = random.permutation(other[later]) + random.uniform(0, 2)
        moved = time.copy()
        moved[later] = issue + random.uniform(0, 100, later.sum())
        assert panakkat_adeli(moved, other, issue_days=issue, characteristic=4.0) == known
        assert elapsed_days(moved, other, issue_days=issue, at_least=4.0) == elapsed_days(
            time[:400], magnitude[:400], issue_days=issue, at_least=4.0
        )
    order = random.permutation(time.size)
    shuffled = panakkat_adeli(time[order], magnitude[order], issue_days=issue, characteristic=4.0)
    assert shuffled == known


def test_line_finds_b():
    """The least-squares slope of many events is near the b of the catalog."""
    time, magnitude = catalog(5000)
    found = panakkat_adeli(time, magnitude, issue_days=6000, characteristic=5.0, n=5000)
    assert found.b == pytest.approx(1.0, abs=0.1)
    assert found.mean_interval_days == pytest.approx(100, rel=0.5)  # one in a hundred events
    assert found.interval_variation == pytest.approx(1.0, abs=0.4)  # Poisson


def test_degenerate_events():
    """One magnitude has no line, one moment no rate, no characteristic event no interval."""
    found = panakkat_adeli(np.zeros(9), np.full(9, 3.0), issue_days=1, characteristic=5, n=9)
    assert found.mean_magnitude == 3
    for value in (
        found.b, found.a, found.mean_square_deviation, found.magnitude_deficit,
        found.root_energy, found.mean_interval_days, found.interval_variation,
    ):  # fmt: skip
        assert math.isnan(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"issue_days": 0.0}, "0 events lie before"),
        ({"issue_days": 9999.0, "n": 501}, "500 events lie before"),
        ({"issue_days": 9999.0, "n": 1}, "at least 2"),
    ],
)
def test_too_few_events(options, message):
    """Fewer events than asked for are refused."""
    with pytest.raises(EventsError, match=message):
        panakkat_adeli(*catalog(), characteristic=4.0, **options)


def test_unknown_magnitudes_are_said():
    """NaN magnitudes are refused."""
    time, magnitude = catalog()
    magnitude[3] = np.nan
    with pytest.raises(EventsError, match="no magnitude"):
        panakkat_adeli(time, magnitude, issue_days=9999, characteristic=4.0)


def test_energy():
    """Magnitude 4 radiates 10^10.8 J, one more 10^1.5 times as much; in erg 10^11.8 at 0."""
    assert energy_j(np.array([4.0, 5.0, 0.0])).tolist() == pytest.approx(
        [10**10.8, 10**12.3, 10 ** (11.8 - 7)]
    )
    assert math.isnan(energy_j(np.array([np.nan]))[0])


def test_elapsed():
    """The last large event before the issue time counts, and inf says that there is none."""
    time, magnitude = np.array([5.0, 1.0, 3.0]), np.array([6.0, 5.0, np.nan])
    assert elapsed_days(time, magnitude, issue_days=5.0, at_least=5.0) == 4
    assert elapsed_days(time, magnitude, issue_days=6.0, at_least=5.0) == 1
    assert elapsed_days(time, magnitude, issue_days=6.0, at_least=7.0) == math.inf


def test_z_closed_form():
    """Two counts a day then one: the standard deviate of the means of the bins."""
    reference, window = np.array([[20, 24, 16, 20]]), np.array([[8, 12]])
    variance = (np.var([2, 2.4, 1.6, 2], ddof=1) / 4) + (np.var([0.8, 1.2], ddof=1) / 2)
    z = z_from_counts(reference, window, bin_days=(10.0, 10.0))
    assert z[0] == pytest.approx(1 / math.sqrt(variance))
    assert math.isnan(z_from_counts(reference * 0, window * 0, bin_days=(10.0, 10.0))[0])


def test_z_of_a_steady_rate_is_small():
    """Of Poisson catalogs of a steady rate z has mean 0 and variance 1; a halved rate is seen."""
    z = []
    for seed in range(200):
        time = np.random.default_rng(seed).uniform(0, 2000, 2000)
        z.append(z_value(time, reference_days=(0, 1000), window_days=(1000, 2000)).z)
    assert np.mean(z) == pytest.approx(0, abs=0.25)
    assert np.std(z) == pytest.approx(1, abs=0.15)
    quiet = time[(time < 1000) | (np.arange(time.size) % 2 == 0)]
    found = z_value(quiet, reference_days=(0, 1000), window_days=(1000, 2000))
    assert found.z > 8
    assert found.window_per_day == pytest.approx(found.reference_per_day / 2, rel=0.1)
    with pytest.raises(EventsError, match="two bins"):
        z_value(time, reference_days=(0, 10), window_days=(10, 2000))
