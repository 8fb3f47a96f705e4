"""Figures of values against closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.evaluation.regression import bias, mae, r2, residuals, rmse, value_sums


def test_a_constant_error_is_the_bias_and_every_error():
    truth = np.array([1.0, 2.0, 3.0, 6.0])
    sums = value_sums(truth, truth + 0.5, [0, 0, 1, 1]).sum(0)
    assert [bias(sums), mae(sums), rmse(sums)] == pytest.approx([0.5, 0.5, 0.5])
    assert r2(sums) == pytest.approx(1 - 0.25 / truth.var())


def test_the_mean_of_the_truth_has_r2_of_nothing():
    truth = np.array([1.0, 2.0, 6.0])
    assert r2(value_sums(truth, np.full(3, 3.0), [1, 2, 3]).sum(0)) == pytest.approx(0, abs=1e-12)


def test_figures_are_those_of_scikit_learn_far_from_zero():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth = 5e6 + rng.normal(0, 2, 1000)
    predicted = truth + rng.normal(0.3, 1, 1000)
    sums = value_sums(truth, predicted, np.arange(1000) // 10).sum(0)
    assert r2(sums) == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-9)
    assert rmse(sums) ** 2 == pytest.approx(metrics.mean_squared_error(truth, predicted))
    assert mae(sums) == pytest.approx(metrics.mean_absolute_error(truth, predicted))


def test_units_have_their_own_figures():
    sums = value_sums([0.0, 0.0, 1.0], [1.0, 3.0, 1.0], [7, 7, 2])
    np.testing.assert_allclose(mae(sums), [0.0, 2.0])


def test_constant_truth_has_no_r2_and_a_broken_prediction_no_figure():
    assert np.isnan(r2(value_sums([2.0, 2.0], [1.0, 3.0], [0, 1]).sum(0)))
    sums = value_sums([1.0, 2.0], [np.nan, 2.0], [0, 0]).sum(0)
    assert np.isnan([rmse(sums), r2(sums), mae(sums)]).all()


def test_residuals_say_bias_spread_and_quantiles():
    truth = np.zeros(101)
    found = residuals(truth, np.arange(101) / 100, np.arange(101))
    assert (found.cells, found.bias) == (101, pytest.approx(0.5))
    assert found.quantiles == pytest.approx((0.05, 0.25, 0.5, 0.75, 0.95))
    half = 1.96 * found.spread / np.sqrt(101)
    assert found.bias_interval == pytest.approx((0.5 - half, 0.5 + half), abs=0.01)


def test_wrong_input_is_refused():
    with pytest.raises(RasterError, match="not finite"):
        value_sums([np.nan], [1.0], [0])
    with pytest.raises(RasterError, match="shape"):
        value_sums([1.0], [1.0, 2.0], [0])
    with pytest.raises(RasterError, match="no residual"):
        residuals([], [], [])
