"""record_json: the figures of a training as `evaluation.json` holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.class_rows import CLASS_FIGURES, ClassRow
from geotools.evaluation.training_words import caveats, comparison, result

if TYPE_CHECKING:
    from geotools.evaluation.calibration import ClassReliability
    from geotools.evaluation.metrics import Scored
    from geotools.evaluation.regression import Residuals
    from geotools.evaluation.training_record import (
        AreaRows,
        BlocksScore,
        CalibrationRecord,
        TrainingRecord,
    )
    from geotools.spec import ClassInfo

__all__ = ["record_json"]

_SCHEMA = 1


def record_json(record: TrainingRecord) -> dict[str, Any]:
    """The figures as plain values that JSON can hold; null where there is none."""
    body = {
        "schema": _SCHEMA,
        "name": record.name,
        "task": record.task,
        "metric": record.metric,
        "score": record.score.value,
        "interval": list(record.score.interval),
        "baselines": {name: scored.value for name, scored in record.baselines.items()},
        "baselines_interval": {name: list(s.interval) for name, s in record.baselines.items()},
        "differences": {name: _scored(scored) for name, scored in record.differences.items()},
        "learner": record.learner,
        "split": record.split_title,
        "split_kind": record.split_kind,
        "seed": record.seed,
        "parity": dict(record.parity),
        "cells": record.cells,
        "units": record.units,
        "classes": [
            {"code": info.code, "name": info.name, "color": info.color} for info in record.classes
        ],
        "background": (
            None if record.background is None else record.classes[record.background].name
        ),
        "confusion": None if record.confusion is None else record.confusion.tolist(),
        "per_class": [_class_row(row) for row in record.per_class],
        "other": {name: _scored(scored) for name, scored in record.other.items()},
        "calibration": None if record.calibration is None else _calibration(record.calibration),
        "area": None if record.area is None else _area(record.area, record.classes),
        "importance": [
            {"feature": row.feature, "drop": row.drop.value, "interval": row.drop.interval}
            for row in record.importance
        ],
        "learners": [
            {
                "name": row.name,
                "validation": row.validation,
                "test": row.test,
                "seconds": row.seconds,
                "chosen": row.chosen,
            }
            for row in record.learners
        ],
        "residuals": None if record.residuals is None else _residuals(record.residuals),
        "blocks_split": None if record.blocks_split is None else _blocks(record.blocks_split),
        "parts": [
            {"name": row.name, "cells": row.cells, "score": row.score} for row in record.parts
        ],
        "part_word": record.part_word,
        "nested": None if record.nested is None else _scored(record.nested),
        "seconds": dict(record.seconds),
        "warnings": list(caveats(record)),
        "init": record.init,
        "configuration": record.configuration,
        "result": [result(record), *comparison(record)],
    }
    plain: dict[str, Any] = _plain(body)
    return plain


def _scored(scored: Scored) -> dict[str, Any]:
    return {"value": scored.value, "interval": list(scored.interval)}


def _blocks(found: BlocksScore) -> dict[str, Any]:
    return {
        **_scored(found.score),
        "learner": found.learner_title,
        "claimed": found.claimed,
        "split": found.split_title,
    }


def _class_row(row: ClassRow) -> dict[str, Any]:
    return {
        "code": row.info.code,
        "name": row.info.name,
        "cells": row.cells,
        "predicted": row.predicted,
        "units": row.units,
        **{name: _scored(getattr(row, name)) for name in CLASS_FIGURES},
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
