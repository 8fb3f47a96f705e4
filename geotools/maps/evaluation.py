"""evaluate_forecast: forecasts are issued through the past of a catalog, and tested on it.

Pseudo-prospective: every forecast sees the events before its window alone, and so does what it is
made of when there is no model file.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.assessment import Assessment, assess
from geotools.evaluation.forecasts import Observed, score_forecasts
from geotools.evaluation.record import month_of
from geotools.evaluation.report import RunFacts, report_html
from geotools.events import days
from geotools.forecast import Forecast, utc
from geotools.inference.choosing import choose_forecaster
from geotools.inference.forecast import Forecaster, default_edges
from geotools.inference.issued import Issued
from geotools.io.catalogs import read_catalog
from geotools.maps.evaluation_files import check_table, write_report, write_table
from geotools.maps.inputs import FilePath, check_paths
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["ForecastEvaluation", "Period", "evaluate_forecast"]

_MOST_WINDOWS = 100_000
_TEST_SHARE = 0.2
"""Without a start the last fifth of the catalog's time is tested."""

_FEWEST_MONTHS, _MOST_MONTHS = 24, 240
"""Months before the test from which the variance of the number of events is taken."""


@dataclass(frozen=True, slots=True)
class Period:
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


@dataclass(frozen=True, slots=True)
class ForecastEvaluation:
    """What `evaluate_forecast` has found and written."""

    path: Path
    """The HTML report."""
    table: Path | None
    """The table of figures."""
    assessment: Assessment
    """Every test and score, and the record they are taken from."""
    notes: tuple[str, ...]
    """What a reader must know, one sentence each."""
    seconds: float
    """Wall time."""


def evaluate_forecast(
    catalog: FilePath,
    output: FilePath,
    *,
    table: FilePath | None = None,
    model: FilePath | None = None,
    period: Period | None = None,
    min_magnitude: float | None = None,
    simulations: int = 1000,
    seed: int = 0,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> ForecastEvaluation:
    """Writes a report of how good forecasts would have been, beside every baseline.

    Args:
        catalog: any file that `read_events` reads.
        output: the report, one HTML file that needs nothing else.
        table: the figures with their intervals, `.csv` or `.json`.
        model: as `map_forecast`.
        period: which windows are forecast.
        min_magnitude: lowest threshold; the model's completeness when None.
        simulations: catalogs that are drawn for each consistency test.
        seed: of all that is drawn.
        format, columns: as `read_events`.
        overwrite: replace outputs that exist.
        progress: called after every window.
        warn: called with what a reader of the report must know.

    Raises:
        GeotoolsError: an input, an output or a setting that cannot be; nothing is written then.
    """
    begun = time.monotonic()
    period, tell = period or Period(), warn or (lambda sentence: None)
    targets = check_paths(catalog, [output, *([table] if table else [])], overwrite)
    check_table(targets[1] if table else None)
    if not 1 <= simulations <= 1_000_000:
        raise EventsError(f"{simulations:,} simulations: 1 to 1,000,000 can be drawn.")
    events, reading = read_catalog(catalog, format=format, columns=columns)
    if events.empty:
        raise EventsError(f"{reading}: no earthquake is left to test forecasts on.")
    first = _first(events, period, model, min_magnitude)
    forecaster = choose_forecaster(events, model=model, start=first, min_magnitude=min_magnitude)
    notes = _Notes()
    trained = _trained_until(forecaster)
    if period.start is None and trained is not None and trained < _last(events):
        first = trained
    windows = _windows(events, forecaster, replace(period, start=first))
    notes.add(*_caveats(events, forecaster, trained, windows))
    magnitudes = None if min_magnitude is None else default_edges(min_magnitude)
    record = score_forecasts(
        _issued(events, forecaster, windows, magnitudes, notes),
        simulations=simulations,
        seed=seed,
        progress=_counting(progress, len(windows)),
    )
    ratio = _variance_ratio(events, forecaster, windows[0][0], record.magnitudes[0])
    assessment = assess(record, variance_ratio=ratio, simulations=simulations, seed=seed)
    horizon = (windows[0][1] - windows[0][0]) / timedelta(days=1)
    step = (windows[1][0] - windows[0][0]) / timedelta(days=1) if len(windows) > 1 else horizon
    settings = {
        "--model": model, "--start": f"{windows[0][0]:%Y-%m-%dT%H:%M:%S}",
        "--end": f"{windows[-1][1]:%Y-%m-%dT%H:%M:%S}", "--horizon": f"{horizon:g}",
        "--step": f"{step:g}", "--min-magnitude": min_magnitude, "--format": format,
        "--columns": ",".join(f"{name}={column}" for name, column in (columns or {}).items()),
        "--simulations": simulations, "--seed": seed,
    }  # fmt: skip
    said = notes.sentences(len(windows))
    facts = RunFacts(
        title=f"Forecasts of {forecaster.identity['name']}, tested on {Path(catalog).name}",
        catalog=Path(catalog).name,
        catalog_sha256=_sha256(Path(catalog)),
        model=forecaster.identity,
        horizon_days=horizon,
        step_days=step,
        command=_command(catalog, output, settings),
        software=_software(),
        notes=said,
        left_out={item.reason: item.count for item in reading.skipped},
    )
    for note in said:
        tell(note)
    text = report_html(assessment, facts)
    if table:
        write_table(assessment, facts, targets[1], overwrite=overwrite)
    write_report(text, targets[0], overwrite=overwrite)
    return ForecastEvaluation(
        targets[0],
        targets[1] if table else None,
        assessment,
        said,
        time.monotonic() - begun,
    )


def _first(
    events: GeoDataFrame, period: Period, model: FilePath | None, min_magnitude: float | None
) -> datetime:
    """The issue time of the first forecast, as far as it can be known without the model."""
    begin, last = events["time"].iloc[0].to_pydatetime(), _last(events)
    if period.start is None:
        end = min(last, utc(period.end)) if period.end else last
        start: datetime = end - _TEST_SHARE * (end - begin)
        return start.replace(hour=0, minute=0, second=0, microsecond=0)
    start = utc(period.start)
    if start <= begin:
        raise EventsError(
            f"The first forecast of {start:%Y-%m-%d} has no events before it, the catalog begins "
            f"on {begin:%Y-%m-%d}: give a later --start."
        )
    return start


def _windows(
    events: GeoDataFrame, forecaster: Forecaster, period: Period
) -> list[tuple[datetime, datetime]]:
    """Beginning and end of each window."""
    horizon = forecaster.horizon_days if period.horizon_days is None else period.horizon_days
    step = horizon if period.step_days is None else period.step_days
    if not (1e-3 <= horizon <= 36_600 and step <= 36_600):
        raise EventsError(f"Windows of {horizon:g} days every {step:g}: give days above 0.001.")
    if step < horizon:
        raise EventsError(
            f"Windows of {horizon:g} days every {step:g} days overlap, and events would count "
            "twice: give a --step as long as the --horizon."
        )
    start = period.start or _last(events)
    end = _last(events) if period.end is None else utc(period.end)
    count = int(((end - start) / timedelta(days=1) - horizon) // step) + 1 if end > start else 0
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


def _issued(
    events: GeoDataFrame,
    forecaster: Forecaster,
    windows: list[tuple[datetime, datetime]],
    magnitudes: tuple[float, ...] | None,
    notes: _Notes,
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


class _Notes:
    """Sentences that are said once, whatever their numbers, and in how many windows."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}

    def add(self, *sentences: str) -> None:
        for sentence in sentences:
            key = re.sub(r"\d[\d,.]*", "#", sentence)  # numbers differ from window to window
            first, times = self._said.get(key, (sentence, 0))
            self._said[key] = first, times + 1

    def sentences(self, windows: int) -> tuple[str, ...]:
        return tuple(
            f"{first} (In {times:,} of {windows:,} windows.)" if 1 < times < windows else first
            for first, times in self._said.values()
        )


def _caveats(
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
    silent = windows[-1][1] - _last(events)
    if silent > timedelta(days=30):
        yield (
            f"The last event of the catalog is {silent.days:,} days before the end of the period: "
            "they count as days without events."
        )


def _variance_ratio(
    events: GeoDataFrame, forecaster: Forecaster, start: datetime, lowest: float
) -> float | None:
    """Variance over mean of the monthly number of events in the region before the start."""
    magnitude = events["magnitude"].to_numpy()
    places = events["longitude"].to_numpy(), events["latitude"].to_numpy()
    counted = (magnitude >= lowest - 1e-6) & forecaster.inside(*places)
    counted &= days(events["time"]) < _days(start)
    if not counted.any():
        return None
    moments = events["time"][counted].dt
    months = (moments.year * 12 + moments.month - 1).to_numpy()
    last = month_of(start) - 1  # the last whole month
    first = max(int(months.min()) + 1, last - _MOST_MONTHS + 1)
    if last - first + 1 < _FEWEST_MONTHS:
        return None
    inside = (months >= first) & (months <= last)
    numbers = np.bincount(months[inside] - first, minlength=last - first + 1)
    return float(numbers.var(ddof=1) / numbers.mean()) if numbers.any() else None


def _trained_until(forecaster: Forecaster) -> datetime | None:
    """The moment after the last event that the model was fitted to, as its file says."""
    if forecaster.model is None:
        return None
    said = forecaster.model.spec.training.get("until")
    try:
        return utc(datetime.fromisoformat(str(said)))
    except ValueError:
        return None


def _last(events: GeoDataFrame) -> datetime:
    last: datetime = events["time"].iloc[-1].to_pydatetime().astimezone(UTC)
    return last


def _days(moment: datetime) -> float:
    return float(days(np.datetime64(utc(moment).replace(tzinfo=None), "us")))


def _counting(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda done: progress(Step("forecasts", done, total))


def _command(catalog: FilePath, output: FilePath, settings: Mapping[str, object]) -> str:
    words = ["geotools", "evaluate", "forecast", str(catalog), "-o", str(output)]
    for flag, value in settings.items():
        if value is not None and value != "":
            words += [flag, str(value)]
    return shlex.join(words)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _software() -> str:
    try:
        return f"geotools {version('geotools-ml')}"
    except PackageNotFoundError:
        return "geotools"
