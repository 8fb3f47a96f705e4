"""Likelihood tests window by window."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from geotools.errors import EventsError
from geotools.evaluation.csep_tests import likelihood_test, spatial_test
from geotools.evaluation.window_tests import WindowTally


def one_by_one(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells and bins of the events of a table of counts."""
    cells, bins = np.nonzero(counts)
    times = counts[cells, bins]
    return np.repeat(cells, times), np.repeat(bins, times)


def test_of_one_window_they_are_the_l_and_the_s_test():
    rng = np.random.default_rng(2)
    rates = rng.lognormal(-1, 1, (50, 3))
    counts = rng.poisson(rates)
    tally = WindowTally(simulations=4000)
    tally.add(rates, *one_by_one(counts))
    for found, known in zip(
        tally.tests(),
        (test(rates, counts, simulations=4000) for test in (likelihood_test, spatial_test)),
        strict=True,
    ):
        assert found.observed == pytest.approx(known.observed, rel=1e-12)
        assert found.quantile == pytest.approx(known.quantile, abs=0.04)
        assert found.simulated.mean() == pytest.approx(known.simulated.mean(), abs=0.5)
        assert found.simulated.std() == pytest.approx(known.simulated.std(), rel=0.1)


def run_of_updates(seed: int) -> tuple[float, float, float]:
    """Quantiles of L and S by windows, and of S of the sums, where events trigger others."""
    rng = np.random.default_rng(seed)
    tally = WindowTally(simulations=99, seed=seed)
    base = rng.lognormal(-3, 1, (40, 1))
    rates, sums, seen = base, np.zeros((40, 1)), np.zeros((40, 1), int)
    for _ in range(60):
        counts = rng.poisson(rates)
        tally.add(rates, *one_by_one(counts))
        sums, seen = sums + rates, seen + counts
        rates = base + 0.8 * counts
    joint, spatial = tally.tests()
    return joint.quantile, spatial.quantile, spatial_test(sums, seen, simulations=99).quantile


def test_a_true_forecast_that_is_updated_has_uniform_quantiles():
    """By windows it is judged fairly; its sums have reacted to the events and pass too easily."""
    joint, spatial, summed = np.array([run_of_updates(seed) for seed in range(60)]).T
    assert stats.kstest(joint, "uniform").pvalue > 1e-3
    assert stats.kstest(spatial, "uniform").pvalue > 1e-3
    assert summed.mean() > 0.7


def test_windows_without_events_are_no_s_test():
    tally = WindowTally(simulations=10)
    tally.add(np.ones((3, 1)), np.zeros(0, int), np.zeros(0, int))
    joint, spatial = tally.tests()
    assert joint.observed == -3.0
    assert spatial.verdict() == "not tested"


def test_events_where_the_rate_is_zero_are_counted():
    tally = WindowTally(simulations=10)
    rates = np.array([[1.0, 0.0], [0.0, 0.0]])
    tally.add(rates, np.array([0, 1]), np.array([1, 0]))
    joint, spatial = tally.tests()
    assert (joint.observed, joint.quantile, joint.zero_rate_events) == (-math.inf, 0.0, 2)
    assert (spatial.observed, spatial.zero_rate_events) == (-math.inf, 1)
    nothing = WindowTally(simulations=10)
    nothing.add(np.zeros((2, 1)), np.array([0]), np.array([0]))
    assert nothing.tests()[1].quantile == 0.0


def test_many_events_are_drawn_in_parts(monkeypatch):
    """The answer hangs neither on the size of the parts nor on drawing event by event."""
    rates = np.array([[30.0], [70.0]])
    events = np.repeat([0, 1], [25, 80]), np.zeros(105, int)
    quantiles = []
    for most in (2_000_000, 1_000, 50):
        monkeypatch.setattr("geotools.evaluation.window_tests._MOST_DRAWN", most)
        tally = WindowTally(simulations=2000)
        tally.add(rates, *events)
        quantiles.append([test.quantile for test in tally.tests()])
    np.testing.assert_allclose(quantiles[1:], [quantiles[0]] * 2, atol=0.05)


def test_rates_in_a_wrong_unit_are_refused():
    with pytest.raises(EventsError):
        WindowTally().add(np.full((2, 1), 1e12), np.zeros(0, int), np.zeros(0, int))
