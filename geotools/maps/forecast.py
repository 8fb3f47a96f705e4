"""map_forecast: an earthquake catalog becomes a map of expected numbers of earthquakes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.errors import FileError
from geotools.forecast import utc
from geotools.inference.choosing import choose_forecaster
from geotools.inference.forecast import default_edges
from geotools.inference.issued import Issued
from geotools.io.atomic import write_atomic
from geotools.io.catalogs import read_catalog
from geotools.io.records import Recorder, check_record, made_from
from geotools.maps.catalogs import origin, tell_of
from geotools.maps.forecast_files import LAYERS, write_cells, write_raster
from geotools.maps.inputs import FilePath, check_paths
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["ForecastMap", "map_forecast"]


@dataclass(frozen=True, slots=True)
class ForecastMap:
    """What `map_forecast` has written."""

    path: Path
    """The GeoTIFF."""
    cells: Path | None
    """The GeoPackage."""
    issued: Issued
    """The forecast itself."""
    events: GeoDataFrame
    """The event table that was read."""
    seconds: float
    """Wall time."""


def map_forecast(
    catalog: FilePath,
    output: FilePath,
    *,
    cells: FilePath | None = None,
    model: FilePath | None = None,
    start: datetime | None = None,
    horizon_days: float | None = None,
    min_magnitude: float | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> ForecastMap:
    """Writes the expected numbers of earthquakes per cell after a moment, baseline beside them.

    Bands: expected number and probability of at least one, for each magnitude threshold; the
    long-term baseline (smoothed seismicity) and the ratio to it.

    Args:
        catalog: any file that `read_events` reads.
        output: GeoTIFF.
        cells: GeoPackage with the layers cells, events and summary.
        model: an `.onnx` file, the name of a shipped model, or `generic`; when None, the shipped
            model whose region holds the events.
        start: the issue time, UTC; the first full minute after the last event when None.
        horizon_days: length of the window; the model's first when None.
        min_magnitude: lowest threshold; the model's completeness when None.
        format, columns: as `read_events`.
        overwrite: replace outputs that exist.
        progress: called after every step.
        warn: called with what a reader of the map must know.

    Raises:
        GeotoolsError: an input, an output or a setting that cannot be; nothing is written then.
    """
    begun = time.monotonic()
    targets = check_paths(catalog, [output, *([cells] if cells else [])], overwrite)
    for target, ending in zip(targets, (".tif", ".gpkg"), strict=False):
        if target.suffix.lower().replace(".tiff", ".tif") != ending:
            raise FileError(f"{target} does not end in {ending}: name one that does.")
    tell = warn or (lambda sentence: None)
    for target in targets[1:]:
        check_record(target, overwrite=overwrite)
    step = _steps(progress, 4 if cells else 3)
    events, report = read_catalog(catalog, format=format, columns=columns)
    tell_of(report, tell)
    step()
    issue = utc(start) if start is not None else _after(events)
    forecaster = choose_forecaster(events, model=model, start=issue, min_magnitude=min_magnitude)
    magnitudes = None if min_magnitude is None else default_edges(min_magnitude)
    issued = forecaster.issue(events, issue, horizon_days=horizon_days, magnitudes=magnitudes)
    for note in issued.notes:
        tell(note)
    step()
    tags = {**origin(Path(catalog), report), **_tags(issued)}
    with ExitStack() as outputs:  # both are complete before one has its name
        record = None
        if len(targets) > 1:
            record = outputs.enter_context(Recorder(targets[1]))
            part = outputs.enter_context(write_atomic(targets[1], overwrite=overwrite))
            write_cells(issued, events, part, tags=tags)
            made = made_from(tags, method="forecast")
            record.write(part, layers=dict.fromkeys(LAYERS, made))
            step()
        write_raster(issued, targets[0], tags=tags, overwrite=overwrite)
        if record is not None:
            record.put_aside()
    step()
    return ForecastMap(
        targets[0], targets[1] if cells else None, issued, events, time.monotonic() - begun
    )


def _steps(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(Step("forecast", done, total))

    return step


def _after(events: GeoDataFrame) -> datetime:
    """The first full minute after the last event that is not in the future."""
    times = events["time"]
    happened = times[times <= datetime.now(UTC)]
    last: datetime = (happened if len(happened) else times).iloc[-1].to_pydatetime()
    return last.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _tags(issued: Issued) -> dict[str, str]:
    forecast = issued.forecast
    low, high = issued.interval(forecast.magnitudes[0])
    return {
        "model": " ".join(filter(None, (issued.model["name"], issued.model.get("version")))),
        "model_sha256": issued.model.get("sha256", ""),
        "issue_time": forecast.start.isoformat(),
        "window_start": forecast.start.isoformat(),
        "window_end": forecast.end.isoformat(),
        "horizon_days": f"{forecast.horizon_days:g}",
        "magnitudes": ", ".join(f"{edge:g}" for edge in forecast.magnitudes),
        "expected_number": f"{forecast.total:.6g}",
        "expected_number_95": f"{low} to {high}",
        "baseline_number": f"{issued.smoothed.total:.6g}",
        "mc": f"{issued.mc:g}",
        "b_value": f"{issued.b_value:.3f}",
        "events_used": str(int(issued.used.sum())),
        "events_left_out": "; ".join(f"{count} {why}" for why, count in issued.left_out.items()),
        "notes": " ".join(issued.notes),
    }
