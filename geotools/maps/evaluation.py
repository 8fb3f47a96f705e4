"""evaluate_forecast: forecasts are issued through the past of a catalog, and tested on it.

Pseudo-prospective: every forecast sees the events before its window alone, and so does what it is
made of when there is no model file.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from geotools.errors import EventsError
from geotools.evaluation.assessment import Assessment, assess
from geotools.evaluation.forecasts import score_forecasts
from geotools.evaluation.report import RunFacts, report_html
from geotools.inference.choosing import choose_forecaster
from geotools.inference.forecast import default_edges
from geotools.io.catalogs import read_catalog
from geotools.maps.catalogs import origin
from geotools.maps.evaluation_files import check_table, write_report, write_table
from geotools.maps.evaluation_run import (
    EvaluationPeriod,
    Notes,
    caveats,
    first_issue,
    issued_windows,
    last_moment,
    variance_ratio_before,
    windows_of,
)
from geotools.maps.inputs import FilePath, check_paths
from geotools.stream import Progress, Step
from geotools.version import VERSION

__all__ = ["EvaluationPeriod", "ForecastEvaluation", "evaluate_forecast"]


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
    period: EvaluationPeriod | None = None,
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
    period, tell = period or EvaluationPeriod(), warn or (lambda sentence: None)
    targets = check_paths(catalog, [output, *([table] if table else [])], overwrite)
    check_table(targets[1] if table else None)
    if not 1 <= simulations <= 1_000_000:
        raise EventsError(f"{simulations:,} simulations: 1 to 1,000,000 can be drawn.")
    events, reading = read_catalog(catalog, format=format, columns=columns)
    if events.empty:
        raise EventsError(f"{reading}: no earthquake is left to test forecasts on.")
    first = first_issue(events, period)
    forecaster = choose_forecaster(events, model=model, start=first, min_magnitude=min_magnitude)
    notes = Notes()
    trained = forecaster.trained_until
    if period.start is None and trained is not None and trained < last_moment(events):
        first = trained
    windows = windows_of(events, forecaster, replace(period, start=first))
    notes.add(*caveats(events, forecaster, trained, windows))
    magnitudes = None if min_magnitude is None else default_edges(min_magnitude)
    record = score_forecasts(
        issued_windows(events, forecaster, windows, magnitudes, notes),
        simulations=simulations,
        seed=seed,
        progress=_counting(progress, len(windows)),
    )
    ratio = variance_ratio_before(events, forecaster, windows[0][0], record.magnitudes[0])
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
        catalog_sha256=origin(Path(catalog), reading)["source_sha256"],
        model=forecaster.identity,
        horizon_days=horizon,
        step_days=step,
        command=_command(catalog, output, settings),
        software=f"geotools {VERSION}",
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
