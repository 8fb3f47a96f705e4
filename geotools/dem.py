"""Dem: any source as elevation in metres, with the checks that an elevation model must pass.

It is a `Source` itself; units other than metres become metres, values that no planet has are
refused rather than mapped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError
from geotools.grid import Grid, Window
from geotools.raster import Raster, Source, is_absent, is_in_strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Dem", "vertical_unit_m"]

_LOWEST_M, _HIGHEST_M = -12_000.0, 30_000.0
"""Deeper than Challenger Deep (-10,935 m), higher than Olympus Mons (21,230 m over its datum)."""

_COMMON_NODATA = -9999

_UNITS_M = {
    **dict.fromkeys(("m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("mm", "millimetre", "millimeter"), 0.001),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), 0.01),
    **dict.fromkeys(("dm", "decimetre", "decimeter"), 0.1),
    **dict.fromkeys(("km", "kilometre", "kilometer"), 1000.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), 0.3048),
    **dict.fromkeys(
        ("us survey foot", "us survey feet", "survey foot", "foot us", "us foot", "us ft", "usft",
         "ftus", "ft us"), 1200 / 3937,
    ),
    **dict.fromkeys(("fathom", "fathoms"), 1.8288),
}  # fmt: skip
"""Metres in a unit: the international foot of 1959, and the US survey foot of 1893."""

_NO_UNIT = ("", "unknown", "none", "1", "dn", "unitless", "unspecified")

_MIN_CELLS = 3
"""Rows and columns that a landform or a slope needs at least."""


class Dem:
    """Elevation in metres, one band, float32, NaN where invalid."""

    def __init__(
        self, source: Source, *, name: str, z_factor: float = 1.0, says_nodata: bool = True
    ) -> None:
        """Checks what can be seen without reading.

        Args:
            source: a raster of one band.
            name: what messages call it.
            z_factor: metres in one unit of the values.
            says_nodata: a value for missing cells is known; when not, -9999 is refused.

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
        self._says_nodata = says_nodata

    @property
    def grid(self) -> Grid:
        """Where the cells are."""
        return self._source.grid

    @property
    def bands(self) -> tuple[str, ...]:
        """The one band's name."""
        return ("elevation",)

    @property
    def is_in_strips(self) -> bool:
        """See `geotools.raster.is_in_strips`."""
        return is_in_strips(self._source)

    def is_absent(self, window: Window) -> bool:
        """True when it is known without reading that no cell of `window` is valid."""
        return is_absent(self._source, window)

    def read(self, window: Window) -> Raster:
        """The cells of `window`, float32 metres, NaN where invalid.

        Raises:
            RasterError: a value that cannot be an elevation.
        """
        block = self._source.read(window)
        elevation = block.data.astype(np.float32, copy=False)  # (1, row, col), ours alone
        if not block.valid.all():
            np.copyto(elevation, np.nan, where=~block.valid)
        self._check(elevation)
        if self._z_factor != 1:
            elevation *= self._z_factor
        return Raster(elevation, block.valid, block.grid, self.bands)

    def _check(self, stored: NDArray[np.float32]) -> None:
        """Raises for values, in the file's unit and NaN where invalid, that are no elevations."""
        low, high = np.fmin.reduce(stored, axis=None), np.fmax.reduce(stored, axis=None)
        if not self._says_nodata and low <= _COMMON_NODATA and (stored == _COMMON_NODATA).any():
            raise RasterError(
                f"{self._name} holds the value -9999 and does not say what stands for missing "
                "cells: give --nodata -9999, or --nodata nan if it is a height."
            )
        for value in (low, high):
            metres = float(value) * float(self._z_factor)  # in which 3.4e38 feet are a number
            if metres < _LOWEST_M or metres > _HIGHEST_M:
                raise RasterError(
                    f"{self._name} holds the value {value:.9g}, which is no elevation in metres: "
                    f"if it stands for missing cells, give --nodata {value:.9g}."
                )


def vertical_unit_m(wkt: str, unit: str = "") -> float:
    """Metres in the unit of the values: the band's, else the vertical CRS's, else 1.

    Args:
        wkt: the CRS, perhaps a compound one.
        unit: the band's unit as its file gives it.

    Raises:
        RasterError: a unit that is not known.
    """
    word = unit.strip().lower().replace("_", " ").replace("-", " ")
    if word in _UNITS_M:
        return _UNITS_M[word]
    if word not in _NO_UNIT:
        raise RasterError(
            f"The elevations are in {unit!r}, which is not a known unit of length: give the metres "
            "in one unit with --z-factor."
        )
    vertical = re.search(r"VERT(?:_CS|CRS)\[.*", wkt, re.DOTALL)
    if vertical is None:
        return 1.0
    found = re.search(r'(?:LENGTH)?UNIT\["[^"]*",([\d.eE+-]+)', vertical[0])
    return float(found[1]) if found else 1.0
