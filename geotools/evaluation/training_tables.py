"""The tables of a training report as HTML; all text in them is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.metrics import METRICS
from geotools.evaluation.tables import escaped
from geotools.evaluation.training_maps import chip
from geotools.evaluation.training_words import figure_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.evaluation.metrics import Scored
    from geotools.evaluation.regression import Residuals
    from geotools.evaluation.training_record import AreaRows, CalibrationRecord, TrainingRecord
    from geotools.spec import ClassInfo

__all__ = [
    "area_table",
    "calibration_table",
    "class_table",
    "confusion_table",
    "facts_table",
    "learners_table",
    "metrics_table",
    "parts_table",
    "residuals_table",
]

_PARTS = 40
"""Scenes, groups or periods that are shown at most."""
_RIGHT, _WRONG = "0,114,178", "213,94,0"
"""Okabe and Ito's (2008) blue and vermilion."""
_FEW = 8
"""Up to so many classes, counts stand under the percentages, and heads lie."""


def confusion_table(matrix: NDArray[np.int64], classes: Sequence[ClassInfo]) -> str:
    """The confusion matrix, shaded by the share of each true class; counts when there is room."""
    few = len(classes) <= _FEW
    heads = "".join(
        f'<th scope="col"><span>{chip(info.color)}{escaped(info.name)}</span></th>'
        for info in classes
    )
    lines = []
    for row, info in enumerate(classes):
        total = int(matrix[row].sum())
        cells = [_confusion_cell(matrix, row, column, few) for column in range(len(classes))]
        lines.append(
            f'<tr><th scope="row">{chip(info.color)}{escaped(info.name)}</th>{"".join(cells)}'
            f'<td class="sum">{total:,}</td></tr>'
        )
    sums = "".join(f'<td class="sum">{int(total):,}</td>' for total in matrix.sum(axis=0))
    tall = "" if few else " tall"
    return (
        f'<div class="table"><table class="confusion{tall}"><thead><tr><th>true class</th>{heads}'
        f'<th scope="col"><span>cells</span></th></tr></thead><tbody>{"".join(lines)}</tbody>'
        f'<tfoot><tr><th scope="row">predicted</th>{sums}<td class="sum">'
        f"{int(matrix.sum()):,}</td></tr></tfoot></table></div>"
    )


def _confusion_cell(matrix: Any, row: int, column: int, few: bool) -> str:
    count, total = int(matrix[row, column]), int(matrix[row].sum())
    if not count:
        return "<td></td>"
    share = count / total
    colour = _RIGHT if row == column else _WRONG
    white = " class=dark" if share > 0.6 else ""
    percent = f"{100 * share:.0f}" if share >= 0.005 else "&lt;1"
    below = f"<small>{count:,}</small>" if few else ""
    return (
        f'<td{white} title="{count:,} cells" style="background:rgba({colour},'
        f'{0.06 + 0.86 * share:.2f})">{percent}<i>%</i>{below}</td>'
    )


def class_table(record: TrainingRecord) -> str:
    """Precision, recall, F1 and IoU of every class with intervals."""
    heads = (
        "class", "precision", "recall", "F1", "IoU", "true cells", "predicted", record.unit_word,
    )  # fmt: skip
    rows = [
        (
            _named(row.info),
            *(_with_ends(scored) for scored in (row.precision, row.recall, row.f1, row.iou)),
            f"{row.cells:,}",
            f"{row.predicted:,}",
            f"{row.units:,}",
        )
        for row in record.per_class
    ]
    return _table(heads, rows)


def metrics_table(record: TrainingRecord) -> str:
    """All metrics of the task."""
    rows = [
        (
            f"<b>{escaped(METRICS[name].title)}</b>" if name == record.metric
            else escaped(METRICS[name].title),
            figure_words(scored.value),
            _ends(scored.interval),
        )
        for name, scored in record.other.items()
    ]  # fmt: skip
    return _table(("metric", "score", f"95 % by {record.unit_word}"), rows)


def parts_table(record: TrainingRecord) -> str:
    """The score of each scene, group or period, the worst first; of many the first and last."""
    sign = 1 if record.figure.higher_is_better else -1
    rows = sorted(record.parts, key=lambda row: (math.isnan(row.score), sign * row.score))
    shown = [(escaped(row.name), f"{row.cells:,}", figure_words(row.score)) for row in rows]
    if len(shown) > _PARTS:
        left = f"{len(shown) - _PARTS:,} more"
        shown = [*shown[: _PARTS // 2], (left, "…", "…"), *shown[-(_PARTS // 2) :]]
    return _table((record.part_word, "test cells", record.figure.title), shown)


def learners_table(record: TrainingRecord) -> str:
    """All learners that were tried; scores on validation cells only where any were taken."""
    title = record.figure.title
    validated = any(not math.isnan(row.validation) for row in record.learners)
    rows = [
        (
            f"<b>{escaped(row.title)}</b>" if row.chosen else escaped(row.title),
            *((figure_words(row.validation),) if validated else ()),
            figure_words(row.test),
            seconds_words(row.seconds),
        )
        for row in record.learners
    ]
    heads = ("learner", *((f"{title}, validation",) if validated else ()), f"{title}, test")
    return _table((*heads, "fitting took"), rows)


def area_table(area: AreaRows, classes: Sequence[ClassInfo], unit_word: str) -> str:
    """Mapped and adjusted areas, and the accuracies of the map."""
    found = area.estimate
    rows = [
        (
            _named(info),
            figure_words(float(found.mapped[place])),
            figure_words(float(found.area[place])),
            _ends((float(found.interval[place, 0]), float(found.interval[place, 1]))),
            _ends((float(area.unit_interval[place, 0]), float(area.unit_interval[place, 1]))),
            _with_error(found.users[place], found.users_se[place]),
            _with_error(found.producers[place], found.producers_se[place]),
        )
        for place, info in enumerate(classes)
    ]
    heads = (
        "class", f"mapped, {area.unit}", f"adjusted, {area.unit}", "95 % by the formula",
        f"95 % by {unit_word}", "user’s accuracy ± s.e.", "producer’s ± s.e.",
    )  # fmt: skip
    return _table(heads, rows)


def calibration_table(record: CalibrationRecord) -> str:
    """Calibration before and after the temperature."""
    both = [("as predicted", record.before)]
    if record.temperature != 1.0:
        both.append((f"with temperature {record.temperature:.3g}", record.after))
    rows = [
        (
            escaped(word),
            figure_words(table.expected_error),
            figure_words(table.brier),
            figure_words(table.log_loss),
        )
        for word, table in both
    ]
    return _table(("probabilities", "expected error", "Brier", "log loss"), rows)


def residuals_table(found: Residuals, unit_word: str) -> str:
    """Bias, spread and quantiles of the errors."""
    rows = [
        ("mean (bias)", figure_words(found.bias), _ends(found.bias_interval)),
        ("standard deviation", figure_words(found.spread), ""),
        *(
            (f"{share} %", figure_words(value), "")
            for share, value in zip((5, 25, 50, 75, 95), found.quantiles, strict=True)
        ),
    ]
    return _table(("predicted − true", "value", f"95 % by {unit_word}"), rows)


def facts_table(facts: Mapping[str, Any]) -> str:
    """Names and values; what is empty is left out."""
    body = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(_value_words(value))}</td></tr>'
        for name, value in facts.items()
        if value not in ("", ())
    )
    return f'<div class="table"><table class="facts">{body}</table></div>'


def seconds_words(seconds: float) -> str:
    """A duration as people say it."""
    if math.isnan(seconds):
        return "—"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f'<td class="n">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="table"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _named(info: ClassInfo) -> str:
    return f"{chip(info.color)}{escaped(info.name)}"


def _with_ends(scored: Scored) -> str:
    return f"{figure_words(scored.value)}<small>{_ends(scored.interval)}</small>"


def _ends(interval: tuple[float, float]) -> str:
    low, high = interval
    return "" if math.isnan(low) else f"{figure_words(low)} to {figure_words(high)}"


def _with_error(value: float, error: float) -> str:
    if math.isnan(value):
        return "—"
    return figure_words(float(value)) + ("" if np.isnan(error) else f" ± {figure_words(error)}")


def _value_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_value_words(one) for one in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value_words(one)}" for key, one in value.items()) or "none"
    return "none" if value is None else str(value)
