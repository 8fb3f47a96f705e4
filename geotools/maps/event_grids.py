"""The grid that events are mapped on, as asked or one that suits them; where they are on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geotools.errors import GridError
from geotools.grid import Grid, Window
from geotools.io.geotiff import open_raster, parse_crs
from geotools.maps.inputs import FilePath

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MapPlace", "cell_centres", "cells_of", "event_grid"]

_LONGEST = 360
"""Cells along the longer side of a map, at most, when no size is asked for."""

_MOST_CELLS = 400_000_000
"""More cells than this are a mistake in the size."""

_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class MapPlace:
    """Where a map of events is, and how large its cells are; what is None follows the events."""

    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; across 180° where west is greater than east."""
    cell: float | None = None
    """Size of the square cells, in units of the CRS."""
    crs: str | None = None
    """CRS, such as EPSG:32611; EPSG:4326 when None."""
    like: FilePath | None = None
    """A raster whose grid is taken; the others must be None."""


def event_grid(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], place: MapPlace
) -> Grid:
    """The grid of a map of these events.

    Where nothing is asked for: cells of 1, 2 or 5 times a power of ten in units of the CRS, no
    more than 360 along the longer side, on whole multiples of their size.

    Args:
        longitude: (events,) degrees, at least one event.
        latitude: (events,) degrees.
        place: what is asked for.

    Raises:
        GridError: a box, a CRS or a size that cannot be.
        FileError: the raster whose grid is wanted cannot be read.
    """
    if place.like is not None:
        if place.bbox or place.cell or place.crs:
            raise GridError("The grid of a raster is wanted (--like): leave out box, cell and CRS.")
        with open_raster(place.like) as file:
            return file.grid
    crs = parse_crs(place.crs or "EPSG:4326")
    if place.cell is not None and not (math.isfinite(place.cell) and place.cell > 0):
        raise GridError(f"A cell of {place.cell:g} cannot be: give a size above 0.")
    if place.bbox is None:
        west, south, east, north = _extent(longitude, latitude)
    else:
        west, south, east, north = _box(place.bbox)
    if crs.is_geographic:
        left, bottom, right, top = west, south, east, north
    else:
        left, bottom, right, top = _projected(crs, (west, south, east, north))
    longest = max(right - left, top - bottom)
    cell = place.cell or _round_size(longest, crs)
    if place.bbox is None or not crs.is_geographic:
        # whole multiples of the cell; an event on the outer edge is inside
        left, top = math.floor(left / cell) * cell, math.ceil(top / cell) * cell
    _check_size(longest, cell)
    cols = max(1, math.ceil((right - left) / cell - 1e-9))
    rows = max(1, math.ceil((top - bottom) / cell - 1e-9))
    if crs.is_geographic:
        top = min(top, 90.0)
        rows = max(1, min(rows, math.floor(180 / cell), math.floor((top + 90) / cell + 1e-9)))
        cols = max(1, min(cols, math.floor(360 / cell + 1e-9)))
        if rows * cell > 180 or cols * cell > 360 + 1e-6:
            raise GridError(f"A cell of {cell:g} degrees cannot be: give less than 180.")
    if rows * cols > _MOST_CELLS:
        raise GridError(
            f"Cells of {cell:g} make a map of {cols:,} x {rows:,}: give a larger --cell."
        )
    left, top = round(left, 9), round(top, 9)
    return Grid(crs, Affine(cell, 0, left, 0, -cell, top), cols, rows)


def cells_of(
    grid: Grid, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """(events,) row and column of the cell of each event, and whether it is on the grid.

    The outer edges belong to the grid.

    Args:
        grid: the grid.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
    """
    left, bottom, right, top = grid.bounds
    if grid.is_geographic:
        # beyond 180° and back; a hair is left for an event on the left edge
        x = left + np.mod(longitude - left + 1e-9, 360) - 1e-9
        y = latitude
    else:
        x, y = _transform("EPSG:4326", grid.crs.wkt, longitude, latitude)
    inside = (x >= left - 1e-9) & (x <= right) & (y >= bottom) & (y <= top)
    col = np.floor((np.where(inside, x, left) - left) / grid.transform.a).astype(np.int64)
    row = np.floor((top - np.where(inside, y, top)) / -grid.transform.e).astype(np.int64)
    return np.clip(row, 0, grid.height - 1), np.clip(col, 0, grid.width - 1), inside


def cell_centres(grid: Grid, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(cells,) longitude and latitude of the centres of the cells, row by row.

    inf where the projection has no place on the Earth.
    """
    col = np.arange(window.col_off, window.col_stop) + 0.5
    row = np.arange(window.row_off, window.row_stop) + 0.5
    x = np.broadcast_to(grid.transform.c + grid.transform.a * col, window.shape).ravel()
    y = np.repeat(grid.transform.f + grid.transform.e * row, window.width)
    if grid.is_geographic:
        return np.mod(x + 180, 360) - 180, y
    longitude, latitude = _transform(grid.crs.wkt, "EPSG:4326", x, y)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    return np.where(known, longitude, np.inf), np.where(known, latitude, np.inf)


def _extent(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """West, south, east, north of the events; east is beyond 180 where that is the shorter way."""
    ordered = np.sort(longitude)
    gaps = np.diff(ordered, append=ordered[0] + 360)  # after each event
    widest = int(np.argmax(gaps))
    west = float(ordered[(widest + 1) % ordered.size])
    east = float(ordered[widest])
    # a catalog of the whole Earth is drawn as the Earth is drawn
    if gaps[widest] < 30 or east >= west:
        west, east = float(ordered[0]), float(ordered[-1])
    else:
        east += 360
    return west, float(latitude.min()), east, float(latitude.max())


def _box(bbox: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The box with its east greater than its west."""
    west, south, east, north = bbox
    east += 360 if east < west else 0
    inside = -180 <= west <= 360 and -90 <= south < north <= 90
    if not (inside and 0 < east - west <= 360):
        raise GridError(
            f"The box {bbox} is not west, south, east, north in degrees, south below north: give "
            "for example 5 45 11 48."
        )
    return west, south, east, north


def _projected(
    crs: Any, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Bounds in the CRS of a box in degrees."""
    west, south, east, north = box
    longitude, latitude = np.meshgrid(np.linspace(west, east, 33), np.linspace(south, north, 33))
    x, y = _transform(
        "EPSG:4326", crs.wkt, np.mod(longitude.ravel() + 180, 360) - 180, latitude.ravel()
    )
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise GridError(f"The CRS {crs} does not reach the box {box}: name another with --crs.")
    x, y = x[known], y[known]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _transform(
    source: str, target: str, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from pyproj import Transformer

    moved = Transformer.from_crs(source, target, always_xy=True).transform(x, y)
    return np.asarray(moved[0], np.float64), np.asarray(moved[1], np.float64)


def _round_size(longest: float, crs: Any) -> float:
    """The smallest round size that gives few enough cells; not below 0.01 degrees or 1 km."""
    least = 0.01 if crs.is_geographic else 1000 / float(crs.units_factor[1])
    wanted = max(longest / _LONGEST, least)
    power = 10.0 ** math.floor(math.log10(wanted))
    for step in (*_STEPS, 10):
        if step * power >= wanted * (1 - 1e-9):
            return float(f"{step * power:.6g}")
    return 10 * power


def _check_size(longest: float, cell: float) -> None:
    """Nothing, when the size is not so small that it can only be a mistake."""
    if longest / cell > _MOST_CELLS:
        raise GridError(f"Cells of {cell:g} are too small for a map of {longest:g}: give more.")
