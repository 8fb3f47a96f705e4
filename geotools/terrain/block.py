"""A block of elevation with its frame of one cell: gradients and differences that stencils share.

Which attribute uses what is in `stencils`; arrays in and arrays out, no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["Block", "StencilOptions", "blocks", "cell_windows", "framed", "near_gap"]

_CELLS = 32768  # cells done at once: a float32 block and its temporaries stay in the cache


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


class Block:
    """Elevation of a block with its frame of one cell, and what attributes share."""

    def __init__(self, z: Array, x: Array, y: Array, options: StencilOptions) -> None:
        self.z = z  # (rows + 2, cols + 2)
        self.x, self.y = x, y  # (rows, 1), metres
        self.options = options
        self.north, self.centre, self.south = z[:-2, 1:-1], z[1:-1, 1:-1], z[2:, 1:-1]
        self.west, self.east = z[1:-1, :-2], z[1:-1, 2:]
        self.northwest, self.northeast = z[:-2, :-2], z[:-2, 2:]
        self.southwest, self.southeast = z[2:, :-2], z[2:, 2:]

    @cached_property
    def gradient(self) -> tuple[Array, Array]:
        """Slope towards east and towards north, metres per metre: two (rows, cols)."""
        z = self.z
        if self.options.method == "horn":
            # Horn 1981: weights 1 2 1. Summed in single precision in gdaldem's order, so that
            # both round alike.
            columns = z[:-2] + z[1:-1]
            columns += z[1:-1]
            columns += z[2:]  # (rows, cols + 2)
            rows = z[:, :-2] + z[:, 1:-1]
            rows += z[:, 1:-1]
            rows += z[:, 2:]  # (rows + 2, cols)
            east = columns[:, 2:] - columns[:, :-2]
            north = rows[:-2] - rows[2:]
            weight = 8.0
        else:
            # Zevenbergen & Thorne 1987, equations 9 and 10.
            east = self.east - self.west
            north = self.north - self.south
            weight = 2.0
        east *= np.float32(1 / weight) / self.x
        north *= np.float32(1 / weight) / self.y
        return east, north

    @cached_property
    def steepness2(self) -> Array:
        """Square of the gradient: (rows, cols)."""
        east, north = self.gradient
        square = east * east
        square += north * north
        return square

    @cached_property
    def steepness(self) -> Array:
        """Length of the gradient, the tangent of the slope angle: (rows, cols)."""
        return np.sqrt(self.steepness2)

    @cached_property
    def differences(self) -> tuple[Array, ...]:
        """The eight neighbours less the cell, from northwest row by row: (rows, cols) each."""
        around = (
            self.northwest, self.north, self.northeast, self.west,
            self.east, self.southwest, self.south, self.southeast,
        )  # fmt: skip
        return tuple(cell - self.centre for cell in around)

    @cached_property
    def second(self) -> tuple[Array, Array, Array]:
        """Second derivatives along east, north and both, 1/m: three (rows, cols)."""
        nw, n, ne, w, e, sw, s, se = self.differences
        along_east, along_north = w + e, n + s
        both = ne - nw
        both += sw
        both -= se
        both *= 1 / (4 * self.x * self.y)  # F
        if self.options.method == "horn":
            # Second differences averaged over three rows or columns with weights 1 4 1, as in
            # r.slope.aspect, which goes with Horn's gradient.
            corners = nw + ne
            corners += sw
            corners += se
            along_east, along_north = (
                corners + 4 * along_east - 2 * along_north,
                corners + 4 * along_north - 2 * along_east,
            )
            weight = np.float32(1 / 6)
        else:
            weight = np.float32(1)  # Zevenbergen & Thorne 1987: 2 D and 2 E
        along_east *= weight / (self.x * self.x)
        along_north *= weight / (self.y * self.y)
        return along_east, along_north, both

    @cached_property
    def crossed(self) -> Array:
        """Zxy zx zy: (rows, cols)."""
        result: Array = self.second[2] * (self.gradient[0] * self.gradient[1])
        return result

    @cached_property
    def bend_across(self) -> Array:
        """Zxx zy2 - 2 zxy zx zy + zyy zx2, the bend across the slope: (rows, cols)."""
        east, north = self.gradient
        along_east, along_north, _ = self.second
        bend = self.crossed * np.float32(-2)
        bend += along_east * (north * north)
        bend += along_north * (east * east)
        return bend


def blocks(start: int, stop: int, cols: int) -> Iterator[tuple[int, int, int, int]]:
    """Top, bottom, left and right of blocks of about `_CELLS` cells, long in columns."""
    width = min(cols, 4096)
    height = max(1, _CELLS // width)
    for top in range(start, stop, height):
        for left in range(0, cols, width):
            yield top, min(top + height, stop), left, min(left + width, cols)


def framed(z: Array, top: int, bottom: int, left: int, right: int) -> Array:
    """A copy of the block with one cell around it, NaN outside: (rows + 2, cols + 2)."""
    rows, cols = z.shape
    block = np.full((bottom - top + 2, right - left + 2), np.nan, dtype=np.float32)
    first, last = max(top - 1, 0), min(bottom + 1, rows)
    west, east = max(left - 1, 0), min(right + 1, cols)
    block[first - top + 1 : last - top + 1, west - left + 1 : east - left + 1] = z[
        first:last, west:east
    ]
    return block


def near_gap(block: Array) -> NDArray[np.bool_]:
    """Where a cell or one of its neighbours is NaN: (rows, cols) bool."""
    void = np.isnan(block)
    wide = void[:-2] | void[1:-1] | void[2:]
    result: NDArray[np.bool_] = wide[:, :-2] | wide[:, 1:-1] | wide[:, 2:]
    return result


def cell_windows(block: Array, at: NDArray[np.bool_]) -> Array:
    """The 3 x 3 windows of the cells `at`, side by side, gaps continued: (3, 3 * cells) float32.

    A missing neighbour gets the value of the plane through the cell and its opposite. At a
    corner that is twice the next cell less the one beyond, along the column or else the row, as
    in gdaldem -compute_edges; where neither is known, the plane through the filled neighbours.
    The cell itself stays missing when it is.
    """
    rows, cols = np.nonzero(at)
    z = np.stack([block[rows + i, cols + j] for i in range(3) for j in range(3)], axis=1).reshape(
        -1, 3, 3
    )  # (cells, row, column)
    centre = z[:, 1, 1]
    void = np.isnan(z)
    for i, j in ((0, 1), (2, 1), (1, 0), (1, 2)):
        opposite = z[:, 2 - i, 2 - j]
        value = np.where(void[:, 2 - i, 2 - j], centre, 2 * centre - opposite)
        z[:, i, j] = np.where(void[:, i, j], value, z[:, i, j])
    for i in (0, 2):
        for j in (0, 2):
            along_column = 2 * z[:, 1, j] - z[:, 2 - i, j]
            along_row = 2 * z[:, i, 1] - z[:, i, 2 - j]
            by_column = void[:, i, 1] & ~void[:, 1, j] & ~void[:, 2 - i, j]
            by_row = void[:, 1, j] & ~void[:, i, 1] & ~void[:, i, 2 - j]
            plane = z[:, i, 1] + z[:, 1, j] - centre
            value = np.where(by_column, along_column, np.where(by_row, along_row, plane))
            z[:, i, j] = np.where(void[:, i, j], value, z[:, i, j])
    return np.ascontiguousarray(z.transpose(1, 0, 2)).reshape(3, -1)
