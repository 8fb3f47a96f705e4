"""METRICS: the figures a training can be judged by, each with its interval by units.

Classes are given by their indices from 0, values as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError
from geotools.evaluation import classification, regression
from geotools.evaluation.resampling import pair_sums, percentiles, resampled, unit_places

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "METRICS",
    "Metric",
    "Scored",
    "all_scores",
    "difference_interval",
    "interval",
    "score",
    "score_with_interval",
]

DRAWS = 1000
"""Resamples of the units behind every interval."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that a training can be judged by."""

    name: str
    """As in a configuration."""
    title: str
    """As in a sentence."""
    higher_is_better: bool
    """False for errors."""
    task: str
    """`classification` or `regression`."""
    figure: Callable[
        [NDArray[np.float64], int | None, NDArray[np.bool_] | None], NDArray[np.float64]
    ]
    """From confusion matrices (..., K, K), or from (..., 6) sums of values as `value_sums` has
    them, to (...) figures; with the index of the background, and (K,) the classes that truly occur
    in the whole, see `classification.present_or_nan`."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A figure with its interval."""

    value: float
    """The figure; NaN where there is none."""
    interval: tuple[float, float]
    """95 % by units; NaN with fewer than two units."""


def _macro_f1(
    matrices: NDArray[np.float64], _: int | None, true: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    scores = classification.f1_per_class(matrices)
    return classification.means_of_present(classification.present_or_nan(scores, matrices, true))


def _iou(
    matrices: NDArray[np.float64], background: int | None, true: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    scores = classification.present_or_nan(classification.iou_per_class(matrices), matrices, true)
    if background is not None:
        scores = np.delete(scores, background, axis=-1)
    return classification.means_of_present(scores)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", True, "classification",
               lambda m, *_: classification.accuracies(m)),
        Metric("balanced_accuracy", "balanced accuracy", True, "classification",
               lambda m, *_: classification.means_of_present(classification.recall_per_class(m))),
        Metric("macro_f1", "macro-F1", True, "classification", _macro_f1),
        Metric("iou", "IoU", True, "classification", _iou),
        Metric("kappa", "kappa", True, "classification", lambda m, *_: classification.kappas(m)),
        Metric("r2", "R²", True, "regression", lambda sums, *_: regression.r2(sums)),
        Metric("rmse", "RMSE", False, "regression", lambda sums, *_: regression.rmse(sums)),
        Metric("mae", "MAE", False, "regression", lambda sums, *_: regression.mae(sums)),
    )
}  # fmt: skip
"""All of them by name."""


def score(
    metric: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    classes: int = 0,
    background: int | None = None,
) -> float:
    """The figure; NaN without cells, or where a predicted value is not finite.

    Args:
        metric: one of `METRICS`.
        truth: (n,) indices of classes from 0, or values.
        predicted: (n,) the same.
        classes: number of classes; none for values.
        background: index of the class that `iou` leaves out.

    Raises:
        ConfigError: no such metric.
        RasterError: shapes that differ, an index that is not one of a class.
    """
    unit = np.zeros(np.shape(truth), np.int8)
    sums = _sums(metric, truth, predicted, unit, classes)
    return float(_figure(metric, classes, background, sums)(sums.sum(axis=0)))


def interval(
    metric: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    unit: ArrayLike,
    *,
    classes: int = 0,
    background: int | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % interval of the figure when whole units are drawn again; NaN with fewer than two.

    Args:
        metric, truth, predicted, classes, background: as in `score`.
        unit: (n,) number of the block, polygon or group of each cell.
        seed: fixes the resampling.

    Raises:
        ConfigError: no such metric.
        RasterError: shapes that differ, an index that is not one of a class.
    """
    sums = _sums(metric, truth, predicted, unit, classes)
    return _interval(sums, _figure(metric, classes, background, sums), seed)


def score_with_interval(
    metric: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    unit: ArrayLike,
    *,
    classes: int = 0,
    background: int | None = None,
    seed: int = 0,
) -> Scored:
    """`score` and `interval` in one."""
    sums = _sums(metric, truth, predicted, unit, classes)
    figure = _figure(metric, classes, background, sums)
    return Scored(float(figure(sums.sum(axis=0))), _interval(sums, figure, seed))


def all_scores(
    task: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    unit: ArrayLike,
    *,
    classes: int = 0,
    background: int | None = None,
    seed: int = 0,
) -> dict[str, Scored]:
    """Every metric of a task with its interval, by name; other arguments as in `interval`."""
    names = [name for name, metric in METRICS.items() if metric.task == task]
    sums = _sums(names[0], truth, predicted, unit, classes)
    figures = [_figure(name, classes, background, sums) for name in names]

    def every(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([figure(drawn) for figure in figures], axis=-1)

    values, ends = every(sums.sum(axis=0)), _ends(sums, every, seed)
    return {
        name: Scored(float(value), (float(low), float(high)))
        for name, value, (low, high) in zip(names, values, ends, strict=True)
    }


def difference_interval(
    metric: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    other: ArrayLike,
    unit: ArrayLike,
    *,
    classes: int = 0,
    background: int | None = None,
    seed: int = 0,
) -> Scored:
    """How much the figure of one prediction is above that of another, on the same cells.

    Both are taken from the same units in every resample, so what is hard for both does not widen
    the interval.

    Args:
        metric, truth, classes, background, unit, seed: as in `interval`.
        predicted: (n,) the one.
        other: (n,) the other.

    Returns:
        The figure of `predicted` less that of `other`, and its 95 % interval.

    Raises:
        ConfigError: no such metric.
        RasterError: shapes that differ, an index that is not one of a class.
    """
    from scipy.sparse import hstack, issparse

    ours = _sums(metric, truth, predicted, unit, classes)
    theirs = _sums(metric, truth, other, unit, classes)
    figure, columns = _figure(metric, classes, background, ours), ours.shape[1]
    both = hstack([ours, theirs], "csr") if issparse(ours) else np.hstack([ours, theirs])

    def difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(figure(sums[..., :columns]) - figure(sums[..., columns:]))

    return Scored(float(difference(both.sum(axis=0))), _interval(both, difference, seed))


def _sums(
    metric: str, truth: ArrayLike, predicted: ArrayLike, unit: ArrayLike, classes: int
) -> Any:
    """(units, columns) what the figure is taken from."""
    if metric not in METRICS:
        raise ConfigError(f"There is no metric {metric!r}: give one of {', '.join(METRICS)}.")
    if METRICS[metric].task == "regression":
        return regression.value_sums(truth, predicted, unit)
    pair = classification.class_pairs(truth, predicted, classes)
    place, units = unit_places(unit, len(pair))
    return pair_sums(place, units, pair, classes**2)


def _figure(
    metric: str, classes: int, background: int | None, sums: Any
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """From (..., columns) resamples of such sums to (...) figures."""
    chosen = METRICS[metric]
    if chosen.task == "regression":
        return lambda drawn: chosen.figure(drawn, None, None)
    true = sums.sum(axis=0).reshape(classes, classes).sum(axis=1) > 0
    return lambda drawn: chosen.figure(
        drawn.reshape(*drawn.shape[:-1], classes, classes), background, true
    )


def _interval(
    sums: Any, figure: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
) -> tuple[float, float]:
    low, high = _ends(sums, figure, seed)
    return float(low), float(high)


def _ends(
    sums: Any, figure: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
) -> NDArray[np.float64]:
    """(..., 2) ends of figures (...)."""
    if sums.shape[0] < 2:  # one unit drawn again is itself: that would be a point
        return np.full((*figure(sums.sum(axis=0)).shape, 2), np.nan)
    return percentiles(resampled(sums, figure, draws=DRAWS, seed=seed))
