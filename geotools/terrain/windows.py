"""Attributes of a square window of any radius: tpi, relief, dev.

The loops are in `_sliding`; what the attributes mean is in `attributes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from geotools.compiled import KeptLoop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["window_job"]

_NONE = np.empty((0, 0), dtype=np.float32)
_moments_of_rows = KeptLoop("geotools.terrain._sliding", "moments_of_rows")
_nearest_tpi_of_rows = KeptLoop("geotools.terrain._sliding", "nearest_tpi_of_rows")
_add_highest_of_rows = KeptLoop("geotools.terrain._sliding", "add_highest_of_rows")


def window_job(
    z: Array,
    radius: int,
    z_factor: float,
    outputs: dict[str, Array],
    origin: tuple[int, int] = (0, 0),
) -> Callable[[int, int], None]:
    """A function that writes rows from `start` to `stop` of the outputs.

    Sums run in float64 on elevations in steps of 2^-16 m, so that tpi is the same to the last
    bit however the raster is cut. Squares are summed about a whole number of metres near the
    band's mean; dev is the same to about 1e-5 standard deviations.

    Args:
        z: (rows, cols) float32, NaN where invalid; windows take the cells that are valid.
        radius: cells to every side.
        z_factor: metres in one unit of elevation.
        outputs: tpi, relief or dev to float32 arrays of a part of the shape of z, written to.
        origin: row and column of z with which they begin.
    """
    cols = z.shape[1]
    width = 2 * radius + 1
    top, left = origin
    tpi, dev = outputs.get("tpi", _NONE), outputs.get("dev", _NONE)
    relief = outputs.get("relief")
    wide = relief if relief is None or relief.shape == z.shape else np.empty_like(z)

    def run(start: int, stop: int) -> None:
        if tpi.size or dev.size:
            known = z[start:stop:8, ::8]  # a sample will do
            known = known[np.isfinite(known)]
            reference = round(float(known.mean(dtype=np.float64)) * z_factor) if known.size else 0
            where = (start, stop, top, left, float(reference), float(z_factor))
            if radius == 1 and not dev.size:
                wider = np.empty((8, cols + 2))
                _nearest_tpi_of_rows(z, *where, tpi, wider[:3], wider[3:6], wider[6:])
            else:
                _moments_of_rows(z, radius, *where, tpi, dev, np.empty((3, cols)))
        if wide is not None and relief is not None:
            band = wide[start:stop]
            band[:] = 0
            along = np.empty((2, -(-(cols + 2 * radius) // width) * width), np.float32)
            kept, front = np.empty((width, cols), np.float32), np.empty(cols, np.float32)
            for sign in (1.0, -1.0):
                _add_highest_of_rows(
                    z, np.float32(sign), radius, start, stop, wide, along, kept, front
                )
            band[np.isnan(z[start:stop])] = np.nan
            if z_factor != 1:
                band *= np.float32(z_factor)
            if wide is not relief:
                relief[start - top : stop - top] = band[:, left : left + relief.shape[1]]

    return run
