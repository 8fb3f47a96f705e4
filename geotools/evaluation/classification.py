"""Agreement of two class maps: confusion matrix, kappa, F1, IoU, and intervals by blocks.

Counts in, figures out; where the maps come from is not known here. True classes are the rows of
every matrix. Names in the plural take stacks of matrices, as resampling makes them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geotools.errors import RasterError
from geotools.evaluation.resampling import unit_places

__all__ = [
    "accuracies",
    "agreement",
    "balanced_accuracy",
    "block_confusions",
    "bootstrap_interval",
    "class_pairs",
    "confusion_matrix",
    "f1_per_class",
    "iou",
    "iou_per_class",
    "kappa",
    "kappas",
    "macro_f1",
    "means_of_present",
    "precision_per_class",
    "present_or_nan",
    "recall_per_class",
    "unit_confusions",
]

Matrix = NDArray[np.int64]
Counts = NDArray[np.int64] | NDArray[np.float64]
Figures = NDArray[np.float64]

_MOST_COUNTS = 50_000_000
"""Numbers in one stack of matrices, 400 MB."""


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


def class_pairs(truth: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.intp]:
    """The place of each cell in a confusion matrix that is laid out row by row; (n,).

    Args:
        truth: (n,) index of the true class, from 0.
        predicted: (n,) index of the predicted class, from 0.
        classes: number of classes.

    Raises:
        RasterError: shapes differ, or an index is not one of a class.
    """
    true, other = np.asarray(truth), np.asarray(predicted)
    if true.shape != other.shape or true.ndim != 1:
        raise RasterError(
            f"True classes of shape {true.shape}, predicted ones of {other.shape}: give one of "
            "each per cell."
        )
    for indices in (true, other):
        if indices.dtype.kind not in "iu":
            raise RasterError(f"Classes of type {indices.dtype}: give their indices from 0.")
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < classes:
            raise RasterError(
                f"Class indices from {indices.min()} to {indices.max()}: give 0 to {classes - 1}."
            )
    return true.astype(np.intp) * classes + other.astype(np.intp)


def unit_confusions(
    truth: ArrayLike, predicted: ArrayLike, unit: ArrayLike, classes: int
) -> Matrix:
    """One confusion matrix for each unit that occurs, in the order of their numbers.

    Args:
        truth: (n,) index of the true class, from 0.
        predicted: (n,) index of the predicted class, from 0.
        unit: (n,) number of the block, polygon or group of each cell.
        classes: number of classes.

    Returns:
        (units, classes, classes) int64.

    Raises:
        RasterError: shapes differ, an index is not one of a class, or the matrices would not fit
            into memory.
    """
    pair = class_pairs(truth, predicted, classes)
    place, units = unit_places(unit, len(pair))
    if units * classes**2 > _MOST_COUNTS:
        raise RasterError(
            f"{units:,} units with {classes} classes make too many matrices: give larger units."
        )
    flat = np.bincount(place * classes**2 + pair, minlength=units * classes**2)
    return flat.reshape(units, classes, classes)


def agreement(matrix: Counts) -> float:
    """Share of cells in which both maps name the same class, 0 to 1; NaN without cells."""
    return float(accuracies(matrix))


def accuracies(matrices: Counts) -> Figures:
    """(...) `agreement` of each of the matrices (..., K, K)."""
    return _share(_diagonal(matrices).sum(-1), matrices.sum((-2, -1)))


def kappa(matrix: Counts) -> float:
    """Cohen's (1960) kappa: agreement beyond chance; NaN when chance alone would agree."""
    return float(kappas(matrix))


def kappas(matrices: Counts) -> Figures:
    """(...) `kappa` of each of the matrices (..., K, K)."""
    total = matrices.sum((-2, -1))[..., None]
    chance = (_share(matrices.sum(-2), total) * _share(matrices.sum(-1), total)).sum(-1)
    chance = np.where(chance < 1.0, chance, np.nan)
    return np.asarray((accuracies(matrices) - chance) / (1.0 - chance))


def precision_per_class(matrix: Counts) -> Figures:
    """(..., K) share of a predicted class that is right, of (..., K, K); NaN if never predicted."""
    return _share(_diagonal(matrix), matrix.sum(-2))


def recall_per_class(matrix: Counts) -> Figures:
    """(..., K) share of a true class that was found, of (..., K, K); NaN for one without cells."""
    return _share(_diagonal(matrix), matrix.sum(-1))


def f1_per_class(matrix: Counts) -> Figures:
    """Harmonic mean of precision and recall, 2 tp / (true + predicted); (..., K) of (..., K, K).

    NaN for a class that occurs in neither map.
    """
    return _share(2 * _diagonal(matrix), matrix.sum(-2) + matrix.sum(-1))


def iou_per_class(matrix: Counts) -> Figures:
    """Intersection over union, tp / (true + predicted - tp); (..., K) of (..., K, K).

    Also Jaccard's index. NaN for a class that occurs in neither map.
    """
    right = _diagonal(matrix)
    return _share(right, matrix.sum(-2) + matrix.sum(-1) - right)


def present_or_nan(scores: Figures, matrices: Counts, true: NDArray[np.bool_] | None) -> Figures:
    """(..., K) scores of classes, NaN where a resample has lost all true cells of a class.

    A class that lies in a few units is missing from many resamples. What it would score there
    cannot be told; a 0, for the cells that are still taken for it, would pull the interval down.

    Args:
        scores: (..., K) one for each class.
        matrices: (..., K, K) what they were taken from.
        true: (K,) the classes that truly occur in the whole; all scores stay when left out.
    """
    if true is None:
        return scores
    return np.where(true & (matrices.sum(axis=-1) == 0), np.nan, scores)


def means_of_present(figures: Figures) -> Figures:
    """(...) mean over the classes, the last axis, whose figure is not NaN; NaN without any."""
    present = ~np.isnan(figures)
    return _share(np.where(present, figures, 0.0).sum(-1), present.sum(-1))


def macro_f1(matrix: Counts) -> float:
    """Mean F1 of the classes that occur in either map; NaN without cells."""
    return float(means_of_present(f1_per_class(matrix)))


def balanced_accuracy(matrix: Counts) -> float:
    """Mean recall of the classes that truly occur; NaN without cells."""
    return float(means_of_present(recall_per_class(matrix)))


def iou(matrix: Counts, background: int | None = None) -> float:
    """Mean intersection over union of the classes that occur in either map; NaN without any.

    Args:
        matrix: (K, K) counts.
        background: index of a class that is left out of the mean.
    """
    scores = iou_per_class(matrix)
    return float(means_of_present(scores if background is None else np.delete(scores, background)))


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


def _diagonal(matrices: Counts) -> Figures:
    return np.asarray(np.diagonal(matrices, axis1=-2, axis2=-1), np.float64)


def _share(part: ArrayLike, whole: ArrayLike) -> Figures:
    """The quotient, NaN where `whole` is 0."""
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    shares = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
