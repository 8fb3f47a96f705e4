"""training_report: a training's score as one HTML file that needs nothing else.

The result with its interval and baselines comes first, then what must be known to believe it.
"""

from __future__ import annotations

import os

from geotools.evaluation import training_figures as figures
from geotools.evaluation import training_tables as tables
from geotools.evaluation.interval_plot import PlotRow, interval_plot
from geotools.evaluation.page import page, picture
from geotools.evaluation.tables import escaped
from geotools.evaluation.training_maps import maps_section
from geotools.evaluation.training_record import TrainingRecord, write_text
from geotools.evaluation.training_style import STYLE
from geotools.evaluation.training_words import (
    AREA_CAVEAT,
    caveats,
    comparison,
    figure_words,
    result,
)

__all__ = ["training_report", "write_report"]

_MOST_FEATURES = 25

Section = tuple[str, str, str]
"""Identifier, heading, HTML; a section without HTML is left out."""


def write_report(
    path: str | os.PathLike[str], record: TrainingRecord, *, overwrite: bool = False
) -> None:
    """Writes the report; the file appears when it is complete.

    Raises:
        FileError: it cannot be written.
    """
    write_text(path, training_report(record), overwrite=overwrite)


def training_report(record: TrainingRecord) -> str:
    """The report as the text of an HTML file."""
    sections = [section for section in _sections(record) if section[2]]
    links = " ".join(f'<a href="#{name}">{escaped(head)}</a>' for name, head, _ in sections)
    parts = [
        "<main>",
        _first_screen(record),
        f"<nav>{links}</nav>",
        *(
            f'<section id="{name}"><h2>{escaped(head)}</h2>\n{body}</section>'
            for name, head, body in sections
        ),
        "</main>",
    ]
    return page(record.name, STYLE, parts)


def _first_screen(record: TrainingRecord) -> str:
    """Name, score, baselines, and what must be known."""
    low, high = record.score.interval
    ends = f"{figure_words(low)} to {figure_words(high)}" if low == low else "no interval"
    title = f"{record.figure.title}, {record.unit}" if record.unit else record.figure.title
    by = f"95 % by {record.units:,} {record.unit_word}" if low == low else ""
    rows = [PlotRow(record.learner_title, record.score, strong=True)]
    rows += [
        PlotRow(name, scored, "#8a8a8a")
        for name, scored in record.baselines.items()
        if name != record.learner_title
    ]
    if record.blocks_split is not None:
        honest = record.blocks_split
        rows.append(PlotRow(f"{honest.learner_title} by blocks", honest.score, "#0072B2"))
    said = "".join(f"<li>{escaped(words)}</li>" for words in caveats(record))
    return "\n".join(
        [
            f"<header><h1>{escaped(record.name)}</h1>",
            f'<p class="lead">{escaped(result(record))}</p>',
            f"<p>{escaped(' '.join(comparison(record)))}</p>",
            '<div class="hero"><div class="score">'
            f"<span>{escaped(title)}</span><strong>{figure_words(record.score.value)}"
            f"</strong><span>{ends}</span><span>{escaped(by)}</span></div>",
            interval_plot(rows, f"{record.figure.title} of the learner and its baselines"),
            "</div>",
            f"<aside><b>Know before you use it</b><ul>{said}</ul></aside>" if said else "",
            "</header>",
        ]
    )


def _sections(record: TrainingRecord) -> list[Section]:
    return [
        ("maps", "Maps", maps_section(record)),
        ("confusion", "Confusion", _confusion(record)),
        ("classes", "Classes", _classes(record)),
        ("values", "Values", _values(record)),
        ("metrics", "Metrics", tables.metrics_table(record) if record.other else ""),
        ("parts", record.part_word.capitalize(), _parts(record)),
        ("curves", "Learning curves", _curves(record)),
        ("reliability", "Reliability", _reliability(record)),
        ("importance", "Inputs", _importance(record)),
        ("area", "Area", _area(record)),
        ("learners", "Learners tried", tables.learners_table(record) if record.learners else ""),
        ("settings", "Settings", _settings(record)),
        ("origin", "Origin", tables.facts_table(record.provenance) if record.provenance else ""),
    ]


def _confusion(record: TrainingRecord) -> str:
    if record.confusion is None:
        return ""
    return (
        "<p>Each row is a true class: of its test cells, the percentage that was predicted as each "
        "class. Blue is right, orange is wrong.</p>"
        + tables.confusion_table(record.confusion, record.classes)
    )


def _classes(record: TrainingRecord) -> str:
    if not record.per_class:
        return ""
    rows = [PlotRow(row.info.name, row.f1, row.info.color) for row in record.per_class]
    return interval_plot(rows, "F1 of each class with its interval", axis="F1") + (
        tables.class_table(record)
    )


def _values(record: TrainingRecord) -> str:
    parts = []
    if record.scatter is not None and len(record.scatter.truth):
        parts.append(
            '<div class="pair">'
            + picture(
                figures.scatter_figure(record.scatter), "Predicted against true values.", "chart"
            )
            + picture(
                figures.residuals_figure(record.scatter), "Histogram of predicted − true.", "chart"
            )
            + "</div>"
        )
    if record.residuals is not None:
        parts.append(tables.residuals_table(record.residuals, record.unit_word))
    return "".join(parts)


def _parts(record: TrainingRecord) -> str:
    if not record.parts:
        return ""
    return (
        f"<p>How far the score of one of the {escaped(record.part_word)} is from that of another "
        "says more of the next one than the interval does.</p>" + tables.parts_table(record)
    )


def _curves(record: TrainingRecord) -> str:
    if not record.curves:
        return ""
    kept = any(curve.best is not None for curve in record.curves)
    return picture(figures.curves_figure(record), "Loss and score against the epoch.", "chart") + (
        "<p>Dots are the epochs whose weights were kept.</p>" if kept else ""
    )


def _reliability(record: TrainingRecord) -> str:
    found = record.calibration
    if found is None:
        return ""
    drawn = figures.reliability_figure(found.before, found.after, found.temperature)
    words = "Share of cells that were right against the probability of their top class."
    return (
        f'<div class="pair">{picture(drawn, words, "chart")}<div><p>Of the cells that are given '
        "a probability of 0.8, eight in ten should be right. The temperature was fitted on "
        "validation cells and is inside the model; the figures are of test cells, with 95 % by "
        f"{escaped(record.unit_word)}.</p>{tables.calibration_table(found)}</div></div>"
    )


def _importance(record: TrainingRecord) -> str:
    if not record.importance:
        return ""
    best = sorted(record.importance, key=lambda row: -row.drop.value)
    rows = [PlotRow(row.feature, row.drop) for row in best[:_MOST_FEATURES]]
    more = len(best) - len(rows)
    words = f"How much worse {record.figure.title} is when one input is shuffled"
    return (
        f"<p>{escaped(words)} among the test cells. Inputs that say the same share their worth: "
        "either may look worthless while the other is there.</p>"
        + interval_plot(rows, words, origin=0.0, axis=f"loss of {record.figure.title}")
        + (f"<p>{more} more are worth less.</p>" if more > 0 else "")
    )


def _area(record: TrainingRecord) -> str:
    if record.area is None:
        return ""
    return (
        f'<p class="note">{escaped(AREA_CAVEAT)} Neighbouring cells are alike, which the formula '
        f"does not know: the interval by {escaped(record.unit_word)} does.</p>"
        + tables.area_table(record.area, record.classes, record.unit_word)
    )


def _settings(record: TrainingRecord) -> str:
    facts = {"learner": record.learner_title, "split": record.split_title, "seed": record.seed}
    facts.update(record.settings)
    facts.update({f"time, {name}": tables.seconds_words(s) for name, s in record.seconds.items()})
    facts.update({f"parity, {name}": value for name, value in record.parity.items()})
    return tables.facts_table(facts)
