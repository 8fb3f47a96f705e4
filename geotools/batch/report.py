"""write_reports: what became of every input as CSV, as JSON and as one HTML page.

Text of others is in all three: HTML escapes it, and a cell of the CSV that a spreadsheet would
take for a formula begins with a quote (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from geotools.batch.entries import BatchReport, Entry
from geotools.errors import FileError
from geotools.evaluation.page import page
from geotools.evaluation.tables import escaped
from geotools.evaluation.training_style import STYLE
from geotools.io.atomic import write_atomic

__all__ = ["as_csv", "as_html", "as_json", "write_reports"]

_SCHEMA = 1

_WORDS = {"done": "done", "kept": "done before", "failed": "failed", "not done": "not done"}

_MOST_AREAS = 12
"""Classes that the page lists for an input, the largest first; CSV and JSON have all."""

_OWN_STYLE = """
.counts { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: 1rem 0; padding: 0; }
.counts div { display: flex; flex-direction: column-reverse; }
.counts dt { color: var(--soft); font-size: .85rem; }
.counts dd { margin: 0; font-size: 1.7rem; line-height: 1.1; font-variant-numeric: tabular-nums; }
.inputs { display: grid; gap: 0; margin-top: 1.5rem; }
.input { display: grid; grid-template-columns: 10rem 1fr; gap: 1.2rem; padding: 1rem 0;
  border-top: 1px solid var(--line); break-inside: avoid; }
.input img { width: 100%; image-rendering: pixelated; border: 1px solid var(--line);
  border-radius: 4px; }
.input h2 { font-size: 1rem; margin: 0; padding: 0; border: 0; overflow-wrap: anywhere; }
.input p { margin: .25rem 0; overflow-wrap: anywhere; } .soft { color: var(--soft); }
.none { display: grid; place-items: center; min-height: 5rem; background: var(--panel);
  border-radius: 4px; color: var(--soft); font-size: .85rem; }
.status { font-weight: 600; } .failed .status { color: #C8102E; }
@media (prefers-color-scheme: dark) { .failed .status { color: #ff7d8d; } }
.areas { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem; margin: .4rem 0 0;
  padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) { .input { grid-template-columns: 6rem 1fr; } }
"""


def write_reports(report: BatchReport) -> None:
    """Writes batch.csv, batch.json and batch.html to the folder, instead of earlier ones.

    Raises:
        FileError: the disk refuses.
    """
    for name, make in _KINDS.items():
        text = make(report)
        with write_atomic(report.folder / name, overwrite=True, verify=_holds(text)) as part:
            part.write_text(text, encoding="utf-8", newline="")


def _holds(text: str) -> Callable[[Path], None]:
    def verify(part: Path) -> None:
        if part.read_bytes() != text.encode("utf-8"):
            raise FileError(f"{part} does not hold what was written: is the disk full?")

    return verify


def as_csv(report: BatchReport) -> str:
    """A row for each input, with a column of square metres for each class of any."""
    names = list(dict.fromkeys(name for one in report.entries for name in one.area_m2))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([*_COLUMNS, *(_cell(f"area_m2 {name}") for name in names)])
    for one in report.entries:
        areas = [f"{one.area_m2[name]:.1f}" if name in one.area_m2 else "" for name in names]
        texts = (
            one.input, one.status, ", ".join(one.outputs), one.result, one.error,
            " ".join(one.warnings),
        )  # fmt: skip
        first, *others = map(_cell, texts)
        writer.writerow([first, others[0], f"{one.seconds:.3f}", *others[1:], *areas])
    return stream.getvalue()


_COLUMNS = ("input", "status", "seconds", "outputs", "result", "error", "warnings")


def _cell(text: str) -> str:
    """The text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_json(report: BatchReport) -> str:
    """All of the report but its pictures."""
    whole = {"schema": _SCHEMA, **report.as_values()}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def as_html(report: BatchReport) -> str:
    """A page with a picture of every result."""
    title = f"{report.operation} of {len(report.entries)} inputs"
    counts = "".join(
        f"<div><dt>{word}</dt><dd>{report.count(status)}</dd></div>"
        for status, word in _WORDS.items()
        if report.count(status)
    )
    notes = [*report.notes]
    if report.cancelled:
        notes.insert(0, "The run was stopped: the same command does what is not done.")
    if report.mosaic:
        notes.append(f"All results together: {', '.join(report.mosaic)}.")
    said = "".join(f"<p>{escaped(note)}</p>" for note in notes)
    order = {"failed": 0, "not done": 1}
    shown = sorted(report.entries, key=lambda one: order.get(one.status, 2))
    parts = [
        "<main>",
        f"<h1>{escaped(title)}</h1>",
        f'<dl class="counts">{counts}<div><dt>seconds</dt><dd>{report.seconds:,.0f}</dd></div>'
        "</dl>",
        f"<aside>{said}</aside>" if said else "",
        f'<div class="inputs">{"".join(map(_section, shown))}</div>',
        "</main>",
    ]
    return page(title, STYLE + _OWN_STYLE, parts)


def _section(one: Entry) -> str:
    words = f"{_WORDS[one.status]}, {one.seconds:.1f} s" if one.seconds else _WORDS[one.status]
    lines = [
        f"<h2>{escaped(one.input)}</h2>",
        f'<p><span class="status">{words}</span> '
        f'<span class="soft">{escaped(", ".join(one.outputs))}</span></p>',
        *(f"<p>{escaped(text)}</p>" for text in (one.error, one.result) if text),
        *(f'<p class="soft">{escaped(text)}</p>' for text in one.warnings),
        _areas(one),
    ]
    if one.thumbnail.startswith("data:image/png;base64,"):
        ratio = min(max(one.ratio, 0.2), 5.0)
        picture = (
            f'<img src="{escaped(one.thumbnail)}" alt="Map: {escaped(one.input)}" '
            f'style="aspect-ratio:{ratio:.4f}">'
        )
    else:
        picture = '<div class="none">no map</div>'
    kind = " failed" if one.status == "failed" else ""
    return f'<div class="input{kind}"><div>{picture}</div><div>{"".join(lines)}</div></div>\n'


def _areas(one: Entry) -> str:
    total = sum(one.area_m2.values())
    if not total:
        return ""
    largest = sorted(one.area_m2.items(), key=lambda item: -item[1])[:_MOST_AREAS]
    items = [
        f'<li><span class="chip" style="background:{escaped(one.colors.get(name, "#888888"))}">'
        f"</span>{escaped(name)} {_km2(area)} ({_share(area / total)})</li>"
        for name, area in largest
        if area
    ]
    return f'<ul class="areas">{"".join(items)}</ul>'


def _share(share: float) -> str:
    return "&lt;1%" if share < 0.005 else f"{share:.0%}"


def _km2(area_m2: float) -> str:
    if area_m2 < 1e5:
        return f"{area_m2:,.0f} m²"
    return f"{area_m2 / 1e6:,.0f} km²" if area_m2 >= 1e7 else f"{area_m2 / 1e6:.2f} km²"


_KINDS: dict[str, Callable[[BatchReport], str]] = {
    "batch.csv": as_csv,
    "batch.json": as_json,
    "batch.html": as_html,
}
"""Name of a report and what makes it."""
