"""The windows of an evaluation: when forecasts are issued, what they see, and what has to be said.

Every forecast sees the events before its window alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.forecasts import Observed
from geotools.evaluation.record import month_of
from geotools.events import days
from geotools.forecast import Forecast, utc
from geotools.inference.forecast import Forecaster
from geotools.inference.issued import Issued
from geotools.inference.remarks import EventArrays, inside

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "EvaluationPeriod",
    "Notes",
    "caveats",
    "first_issue",
    "issued_windows",
    "last_moment",
    "variance_ratio_before",
    "windows_of",
]

_MOST_WINDOWS = 100_000
_TEST_SHARE = 0.2
"""Without a start the last fifth of the catalog's time is tested."""

_FEWEST_MONTHS, _MOST_MONTHS = 24, 240
"""Months before the test from which the variance of the number of events is taken."""


@dataclass(frozen=True, slots=True)
class EvaluationPeriod:
    """The windows of a run."""

    start: datetime | None = None
    """Issue time of the first forecast; where the model's training ended, or the last fifth of the
    catalog, when None."""
    end: datetime | None = None
    """No window reaches beyond; the last event when None."""
    horizon_days: float | None = None
    """Length of a window; the model's first when None."""
    step_days: float | None = None
    """From one window to the next, the horizon or more; the horizon when None."""


def first_issue(events: GeoDataFrame, period: EvaluationPeriod) -> datetime:
    """The issue time of the first forecast, as far as it can be known without the model.

    Raises:
        EventsError: no event lies before it.
    """
    begin, last = events["time"].iloc[0].to_pydatetime(), last_moment(events)
    if period.start is None:
        end = min(last, utc(period.end)) if period.end else last
        start: datetime = end - _TEST_SHARE * (end - begin)
        if end - begin > timedelta(days=10):
            start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    else:
        start = utc(period.start)
    if start <= begin:
        raise EventsError(
            f"The first forecast of {start:%Y-%m-%d %H:%M} has no events before it, the catalog "
            f"begins on {begin:%Y-%m-%d %H:%M}: give a later --start."
        )
    return start


def windows_of(
    events: GeoDataFrame, forecaster: Forecaster, period: EvaluationPeriod
) -> list[tuple[datetime, datetime]]:
    """Beginning and end of each window.

    Raises:
        EventsError: windows that overlap, too many of them, or none.
    """
    horizon = forecaster.horizon_days if period.horizon_days is None else period.horizon_days
    step = horizon if period.step_days is None else period.step_days
    if not (1e-3 <= horizon <= 36_600 and step <= 36_600):
        raise EventsError(f"Windows of {horizon:g} days every {step:g}: give days above 0.001.")
    if step < horizon:
        raise EventsError(
            f"Windows of {horizon:g} days every {step:g} days overlap, and events would count "
            "twice: give a --step as long as the --horizon."
        )
    start = period.start or last_moment(events)
    end = last_moment(events) if period.end is None else utc(period.end)
    count = (
        int(((end - start) / timedelta(days=1) - horizon + 1e-9) // step) + 1 if end > start else 0
    )
    if count < 1:
        raise EventsError(
            f"No window of {horizon:g} days fits between {start:%Y-%m-%d} and {end:%Y-%m-%d}: "
            "give a longer period or a shorter --horizon."
        )
    if count > _MOST_WINDOWS:
        raise EventsError(
            f"{count:,} windows are more than {_MOST_WINDOWS:,}: give a longer --step."
        )
    starts = [start + timedelta(days=number * step) for number in range(count)]
    return [(begin, begin + timedelta(days=horizon)) for begin in starts]


def issued_windows(
    events: GeoDataFrame,
    forecaster: Forecaster,
    windows: list[tuple[datetime, datetime]],
    magnitudes: tuple[float, ...] | None,
    notes: Notes,
) -> Iterator[tuple[dict[str, Forecast], Observed]]:
    """The forecasts of each window, issued from the events before it, and its events."""
    times = days(events["time"])
    columns = [events[name].to_numpy() for name in ("longitude", "latitude", "magnitude")]
    each = forecaster.issue_each(
        events,
        [start for start, _ in windows],
        horizon_days=(windows[0][1] - windows[0][0]) / timedelta(days=1),
        magnitudes=magnitudes,
    )
    for (start, end), issued in zip(windows, each, strict=True):
        begin, stop = np.searchsorted(times, [_days(start), _days(end)])
        notes.add(*issued.notes)
        window = slice(int(begin), int(stop))
        yield (
            _named(issued, forecaster),
            Observed(times[window], *(column[window] for column in columns)),
        )


def _named(issued: Issued, forecaster: Forecaster) -> dict[str, Forecast]:
    """The forecast, its baselines and the mean of the two best known, by name."""
    baselines = dict(issued.baselines)
    smoothed, etas = baselines["smoothed"], baselines["etas"]
    mean = replace(smoothed.rates, data=(smoothed.rates.data + etas.rates.data) / 2)
    baselines["mean"] = replace(etas, rates=mean, name="mean of smoothed and ETAS")
    if forecaster.model is None:  # what is issued is ETAS itself
        return {"etas": issued.forecast} | {n: f for n, f in baselines.items() if n != "etas"}
    name = issued.model["name"]
    return {f"{name} (model)" if name in baselines else name: issued.forecast, **baselines}


class Notes:
    """Sentences that are said once, whatever their numbers, and in how many windows."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}

    def add(self, *sentences: str) -> None:
        """Takes the sentences of a window."""
        for sentence in sentences:
            key = re.sub(r"\d[\d,.]*", "#", sentence)  # numbers differ from window to window
            first, times = self._said.get(key, (sentence, 0))
            self._said[key] = first, times + 1

    def sentences(self, windows: int) -> tuple[str, ...]:
        """What was said in so many windows, each once."""
        return tuple(
            f"{first} (In {times:,} of {windows:,} windows.)" if 1 < times < windows else first
            for first, times in self._said.values()
        )


def caveats(
    events: GeoDataFrame,
    forecaster: Forecaster,
    trained: datetime | None,
    windows: list[tuple[datetime, datetime]],
) -> Iterator[str]:
    """What may make the figures better, or worse, than the forecasts are."""
    if forecaster.model is not None and trained is None:
        yield (
            "The model file does not say until when it was trained: figures of years that it has "
            "seen are no test."
        )
    if trained is not None and windows[0][0] < trained:
        yield (
            f"The model was trained on events until {trained:%Y-%m-%d} and the period begins on "
            f"{windows[0][0]:%Y-%m-%d}: figures of years that it has seen are no test."
        )
    silent = windows[-1][1] - last_moment(events)
    if silent > timedelta(days=30):
        yield (
            f"The last event of the catalog is {silent.days:,} days before the end of the period: "
            "they count as days without events."
        )


def variance_ratio_before(
    events: GeoDataFrame, forecaster: Forecaster, start: datetime, lowest: float
) -> float | None:
    """Variance over mean of the monthly number of events in the region before the start."""
    arrays = EventArrays.of(events)
    counted = (arrays.magnitude >= lowest - 1e-6) & inside(forecaster.backbone, arrays)
    counted &= arrays.time_days < _days(start)
    if not counted.any():
        return None
    moments = events["time"][counted].dt
    months = (moments.year * 12 + moments.month - 1).to_numpy()
    last = month_of(start) - 1  # the last whole month
    first = max(int(months.min()) + 1, last - _MOST_MONTHS + 1)
    if last - first + 1 < _FEWEST_MONTHS:
        return None
    recent = (months >= first) & (months <= last)
    numbers = np.bincount(months[recent] - first, minlength=last - first + 1)
    return float(numbers.var(ddof=1) / numbers.mean()) if numbers.any() else None


def last_moment(events: GeoDataFrame) -> datetime:
    """The time of the last event."""
    last: datetime = events["time"].iloc[-1].to_pydatetime().astimezone(UTC)
    return last


def _days(moment: datetime) -> float:
    return float(days(np.datetime64(utc(moment).replace(tzinfo=None), "us")))
