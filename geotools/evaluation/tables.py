"""The tables of a forecast report as HTML; all text in them is escaped."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geotools.evaluation.assessment import Assessment
from geotools.evaluation.number_tests import NumberTest

__all__ = [
    "brier_table",
    "escaped",
    "gain_table",
    "interval_words",
    "number_words",
    "skill_table",
    "table",
    "test_table",
]

_TURNING = dict.fromkeys(
    (*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\N{REPLACEMENT CHARACTER}"
)
"""Signs that set the direction of text (Unicode Standard Annex 9)."""


def gain_table(assessment: Assessment, labels: Mapping[str, str]) -> str:
    """The gains with all their intervals."""
    rows = []
    for gain in assessment.gains:
        months = len(gain.months.labels)
        rows.append(
            [
                f"{labels[gain.model]} over {labels[gain.baseline]}",
                gain.per_event,
                interval_words(gain.month_interval),
                gain.months.without_best(),
                f"{gain.months.won} of {months}",
                interval_words(gain.t.interval),
                _probability(gain.t.p_value),
                _probability(gain.w.p_value),
                str(gain.zero_rate_events),
            ]
        )
    heads = (
        "forecast over baseline", "nats per event", "95 % by months", "without two best months",
        "months won", "95 % T", "p, T", "p, W", "events at rate 0",
    )  # fmt: skip
    return table(heads, rows)


def test_table(assessment: Assessment, labels: Mapping[str, str]) -> str:
    """The consistency tests of every forecast."""
    rows: list[list[Any]] = []
    for name, tests in assessment.tests.items():
        for test in tests:
            if isinstance(test, NumberTest):
                low, high = test.interval
                figure = f"δ1 {number_words(test.delta1)}, δ2 {number_words(test.delta2)}"
                seen = f"{test.observed:,}, expected {test.expected:,.1f} ({low:,} to {high:,})"
            else:
                figure = f"quantile {number_words(test.quantile)}"
                seen = f"log-likelihood {number_words(test.observed)}"
                if test.zero_rate_events:
                    seen += f", {test.zero_rate_events} events at rate 0"
            rows.append([labels[name], test.name, figure, seen, test.verdict()])
    return table(("forecast", "test", "result", "observed", "verdict"), rows)


def brier_table(assessment: Assessment, labels: Mapping[str, str]) -> str:
    """The Brier scores, and the skill against the first baseline."""
    record = assessment.record
    base = record.reliability[record.names[1]].brier if len(record.names) > 1 else math.nan
    rows = []
    for name in record.names:
        score = record.reliability[name].brier
        rows.append([labels[name], f"{score:.6g}", 1 - score / base if base else math.nan])
    against = labels[record.names[1]] if len(record.names) > 1 else "—"
    return table(("forecast", "Brier score", f"skill against {against}"), rows)


def skill_table(assessment: Assessment, labels: Mapping[str, str]) -> str:
    """The area skill scores."""
    rows = [
        [
            labels[skill.name],
            labels[skill.reference],
            skill.skill,
            interval_words(skill.month_interval),
            interval_words(skill.null_interval),
        ]
        for skill in assessment.skills
    ]
    heads = ("forecast", "measured by", "area skill score", "95 % by months", "95 % without skill")
    return table(heads, rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers stand right, verdicts that speak against a forecast are shaded."""
    lines = []
    for row in rows:
        cells = [f'<th scope="row">{escaped(row[0])}</th>']
        for value in row[1:]:
            if isinstance(value, float):
                cells.append(f'<td class="n">{number_words(value)}</td>')
            else:
                bad = ' class="bad"' if str(value).startswith("not consistent") else ""
                cells.append(f"<td{bad}>{escaped(value)}</td>")
        lines.append("<tr>" + "".join(cells) + "</tr>")
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in heads)
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def interval_words(ends: tuple[float, float]) -> str:
    """An interval in words; a dash where there is none."""
    return "—" if math.isnan(ends[0]) else f"{number_words(ends[0])} to {number_words(ends[1])}"


def number_words(value: float) -> str:
    """Three digits after the point, fewer for large ones; a dash where there is none."""
    if math.isnan(value):
        return "—"
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    if value and abs(value) < 5e-4:
        return f"{value:.1e}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3f}"


def _probability(value: float) -> str:
    """A probability under a hypothesis; how far below 0.001 says nothing of real forecasts."""
    return "< 0.001" if value < 1e-3 else number_words(value)


def escaped(value: object) -> str:
    """Any text as HTML shows it; signs that would turn the words around it are shown as such."""
    return html.escape(str(value).translate(_TURNING), quote=True)
