"""judge: all figures of a prediction on labelled cells, with baselines and intervals.

Arrays in, figures out, for the record of a training and for the test of any map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation import classification
from geotools.evaluation.area import area_intervals, estimate_area
from geotools.evaluation.class_rows import ClassRow, class_rows
from geotools.evaluation.metrics import (
    Scored,
    all_scores,
    difference_interval,
    score_with_interval,
)
from geotools.evaluation.regression import Residuals, residuals
from geotools.evaluation.resampling import pair_sums, unit_places
from geotools.evaluation.training_record import AreaRows
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Judgement", "judge", "judge_areas"]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """All figures of one prediction."""

    score: Scored
    """By the metric that decides."""
    other: Mapping[str, Scored]
    """By all metrics of the task, by name."""
    baselines: Mapping[str, Scored]
    """Of the baselines, by title."""
    differences: Mapping[str, Scored]
    """Score less that of a baseline, by title; below 0 where an error is smaller."""
    confusion: NDArray[np.int64] | None
    """(K, K) cells by true class (rows) and predicted class."""
    per_class: tuple[ClassRow, ...]
    """One row for each class."""
    residuals: Residuals | None
    """Of values."""


def judge(
    metric: str,
    truth: NDArray[np.generic],
    predicted: NDArray[np.generic],
    unit: NDArray[np.generic],
    *,
    baselines: Mapping[str, NDArray[np.generic]] | None = None,
    classes: Sequence[ClassInfo] = (),
    background: int | None = None,
    seed: int = 0,
) -> Judgement:
    """How good a prediction is, beside others of the same cells.

    Args:
        metric: the one that decides, of `METRICS`.
        truth: (n,) indices of classes from 0, or values.
        predicted: (n,) the same.
        unit: (n,) number of the block, polygon or group of each cell: what intervals draw again.
        baselines: title -> (n,) what another method says.
        classes: the classes; none for values.
        background: index of the class that `iou` leaves out.
        seed: fixes the intervals.

    Raises:
        ConfigError: no such metric.
        RasterError: shapes that differ, an index that is not one of a class.
    """
    count, others = len(classes), baselines or {}
    task = "classification" if classes else "regression"

    def scored(what: NDArray[np.generic]) -> Scored:
        return score_with_interval(
            metric, truth, what, unit, classes=count, background=background, seed=seed
        )

    confusion: NDArray[np.int64] | None = None
    rows: tuple[ClassRow, ...] = ()
    if classes:
        pairs = classification.class_pairs(truth, predicted, count)
        confusion = np.bincount(pairs, minlength=count**2).reshape(count, count)
        rows = class_rows(truth, predicted, unit, classes, seed=seed)
    return Judgement(
        score=scored(predicted),
        other=all_scores(
            task, truth, predicted, unit, classes=count, background=background, seed=seed
        ),
        baselines={name: scored(one) for name, one in others.items()},
        differences={
            name: difference_interval(
                metric, truth, predicted, one, unit,
                classes=count, background=background, seed=seed,
            )
            for name, one in others.items()
        },
        confusion=confusion,
        per_class=rows,
        residuals=None if classes else residuals(truth, predicted, unit, seed=seed),
    )  # fmt: skip


def judge_areas(
    truth: NDArray[np.generic],
    predicted: NDArray[np.generic],
    unit: NDArray[np.generic],
    mapped_m2: NDArray[np.float64],
    *,
    seed: int = 0,
) -> AreaRows:
    """Area of every class, adjusted by what labelled cells say of the map.

    Args:
        truth, predicted, unit: as in `judge`, for classes.
        mapped_m2: (K,) area of each class on the map, square metres.
        seed: fixes the intervals.
    """
    mapped_km2 = np.asarray(mapped_m2) / 1e6
    count = len(mapped_km2)
    pairs = classification.class_pairs(predicted, truth, count)  # the map in rows
    place, units = unit_places(unit, len(pairs))
    sums = pair_sums(place, units, pairs, count**2)
    counts = np.asarray(sums.sum(axis=0)).reshape(count, count)
    return AreaRows(
        estimate=estimate_area(counts, mapped_km2),
        unit="km²",
        unit_interval=area_intervals(sums, mapped_km2, seed=seed),
    )
