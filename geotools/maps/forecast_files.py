"""A forecast as files: bands of a GeoTIFF, and the layers of a GeoPackage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Grid, Window
from geotools.inference.issued import Issued
from geotools.io.geopackage import write_layer
from geotools.io.pointstyle import events_qml
from geotools.io.ramps import Stop, graduated_qml, log_stops, outline_qml, pseudocolor_qml
from geotools.io.writing import create_geotiff

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["LAYERS", "bands", "cell_table", "write_cells", "write_raster"]

LAYERS = ("cells", "events", "summary")
"""What `write_cells` writes."""

_LOWEST_DRAWN = 25
"""Percentile of the cells below which the legend tells no values apart."""


def bands(issued: Issued) -> dict[str, tuple[str, NDArray[np.float64]]]:
    """Unit and (rows, cols) values by name of band, NaN outside the region.

    `expected_mM` is the expected number of events of magnitude M or more in a cell and the
    window, `probability_mM` that of at least one, 1 - exp(-expected); `baseline_mM` the expected
    number of smoothed seismicity, for the lowest M; `ratio` expected over baseline.
    """
    forecast = issued.forecast
    lowest = forecast.magnitudes[0]
    made: dict[str, tuple[str, NDArray[np.float64]]] = {}
    for magnitude in forecast.magnitudes:
        made[f"expected_{_suffix(magnitude)}"] = ("events", forecast.at_least(magnitude))
    for magnitude in forecast.magnitudes:
        probability = -np.expm1(-forecast.at_least(magnitude))
        made[f"probability_{_suffix(magnitude)}"] = ("1", probability)
    baseline = issued.smoothed.at_least(lowest)
    made[f"baseline_{_suffix(lowest)}"] = ("events", baseline)
    with np.errstate(divide="ignore", invalid="ignore"):
        made["ratio"] = ("1", forecast.at_least(lowest) / baseline)
    region = forecast.rates.valid
    return {name: (unit, np.where(region, values, np.nan)) for name, (unit, values) in made.items()}


def write_raster(
    issued: Issued, path: Path, *, tags: Mapping[str, str], overwrite: bool = False
) -> None:
    """Writes the bands of a forecast, with names, units, window and style.

    Raises:
        FileError: the file cannot be written.
    """
    layers = bands(issued)
    grid = issued.forecast.rates.grid
    with create_geotiff(
        path,
        grid,
        bands=list(layers),
        units=[unit for unit, _ in layers.values()],
        dtype="float32",
        nodata=float("nan"),
        style=pseudocolor_qml(_stops(issued), by_stops=True),
        tags=tags,
        method="forecast",
        overwrite=overwrite,
    ) as writer:
        stack = np.stack([values for _, values in layers.values()]).astype(np.float32)
        for row in range(0, grid.height, 1024):
            for col in range(0, grid.width, 1024):
                window = Window(col, row, min(1024, grid.width - col), min(1024, grid.height - row))
                writer.write(stack[:, *window.slices()], window)


def cell_table(issued: Issued) -> GeoDataFrame:
    """The cells of the region as polygons: the bands, place, window; darkest last in drawing."""
    import shapely
    from geopandas import GeoDataFrame

    forecast = issued.forecast
    grid, region = forecast.rates.grid, forecast.rates.valid
    rows, cols = np.nonzero(region)
    # One number per edge: cells that touch have the same corners, bit for bit.
    x = np.round(grid.transform.c + grid.transform.a * np.arange(grid.width + 1), 9)
    y = np.round(grid.transform.f + grid.transform.e * np.arange(grid.height + 1), 9)
    left, right, top, bottom = x[cols], x[cols + 1], y[rows], y[rows + 1]
    columns: dict[str, Any] = {
        "row": rows.astype(np.int32),
        "col": cols.astype(np.int32),
        "longitude": np.round((left + right) / 2, 9),
        "latitude": np.round((top + bottom) / 2, 9),
    }
    columns |= {name: values[region] for name, (_, values) in bands(issued).items()}
    columns["start"] = np.full(rows.size, np.datetime64(forecast.start.replace(tzinfo=None), "us"))
    columns["end"] = np.full(rows.size, np.datetime64(forecast.end.replace(tzinfo=None), "us"))
    table = GeoDataFrame(columns, geometry=shapely.box(left, bottom, right, top), crs=grid.crs.wkt)
    for name in ("start", "end"):
        table[name] = table[name].dt.tz_localize("UTC")
    return table


def write_cells(
    issued: Issued, events: GeoDataFrame, path: Path, *, tags: Mapping[str, str]
) -> None:
    """Writes a new GeoPackage: the cells, the events that the forecast rests on, and a summary.

    No record is written: the file has not its name yet.

    Raises:
        FileError: the file cannot be written.
    """
    style = graduated_qml(f"expected_{_suffix(issued.forecast.magnitudes[0])}", _stops(issued))
    write_layer(path, cell_table(issued), layer=LAYERS[0], style=style, metadata=tags, record=False)
    write_layer(
        path,
        _on_the_side_of(issued.forecast.rates.grid, events[issued.used]),
        layer=LAYERS[1],
        style=events_qml(),
        geometry_type="Point",
        overwrite=True,
        record=False,
    )
    write_layer(
        path,
        _summary(issued),
        layer=LAYERS[2],
        style=outline_qml(),
        overwrite=True,
        record=False,
    )


def _on_the_side_of(grid: Grid, events: GeoDataFrame) -> GeoDataFrame:
    """The events, drawn on the grid's side of 180 degrees where it goes on beyond it."""
    import shapely

    west, _, east, _ = grid.bounds
    if west >= -180 and east <= 180:
        return events
    longitude, latitude = events["longitude"].to_numpy(), events["latitude"].to_numpy()
    middle = (west + east) / 2
    near = middle + (longitude - middle + 180) % 360 - 180
    return events.set_geometry(shapely.points(near, latitude), crs=events.crs)


def _summary(issued: Issued) -> GeoDataFrame:
    """One row per threshold: number, its interval, baselines, Mc, b; the region as its shape."""
    import shapely
    from geopandas import GeoDataFrame

    forecast = issued.forecast
    cells = cell_table(issued).geometry.to_numpy()
    outline = shapely.coverage_union_all(cells)
    rows = []
    for magnitude in forecast.magnitudes:
        inside = forecast.rates.valid
        low, high = issued.interval(magnitude)
        expected = float(forecast.at_least(magnitude)[inside].sum())
        rows.append(
            {
                "magnitude": magnitude,
                "expected": expected,
                "low_95": low,
                "high_95": high,
                "probability": float(-np.expm1(-expected)),
                **{
                    f"expected_{name}": float(other.at_least(magnitude)[inside].sum())
                    for name, other in issued.baselines.items()
                },
                "mc": issued.mc,
                "b_value": issued.b_value,
                "start": forecast.start.isoformat(),
                "end": forecast.end.isoformat(),
                "events_used": int(issued.used.sum()),
                "left_out": json.dumps(dict(issued.left_out)),
                "model": issued.model["name"],
                "notes": " ".join(issued.notes),
            }
        )
    return GeoDataFrame(rows, geometry=[outline] * len(rows), crs=forecast.rates.grid.crs.wkt)


def _stops(issued: Issued) -> tuple[Stop, ...]:
    lowest = issued.forecast.magnitudes[0]
    values = issued.forecast.at_least(lowest)[issued.forecast.rates.valid]
    shown = values[values > 0]
    if not shown.size:
        return log_stops(0.0, 0.0)
    return log_stops(float(np.percentile(shown, _LOWEST_DRAWN)), float(shown.max()))


def _suffix(magnitude: float) -> str:
    """`m4`, `m3_2`: a magnitude in names of bands and fields."""
    return "m" + f"{magnitude:g}".replace(".", "_").replace("-", "minus")
