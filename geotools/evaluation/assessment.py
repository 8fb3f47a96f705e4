"""Assessment: every test and score of a record, as values and as the rows of a table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geotools.evaluation.csep_tests import LikelihoodTest
from geotools.evaluation.gains import Gain
from geotools.evaluation.number_tests import NumberTest
from geotools.evaluation.record import Record

__all__ = ["Assessment", "Skill", "assess"]


@dataclass(frozen=True, slots=True)
class Skill:
    """The area skill score of a forecast's alarms, measured by a reference."""

    name: str
    """The forecast."""
    reference: str
    """What the share of space and time under alarm is measured by."""
    skill: float
    """0.5 without skill beyond the reference, 1 at best; NaN without events."""
    month_interval: tuple[float, float]
    """95 % by resampling whole months."""
    null_interval: tuple[float, float]
    """95 % of alarms without skill, events taken as independent."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found about a run of forecasts."""

    record: Record
    """The run."""
    tests: Mapping[str, tuple[NumberTest | LikelihoodTest, ...]]
    """Consistency tests by forecast, always the same ones in the same order."""
    gains: tuple[Gain, ...]
    """The model over each baseline, then each baseline over the one before it."""
    skills: tuple[Skill, ...]
    """Of each forecast against each reference."""
    variance_ratio: float | None
    """Variance of the number of events over its mean, of months before the run; None: unknown."""
    simulations: int
    """Catalogs that were drawn for each test."""
    seed: int
    """Of all that is drawn."""

    def rows(self) -> Iterator[dict[str, str | float]]:
        """The figures one by one, each with its interval; NaN where there is none."""
        record = self.record
        for name in record.names:
            yield _row("expected number", name, "", float(record.totals[name].sum()))
        yield _row("observed number", "", "", float(record.observed.sum()))
        for gain in self.gains:
            pair = gain.model, gain.baseline
            yield _row("gain, nats per event", *pair, gain.per_event, gain.month_interval)
            yield _row("gain, events independent (T)", *pair, gain.t.gain, gain.t.interval)
            yield _row("gain without the two best months", *pair, gain.months.without_best())
            yield _row("months won", *pair, gain.months.won)
            yield _row("months", *pair, len(gain.months.labels))
            yield _row("p of the T test", *pair, gain.t.p_value)
            yield _row("p of the W test", *pair, gain.w.p_value)
            yield _row("events at a rate of 0", *pair, gain.zero_rate_events)
        for name, tests in self.tests.items():
            for test in tests:
                if isinstance(test, NumberTest):
                    yield _row(f"{test.name}: delta1", name, "", test.delta1)
                    yield _row(f"{test.name}: delta2", name, "", test.delta2)
                else:
                    yield _row(f"{test.name}: quantile", name, "", test.quantile)
        for name in record.names:
            yield _row("Brier score", name, "", record.reliability[name].brier)
        for skill in self.skills:
            yield _row(
                "area skill score", skill.name, skill.reference, skill.skill, skill.month_interval
            )


def assess(
    record: Record,
    *,
    variance_ratio: float | None = None,
    simulations: int = 1000,
    seed: int = 0,
) -> Assessment:
    """Every test and score of a record.

    Args:
        record: the run; its first forecast is the model.
        variance_ratio: as `consistency_tests`.
        simulations: catalogs for each test.
        seed: of all that is drawn.
    """
    model, *baselines = record.names
    pairs = [(model, baseline) for baseline in baselines]
    pairs += [(after, before) for before, after in itertools.pairwise(baselines)]
    skills = []
    for reference in record.references:
        for name in record.names:
            found = record.molchan(name, reference)
            interval = record.alarms[name].interval(reference, seed=seed)
            skills.append(Skill(name, reference, found.skill, interval, found.null_interval))
    return Assessment(
        record=record,
        tests={
            name: record.tests(
                name, variance_ratio=variance_ratio, simulations=simulations, seed=seed
            )
            for name in record.names
        },
        gains=tuple(record.gain(*pair, seed=seed) for pair in pairs),
        skills=tuple(skills),
        variance_ratio=variance_ratio,
        simulations=simulations,
        seed=seed,
    )


def _row(
    figure: str,
    name: str,
    baseline: str,
    value: float,
    interval: tuple[float, float] = (math.nan, math.nan),
) -> dict[str, str | float]:
    return {
        "figure": figure,
        "forecast": name,
        "baseline": baseline,
        "value": float(value),
        "low_95": interval[0],
        "high_95": interval[1],
    }
