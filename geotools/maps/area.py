"""Area: the part of a raster that is mapped: a rectangle, the inside of polygons, or both."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError
from geotools.grid import Grid, Window
from geotools.maps.inputs import FilePath

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.io.burning import Burner

__all__ = ["AreaOptions", "PlacedArea", "place_area"]

_SIDE = 1024
"""Cells on a side of the windows in which a cell of the mask is looked for."""


@dataclass(frozen=True, slots=True)
class AreaOptions:
    """Which cells of a raster are mapped; those around are read all the same."""

    bounds: tuple[float, float, float, float] | None = None
    """Left, bottom, right and top: the map has the cells that this rectangle touches."""
    bounds_crs: str | None = None
    """CRS of the bounds, such as "EPSG:4326"; the raster's when None."""
    mask: FilePath | None = None
    """Vector file of polygons: only cells whose centre lies in one of them are mapped."""
    layer: str | None = None
    """Its layer, where it has several."""

    def __post_init__(self) -> None:
        if self.bounds is None:
            return
        left, bottom, right, top = self.bounds
        if not all(map(math.isfinite, self.bounds)) or left >= right or bottom >= top:
            raise RasterError(
                f"The rectangle {_shown(self.bounds)} has no inside: give left, bottom, right and "
                "top, in this order."
            )

    def tags(self) -> dict[str, str]:
        """What is told of it in the map's metadata."""
        found = {}
        if self.bounds is not None:
            crs = f" in {self.bounds_crs}" if self.bounds_crs else ""
            found["bounds"] = _shown(self.bounds) + crs
        if self.mask is not None:
            found["mask"] = Path(self.mask).name + (f", layer {self.layer}" if self.layer else "")
        return found


class PlacedArea:
    """The cells of one grid that an area is."""

    def __init__(self, window: Window, burner: Burner | None = None) -> None:
        self.window = window
        """The cells that the map has."""
        self._burner = burner

    @property
    def is_masked(self) -> bool:
        """True when not all cells of the window are wanted."""
        return self._burner is not None

    def cells(self, window: Window) -> NDArray[np.bool_]:
        """(rows, cols): True for the cells of `window` that are wanted."""
        if self._burner is None:
            return np.ones(window.shape, np.bool_)
        return np.asarray(self._burner.read(window) >= 0)

    def touches(self, window: Window) -> bool:
        """False where no polygon is near; true may still be none."""
        return self._burner is None or bool(len(self._burner.touching(window)))


def place_area(options: AreaOptions | None, grid: Grid, name: str) -> PlacedArea | None:
    """The cells of a grid that are asked for; None for all.

    Args:
        options: what is asked for.
        grid: the cells of what is read.
        name: what messages call it.

    Raises:
        FileError: the mask cannot be read.
        GridError: a CRS that is none, or from which no way leads to the grid's.
        RasterError: the area holds no cell.
    """
    if options is None or options == AreaOptions():
        return None
    window = grid.window
    if options.bounds is not None:
        window = _window(options.bounds, options.bounds_crs, grid, name)
    if options.mask is None:
        return PlacedArea(window)
    area = PlacedArea(window, _burner(options, grid))
    for place in _windows(window):
        if area.touches(place) and area.cells(place).any():
            return area
    within = "" if options.bounds is None else " within the rectangle"
    raise RasterError(
        f"No cell of {name}{within} has its centre in a polygon of {os.fspath(options.mask)}: give "
        "polygons of this place."
    )


def _window(
    bounds: tuple[float, float, float, float], crs: str | None, grid: Grid, name: str
) -> Window:
    from geotools.io.geotiff import parse_crs
    from geotools.io.places import touched

    window = touched(grid, bounds, crs=parse_crs(crs) if crs else None)
    if window is None:
        place = f" in {crs}" if crs else ""
        raise RasterError(
            f"The rectangle {_shown(bounds)}{place} lies outside {name}, which is "
            f"{_shown(grid.bounds)} in {grid.crs}: give another, or its CRS (--bbox-crs)."
        )
    return window


def _burner(options: AreaOptions, grid: Grid) -> Burner:
    import shapely

    from geotools.io.burning import Burner
    from geotools.io.vectors import read_vector
    from geotools.training.labels.shapes import on_grid, repaired

    file = os.fspath(options.mask or "")
    frame = read_vector(file, layer=options.layer, keys=("--mask-layer", None))
    given = np.asarray(frame.geometry.array, dtype=object)
    if not (shapely.get_dimensions(given) == 2).any():
        raise RasterError(f"{file} holds no polygon: a mask is made of polygons.")
    frame = frame[shapely.get_dimensions(given) == 2]
    geometry, _ = repaired(on_grid(frame.geometry, grid, file))
    return Burner(geometry[~shapely.is_empty(geometry)])


def _windows(window: Window) -> Iterator[Window]:
    for row in range(window.row_off, window.row_stop, _SIDE):
        height = min(_SIDE, window.row_stop - row)
        for col in range(window.col_off, window.col_stop, _SIDE):
            yield Window(col, row, min(_SIDE, window.col_stop - col), height)


def _shown(bounds: tuple[float, float, float, float]) -> str:
    return ", ".join(f"{edge:.10g}" for edge in bounds)
