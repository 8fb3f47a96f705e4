"""The figures of a training as sections of a card: score, classes, probabilities, area, features.

Each takes what `evaluation.json` holds and gives lines of Markdown; none where there is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from geotools.evaluation.metrics import METRICS
from geotools.evaluation.training_words import AREA_CAVEAT, figure_words, nested_words
from geotools.training.learners.table import title

__all__ = [
    "areas_section",
    "calibration_section",
    "cell",
    "classes_section",
    "importance_section",
    "listed",
    "mapping",
    "residuals_section",
    "score_section",
]

_MOST = 25
"""Lines of the table of importances."""


def score_section(record: Mapping[str, Any]) -> list[str]:
    """The score beside the baselines, the learners that were tried, other figures."""
    metric = record.get("metric")
    if metric is None or record.get("score") is None:
        return []
    name = METRICS[metric].title if metric in METRICS else str(metric)
    lines = ["## Score", "", f"{name} on the test cells of all rounds."]
    if record.get("split"):
        lines[-1] += f" Split: {record['split']}."
    if record.get("cells"):
        lines[-1] += f" {record['cells']:,} test cells"
        lines[-1] += f" in {record['units']:,} units." if record.get("units") else "."
    lines += ["", f"| | {name} (95 %) |", "|---|---|"]
    lines.append(f"| **this model** | {_with(record['score'], record.get('interval'))} |")
    intervals = mapping(record.get("baselines_interval"))
    for baseline, value in mapping(record.get("baselines")).items():
        lines.append(f"| {cell(baseline)} | {_with(value, intervals.get(baseline))} |")
    blocks = mapping(record.get("blocks_split"))
    if blocks.get("value") is not None:
        words = f"{cell(blocks.get('learner'))} on a split by blocks"
        lines.append(f"| {words} | {_with(blocks['value'], blocks.get('interval'))} |")
    tried = [row for row in listed(record.get("learners")) if isinstance(row, Mapping)]
    if len(tried) > 1:
        lines += ["", "Learners that were tried:", "", "| learner | validation | test |"]
        lines.append("|---|---|---|")
        for row in tried:
            chosen = " (chosen)" if row.get("chosen") else ""
            lines.append(
                f"| {title(str(row.get('name')))}{chosen} | {_with(row.get('validation'))} | "
                f"{_with(row.get('test'))} |"
            )
        nested = mapping(record.get("nested"))
        if nested.get("value") is not None:
            figures = _with(nested["value"], nested.get("interval"))
            lines += ["", nested_words(figures)]
    others = {
        name: scored
        for name, scored in mapping(record.get("other")).items()
        if name != metric and isinstance(scored, Mapping)
    }
    if others:
        said = (
            f"{METRICS[name].title if name in METRICS else name} "
            f"{_with(scored.get('value'), scored.get('interval'))}"
            for name, scored in others.items()
        )
        lines += ["", "Other figures of the same cells: " + ", ".join(said) + "."]
    return lines


def classes_section(record: Mapping[str, Any]) -> list[str]:
    """How well each class is found."""
    rows = [row for row in listed(record.get("per_class")) if isinstance(row, Mapping)]
    if not rows:
        return []
    figures = ("precision", "recall", "f1", "iou")
    lines = ["## Each class", "", "| class | test cells | precision | recall | F1 | IoU |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        scored = [mapping(row.get(figure)) for figure in figures]
        shown = " | ".join(_with(one.get("value"), one.get("interval")) for one in scored)
        lines.append(f"| {cell(row.get('name'))} | {_count(row.get('cells'))} | {shown} |")
    return lines


def calibration_section(record: Mapping[str, Any]) -> list[str]:
    """The temperature, and what it did to the probabilities."""
    found = mapping(record.get("calibration"))
    if not found:
        return []
    lines = [
        "## Probabilities",
        "",
        f"Fitted temperature {_number(found.get('temperature'))}, inside the graph.",
    ]
    before, after = mapping(found.get("before")), mapping(found.get("after"))
    rows = [
        (words, before.get(key), after.get(key))
        for key, words in (
            ("expected_error", "expected calibration error"),
            ("brier", "Brier score"),
            ("log_loss", "log loss"),
        )
        if before.get(key) is not None or after.get(key) is not None
    ]
    if rows:
        lines += ["", "| on test cells | without | with |", "|---|---|---|"]
        lines += [f"| {words} | {_number(one)} | {_number(two)} |" for words, one, two in rows]
    return lines


def areas_section(record: Mapping[str, Any]) -> list[str]:
    """Area per class, as mapped and as the test cells correct it."""
    found = mapping(record.get("area"))
    rows = [row for row in listed(found.get("classes")) if isinstance(row, Mapping)]
    if not rows:
        return []
    unit = found.get("unit") or "cells"
    lines = ["## Area", "", f"| class | mapped, {unit} | adjusted, {unit} | standard error |"]
    lines.append("|---|---|---|---|")
    lines += [
        f"| {cell(row.get('name'))} | {_number(row.get('mapped'))} | "
        f"{_number(row.get('adjusted'))} | {_number(row.get('se'))} |"
        for row in rows
    ]
    return [*lines, "", AREA_CAVEAT]


def residuals_section(record: Mapping[str, Any]) -> list[str]:
    """What is left of a regression."""
    found = mapping(record.get("residuals"))
    if not found:
        return []
    bias = _with(found.get("bias"), found.get("bias_interval"))
    return [
        "## Residuals",
        "",
        f"Predicted less true on test cells: mean {bias}, standard deviation "
        f"{_number(found.get('spread'))}.",
    ]


def importance_section(record: Mapping[str, Any]) -> list[str]:
    """What each feature is worth, the best first."""
    rows = [row for row in listed(record.get("importance")) if isinstance(row, Mapping)]
    if not rows:
        return []
    rows = sorted(rows, key=lambda row: -(row.get("drop") or 0.0))
    lines = ["## What the features are worth", ""]
    lines += ["How much worse the score is when one is shuffled among the test cells.", ""]
    lines += ["| feature | worse by |", "|---|---|"]
    lines += [
        f"| `{row.get('feature')}` | {_with(row.get('drop'), row.get('interval'))} |"
        for row in rows[:_MOST]
    ]
    if len(rows) > _MOST:
        lines.append(f"| {len(rows) - _MOST} others | less |")
    return lines


def _with(value: Any, interval: Any = None) -> str:
    """A figure with its interval."""
    text = _number(value)
    ends = [end for end in listed(interval) if _is_number(end)]
    return f"{text} ({_number(ends[0])} to {_number(ends[1])})" if len(ends) == 2 else text


def _number(value: Any) -> str:
    return figure_words(float(value)) if _is_number(value) else "—"


def _count(value: Any) -> str:
    return f"{int(value):,}" if _is_number(value) else "—"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not math.isnan(value)


def cell(text: Any) -> str:
    """Text for a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty mapping for anything else."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """The value as a list, or an empty one for anything else."""
    return list(value) if isinstance(value, (list, tuple)) else []
