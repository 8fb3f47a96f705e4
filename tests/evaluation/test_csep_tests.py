"""Consistency tests: what they are in closed form, and that they hold their level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from geotools.errors import EventsError
from geotools.evaluation.csep_tests import (
    binary_spatial_test,
    conditional_likelihood_test,
    consistency_tests,
    likelihood_test,
    magnitude_test,
    negative_binomial_number_test,
    number_test,
    spatial_test,
)

LIKELIHOODS = (
    likelihood_test,
    conditional_likelihood_test,
    spatial_test,
    magnitude_test,
    binary_spatial_test,
)


def make_forecast(cells: int = 60, bins: int = 3, total: float = 25.0, seed: int = 1):
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(0, 1.5, (cells, 1)) * 10.0 ** -np.arange(bins)
    return rates * total / rates.sum()


@pytest.mark.parametrize(("expected", "observed"), [(3.7, 0), (3.7, 3), (120.0, 90), (1e-3, 2)])
def test_number_test_is_the_poisson_distribution(expected, observed):
    found = number_test(expected, observed)
    assert found.delta1 == pytest.approx(stats.poisson.sf(observed - 1, expected), abs=1e-14)
    assert found.delta2 == pytest.approx(stats.poisson.cdf(observed, expected), abs=1e-14)


@pytest.mark.parametrize("observed", [0, 5, 40])
def test_negative_binomial_number_test_has_the_mean_and_the_variance_asked_for(observed):
    size, share = 12.0**2 / (60 - 12), 12.0 / 60
    assert stats.nbinom.mean(size, share) == pytest.approx(12)
    assert stats.nbinom.var(size, share) == pytest.approx(60)
    found = negative_binomial_number_test(12.0, observed, 60.0)
    assert found.delta1 == pytest.approx(stats.nbinom.sf(observed - 1, size, share), abs=1e-14)
    assert found.delta2 == pytest.approx(stats.nbinom.cdf(observed, size, share), abs=1e-14)


def test_number_test_of_nothing_expected():
    """Without any rate the number is surely 0."""
    assert number_test(0.0, 0).verdict() == "consistent at 5 %"
    assert number_test(0.0, 1).verdict() == "not consistent at 5 %"


def test_likelihood_test_of_one_cell_is_the_poisson_probability():
    """One cell: the likelihood is its count's probability, the quantile that of rarer ones."""
    found = likelihood_test([[2.5]], [[6]], simulations=20_000, seed=3)
    assert found.observed == pytest.approx(stats.poisson.logpmf(6, 2.5), abs=1e-12)
    numbers = np.arange(100)
    logs = stats.poisson.logpmf(numbers, 2.5)
    exact = np.exp(logs[logs <= found.observed + 1e-9]).sum()
    assert found.quantile == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))


def test_spatial_test_of_two_cells_is_binomial():
    """Two cells and a number: the likelihood is the binomial's, up to what all draws share."""
    found = spatial_test([[3.0], [1.0]], [[4], [4]], simulations=20_000, seed=5)
    logs = stats.binom.logpmf(np.arange(9), 8, 0.75)
    exact = np.exp(logs[logs <= logs[4] + 1e-9]).sum()
    assert found.quantile == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))


def test_binary_spatial_test_draws_cells_without_replacement():
    """Two of three cells hit: the pairs have the probabilities of successive draws."""
    rates = np.array([[5.0], [2.0], [1.0]])
    found = binary_spatial_test(rates, [[0], [3], [1]], simulations=20_000, seed=5)
    p = rates[:, 0] / 8
    last_two = p[1] * p[2] / (1 - p[1]) + p[2] * p[1] / (1 - p[2])
    assert found.quantile == pytest.approx(last_two, abs=0.005)  # the least likely pair
    assert found.observed == pytest.approx(
        -5 + math.log(1 - math.exp(-2)) + math.log(-math.expm1(-1))
    )


@pytest.mark.parametrize("test", LIKELIHOODS)
def test_the_order_of_the_cells_changes_nothing(test):
    rates = make_forecast()
    counts = np.random.default_rng(0).poisson(rates)
    order = np.random.default_rng(1).permutation(len(rates))
    first = test(rates, counts, simulations=100, seed=4)
    second = test(rates[order], counts[order], simulations=100, seed=4)
    assert second.observed == pytest.approx(first.observed, rel=1e-12)
    np.testing.assert_allclose(second.simulated, first.simulated, rtol=1e-12)
    assert second.quantile == first.quantile


def test_a_true_forecast_has_uniform_quantiles():
    """Catalogs drawn from the forecast itself are rejected as often as the level says."""
    rates = make_forecast(total=60.0)
    rng = np.random.default_rng(8)
    found: dict[str, list[float]] = {}
    for draw in range(150):
        tests = consistency_tests(rates, rng.poisson(rates), simulations=99, seed=draw)
        for test in tests:
            value = test.delta2 if test.name == "N" else test.quantile
            found.setdefault(test.name, []).append(value)
    for name in ("N", "L", "CL", "S", "binary S"):
        assert stats.kstest(found[name], "uniform").pvalue > 1e-3, name
    assert np.mean(np.array(found["M"]) < 0.05) < 0.1  # few bins: quantiles come in steps


def test_ties_do_not_hang_on_rounding():
    """A uniform forecast gives equal likelihoods to all catalogs without a shared cell."""
    rates = np.full((10_000, 1), 3e-4)
    counts = np.zeros((10_000, 1), int)
    counts[[5, 700, 9_000]] = 1
    assert spatial_test(rates, counts, simulations=200).quantile == 1.0


@pytest.mark.parametrize("test", [likelihood_test, spatial_test, binary_spatial_test])
def test_an_event_where_the_rate_is_zero_is_counted_and_never_dropped(test):
    rates = make_forecast()
    rates[7] = 0.0
    counts = np.zeros(rates.shape, int)
    counts[[3, 7], 0] = 1, 2
    found = test(rates, counts, simulations=50)
    assert found.observed == -math.inf
    assert (found.quantile, found.zero_rate_events) == (0.0, 2)
    assert found.verdict() == "not consistent at 5 %"


def test_without_events_only_the_number_is_tested():
    rates = make_forecast()
    found = {test.name: test for test in consistency_tests(rates, np.zeros(rates.shape, int))}
    for name in ("M", "S", "CL", "binary S"):
        assert found[name].verdict() == "not tested"
    assert found["N"].observed == 0
    assert found["L"].observed == pytest.approx(-rates.sum())


def test_one_magnitude_bin_is_no_magnitude_test():
    assert magnitude_test([[1.0], [2.0]], [[1], [0]]).verdict() == "not tested"


def test_more_active_cells_than_possible_ones_end():
    found = binary_spatial_test([[1.0], [0.0], [0.0]], [[1], [1], [1]], simulations=20)
    assert (found.quantile, found.zero_rate_events) == (0.0, 2)


def test_a_cell_of_very_many_events_is_drawn_without_drawing_each():
    found = spatial_test([[4e8], [4e8]], [[300_000_000], [300_000_000]], simulations=10)
    assert 0 <= found.quantile <= 1


@pytest.mark.parametrize(
    ("rates", "counts"),
    [
        ([[1.0, 2.0]], [[1]]),
        ([[np.nan]], [[1]]),
        ([[-1.0]], [[0]]),
        ([[0.0]], [[0]]),
        ([[1e12]], [[0]]),
        ([[1.0]], [[0.5]]),
        ([[1.0]], [[-1]]),
        ([], []),
    ],
)
def test_what_cannot_be_a_forecast_is_refused(rates, counts):
    for test in LIKELIHOODS:
        with pytest.raises(EventsError):
            test(rates, counts)


def test_numbers_that_cannot_be_are_refused():
    for expected, observed in [(math.nan, 1), (-1.0, 1), (1.0, -1), (math.inf, 1), (1.0, 1.5)]:
        with pytest.raises(EventsError):
            number_test(expected, observed)
    with pytest.raises(EventsError, match="variance"):
        negative_binomial_number_test(5.0, 3, 5.0)
