"""Do the probabilities of classes come true: reliability of the top class, and the temperature.

Probabilities are rows that sum to 1, truths indices of classes from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError
from geotools.evaluation.resampling import percentiles, resampled, unit_places, unit_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["TEMPERATURES", "ClassReliability", "apply_temperature", "class_reliability",
           "fit_temperature"]  # fmt: skip

TEMPERATURES = 0.05, 20.0
"""Bounds of a fitted temperature."""

_FLOOR = 1e-6
"""What 0 counts as in logarithms: a forest says 0 where none of its trees voted, and is wrong
there at times."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassReliability:
    """How often the most probable class is the true one, by the probability it was given."""

    edges: NDArray[np.float64]
    """(bins + 1,) a bin holds its upper edge, but not its lower one."""
    cells: NDArray[np.int64]
    """(bins,) how many cells had such a probability."""
    confidence: NDArray[np.float64]
    """(bins,) their mean probability of the top class; NaN without cells."""
    accuracy: NDArray[np.float64]
    """(bins,) share of them whose top class is the true one; NaN without cells."""
    interval: NDArray[np.float64]
    """(bins, 2) 95 % of that share when units are drawn again; NaN with fewer than two."""
    expected_error: float
    """Expected calibration error: mean of |accuracy - confidence| over the bins, weighted by cells
    (Guo et al. 2017, eq. 3)."""
    brier: float
    """Mean over cells of the squared differences summed over classes, 0 to 2 (Brier 1950)."""
    log_loss: float
    """Mean of -log of the probability of the true class, nats; 0 counts as 1e-6, or as the smallest
    other one where that is smaller."""


def fit_temperature(
    probabilities: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """The temperature T whose p^(1/T), normalised, make the truths most probable.

    Temperature scaling (Guo et al. 2017, sec. 4.2) of the logarithms of the probabilities. The
    loss is convex in 1/T, so its slope is followed to its zero.

    Args:
        probabilities: (n, K) rows that sum to 1; zeros are taken as 1e-6, or as the smallest other
            one where that is smaller.
        truth: (n,) index of the true class.
        weight: (n,) of each cell; all alike when left out.

    Returns:
        T within 0.05 to 20: above 1 for probabilities that claim too much; 1 without cells, or
        where the probabilities tell nothing.

    Raises:
        RasterError: shapes that do not fit, probabilities that are none.
    """
    p, true = _pair(probabilities, truth)
    weights = np.ones(len(p)) if weight is None else np.asarray(weight, np.float64)
    if weights.shape != true.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise RasterError(f"Weights of shape {weights.shape}: give one of 0 or more to each cell.")
    total = weights.sum()
    if not total:
        return 1.0
    logs = _logs(p)
    logs -= logs.max(axis=1, keepdims=True)  # (n, K) 0 for the top class
    ours = logs[np.arange(len(true)), true]
    if not logs.any():
        return 1.0

    def slope(beta: float) -> tuple[float, float]:
        """First and second derivative of the mean loss by 1/T."""
        tilted = np.exp(beta * logs)
        tilted /= tilted.sum(axis=1, keepdims=True)
        mean = (tilted * logs).sum(axis=1)
        variance = (tilted * logs**2).sum(axis=1) - mean**2
        return float(weights @ (mean - ours) / total), float(weights @ variance / total)

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low)[0] >= 0:
        return TEMPERATURES[1]
    if slope(high)[0] <= 0:
        return TEMPERATURES[0]
    beta = 1.0
    for _ in range(100):  # Newton's steps, halved in logarithms where they leave the bracket
        first, second = slope(beta)
        low, high = (beta, high) if first < 0 else (low, beta)
        step = beta - first / second if second > 0 else 0.0
        best = step if low < step < high else float(np.sqrt(low * high))
        if abs(best - beta) <= 1e-7 * beta:
            break
        beta = best
    return 1 / beta


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """p^(1/temperature), normalised over the last axis; zeros stay zeros, NaN stay NaN.

    Args:
        probabilities: (..., K), each row with something above 0.
        temperature: above 0.

    Raises:
        RasterError: a temperature that is not above 0.
    """
    if not temperature > 0:
        raise RasterError(f"A temperature of {temperature}: give one above 0.")
    p = np.asarray(probabilities, np.float64)
    with np.errstate(divide="ignore"):
        logs = np.log(p)
    logs = (logs - logs.max(axis=-1, keepdims=True)) / temperature
    tilted = np.exp(logs)
    return np.asarray(tilted / tilted.sum(axis=-1, keepdims=True))


def class_reliability(
    probabilities: ArrayLike,
    truth: ArrayLike,
    unit: ArrayLike | None = None,
    *,
    bins: int = 10,
    seed: int = 0,
) -> ClassReliability:
    """How far the probabilities of classes can be taken at their word.

    Args:
        probabilities: (n, K) rows that sum to 1.
        truth: (n,) index of the true class.
        unit: (n,) number of the block, polygon or group of each cell; no intervals without.
        bins: of equal width between 0 and 1.
        seed: fixes the resampling.

    Raises:
        RasterError: shapes that do not fit, probabilities that are none.
    """
    p, true = _pair(probabilities, truth)
    edges = np.linspace(0.0, 1.0, bins + 1)
    top = p.max(axis=1) if len(p) else np.zeros(0)
    right = p.argmax(axis=1) == true if len(p) else np.zeros(0, np.bool_)
    place = np.clip(np.ceil(top * bins).astype(np.intp) - 1, 0, bins - 1)
    cells = np.bincount(place, minlength=bins)
    hits = np.bincount(place, right, bins)
    confidence, accuracy = _shares(np.bincount(place, top, bins), cells), _shares(hits, cells)
    ends = np.full((bins, 2), np.nan)
    if unit is not None and len(p):
        units, count = unit_places(unit, len(p))
        if count > 1:
            in_bin = place[:, None] == np.arange(bins)
            columns = [*in_bin.T.astype(np.float64), *(in_bin & right[:, None]).T]
            sums = unit_sums(units, count, *columns)
            drawn = resampled(sums, lambda s: _shares(s[:, bins:], s[:, :bins]), seed=seed)
            ends = percentiles(drawn)
    ours = p[np.arange(len(true)), true]
    gap = np.where(cells > 0, np.abs(np.nan_to_num(accuracy - confidence)), 0.0)
    n = len(p)
    return ClassReliability(
        edges=edges,
        cells=cells,
        confidence=confidence,
        accuracy=accuracy,
        interval=ends,
        expected_error=float((gap * cells).sum() / n) if n else float("nan"),
        brier=float(((p**2).sum(axis=1) - 2 * ours + 1).mean()) if n else float("nan"),
        log_loss=float(-_logs(p)[np.arange(n), true].mean()) if n else float("nan"),
    )


def _pair(
    probabilities: ArrayLike, truth: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    p, true = np.asarray(probabilities, np.float64), np.asarray(truth)
    if p.ndim != 2 or true.shape != (len(p),) or true.dtype.kind not in "iu":
        raise RasterError(
            f"Probabilities of shape {p.shape} for {true.dtype} classes of shape {true.shape}: "
            "give a row of probabilities and one index per cell."
        )
    if len(p) and not 0 <= int(true.min()) <= int(true.max()) < p.shape[1]:
        raise RasterError(
            f"Class indices from {true.min()} to {true.max()}: give 0 to {p.shape[1] - 1}."
        )
    if not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise RasterError("Rows of probabilities must be 0 or more and sum to 1.")
    return p, true.astype(np.intp)


def _logs(p: NDArray[np.float64]) -> NDArray[np.float64]:
    above = p[p > 0]
    return np.log(np.maximum(p, min(_FLOOR, float(above.min())) if above.size else _FLOOR))


def _shares(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    parts, wholes = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    found = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=found, where=wholes > 0)
    return found
