"""ClassRow: how well one class was found, with intervals by units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation import classification
from geotools.evaluation.metrics import DRAWS, Scored
from geotools.evaluation.resampling import pair_sums, percentiles, resampled, unit_places
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CLASS_FIGURES", "ClassRow", "class_rows"]

CLASS_FIGURES = ("precision", "recall", "f1", "iou")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How well one class was found."""

    info: ClassInfo
    """The class."""
    cells: int
    """How many test cells are truly of it."""
    predicted: int
    """How many were predicted to be."""
    units: int
    """How many units hold true cells of it."""
    precision: Scored
    """Share of the predicted cells that are right."""
    recall: Scored
    """Share of the true cells that were found."""
    f1: Scored
    """Their harmonic mean."""
    iou: Scored
    """Intersection over union."""


def class_rows(
    truth: ArrayLike,
    predicted: ArrayLike,
    unit: ArrayLike,
    classes: Sequence[ClassInfo],
    *,
    seed: int = 0,
) -> tuple[ClassRow, ...]:
    """One row for each class, in their order.

    Args:
        truth: (n,) index of the true class, from 0.
        predicted: (n,) index of the predicted class.
        unit: (n,) number of the block, polygon or group of each cell.
        classes: what the indices mean.
        seed: fixes the resampling.

    Raises:
        RasterError: shapes that differ, an index that is not one of a class.
    """
    count = len(classes)
    pair = classification.class_pairs(truth, predicted, count)
    place, units = unit_places(unit, len(pair))
    sums = pair_sums(place, units, pair, count**2)
    matrix = np.asarray(sums.sum(axis=0)).reshape(count, count)
    true = matrix.sum(axis=1) > 0

    def figures(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 4, classes) in the order of `CLASS_FIGURES`."""
        matrices = totals.reshape(*totals.shape[:-1], count, count)
        found = (
            classification.precision_per_class(matrices),
            classification.recall_per_class(matrices),
            classification.f1_per_class(matrices),
            classification.iou_per_class(matrices),
        )
        return np.stack(
            [classification.present_or_nan(scores, matrices, true) for scores in found], axis=-2
        )

    values = figures(matrix.ravel())
    ends = np.full((*values.shape, 2), np.nan)
    if units > 1:  # one unit drawn again is itself
        ends = percentiles(resampled(sums, figures, draws=DRAWS, seed=seed))
    of_class = np.bincount(np.unique(place * count + pair // count) % count, minlength=count)
    return tuple(
        ClassRow(
            info,
            int(matrix[index].sum()),
            int(matrix[:, index].sum()),
            int(of_class[index]),
            *(
                Scored(
                    float(values[figure, index]),
                    (float(ends[figure, index, 0]), float(ends[figure, index, 1])),
                )
                for figure in range(len(CLASS_FIGURES))
            ),
        )
        for index, info in enumerate(classes)
    )
