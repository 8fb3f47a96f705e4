"""Dem: any source as elevation in metres, with the checks that an elevation model must pass.

It is a `Source` itself; units other than metres become metres, values that no planet has are
refused rather than mapped.
"""

from __future__ import annotations

import re

import numpy as np

from geotools.errors import RasterError
from geotools.grid import Grid, Window
from geotools.raster import Raster, Source

__all__ = ["Dem", "vertical_unit_m"]

_LOWEST_M, _HIGHEST_M = -12_000.0, 30_000.0
"""Deeper than Challenger Deep (-10,935 m), higher than Olympus Mons (21,230 m over its datum)."""

_UNITS_M = {
    "m": 1.0,
    "metre": 1.0,
    "meter": 1.0,
    "metres": 1.0,
    "meters": 1.0,
    "cm": 0.01,
    "dm": 0.1,
    "km": 1000.0,
    "ft": 0.3048,
    "foot": 0.3048,
    "feet": 0.3048,
    "us survey foot": 1200 / 3937,
    "us-ft": 1200 / 3937,
    "ftus": 1200 / 3937,
}
"""Metres in a unit: international foot, and the US survey foot of 1893."""

_MIN_CELLS = 3
"""Rows and columns that a landform or a slope needs at least."""


class Dem:
    """Elevation in metres, one band, float32, NaN where invalid."""

    def __init__(self, source: Source, *, name: str, z_factor: float = 1.0) -> None:
        """Checks what can be seen without reading.

        Args:
            source: a raster of one band.
            name: what messages call it.
            z_factor: metres in one unit of the values.

        Raises:
            RasterError: more than one band, too few cells, or a factor that makes no sense.
        """
        if len(source.bands) != 1:
            raise RasterError(
                f"{name} has {len(source.bands)} bands, an elevation model has one: choose it "
                "with --band, or give an elevation model instead of an image."
            )
        if min(source.grid.shape) < _MIN_CELLS:
            rows, cols = source.grid.shape
            raise RasterError(
                f"{name} has {rows} x {cols} cells, at least {_MIN_CELLS} x {_MIN_CELLS} are "
                "needed: landforms and slopes are seen from a cell's surroundings."
            )
        if not (np.isfinite(z_factor) and z_factor > 0):
            raise RasterError(f"The z factor is {z_factor}: give metres per unit, such as 0.3048.")
        self._source = source
        self._name = name
        self._z_factor = np.float32(z_factor)

    @property
    def grid(self) -> Grid:
        """Where the cells are."""
        return self._source.grid

    @property
    def bands(self) -> tuple[str, ...]:
        """The one band's name."""
        return ("elevation",)

    def read(self, window: Window) -> Raster:
        """The cells of `window`, float32 metres, NaN where invalid.

        Raises:
            RasterError: a value that cannot be an elevation.
        """
        block = self._source.read(window)
        elevation = block.data.astype(np.float32, copy=False)  # (1, row, col), ours alone
        np.copyto(elevation, np.nan, where=~block.valid)
        if self._z_factor != 1:
            elevation *= self._z_factor
        if block.valid.any():
            low, high = np.nanmin(elevation), np.nanmax(elevation)
            if low < _LOWEST_M or high > _HIGHEST_M:
                value = low if low < _LOWEST_M else high
                stored = value / self._z_factor
                raise RasterError(
                    f"{self._name} holds the value {stored:.9g}, which is no elevation in metres: "
                    f"if it stands for missing cells, give --nodata {stored:.9g}."
                )
        return Raster(elevation, block.valid, block.grid, self.bands)


def vertical_unit_m(wkt: str, unit: str = "") -> float:
    """Metres in the unit of the values: the band's, else the vertical CRS's, else 1.

    Args:
        wkt: the CRS, perhaps a compound one.
        unit: the band's unit as its file gives it.
    """
    factor = _UNITS_M.get(unit.strip().lower())
    if factor is not None:
        return factor
    vertical = re.search(r"VERT(?:_CS|CRS)\[.*", wkt, re.DOTALL)
    if vertical is None:
        return 1.0
    found = re.search(r'(?:LENGTH)?UNIT\["[^"]*",([\d.eE+-]+)', vertical[0])
    return float(found[1]) if found else 1.0
