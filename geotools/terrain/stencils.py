"""Attributes of a cell and its eight neighbours, in numpy, a cache-sized block at a time.

Slope, aspect, hillshade, curvatures and ruggedness are here; windows of any radius are in
`windows`. numpy does these as fast as compiled loops (the file is the limit), without the time
it takes to load a compiler.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from geotools.terrain.block import Block, StencilOptions, blocks, cell_windows, framed, near_gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["STENCILS", "stencils_of_rows"]

_TINY = np.float32(1e-36)  # below every square of a gradient that float32 elevations can have


def _slope(block: Block) -> Array:
    unit = block.options.slope_unit
    if unit == "percent":
        return block.steepness * np.float32(100)
    angle: Array = np.arctan(block.steepness)
    if unit == "degrees":
        angle *= np.float32(180 / math.pi)
    return angle


def _aspect(block: Block) -> Array:
    east, north = block.gradient
    angle = np.arctan2(-east, -north)  # downhill, clockwise from north
    angle *= np.float32(180 / math.pi)
    angle[angle < 0] += np.float32(360)
    angle[angle >= 360] = 0  # a tiny negative angle rounds to 360
    angle[block.steepness2 == 0] = np.nan
    return angle


def _northness(block: Block) -> Array:
    return _share(-block.gradient[1], block.steepness.copy())


def _eastness(block: Block) -> Array:
    return _share(-block.gradient[0], block.steepness.copy())


def _share(part: Array, whole: Array) -> Array:
    """`part / whole` of a `whole` that is not negative, 0 where both are 0: (rows, cols)."""
    np.maximum(whole, _TINY, out=whole)
    part /= whole
    return part


def _hillshade(block: Block) -> Array:
    azimuth = math.radians(block.options.azimuth_deg)
    altitude = math.radians(block.options.altitude_deg)
    east, north = block.gradient
    # Cosine of the angle between the light and the normal (-east, -north, 1).
    light = east * np.float32(-math.sin(azimuth) * math.cos(altitude))
    light -= north * np.float32(math.cos(azimuth) * math.cos(altitude))
    light += np.float32(math.sin(altitude))
    light /= np.sqrt(1 + block.steepness2)
    light *= np.float32(254)
    light += 1
    np.maximum(light, np.float32(1), out=light)
    return light


def _profile(block: Block) -> Array:
    east, north = block.gradient
    along_east, along_north, _ = block.second
    bend = block.crossed * np.float32(-2)
    bend -= along_east * (east * east)
    bend -= along_north * (north * north)
    normal2 = block.steepness2 + 1
    return _share(bend, block.steepness2 * (normal2 * np.sqrt(normal2)))


def _tangential(block: Block) -> Array:
    return _share(-block.bend_across, block.steepness2 * np.sqrt(block.steepness2 + 1))


def _plan(block: Block) -> Array:
    return _share(-block.bend_across, block.steepness2 * block.steepness)


def _mean(block: Block) -> Array:
    along_east, along_north, _ = block.second
    # (1 + zy2) zxx - 2 zxy zx zy + (1 + zx2) zyy, by the bend across the slope
    bend = block.bend_across + along_east
    bend += along_north
    normal2 = block.steepness2 + 1
    bend /= normal2 * np.sqrt(normal2) * np.float32(-2)
    return bend


def _tri(block: Block) -> Array:
    total = np.zeros_like(block.centre)
    for difference in block.differences:
        total += difference * difference
    result: Array = np.sqrt(total, out=total)
    return result


def _tri_wilson(block: Block) -> Array:
    total = np.zeros_like(block.centre)
    for difference in block.differences:
        total += np.abs(difference)
    total *= np.float32(1 / 8)
    return total


def _roughness(block: Block) -> Array:
    z = block.z
    high = np.maximum(np.maximum(z[:-2], z[1:-1]), z[2:])  # (rows, cols + 2)
    low = np.minimum(np.minimum(z[:-2], z[1:-1]), z[2:])
    high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    return high - low


STENCILS: dict[str, Callable[[Block], Array]] = {
    "slope": _slope,
    "aspect": _aspect,
    "northness": _northness,
    "eastness": _eastness,
    "hillshade": _hillshade,
    "profile_curvature": _profile,
    "plan_curvature": _plan,
    "tangential_curvature": _tangential,
    "mean_curvature": _mean,
    "tri": _tri,
    "tri_wilson": _tri_wilson,
    "roughness": _roughness,
}
"""The function behind each name; formulas and sources are in `attributes.ATTRIBUTES`."""


def stencils_of_rows(
    z: Array,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: int,
    stop: int,
    outputs: dict[str, Array],
    options: StencilOptions,
) -> None:
    """Nothing; writes rows `start` to `stop` of every output, NaN where undefined.

    Args:
        z: (rows, cols) float32, NaN where invalid.
        x, y: (rows,) float64, cell size in metres.
        start, stop: rows to write.
        outputs: name in `STENCILS` to (rows, cols) float32, which is written to.
        options: see `StencilOptions`.
    """
    for top, bottom, left, right in blocks(start, stop, z.shape[1]):
        window = framed(z, top, bottom, left, right)  # (rows + 2, cols + 2)
        if options.z_factor != 1:
            window *= np.float32(options.z_factor)
        x_m = x[top:bottom, None].astype(np.float32)  # (rows, 1)
        y_m = y[top:bottom, None].astype(np.float32)
        block = Block(window, x_m, y_m, options)
        gaps = near_gap(window) if np.isnan(window.sum()) else None  # (rows, cols)
        singles = None
        if gaps is not None and options.edges and gaps.any():
            row = np.nonzero(gaps)[0]
            singles = Block(
                cell_windows(window, gaps),
                np.repeat(x_m[row, 0], 3)[None, :-2],  # (1, 3 * cells - 2)
                np.repeat(y_m[row, 0], 3)[None, :-2],
                options,
            )
        for name, output in outputs.items():
            values = STENCILS[name](block)
            if singles is not None:
                values[gaps] = STENCILS[name](singles)[0, ::3]
                values[np.isnan(block.centre)] = np.nan
            elif gaps is not None:
                values[gaps] = np.nan
            output[top:bottom, left:right] = values
