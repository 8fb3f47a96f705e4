"""report_html: an assessment as one HTML file that needs nothing else, neither files nor network.

Everything that comes from catalogs and models is escaped; pictures are inside the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation import figures, tables
from geotools.evaluation.assessment import Assessment
from geotools.evaluation.page import page, picture
from geotools.evaluation.tables import escaped, number_words, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABELS", "RunFacts", "report_html"]

LABELS = {
    "uniform": "uniform Poisson",
    "smoothed": "smoothed seismicity",
    "etas": "ETAS",
    "etas_primary": "ETAS without secondaries",
    "mean": "mean of smoothed and ETAS",
}
"""What the usual baselines are called; any other name stands for itself."""

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 0 auto;
  max-width: 62rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; }
p { max-width: 46rem; margin: .4rem 0; } figure { margin: .6rem 0; overflow-x: auto; }
img { max-width: 100%; height: auto; } .table { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .9rem; }
th, td { text-align: left; padding: .25rem .7rem; border-bottom: 1px solid #ddd;
  vertical-align: top; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
thead th { border-bottom: 2px solid #888; } caption { text-align: left; color: #444; }
td.bad { background: #fbe9dd; } code { background: #f3f3f3; padding: .1rem .3rem;
  overflow-wrap: anywhere; } .lead { font-size: 1.05rem; }
"""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a report says of where its figures come from."""

    title: str
    """Heading."""
    catalog: str
    """Name of the catalog file."""
    catalog_sha256: str
    """Of the catalog file."""
    model: Mapping[str, str]
    """Name, version and sha256 of the model, as far as there are any."""
    horizon_days: float
    """Length of the windows."""
    step_days: float
    """From the beginning of a window to that of the next."""
    command: str
    """What to type to get the same report."""
    software: str
    """Name and version of the program."""
    notes: tuple[str, ...] = ()
    """What a reader must know, one sentence each."""
    left_out: Mapping[str, int] | None = None
    """Events of the catalog that were not read, by reason."""


def report_html(assessment: Assessment, facts: RunFacts) -> str:
    """The report as the text of an HTML file."""
    record = assessment.record
    labels = {name: LABELS.get(name, name) for name in record.names}
    model = labels[record.names[0]]
    parts = [
        f"<h1>{escaped(facts.title)}</h1>",
        f'<p class="lead">{escaped(_summary(assessment, labels))}</p>',
        *(f"<p><strong>Note.</strong> {escaped(note)}</p>" for note in facts.notes),
        _facts_table(assessment, facts),
        "<h2>Where events were expected, and where they were</h2>",
        picture(
            figures.map_figure(record, model),
            f"Map of the number of events that {model} expected per cell in the whole period, "
            "with circles at the observed events.",
        ),
        "<h2>Information gain</h2>",
        "<p>Nats per event: how much more probable the observed events were under the first "
        "forecast than under the second. Earthquakes come in sequences, so the interval by whole "
        "months is the one to read; the T interval takes events as independent and is too "
        "narrow.</p>",
        tables.gain_table(assessment, labels),
        picture(
            figures.gain_figure(record, labels),
            f"Cumulative information gain of {model} over each baseline against time.",
        ),
        "<h2>Consistency tests</h2>",
        "<p>Could the observed events be a draw from the forecast? A test that is passed says "
        "only that they do not contradict it; with this many tests, some fail by chance. All but "
        "the negative binomial one take events in a window as independent, which aftershocks are "
        "not: a forecast can fail because events cluster inside its windows.</p>",
        "<p>N is the number, M the magnitudes, S the places, CL both, L all of it; binary S counts "
        "a cell once. “By windows” tests each forecast on its own window. The others test the "
        "sums over the period; those of a forecast that is updated have reacted to the events, "
        "which makes S, CL and L lenient for it.</p>",
        tables.test_table(assessment, labels),
        "<h2>Number of events</h2>",
        picture(
            figures.number_figure(record, labels, _interval(assessment.variance_ratio)),
            "Observed number of events as bars and expected numbers as lines, by month or year.",
        ),
        f"<p>{escaped(_interval_words(assessment, model))}</p>",
        "<h2>Reliability</h2>",
        picture(
            figures.reliability_figure(record, labels),
            "Share of cells and windows that had an event against the probability they were "
            "given, with Wilson intervals, on logarithmic axes.",
        ),
        tables.brier_table(assessment, labels),
        "<h2>Alarms</h2>",
        "<p>Alarms are raised over all cells and windows together, first where a forecast is "
        "highest in proportion to the reference. An area skill score of 0.5 is no skill beyond "
        "the reference; 1 is best.</p>",
        picture(
            figures.molchan_figure(record, labels),
            "Molchan diagrams: share of events missed against the share of space and time under "
            "alarm, one panel for each reference.",
        ),
        tables.skill_table(assessment, labels),
        "<h2>What was left out</h2>",
        _left_out(assessment, facts),
        "<h2>Reproduce</h2>",
        f"<p><code>{escaped(facts.command)}</code></p>",
        f"<p>Seed {assessment.seed}, {assessment.simulations:,} simulated catalogs per test, "
        f"2,000 resamples of months; {escaped(facts.software)}.</p>",
    ]
    return page(facts.title, _STYLE, parts)


def _summary(assessment: Assessment, labels: Mapping[str, str]) -> str:
    """The result in a few sentences that claim no more than was found."""
    record = assessment.record
    model, total = record.names[0], int(record.observed.sum())
    words = (
        f"{total:,} events of magnitude {record.magnitudes[0]:g} or more were observed in "
        f"{len(record.starts):,} windows; {labels[model]} expected "
        f"{record.totals[model].sum():,.1f}."
    )
    if not total:
        return words + " Without events there is no gain to tell."
    for gain in assessment.gains[: len(record.names) - 1]:
        low, high = gain.month_interval
        words += (
            f" Its gain over {labels[gain.baseline]} is {number_words(gain.per_event)} nats per "
        )
        words += f"event (95 % by months: {number_words(low)} to {number_words(high)}"
        if low <= 0 <= high:
            words += "; no gain cannot be excluded"
        words += ")."
    return words


def _facts_table(assessment: Assessment, facts: RunFacts) -> str:
    record = assessment.record
    left, bottom, right, top = record.grid.bounds
    identity = ", ".join(
        f"{key} {value}" if key != "name" else value for key, value in facts.model.items() if value
    )
    cell = record.grid.transform.a
    rows = [
        ("Model", identity),
        ("Catalog", f"{facts.catalog}, sha256 {facts.catalog_sha256}"),
        ("Period", f"{record.starts[0]:%Y-%m-%d %H:%M} to {record.ends[-1]:%Y-%m-%d %H:%M} UTC"),
        (
            "Windows",
            f"{len(record.starts):,} of {facts.horizon_days:g} days, every {facts.step_days:g}",
        ),
        (
            "Region",
            f"{int(record.region.sum()):,} cells of {cell:g}° from {left:g} to {right:g} east and "
            f"{bottom:g} to {top:g} north",
        ),
        ("Magnitudes", ", ".join(f"{edge:g}" for edge in record.magnitudes) + " and more"),
    ]
    body = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(value)}</td></tr>'
        for name, value in rows
    )
    return f'<div class="table"><table>{body}</table></div>'


def _interval(ratio: float | None) -> Any:
    """From expected numbers to 95 % intervals: negative binomial where the ratio is known."""

    def ends(expected: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
        from scipy.stats import nbinom, poisson

        mean = np.maximum(expected, 1e-12)
        if ratio is not None and ratio > 1:
            low, high = nbinom.interval(0.95, mean / (ratio - 1), 1 / ratio)
        else:
            low, high = poisson.interval(0.95, mean)
        return np.nan_to_num(low), np.nan_to_num(high)

    return ends


def _interval_words(assessment: Assessment, model: str) -> str:
    ratio = assessment.variance_ratio
    if ratio is None or ratio <= 1:
        return f"The band is the Poisson 95 % interval of {model}, too narrow for aftershocks."
    return (
        f"The band is the negative binomial 95 % interval of {model}, with a variance of "
        f"{ratio:.2g} times the mean, as the months before the period had."
    )


def _left_out(assessment: Assessment, facts: RunFacts) -> str:
    entries = [
        *((f"in the catalog: {reason}", n) for reason, n in (facts.left_out or {}).items()),
        *((f"in the windows: {reason}", n) for reason, n in assessment.record.left_out.items()),
    ]
    if not entries:
        return "<p>No event.</p>"
    return table(("events", "number"), [[reason, f"{count:,}"] for reason, count in entries])
