"""OPERATIONS: from the name of an operation to the function that makes a map, and to its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.batch.options import (
    ForecastOptions,
    LandformOptions,
    PredictOptions,
    TerrainOptions,
)
from geotools.effort import Effort
from geotools.engine.run import Running as UnitRunning
from geotools.errors import ConfigError
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from geotools.maps.area import AreaOptions

__all__ = ["OPERATIONS", "Made", "Operation", "Running"]


@dataclass(frozen=True, slots=True)
class Running:
    """How one input is run."""

    effort: Effort
    """Threads, tile size, memory."""
    units: UnitRunning
    """What runs the units of a map by a model."""
    overwrite: bool
    """Replace what is there."""
    progress: Progress
    """Called as the work goes on."""
    warn: Callable[[str], None]
    """Called with a sentence when the result deserves caution."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of one input."""

    result: str
    """What it is, in a few words."""
    classes: tuple[ClassInfo, ...] = ()
    """The classes of a class map."""
    area_m2: Mapping[str, float] = field(default_factory=dict)
    """Area by class name."""
    logarithmic: bool = False
    """Values that span decades."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    run: Callable[[Any, Sequence[Path], Path, Running], Made]
    """From options, files and the GeoTIFF to be written."""
    beside: Callable[[Any, Path], list[Path]]
    """The other files that it writes, from options and the GeoTIFF."""
    check: Callable[[Any], None] = lambda options: None
    """Refuses options that no single one tells, and that no file need be read for."""
    several: bool = False
    """Whether an input may be several rasters."""
    in_units: Callable[[Any], bool] = lambda options: False
    """Whether its map is made in units, which executors and schedulers run."""


def _landforms(
    options: LandformOptions, files: Sequence[Path], target: Path, running: Running
) -> Made:
    from geotools.maps import DemOptions, map_landforms

    made = map_landforms(
        files[0],
        target,
        method=_method(options),
        area=_area(options),
        tta=options.tta,
        device=options.device,
        polygons=_polygons(options, target),
        confidence=options.confidence,
        reading=DemOptions(options.crs, options.band, options.nodata, options.z_factor),
        effort=running.effort,
        running=running.units if options.method == "model" else None,
        cog=options.cog,
        overwrite=running.overwrite,
        progress=running.progress,
        warn=running.warn,
    )
    return Made(f"landforms by {made.method}", made.classes, dict(made.area_m2))


def _area(options: LandformOptions | PredictOptions) -> AreaOptions | None:
    from geotools.maps import AreaOptions

    if options.bbox is None and options.mask is None:
        return None
    return AreaOptions(options.bbox, options.bbox_crs, options.mask, options.mask_layer)


def _method(options: LandformOptions) -> Any:
    from geotools.maps import Geomorphons

    if options.method == "model":
        model = options.model
        return [model or "landforms-v1", *options.others] if options.others else model
    said = {name: getattr(options, key) for key, name in _EXACT.items()}
    return Geomorphons(**{name: value for name, value in said.items() if value is not None})


_EXACT = {
    "search": "search",
    "skip": "skip",
    "flat": "flat_deg",
    "flat_distance": "flat_distance",
    "dialect": "dialect",
}
"""Option and setting of the exact algorithm."""


def _check_landforms(options: LandformOptions) -> None:
    if options.method == "geomorphons" and options.model is not None:
        raise ConfigError('model belongs to method = "model": leave one of them out.')
    if options.method == "geomorphons" and options.confidence:
        raise ConfigError("geomorphons are exact and have no confidence: leave confidence out.")
    for key, nothing in (("others", ()), ("tta", False), ("device", "auto")):
        if options.method == "geomorphons" and getattr(options, key) != nothing:
            raise ConfigError(f'{key} belongs to method = "model": leave it out.')
    for key in _EXACT:
        if options.method == "model" and getattr(options, key) is not None:
            raise ConfigError(f'{key} belongs to method = "geomorphons": leave it out.')
    _check_polygons(options)


def _terrain(
    options: TerrainOptions, files: Sequence[Path], target: Path, running: Running
) -> Made:
    from geotools.maps import DemOptions, TerrainSettings, map_terrain

    made = map_terrain(
        files[0],
        target,
        options.attributes,
        settings=TerrainSettings(
            method=options.method,  # type: ignore[arg-type]
            radius=options.radius,
            azimuth_deg=options.azimuth,
            altitude_deg=options.altitude,
            slope_unit=options.slope_unit,  # type: ignore[arg-type]
            edges=options.edges,
        ),
        reading=DemOptions(options.crs, options.band, options.nodata, options.z_factor),
        effort=running.effort,
        cog=options.cog,
        compress=options.compress,
        overwrite=running.overwrite,
        progress=running.progress,
    )
    return Made(", ".join(made.attributes))


def _check_terrain(options: TerrainOptions) -> None:
    from geotools.terrain.attributes import ATTRIBUTES

    for name in options.attributes:
        if name not in ATTRIBUTES:
            raise ConfigError(f"attributes has {name!r}: allowed are {', '.join(ATTRIBUTES)}.")
    if not options.attributes:
        raise ConfigError(f"attributes is empty: allowed are {', '.join(ATTRIBUTES)}.")


def _predict(
    options: PredictOptions, files: Sequence[Path], target: Path, running: Running
) -> Made:
    from geotools.inference.terms import ForeignSettings
    from geotools.maps import RasterOptions, map_predictions

    names = options.classes
    made = map_predictions(
        [options.model, *options.others] if options.others else options.model,
        files,
        target,
        area=_area(options),
        tta=options.tta,
        device=options.device,
        polygons=_polygons(options, target),
        confidence=options.confidence,
        entropy=options.entropy,
        probabilities=options.probability_type if options.probabilities else False,
        reading=RasterOptions(options.crs, options.bands, options.nodata, options.resample),
        foreign=ForeignSettings(
            scale=options.scale,
            mean=options.mean,
            std=options.std,
            classes=None if names is None else tuple((None, name) for name in names),
            values=options.values,
            activation=options.activation,  # type: ignore[arg-type]
            head=options.head,
            tile_size=options.tile_size,
            overlap_percent=options.overlap,
            resolution_cm=options.resolution,
            bands=None if options.bands is None else len(options.bands),
            standardize=options.standardize,  # type: ignore[arg-type]
            run_limit_s=options.run_limit,
            fill=options.fill,  # type: ignore[arg-type]
        ),
        effort=running.effort,
        running=running.units,
        cog=options.cog,
        overwrite=running.overwrite,
        progress=running.progress,
        warn=running.warn,
    )
    what = f"{len(made.classes)} classes" if made.classes else "values"
    return Made(f"{what} by {made.model}", made.classes, dict(made.area_m2))


def _forecast(
    options: ForecastOptions, files: Sequence[Path], target: Path, running: Running
) -> Made:
    from geotools.maps.forecast import map_forecast

    made = map_forecast(
        files[0],
        target,
        cells=target.with_suffix(".gpkg") if options.cells else None,
        model=options.model,
        start=_moment(options.start),
        horizon_days=options.horizon,
        min_magnitude=options.min_magnitude,
        format=options.format,
        columns=options.columns,
        overwrite=running.overwrite,
        progress=running.progress,
        warn=running.warn,
    )
    issued, forecast = made.issued, made.issued.forecast
    lowest = forecast.magnitudes[0]
    low, high = issued.interval(lowest)
    return Made(
        f"{forecast.total:.3g} earthquakes of M {lowest:g} or more expected ({low} to {high}), "
        f"{issued.smoothed.total:.3g} by the long-term baseline, {forecast.start:%Y-%m-%d %H:%M} "
        f"to {forecast.end:%Y-%m-%d %H:%M} UTC, by {issued.model['name']}",
        logarithmic=True,
    )


def _check_forecast(options: ForecastOptions) -> None:
    _moment(options.start)


def _moment(start: datetime | date | str | None) -> datetime | None:
    if isinstance(start, date) and not isinstance(start, datetime):
        return datetime(start.year, start.month, start.day)
    if not isinstance(start, str):
        return start
    try:
        return datetime.fromisoformat(start)
    except ValueError:
        raise ConfigError(
            f"start is {start!r}: give a date such as 2020-01-31 or 2020-01-31T12:00:00."
        ) from None


def _polygons(options: LandformOptions | PredictOptions, target: Path) -> Any:
    from geotools.maps import Polygons

    if not options.polygons:
        return None
    return Polygons(target.with_suffix(".gpkg"), options.min_area, options.simplify)


def _check_polygons(options: LandformOptions | PredictOptions) -> None:
    for key in ("min_area", "simplify"):
        if getattr(options, key) and not options.polygons:
            raise ConfigError(f"{key} shapes polygons: set polygons = true.")


def _with_polygons(options: LandformOptions | PredictOptions, target: Path) -> list[Path]:
    return [target.with_suffix(".gpkg")] if options.polygons else []


def _with_layers(options: PredictOptions, target: Path) -> list[Path]:
    names = [name for name in ("probabilities", "entropy") if getattr(options, name)]
    layers = [target.with_name(f"{target.stem}_{name}.tif") for name in names]
    return [*_with_polygons(options, target), *layers]


OPERATIONS: Mapping[str, Operation] = {
    "predict": Operation(
        _predict, _with_layers, _check_polygons, several=True, in_units=lambda options: True
    ),
    "landforms": Operation(
        _landforms,
        _with_polygons,
        _check_landforms,
        in_units=lambda options: options.method == "model",
    ),
    "terrain": Operation(_terrain, lambda options, target: [], _check_terrain),
    "forecast": Operation(
        _forecast,
        lambda options, target: [target.with_suffix(".gpkg")] if options.cells else [],
        _check_forecast,
    ),
}
"""Operation by name; their options are `geotools.batch.config.OPTIONS`."""
