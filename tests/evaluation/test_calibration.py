"""Temperature and reliability of classes against what they were made from."""

from __future__ import annotations

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.evaluation.calibration import (
    TEMPERATURES,
    apply_temperature,
    class_reliability,
    fit_temperature,
)


@pytest.fixture(scope="module")
def drawn():
    """20,000 rows of true probabilities of 4 classes, and a class drawn from each."""
    rng = np.random.default_rng(0)
    p = np.exp(rng.normal(0, 2, (20_000, 4)))
    p /= p.sum(axis=1, keepdims=True)
    return p, (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_spoilt_probabilities_is_found(drawn, temperature):
    """Probabilities raised to 1/0.3 are brought back by 1/0.3."""
    p, truth = drawn
    found = fit_temperature(apply_temperature(p, temperature), truth)
    assert found == pytest.approx(1 / temperature, rel=0.03)


def test_the_temperature_is_where_scipy_finds_the_lowest_loss(drawn):
    from scipy.optimize import minimize_scalar

    p, truth = (values[:500] for values in drawn)
    weight = np.linspace(0.1, 2, 500)

    def loss(log: float) -> float:
        ours = apply_temperature(p, np.exp(log))[np.arange(500), truth]
        return -(weight * np.log(ours)).sum()

    best = np.exp(minimize_scalar(loss, bounds=(-3, 3), options={"xatol": 1e-7}).x)
    assert fit_temperature(p, truth, weight) == pytest.approx(best, rel=1e-4)


def test_a_weight_is_as_many_copies(drawn):
    p, truth = (values[:300] for values in drawn)
    times = np.arange(300) % 4
    copies = fit_temperature(np.repeat(p, times, axis=0), np.repeat(truth, times))
    assert fit_temperature(p, truth, times) == pytest.approx(copies)


def test_zeros_of_a_forest_that_is_wrong_at_times_are_survived():
    p = np.array([[1.0, 0.0]] * 99 + [[1.0, 0.0]])
    truth = np.r_[np.zeros(99, int), 1]
    found = fit_temperature(p, truth)
    assert 1.5 < found < TEMPERATURES[1]
    assert class_reliability(p, truth).log_loss == pytest.approx(-np.log(1e-6) / 100)


def test_bounds_hold_where_everything_is_right_or_nothing_is_told():
    sure = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(sure, [0, 1]) == TEMPERATURES[0]
    assert fit_temperature(sure, [1, 0]) == TEMPERATURES[1]
    assert fit_temperature(np.full((5, 2), 0.5), [0, 1, 0, 1, 0]) == 1.0
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1.0
    assert fit_temperature(sure, [0, 1], [0.0, 0.0]) == 1.0


def test_a_temperature_keeps_order_sums_zeros_and_nan():
    p = np.array([[0.7, 0.3, 0.0], [0.2, 0.2, 0.6], [np.nan] * 3])
    for temperature in (0.05, 1.0, 20.0):
        found = apply_temperature(p, temperature)
        np.testing.assert_allclose(found[:2].sum(axis=1), 1)
        np.testing.assert_array_equal(found[:2].argmax(axis=1), p[:2].argmax(axis=1))
        assert found[0, 2] == 0
        assert np.isnan(found[2]).all()
    np.testing.assert_allclose(apply_temperature(p, 1.0)[:2], p[:2])


def test_probabilities_that_are_true_are_reliable(drawn):
    p, truth = drawn
    table = class_reliability(p, truth, np.arange(len(p)) // 20)
    some = table.cells > 100
    inside = (table.interval[:, 0] <= table.confidence) & (table.confidence <= table.interval[:, 1])
    assert inside[some].mean() > 0.7
    assert table.cells.sum() == len(p)
    assert table.expected_error < 0.012
    brier = ((p - np.eye(4)[truth]) ** 2).sum(axis=1).mean()
    assert table.brier == pytest.approx(brier)
    assert table.log_loss == pytest.approx(-np.log(p[np.arange(len(p)), truth]).mean())


def test_a_temperature_that_was_fitted_makes_probabilities_more_reliable(drawn):
    p, truth = drawn
    sharp = apply_temperature(p, 0.4)
    before = class_reliability(sharp, truth)
    after = class_reliability(apply_temperature(sharp, fit_temperature(sharp, truth)), truth)
    assert after.expected_error < before.expected_error / 5
    assert after.log_loss < before.log_loss
    assert np.isnan(before.interval).all()


def test_one_bin_says_how_far_claims_and_truth_are_apart():
    """All claim 0.8 and 60 % are right: the expected error is 0.2."""
    p = np.tile([0.8, 0.2], (50, 1))
    table = class_reliability(p, np.repeat([0, 1], [30, 20]), np.arange(50))
    assert table.expected_error == pytest.approx(0.2)
    place = int(table.cells.argmax())
    assert (table.edges[place], table.edges[place + 1]) == pytest.approx((0.7, 0.8))
    half = 1.96 * np.sqrt(0.6 * 0.4 / 50)
    assert table.interval[place] == pytest.approx([0.6 - half, 0.6 + half], abs=0.03)


def test_wrong_input_is_refused():
    with pytest.raises(RasterError, match="sum to 1"):
        fit_temperature([[0.5, 0.6]], [0])
    with pytest.raises(RasterError, match="sum to 1"):
        class_reliability([[np.nan, 0.6]], [0])
    with pytest.raises(RasterError, match="0 to 1"):
        fit_temperature([[0.5, 0.5]], [2])
    with pytest.raises(RasterError, match="shape"):
        fit_temperature([[0.5, 0.5]], [0, 1])
    with pytest.raises(RasterError, match="above 0"):
        apply_temperature([[0.5, 0.5]], 0.0)
    with pytest.raises(RasterError, match="Weights"):
        fit_temperature([[0.5, 0.5]], [0], [-1.0])
