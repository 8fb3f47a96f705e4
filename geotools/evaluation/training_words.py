"""What a training found, in sentences that claim no more than the figures do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geotools.evaluation.calibration import TEMPERATURES
from geotools.evaluation.metrics import Scored

if TYPE_CHECKING:
    from geotools.evaluation.training_record import BlocksScore, TrainingRecord

__all__ = [
    "AREA_CAVEAT",
    "blocks_words",
    "caveats",
    "comparison",
    "figure_words",
    "nested_words",
    "result",
    "scored_words",
]

AREA_CAVEAT = (
    "The adjusted areas and standard errors follow Olofsson et al. (2014) and hold for a "
    "probability sample: cells drawn at random within each mapped class. Labels that were drawn "
    "where somebody chose to are none, so these areas say what would follow if they were, and are "
    "no estimate to publish."
)

_FEW_UNITS = 15
"""Below, percentile intervals are too narrow: in 400 simulated test sets each, those of an accuracy
that varies from unit to unit held the true one in 81 % with 5 units, 87 % with 10, 95 % with 20 and
93 % with 50."""


def result(record: TrainingRecord) -> str:
    """The score in one sentence."""
    seen = "cells that it did not learn from"
    if record.split_kind == "labels":
        seen = "labelled cells"
    elif record.init:
        seen = f"test cells, which {record.init} may have learned from"
    where = f"on {record.cells:,} {seen}" if record.cells else ""
    score = f"{record.figure.title} {scored_words(record.score, record.unit_word, record.unit)}"
    words = " ".join(part for part in (score, where) if part)
    return f"The {record.learner_title} reaches {words} ({record.split_title})."


def comparison(record: TrainingRecord) -> tuple[str, ...]:
    """One sentence for each baseline, and one for what the choice among learners is worth."""
    said = [
        _difference(record, name, record.differences[name])
        for name in record.baselines
        if name in record.differences and name != record.learner_title
    ]
    if record.nested is not None:
        said.append(nested_words(scored_words(record.nested)))
    return tuple(said)


def nested_words(figures: str) -> str:
    """What the choice among learners is worth, given its score in words."""
    return f"Chosen anew in every round by the other rounds, the choice itself scores {figures}."


def blocks_words(found: BlocksScore, figure: str) -> str:
    """What a split by random cells does to the score.

    Args:
        found: both scores.
        figure: title of the metric.
    """
    return (
        f"By random cells the {found.learner_title} reaches {figure} "
        f"{figure_words(found.claimed)}, by blocks {scored_words(found.score)} "
        f"({found.split_title}): expect the second on new ground."
    )


def caveats(record: TrainingRecord) -> tuple[str, ...]:
    """What a reader must know before the score is believed, one sentence each.

    The record's own warnings come first.
    """
    said = list(record.warnings)
    if record.split_kind == "random":
        said.append(
            "The split is by random cells: where cells lie beside one another, neighbours of test "
            "cells were learned from, and the score is too high for new ground."
        )
    if record.units == 1:
        said.append(
            f"All test cells lie in a single one of the {record.unit_word}: there is no interval."
        )
    elif 1 < record.units < _FEW_UNITS:
        said.append(
            f"The test cells lie in {record.units} {record.unit_word} only: the intervals are "
            "rough and likely too narrow."
        )
    alone = [row.info.name for row in record.per_class if row.units == 1 and record.units > 1]
    if alone:
        have = "has" if len(alone) == 1 else "have"
        said.append(
            f"{_listed(alone)} {have} test cells in a single one of the {record.unit_word}: the "
            "figures are of that place."
        )
    never = [row.info.name for row in record.per_class if row.cells and not row.predicted]
    if never:
        said.append(f"{_listed(never)} {'was' if len(never) == 1 else 'were'} never predicted.")
    untested = [row.info.name for row in record.per_class if not row.cells]
    if untested:
        said.append(
            f"{_listed(untested)} {'has' if len(untested) == 1 else 'have'} no test cells: "
            "how well that is found is not known."
        )
    if record.calibration is not None and record.calibration.temperature in TEMPERATURES:
        said.append(
            f"The temperature is at its bound of {record.calibration.temperature:g}: the "
            "probabilities are not to be taken at their word."
        )
    return tuple(dict.fromkeys(said))


def scored_words(scored: Scored, unit_word: str = "", unit: str = "") -> str:
    """A figure with its interval: 0.873 (95 % by blocks: 0.850 to 0.893)."""
    low, high = scored.interval
    words = f"{figure_words(scored.value)} {unit}".strip()
    if math.isnan(low):
        return words
    by = f"95 % by {unit_word}: " if unit_word else ""
    return f"{words} ({by}{figure_words(low)} to {figure_words(high)})"


def figure_words(value: float) -> str:
    """Three digits after the point below 10, fewer above; a dash where there is none."""
    if math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size and size < 5e-4:
        text = f"{size:.1e}"
    else:
        text = f"{size:,.{3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0}f}"
    return f"−{text}" if value < 0 else text


def _difference(record: TrainingRecord, name: str, found: Scored) -> str:
    """How far the score is from a baseline's, and whether that can be chance."""
    value, (low, high) = found.value, found.interval
    if math.isnan(value):
        return f"The {record.learner_title} cannot be compared with the {name}."
    side = "above" if value >= 0 else "below"
    if value < 0:
        low, high = -high, -low
    far = figure_words(abs(value))
    if not math.isnan(low):
        far += f" ({figure_words(low)} to {figure_words(high)})"
    if record.figure.higher_is_better:
        words = f"The {record.learner_title} is {far} {side} the {name}"
        verdict = "" if value > 0 else ", which is the better one"
    else:
        title = record.figure.title
        words = f"The {title} of the {record.learner_title} is {far} {side} that of the {name}"
        verdict = ", which is worse" if value > 0 else ", which is better"
    if math.isnan(low):
        return f"{words}, without an interval."
    return f"{words}, which may be chance." if low <= 0 <= high else f"{words}{verdict}."


def _listed(names: list[str], most: int = 5) -> str:
    """Names with commas and an `and`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
