"""interval_plot: figures with their intervals, one row each, as SVG inside a page.

Colours of text and lines are those of the page, so that it reads in light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from geotools.evaluation.metrics import Scored
from geotools.evaluation.tables import escaped
from geotools.evaluation.training_words import figure_words

__all__ = ["PlotRow", "interval_plot"]

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 780, 200, 190, 26, 8
_LONGEST = 27
"""Signs of a label that fit."""


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One row of the plot."""

    label: str
    """What it is."""
    scored: Scored
    """Its figure."""
    colour: str = ""
    """`#rrggbb`; that of the page's accent when left out."""
    strong: bool = False
    """Whether it is the one to look at."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where figures lie from left to right."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def interval_plot(
    rows: Sequence[PlotRow], words: str, *, origin: float | None = None, axis: str = ""
) -> str:
    """The plot as an SVG element.

    Args:
        rows: from top to bottom; those whose figure is NaN have no mark.
        words: what it shows, for those who cannot see it.
        origin: a bar is drawn from here to each figure; dots alone when left out.
        axis: what the axis says.
    """
    scale = _axis(rows, origin)
    bottom = _TOP + _ROW * len(rows)
    parts = [
        f'<svg class="intervals" viewBox="0 0 {_WIDTH} {bottom + (40 if axis else 24)}" '
        f'role="img" aria-label="{escaped(words)}">'
    ]
    for tick in scale.ticks:
        x = scale.place(tick)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 15}">{_tick_words(tick)}</text>'
        )
    if origin is not None:
        x = scale.place(origin)
        parts.append(f'<line class="zero" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    for number, row in enumerate(rows):
        parts.append(_row(row, _TOP + _ROW * (number + 0.5), scale, origin))
    if axis:
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        parts.append(f'<text class="tick" x="{middle}" y="{bottom + 32}">{escaped(axis)}</text>')
    return f'<div class="plot">{"".join(parts)}</svg></div>'


def _row(row: PlotRow, y: float, scale: _Axis, origin: float | None) -> str:
    """Label, marks and figure of one row at this height."""
    value, (low, high) = row.scored.value, row.scored.interval
    label = row.label if len(row.label) <= _LONGEST else row.label[: _LONGEST - 1] + "…"
    strong = " strong" if row.strong else ""
    parts = [
        f'<text class="label{strong}" x="{_LEFT - 12}" y="{y + 4.5}">'
        f"<title>{escaped(row.label)}</title>{escaped(label)}</text>"
    ]
    if math.isfinite(value):
        marks = []
        if origin is not None:
            left, right = sorted((scale.place(origin), scale.place(value)))
            marks.append(
                f'<rect class="bar" x="{left:.1f}" y="{y - 6}" width="{right - left:.1f}" '
                'height="12"/>'
            )
        if math.isfinite(low) and math.isfinite(high):
            marks.append(
                f'<line class="whisker" x1="{scale.place(low):.1f}" x2="{scale.place(high):.1f}" '
                f'y1="{y}" y2="{y}"/>'
            )
        size = 6.5 if row.strong else 5
        marks.append(f'<circle class="dot" cx="{scale.place(value):.1f}" cy="{y}" r="{size}"/>')
        own, paint = (" own", f' style="--dot:{escaped(row.colour)}"') if row.colour else ("", "")
        parts.append(f'<g class="mark{strong}{own}"{paint}>{"".join(marks)}</g>')
    ends = f" ({figure_words(low)} to {figure_words(high)})" if math.isfinite(low) else ""
    parts.append(
        f'<text class="value{strong}" x="{_WIDTH - _RIGHT + 14}" y="{y + 4.5}">'
        f'{figure_words(value)}<tspan class="ends">{ends}</tspan></text>'
    )
    return "".join(parts)


def _axis(rows: Sequence[PlotRow], origin: float | None) -> _Axis:
    """An axis that holds all figures and ends, from tick to tick."""
    seen = [value for row in rows for value in (row.scored.value, *row.scored.interval)]
    seen = [value for value in (*seen, origin) if value is not None and math.isfinite(value)]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-6):
        low, high = low - max(abs(low), 1e-3) / 10, high + max(abs(high), 1e-3) / 10
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return _Axis(ticks[0], ticks[-1], ticks)


def _tick_words(tick: float) -> str:
    return f"{tick:,.6g}".replace("-", "−")
