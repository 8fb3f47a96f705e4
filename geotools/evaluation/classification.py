"""Agreement of two class maps: confusion matrix, kappa, F1, and intervals by blocks.

Counts in, figures out; where the maps come from is not known here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geotools.errors import RasterError

__all__ = [
    "agreement",
    "block_confusions",
    "bootstrap_interval",
    "confusion_matrix",
    "f1_per_class",
    "kappa",
    "macro_f1",
]

Matrix = NDArray[np.int64]


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> Matrix:
    """Counts of cells by true class (rows) and predicted class (columns).

    Args:
        truth: codes 1 to `classes`, any shape; 0 = invalid.
        predicted: the same shape; 0 = invalid. Cells that are invalid in either are left out.
        classes: number of classes.

    Returns:
        (classes, classes) int64; row i is code i + 1.

    Raises:
        RasterError: shapes differ, or a code is beyond `classes`.
    """
    true, other = np.asarray(truth), np.asarray(predicted)
    if true.shape != other.shape:
        raise RasterError(f"The class maps differ in shape, {true.shape} and {other.shape}.")
    both = (true > 0) & (other > 0)
    if both.any() and max(int(true[both].max()), int(other[both].max())) > classes:
        raise RasterError(f"A class map holds a code beyond {classes}: give the right count.")
    pairs = (true[both].astype(np.int64) - 1) * classes + (other[both].astype(np.int64) - 1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def block_confusions(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int, block: int
) -> Matrix:
    """One confusion matrix for each square block of cells that holds any valid cell.

    Args:
        truth, predicted: (rows, cols), as in `confusion_matrix`.
        block: cells on a side; neighbouring cells are alike, so blocks are what is resampled.

    Returns:
        (blocks, classes, classes) int64.
    """
    rows, cols = truth.shape
    parts = []
    for row in range(0, rows, block):
        for col in range(0, cols, block):
            piece = np.s_[row : row + block, col : col + block]
            matrix = confusion_matrix(truth[piece], predicted[piece], classes)
            if matrix.any():
                parts.append(matrix)
    if not parts:
        return np.zeros((0, classes, classes), dtype=np.int64)
    return np.stack(parts)


def agreement(matrix: Matrix) -> float:
    """Share of cells in which both maps name the same class, 0 to 1; NaN without cells."""
    total = matrix.sum()
    return float(np.trace(matrix) / total) if total else float("nan")


def kappa(matrix: Matrix) -> float:
    """Cohen's (1960) kappa: agreement beyond chance; NaN when chance alone would agree."""
    total = matrix.sum()
    if not total:
        return float("nan")
    chance = float((matrix.sum(0) / total * (matrix.sum(1) / total)).sum())
    return (agreement(matrix) - chance) / (1.0 - chance) if chance < 1.0 else float("nan")


def f1_per_class(matrix: Matrix) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall, 2 tp / (true + predicted); (classes,).

    NaN for a class that occurs in neither map.
    """
    cells = (matrix.sum(0) + matrix.sum(1)).astype(np.float64)
    right = 2.0 * np.diagonal(matrix)
    scores = np.full(len(cells), np.nan)
    np.divide(right, cells, out=scores, where=cells > 0)
    return scores


def macro_f1(matrix: Matrix) -> float:
    """Mean F1 of the classes that occur in either map; NaN without cells."""
    scores = f1_per_class(matrix)
    present = scores[~np.isnan(scores)]
    return float(present.mean()) if present.size else float("nan")


def bootstrap_interval(
    blocks: Matrix,
    figure: Callable[[Matrix], float],
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a figure when whole blocks are drawn again with replacement.

    Args:
        blocks: (blocks, classes, classes), as from `block_confusions`.
        figure: from one confusion matrix to a number, such as `agreement`.
        level: share of the draws inside the interval.
        draws: how many resamples.
        seed: fixes them.

    Returns:
        Lower and upper end; NaN without blocks.
    """
    if not len(blocks):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    shape = blocks.shape[1:]
    flat = blocks.reshape(len(blocks), -1)
    scores = []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(blocks), len(blocks)), minlength=len(blocks))
        scores.append(figure((times @ flat).reshape(shape)))
    low, high = np.nanquantile(scores, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
