"""TrainingRecord: what a training leaves behind of its score, for the report and `evaluation.json`.

Plain arrays and numbers; nothing here knows how they came about.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError
from geotools.evaluation.area import AreaEstimate
from geotools.evaluation.calibration import ClassReliability
from geotools.evaluation.metrics import METRICS, Metric, Scored
from geotools.evaluation.regression import Residuals
from geotools.io.atomic import write_atomic
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AreaRows",
    "CalibrationRecord",
    "ClassRow",
    "Curve",
    "ImportanceRow",
    "LearnerRow",
    "MapPicture",
    "ScatterSample",
    "TrainingRecord",
    "write_evaluation",
]

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How well one class was found."""

    info: ClassInfo
    """The class."""
    cells: int
    """How many test cells are truly of it."""
    predicted: int
    """How many were predicted to be."""
    precision: Scored
    """Share of the predicted cells that are right."""
    recall: Scored
    """Share of the true cells that were found."""
    f1: Scored
    """Their harmonic mean."""
    iou: Scored
    """Intersection over union."""
    units: int = 0
    """How many units hold true cells of it."""


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """One learner that was tried."""

    name: str
    """As in a configuration."""
    title: str
    """As in a sentence."""
    validation: float
    """Score on the validation cells; NaN where it was not taken."""
    test: float
    """Score on the test cells; NaN where it was not taken."""
    seconds: float
    """What fitting took, all rounds together."""
    chosen: bool = False
    """Whether it is the one that was kept."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationRecord:
    """What the temperature did to the probabilities, on test cells."""

    temperature: float
    """The one inside the graph; 1 leaves probabilities as they are."""
    before: ClassReliability
    """Without it."""
    after: ClassReliability
    """With it."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaRows:
    """Area per class of the predicted map, adjusted by the test cells."""

    estimate: AreaEstimate
    """By the formulas for a probability sample; classes in the order of the record."""
    unit: str
    """Unit of the areas: `km²`, `ha`, `cells`."""
    unit_interval: NDArray[np.float64]
    """(classes, 2) 95 % of the adjusted areas when whole units are drawn again; NaN without."""


@dataclass(frozen=True, slots=True)
class ImportanceRow:
    """What a feature was worth."""

    feature: str
    """Its name."""
    drop: Scored
    """How much worse the score is when the feature is shuffled among the test cells; positive is
    worse, also for errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The curve of one fit that went in epochs; arrays of one length."""

    title: str
    """Which fit: `round 1`, `final`."""
    epoch: NDArray[np.int64]
    """Number of the epoch, from 1."""
    train_loss: NDArray[np.float64]
    """Mean loss on the cells that are learned from."""
    validation_loss: NDArray[np.float64]
    """Loss on the validation cells, or NaN."""
    score: NDArray[np.float64]
    """Score on the validation cells, or NaN."""
    best: int | None = None
    """Epoch whose weights were kept."""


@dataclass(frozen=True, slots=True, eq=False)
class MapPicture:
    """A scene made small enough to look at; all arrays are (rows, cols) of the same size."""

    title: str
    """Name of the scene."""
    predicted: NDArray[Any]
    """Index of the class from 0, -1 where invalid; or float values, NaN where invalid."""
    extent: tuple[float, float, float, float]
    """Left, right, bottom and top, as matplotlib has it."""
    fold: NDArray[np.int64] | None = None
    """Round in which the labelled cells were tested; -1 for cells that are labelled and never
    tested, -2 for cells without label."""
    truth: NDArray[Any] | None = None
    """The labels, as `predicted`."""
    tested: NDArray[Any] | None = None
    """What the rounds predicted for their test cells, as `predicted`: where it differs from
    `truth` is an error."""
    metres_per_unit: float = 1.0
    """Length of a unit of `extent` along x; NaN where there is no length."""
    aspect: float = 1.0
    """Length of a unit of y by one of x: above 1 for degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class ScatterSample:
    """Some true and predicted values of test cells, to be drawn."""

    truth: NDArray[np.float64]
    """(n,) true values."""
    predicted: NDArray[np.float64]
    """(n,) predicted ones."""
    unit: str = ""
    """Physical unit."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingRecord:
    """What a training leaves behind of its score."""

    name: str
    """Name of the model."""
    task: str
    """`classification` or `regression`."""
    metric: str
    """The one that decides; one of `METRICS`."""
    learner: str
    """Name of the learner that was kept."""
    learner_title: str
    """As in a sentence: `U-Net`, `random forest`."""
    split_kind: str
    """`blocks`, `polygons`, …"""
    split_title: str
    """What it is in a few words."""
    seed: int
    """Fixes everything that was drawn."""
    score: Scored
    """The score on the test cells of all rounds."""
    baselines: Mapping[str, Scored]
    """Scores of the baselines on the same cells, by title: `majority class`, `random forest`."""
    differences: Mapping[str, Scored] = field(default_factory=dict)
    """Score less that of a baseline, from `difference_interval`, by the same titles."""
    cells: int = 0
    """Test cells of all rounds together."""
    units: int = 0
    """Units they lie in: what was drawn again for the intervals."""
    unit_word: str = "blocks"
    """What the units are, in the plural."""
    classes: tuple[ClassInfo, ...] = ()
    """The classes, in the order of every array; empty for regression."""
    background: int | None = None
    """Index of the class that is no class of interest."""
    confusion: NDArray[np.int64] | None = None
    """(classes, classes) test cells by true class (rows) and predicted class (columns)."""
    per_class: tuple[ClassRow, ...] = ()
    """One row for each class."""
    other: Mapping[str, Scored] = field(default_factory=dict)
    """All metrics of the task by name, from `all_scores`."""
    calibration: CalibrationRecord | None = None
    """Of the probabilities on test cells."""
    area: AreaRows | None = None
    """Of the predicted map."""
    importance: tuple[ImportanceRow, ...] = ()
    """In any order; the report sorts it."""
    learners: tuple[LearnerRow, ...] = ()
    """All that were tried."""
    curves: tuple[Curve, ...] = ()
    """Of the fits that went in epochs."""
    residuals: Residuals | None = None
    """Of a regression."""
    scatter: ScatterSample | None = None
    """Of a regression."""
    random_split: Scored | None = None
    """What a split by random cells would have claimed of the same learner."""
    maps: tuple[MapPicture, ...] = ()
    """The scenes."""
    parity: Mapping[str, Any] = field(default_factory=dict)
    """Training framework against ONNX Runtime, as in the spec."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """What took how long, by name."""
    warnings: tuple[str, ...] = ()
    """What a reader must know, one sentence each."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What shaped the result, by name."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Files with their hashes, licence, attribution, command and software, by name."""

    @property
    def figure(self) -> Metric:
        """The metric that decides."""
        return METRICS[self.metric]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values that JSON can hold; null where there is none."""
        body = {
            "schema": _SCHEMA,
            "name": self.name,
            "task": self.task,
            "metric": self.metric,
            "score": self.score.value,
            "interval": list(self.score.interval),
            "baselines": {name: scored.value for name, scored in self.baselines.items()},
            "baselines_interval": {name: list(s.interval) for name, s in self.baselines.items()},
            "differences": {name: _scored(scored) for name, scored in self.differences.items()},
            "learner": self.learner,
            "split": self.split_title,
            "split_kind": self.split_kind,
            "seed": self.seed,
            "parity": dict(self.parity),
            "cells": self.cells,
            "units": self.units,
            "classes": [
                {"code": info.code, "name": info.name, "color": info.color} for info in self.classes
            ],
            "background": (None if self.background is None else self.classes[self.background].name),
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "per_class": [_class_row(row) for row in self.per_class],
            "other": {name: _scored(scored) for name, scored in self.other.items()},
            "calibration": None if self.calibration is None else _calibration(self.calibration),
            "area": None if self.area is None else _area(self.area, self.classes),
            "importance": [
                {"feature": row.feature, "drop": row.drop.value, "interval": row.drop.interval}
                for row in self.importance
            ],
            "learners": [
                {
                    "name": row.name,
                    "validation": row.validation,
                    "test": row.test,
                    "seconds": row.seconds,
                    "chosen": row.chosen,
                }
                for row in self.learners
            ],
            "residuals": None if self.residuals is None else _residuals(self.residuals),
            "random_split": None if self.random_split is None else _scored(self.random_split),
            "seconds": dict(self.seconds),
            "warnings": list(self.warnings),
        }
        plain: dict[str, Any] = _plain(body)
        return plain


def write_evaluation(
    path: str | os.PathLike[str], record: TrainingRecord, *, overwrite: bool = False
) -> None:
    """Writes the figures of a training as JSON; the file appears when it is complete.

    Raises:
        FileError: it cannot be written.
    """
    text = json.dumps(record.to_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_text(path, text, overwrite=overwrite)


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> None:
    """Writes text as UTF-8; the file appears under its name when it was read back.

    Raises:
        FileError: it cannot be written.
    """
    data = text.encode("utf-8", errors="replace")

    def verify(written: Path) -> None:
        if written.read_bytes() != data:
            raise FileError(f"{path} reads back otherwise than it was written: is the disk full?")

    with write_atomic(path, overwrite=overwrite, verify=verify) as part:
        part.write_bytes(data)


def _scored(scored: Scored) -> dict[str, Any]:
    return {"value": scored.value, "interval": list(scored.interval)}


def _class_row(row: ClassRow) -> dict[str, Any]:
    return {
        "code": row.info.code,
        "name": row.info.name,
        "cells": row.cells,
        "predicted": row.predicted,
        "units": row.units,
        **{name: _scored(getattr(row, name)) for name in ("precision", "recall", "f1", "iou")},
    }


def _calibration(record: CalibrationRecord) -> dict[str, Any]:
    def figures(table: ClassReliability) -> dict[str, Any]:
        return {
            "expected_error": table.expected_error,
            "brier": table.brier,
            "log_loss": table.log_loss,
            "edges": table.edges,
            "cells": table.cells,
            "confidence": table.confidence,
            "accuracy": table.accuracy,
            "interval": table.interval,
        }

    return {
        "temperature": record.temperature,
        "before": figures(record.before),
        "after": figures(record.after),
    }


def _area(area: AreaRows, classes: tuple[ClassInfo, ...]) -> dict[str, Any]:
    found = area.estimate
    return {
        "unit": area.unit,
        "overall": found.overall,
        "overall_se": found.overall_se,
        "classes": [
            {
                "code": info.code,
                "name": info.name,
                "mapped": found.mapped[place],
                "adjusted": found.area[place],
                "se": found.area_se[place],
                "interval": found.interval[place],
                "unit_interval": area.unit_interval[place],
                "users": found.users[place],
                "users_se": found.users_se[place],
                "producers": found.producers[place],
                "producers_se": found.producers_se[place],
            }
            for place, info in enumerate(classes)
        ],
    }


def _residuals(found: Residuals) -> dict[str, Any]:
    return {
        "cells": found.cells,
        "bias": found.bias,
        "bias_interval": found.bias_interval,
        "spread": found.spread,
        "quantiles": found.quantiles,
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it: lists for arrays, null for NaN and what has no bound."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)
