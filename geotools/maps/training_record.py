"""The record of a training: its figures and what they were made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.calibration import class_reliability
from geotools.evaluation.judgement import Judgement, judge
from geotools.evaluation.metrics import Scored, score, score_with_interval
from geotools.evaluation.training_record import (
    AreaRows,
    CalibrationRecord,
    Curve,
    ImportanceRow,
    LearnerRow,
    MapPicture,
    PartRow,
    ScatterSample,
    TrainingRecord,
)
from geotools.inference.model import shipped_models
from geotools.spec import ModelSpec
from geotools.training.choosing import decided
from geotools.training.job import Outcome
from geotools.training.learners.settings import Settings
from geotools.training.learners.table import title
from geotools.training.prepare import Prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["finished", "judged", "own_init", "used_settings"]

_DOTS = 3000
"""True and predicted values that are drawn of a regression."""
_PARTS = 1000
"""Scenes, groups or periods that are judged one by one at most."""


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
        parts=_parts(prepared, outcome, tested),
        part_word=split.part_word,
        nested=_nested(prepared, outcome, tested),
        curves=_curves(outcome),
        residuals=judgement.residuals,
        scatter=scatter,
        maps=tuple(maps),
        parity=spec.parity,
        seconds={**outcome.seconds, "all": seconds},
        warnings=tuple(warnings),
        init=own_init(outcome.settings),
        configuration=config.digest(),
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
    if named.get("init"):
        named["init"] = Path(named["init"]).name  # where it lies says nothing to others
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


def _parts(prepared: Prepared, outcome: Outcome, tested: NDArray[np.intp]) -> tuple[PartRow, ...]:
    """A row for each scene, group or period that is tested."""
    split, config = prepared.split, prepared.config
    if split.part is None:
        return ()
    truth, told = prepared.material.cells.target[tested], decided(outcome.predictions[tested])
    order = np.argsort(split.part[tested], kind="stable")
    parts, start = np.unique(split.part[tested][order], return_index=True)
    if len(parts) > _PARTS:
        return ()
    rows = []
    for part, index in zip(parts.tolist(), np.split(order, start[1:]), strict=True):
        figure = score(
            config.score, truth[index], told[index],
            classes=len(prepared.classes), background=prepared.background,
        )  # fmt: skip
        rows.append(PartRow(split.parts[part], len(index), figure))
    return tuple(rows)


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
