"""TrainingRecord: what a training leaves behind of its score, for the report and `evaluation.json`.

Plain arrays and numbers; nothing here knows how they came about.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import FileError
from geotools.evaluation.area import AreaEstimate
from geotools.evaluation.calibration import ClassReliability
from geotools.evaluation.class_rows import ClassRow
from geotools.evaluation.metrics import METRICS, Metric, Scored
from geotools.evaluation.regression import Residuals
from geotools.evaluation.training_json import record_json
from geotools.io.atomic import write_atomic
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "AreaRows",
    "BlocksScore",
    "CalibrationRecord",
    "ClassRow",
    "Curve",
    "ImportanceRow",
    "LearnerRow",
    "MapPicture",
    "PartRow",
    "ScatterSample",
    "TrainingRecord",
    "write_evaluation",
]


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


@dataclass(frozen=True, slots=True)
class BlocksScore:
    """What a split by blocks says where the main one is by random cells."""

    learner_title: str
    """Which learner: the one that was kept, or for a net the random forest."""
    score: Scored
    """Its score by blocks."""
    claimed: float
    """Its score by random cells."""
    split_title: str
    """What the blocks are in a few words."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """One scene, group or period of the test."""

    name: str
    """Its name."""
    cells: int
    """Its test cells."""
    score: float
    """The score on them."""


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
    fold: NDArray[Any] | None = None
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
    """Of a regression, with the unit of its values."""
    blocks_split: BlocksScore | None = None
    """What blocks say where the split is by random cells."""
    parts: tuple[PartRow, ...] = ()
    """Each scene, group or period of its own, where the split is by them."""
    part_word: str = ""
    """What these are, in the plural."""
    nested: Scored | None = None
    """What the choice among several learners scores when each round is left to the one that is the
    best in the other rounds."""
    maps: tuple[MapPicture, ...] = ()
    """The scenes."""
    parity: Mapping[str, Any] = field(default_factory=dict)
    """Training framework against ONNX Runtime, as in the spec."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """What took how long, by name."""
    warnings: tuple[str, ...] = ()
    """What a reader must know, one sentence each."""
    init: str = ""
    """The earlier training that the net started from, which may have seen the test cells; empty
    for none."""
    configuration: str = ""
    """Digest of the configuration; empty where there is none."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What shaped the result, by name."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Files with their hashes, licence, attribution, command and software, by name."""

    @property
    def figure(self) -> Metric:
        """The metric that decides."""
        return METRICS[self.metric]

    @property
    def unit(self) -> str:
        """Physical unit of the score; empty where it has none."""
        return self.scatter.unit if self.scatter is not None and self.metric != "r2" else ""

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values that JSON can hold; null where there is none."""
        return record_json(self)


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
