"""Attributes of a cell and its eight neighbours: what there is, and the gaps at edges and voids.

The loops are in `_stencils`; windows of any radius are in `windows`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.compiled import KeptLoop
from geotools.terrain.gaps import cell_windows, framed, near_gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["STENCILS", "StencilOptions", "stencils_of_rows"]

STENCILS = (
    "slope",
    "aspect",
    "northness",
    "eastness",
    "hillshade",
    "profile_curvature",
    "plan_curvature",
    "tangential_curvature",
    "mean_curvature",
    "tri",
    "tri_wilson",
    "roughness",
)
"""The names; the position is the number that the loops take."""

_CURVED = [name for name in STENCILS if name.endswith("curvature")]
_RUGGED = ["tri", "tri_wilson", "roughness"]

_STRIP = 512  # columns done at once: nine rows of them stay in the cache

_loops = KeptLoop("geotools.terrain._stencils", "stencils_of_rows")


@dataclass(frozen=True, slots=True)
class StencilOptions:
    """What the stencils need to know beside elevation and cell size."""

    method: str = "horn"
    """`horn` (Horn 1981) or `zevenbergen-thorne` (Zevenbergen & Thorne 1987)."""
    slope_unit: str = "degrees"
    """`degrees`, `percent` or `radians`."""
    azimuth_deg: float = 315.0
    """Where the light comes from, clockwise from north."""
    altitude_deg: float = 45.0
    """Height of the light above the horizon."""
    z_factor: float = 1.0
    """Metres in one unit of elevation."""
    edges: bool = False
    """Continue the surface linearly over missing neighbours."""


def stencils_of_rows(
    z: Array,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: int,
    stop: int,
    names: Sequence[str],
    result: Array,
    options: StencilOptions,
    origin: tuple[int, int] = (0, 0),
) -> None:
    """Nothing; writes rows `start` to `stop` of the stencils among the bands, NaN where undefined.

    Args:
        z: (rows, cols) float32, NaN where invalid.
        x, y: (rows,) float64, cell size in metres.
        start, stop: rows of `z` to write.
        names: name of each band; those not in `STENCILS` are left alone.
        result: (bands, rows, cols) float32, which is written to.
        options: see `StencilOptions`.
        origin: row and column of `z` with which the result begins.
    """
    kinds = np.array([STENCILS.index(n) if n in STENCILS else -1 for n in names], np.int64)
    numbers = _numbers(names, options)
    work = np.empty((9, _STRIP + 2), np.float32)
    x_m, y_m = x.astype(np.float32), y.astype(np.float32)
    top, left = origin
    _loops(z, start, stop, 1, top, left, x_m, y_m, kinds, numbers, result, work)
    if not options.edges:
        return
    window = framed(z, start, stop) * numbers[0]  # (rows + 2, cols + 2), metres
    numbers[0] = 1
    gaps = near_gap(window) & ~np.isnan(window[1:-1, 1:-1])
    gaps[:, :left] = gaps[:, left + result.shape[2] :] = False
    rows, cols = np.nonzero(gaps)
    if rows.size == 0:
        return
    single = cell_windows(window, rows, cols)  # (3 cells, 3)
    values = np.empty((len(names), *single.shape), np.float32)
    x_m, y_m = np.repeat(x_m[start + rows], 3), np.repeat(y_m[start + rows], 3)
    _loops(single, 1, len(single), 3, 0, 0, x_m, y_m, kinds, numbers, values, work)
    for band in np.nonzero(kinds >= 0)[0]:
        result[band, start - top + rows, cols - left] = values[band, 1::3, 1]


def _numbers(names: Sequence[str], options: StencilOptions) -> Array:
    """What the loops need to know, in the order of `_stencils`: (10,) float32."""
    azimuth, altitude = math.radians(options.azimuth_deg), math.radians(options.altitude_deg)
    horn = options.method == "horn"
    return np.array(
        [
            options.z_factor,
            1 / 8 if horn else 1 / 2,
            horn,
            any(name in STENCILS and name not in _RUGGED for name in names),
            any(name in _CURVED for name in names),
            -math.sin(azimuth) * math.cos(altitude),
            math.cos(azimuth) * math.cos(altitude),
            math.sin(altitude),
            options.slope_unit == "percent",
            {"degrees": 180 / math.pi, "percent": 100, "radians": 1}[options.slope_unit],
        ],
        np.float32,
    )
