"""Agreement of predicted values with true ones: RMSE, MAE, R², bias, from sums that add up.

`value_sums` makes the sums of each unit; every figure takes (..., 6) such sums, so that intervals
by units cost little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError
from geotools.evaluation.resampling import percentiles, resampled, unit_places, unit_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Residuals", "bias", "mae", "r2", "residuals", "rmse", "value_sums"]

_COUNT, _TRUE, _TRUE_SQUARED, _ERROR, _ERROR_SQUARED, _ERROR_SIZE = range(6)


@dataclass(frozen=True, slots=True)
class Residuals:
    """What is left between prediction and truth, in the unit of the values."""

    cells: int
    """How many."""
    bias: float
    """Mean of predicted - true."""
    bias_interval: tuple[float, float]
    """95 % by units; NaN with fewer than two."""
    spread: float
    """Standard deviation of predicted - true."""
    quantiles: tuple[float, float, float, float, float]
    """5, 25, 50, 75 and 95 % of predicted - true."""


def value_sums(truth: ArrayLike, predicted: ArrayLike, unit: ArrayLike) -> NDArray[np.float64]:
    """(units, 6) cells, truth, its square, error, its square and its size, summed over each unit.

    The truth is taken from its mean over all cells, which no figure depends on: squares of large
    values would lose their digits. Where a prediction is not finite, so are the sums.

    Args:
        truth: (n,) values; finite.
        predicted: (n,) values in the same unit.
        unit: (n,) number of the block, polygon or group of each cell.

    Raises:
        RasterError: shapes differ, or a true value is not finite.
    """
    true, error = _pair(truth, predicted)
    place, units = unit_places(unit, len(true))
    true = true - true.mean() if len(true) else true
    with np.errstate(invalid="ignore", over="ignore"):
        return unit_sums(
            place, units, np.ones(len(true)), true, true**2, error, error**2, np.abs(error)
        )


def rmse(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) root of the mean squared error, of sums (..., 6); NaN without cells."""
    return np.sqrt(_mean(sums, _ERROR_SQUARED))


def mae(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) mean absolute error, of sums (..., 6); NaN without cells."""
    return _mean(sums, _ERROR_SIZE)


def bias(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) mean of predicted - true, of sums (..., 6); NaN without cells."""
    return _mean(sums, _ERROR)


def r2(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) 1 - squared error / squared distance of the truth from its mean; NaN if that is 0.

    Below 0 where the mean of the truth would have been a better guess.
    """
    variance = _mean(sums, _TRUE_SQUARED) - _mean(sums, _TRUE) ** 2
    variance = np.where(variance > 0, variance, np.nan)
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - _mean(sums, _ERROR_SQUARED) / variance)


def residuals(
    truth: ArrayLike, predicted: ArrayLike, unit: ArrayLike, *, seed: int = 0
) -> Residuals:
    """How predicted values differ from true ones.

    Args:
        truth, predicted, unit: as in `value_sums`.
        seed: fixes the resampling.

    Raises:
        RasterError: no cells, shapes that differ, or values that are not finite.
    """
    _, error = _pair(truth, predicted)
    if not len(error) or not np.isfinite(error).all():
        raise RasterError(f"{len(error):,} predicted values, not all finite: there is no residual.")
    sums = value_sums(truth, predicted, unit)
    ends = (np.nan, np.nan)
    if len(sums) > 1:
        low, high = percentiles(resampled(sums, bias, seed=seed))
        ends = float(low), float(high)
    five = np.quantile(error, [0.05, 0.25, 0.5, 0.75, 0.95])
    return Residuals(
        cells=len(error),
        bias=float(error.mean()),
        bias_interval=ends,
        spread=float(error.std()),
        quantiles=(float(five[0]), float(five[1]), float(five[2]), float(five[3]), float(five[4])),
    )


def _pair(
    truth: ArrayLike, predicted: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True values and errors, (n,) float64."""
    true, other = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if true.shape != other.shape or true.ndim != 1:
        raise RasterError(
            f"True values of shape {true.shape}, predicted ones of {other.shape}: give one of "
            "each per cell."
        )
    if not np.isfinite(true).all():
        raise RasterError("A true value is not finite: leave such cells out.")
    return true, other - true


def _mean(sums: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # nothing of nothing
        return np.asarray(sums[..., column] / sums[..., _COUNT])
