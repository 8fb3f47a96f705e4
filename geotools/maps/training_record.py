"""The record of a training: its figures, and its scenes as the finished model maps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.calibration import class_reliability
from geotools.evaluation.judgement import Judgement, judge, judge_areas
from geotools.evaluation.metrics import Scored, score_with_interval
from geotools.evaluation.training_record import (
    AreaRows,
    CalibrationRecord,
    Curve,
    ImportanceRow,
    LearnerRow,
    MapPicture,
    ScatterSample,
    TrainingRecord,
)
from geotools.grid import Grid, Window
from geotools.inference.model import shipped_models
from geotools.spec import ModelSpec
from geotools.stream import Progress, Step
from geotools.training.choosing import decided
from geotools.training.job import Outcome
from geotools.training.learners.settings import Settings
from geotools.training.learners.table import title
from geotools.training.prepare import Prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["finished", "judged", "own_init", "pictured", "used_settings"]

_SCENES = 3
"""Scenes that are shown at most."""

_SIDE = 2048
"""Cells on a side up to which a scene is mapped whole for the report; of larger ones the middle of
their labels."""

_SHOWN = 700
"""Cells on a side of a picture."""

_DOTS = 3000
"""True and predicted values that are drawn of a regression."""


def judged(prepared: Prepared, outcome: Outcome) -> Judgement:
    """The figures of what was learned, on the cells that the rounds test."""
    tested = np.flatnonzero(prepared.split.fold >= 0)
    return judge(
        prepared.config.score,
        prepared.material.cells.target[tested],
        decided(outcome.predictions[tested]),
        prepared.split.unit[tested],
        baselines={one.title: decided(one.predictions[tested]) for one in outcome.baselines},
        classes=prepared.classes,
        background=prepared.background,
        seed=prepared.config.seed,
    )


def pictured(
    prepared: Prepared,
    outcome: Outcome,
    model: Path,
    *,
    warn: Callable[[str], None],
    progress: Progress | None = None,
) -> tuple[tuple[MapPicture, ...], AreaRows | None]:
    """The scenes as the finished model maps them, and the area of each class on them.

    Args:
        prepared: scenes and labels.
        outcome: what the rounds said of the test cells.
        model: the finished `.onnx`.
        warn: called when areas cannot be had.
        progress: called after each scene.
    """
    if not prepared.stacks:
        return (), None
    from geotools.inference.model import open_model
    from geotools.inference.predict import predict_window

    opened = open_model(model)
    pictures = []
    mapped_m2 = np.zeros(len(prepared.classes))
    shown = range(min(len(prepared.stacks), _SCENES))
    whole = len(prepared.stacks) <= _SCENES
    for scene in shown:
        source = prepared.stacks[scene]
        window = _window(prepared, scene)
        whole = whole and window == source.grid.window
        index, value = predict_window(opened, source, window, threads=2)
        if prepared.classes:
            rows_m2 = source.grid.cut(window).cell_area_m2()
            for place in range(len(prepared.classes)):
                mapped_m2[place] += float(((index == place).sum(1) * rows_m2).sum())
        told = index if prepared.classes else value
        pictures.append(_picture(prepared, outcome, scene, window, told))
        if progress is not None:
            progress(Step("mapping", scene + 1, len(shown)))
    if not prepared.classes:
        return tuple(pictures), None
    if not whole:
        warn(
            "The scenes are too large, or too many, to count areas on: map them with geotools "
            "predict, then see geotools evaluate map."
        )
        return tuple(pictures), None
    tested = np.flatnonzero(prepared.split.fold >= 0)
    areas = judge_areas(
        prepared.material.cells.target[tested],
        decided(outcome.predictions[tested]),
        prepared.split.unit[tested],
        mapped_m2,
        seed=prepared.config.seed,
    )
    return tuple(pictures), areas


def finished(
    prepared: Prepared,
    outcome: Outcome,
    judgement: Judgement,
    spec: ModelSpec,
    *,
    maps: Sequence[MapPicture],
    area: AreaRows | None,
    warnings: Sequence[str],
    command: str,
    seconds: float,
) -> TrainingRecord:
    """The whole record."""
    config, split, cells = prepared.config, prepared.split, prepared.material.cells
    tested = np.flatnonzero(split.fold >= 0)
    truth, unit = cells.target[tested], split.unit[tested]
    calibration = scatter = None
    if prepared.classes:
        calibration = CalibrationRecord(
            outcome.temperature,
            class_reliability(outcome.choice.predictions[tested], truth, unit, seed=config.seed),
            class_reliability(outcome.predictions[tested], truth, unit, seed=config.seed),
        )
    else:
        rng = np.random.default_rng(config.seed)
        some = rng.choice(len(tested), min(len(tested), _DOTS), replace=False)
        scatter = ScatterSample(
            truth[some].astype(np.float64),
            outcome.predictions[tested[some], 0].astype(np.float64),
        )
    return TrainingRecord(
        name=config.name,
        task=config.task,
        metric=config.score,
        learner=outcome.settings.name,
        learner_title=title(outcome.settings.name, config.task),
        split_kind=split.kind,
        split_title=split.title,
        seed=config.seed,
        score=judgement.score,
        baselines=judgement.baselines,
        differences=judgement.differences,
        cells=len(tested),
        units=len(np.unique(unit)),
        unit_word=split.unit_word or "units",
        classes=prepared.classes,
        background=prepared.background,
        confusion=judgement.confusion,
        per_class=judgement.per_class,
        other=judgement.other,
        calibration=calibration,
        area=area,
        importance=tuple(ImportanceRow(name, drop) for name, drop in outcome.importance),
        learners=_learners(outcome),
        blocks_split=outcome.blocks,
        nested=_nested(prepared, outcome, tested),
        curves=_curves(outcome),
        residuals=judgement.residuals,
        scatter=scatter,
        maps=tuple(maps),
        parity=spec.parity,
        seconds={**outcome.seconds, "all": seconds},
        warnings=tuple(warnings),
        init=own_init(outcome.settings),
        settings={
            "features": ", ".join(prepared.material.features),
            **used_settings(outcome.settings),
            **outcome.fitted.facts,
        },
        provenance={
            "data": ", ".join(sorted({path.name for path in prepared.files})),
            "attribution": config.attribution,
            "licence": config.licence,
            "command": command,
            "software": str(spec.training.get("software", "")),
        },
    )


def own_init(settings: Settings) -> str:
    """Name of the earlier training of the user's that a net starts from; empty for none."""
    init = getattr(settings, "init", None)
    if init is None or init in shipped_models():
        return ""
    return Path(init).name


def used_settings(settings: Settings) -> dict[str, Any]:
    """The settings of a learner that say something, by name."""
    named = {item.name: getattr(settings, item.name) for item in fields(settings)}
    return {name: value for name, value in named.items() if value is not None}


def _nested(prepared: Prepared, outcome: Outcome, tested: NDArray[np.intp]) -> Scored | None:
    """What the choice among several learners scores."""
    told = outcome.choice.nested
    if told is None:
        return None
    config = prepared.config
    return score_with_interval(
        config.score,
        prepared.material.cells.target[tested],
        decided(told[tested]),
        prepared.split.unit[tested],
        classes=len(prepared.classes),
        background=prepared.background,
        seed=config.seed,
    )


def _learners(outcome: Outcome) -> tuple[LearnerRow, ...]:
    """A row for each learner that was tried."""
    rows = zip(outcome.trials, outcome.choice.validation, outcome.choice.test, strict=True)
    return tuple(
        LearnerRow(
            name=one.name,
            title=one.title,
            validation=validation,
            test=test,
            seconds=one.seconds,
            chosen=number == outcome.choice.final,
        )
        for number, (one, validation, test) in enumerate(rows)
    )


def _curves(outcome: Outcome) -> tuple[Curve, ...]:
    taken = outcome.trials[outcome.choice.final].fitted
    named = [(f"round {number}", one) for number, one in enumerate(taken, 1)]
    named.append(("final", outcome.fitted))
    return tuple(
        Curve(
            title=name,
            epoch=np.array([epoch.number for epoch in one.curve]),
            train_loss=np.array([epoch.train_loss for epoch in one.curve]),
            validation_loss=np.array([epoch.validation_loss for epoch in one.curve]),
            score=np.array([epoch.score for epoch in one.curve]),
            best=one.facts.get("best_epoch"),
        )
        for name, one in named
        if one.curve
    )


def _window(prepared: Prepared, scene: int) -> Window:
    """The whole scene, or as much of it around its labels as can be shown."""
    grid, cells = prepared.material.grids[scene], prepared.material.cells
    here = cells.scene == scene
    row = int(np.median(cells.row[here])) if here.any() else grid.height // 2
    col = int(np.median(cells.col[here])) if here.any() else grid.width // 2
    height, width = min(grid.height, _SIDE), min(grid.width, _SIDE)
    top = min(max(row - height // 2, 0), grid.height - height)
    left = min(max(col - width // 2, 0), grid.width - width)
    return Window(left, top, width, height)


def _picture(
    prepared: Prepared, outcome: Outcome, scene: int, window: Window, told: NDArray[Any]
) -> MapPicture:
    """The scene, every so many cells, with the labels and folds at the cells that are shown."""
    step = max(1, -(-max(window.shape) // _SHOWN))
    grid = prepared.material.grids[scene].cut(window)
    predicted = told[::step, ::step]
    cells, split = prepared.material.cells, prepared.split
    row, col = cells.row - window.row_off, cells.col - window.col_off
    here = np.flatnonzero(
        (cells.scene == scene) & (row >= 0) & (row < window.height) & (col >= 0)
        & (col < window.width)
    )  # fmt: skip
    row, col = row[here] // step, col[here] // step
    nothing: Any = -1 if prepared.classes else np.nan
    fold = np.full(predicted.shape, -2, np.int64)
    fold[row, col] = split.fold[here]
    truth = np.full(predicted.shape, nothing, predicted.dtype)
    truth[row, col] = cells.target[here]
    tested = np.full(predicted.shape, nothing, predicted.dtype)
    said = split.fold[here] >= 0
    tested[row[said], col[said]] = decided(outcome.predictions[here[said]])
    left, bottom, right, top = grid.bounds
    x_m, y_m = _unit_m(grid)
    return MapPicture(
        title=prepared.scenes[scene],
        predicted=predicted,
        extent=(left, right, bottom, top),
        fold=fold,
        truth=truth,
        tested=tested,
        metres_per_unit=x_m,
        aspect=y_m / x_m,
    )


def _unit_m(grid: Grid) -> tuple[float, float]:
    """Metres of a unit of the CRS along x and along y, in the middle of the grid."""
    x_m, y_m = grid.cell_size_m()
    middle = grid.height // 2
    return float(x_m[middle]) / grid.transform.a, float(y_m[middle]) / -grid.transform.e
