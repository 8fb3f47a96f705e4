"""Sieve: regions too small to show are given to a neighbour, whatever the size of the raster.

The rule, step by step: take the smallest region below the least area that has a neighbour (of
equal ones the first in reading order); give it the class of the neighbour with which it shares
the longest border (of equals the larger, then the first); cells of one class that now touch are
one region; repeat until none is left. A region surrounded by nothing stays.

Two readings of the raster: the first lists regions and borders, the second replaces cells. What
is kept is a table of regions and of the borders of small ones, not the raster: 240 bytes for each
region of pure noise at the peak.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.convert._regions import COUNT, PAIRS, RUNS, flatten, merge, relabel, survey
from geotools.errors import RasterError
from geotools.grid import Grid

__all__ = ["Sieve"]

_LENGTH_STEPS = 2**20
"""Edge lengths are whole numbers of this part of the longest, so that their sums are exact."""

_TOUCH = 1e-9
"""Relative; a region of just the least area stays, in spite of rounding."""


class Sieve:
    """First `survey` all rows, then `close`, then `relabel` all rows again."""

    def __init__(self, grid: Grid, cell_area: NDArray[np.float64], least: float) -> None:
        """Prepares tables.

        Args:
            grid: where the cells are.
            cell_area: (rows,), area of a cell in some unit.
            least: regions smaller than this go, in the same unit.
        """
        self.code: NDArray[np.uint8] = np.empty(0, np.uint8)
        """Class by value that `relabel` returns, once closed."""
        self._width = grid.width
        self._cell_area = cell_area
        self._least = least * (1 - _TOUCH)
        self._across, self._upright = _edge_lengths(grid)
        self._parent = np.empty(0, np.int32)
        self._area = np.empty(0)
        self._code = np.empty(0, np.uint8)
        self._pairs = np.empty((0, 2), np.int64)
        self._begin()

    def _begin(self) -> None:
        self._meta = np.zeros(5, np.int64)
        self._meta[RUNS] = 1
        self._first = np.zeros((2, self._width + 2), np.int32)
        self._first[0, 1] = self._width  # above the raster: one run of nothing
        self._value = np.zeros((2, self._width + 2), np.int32)
        self._label = np.zeros((2, self._width + 2), np.int32)

    def survey(self, band: NDArray[np.uint8]) -> None:
        """Takes the next rows, (rows, cols), 0 = none."""
        taken = 0
        while True:
            taken += survey(
                band[taken:], self._cell_area, self._across, self._upright, self._least,
                self._meta, self._first, self._value, self._label, self._parent, self._area,
                self._code, self._pairs,
            )  # fmt: skip
            if taken == band.shape[0]:
                return
            self._make_room()

    def close(self) -> None:
        """Joins the small regions: there are no more rows to survey."""
        count = int(self._meta[COUNT])
        parent, area, code = self._parent[:count], self._area[:count], self._code[:count]
        flatten(parent)
        pairs = self._summed_pairs()
        one, two = (pairs[:, 0] >> 32).astype(np.int32), pairs[:, 0].astype(np.int32)
        merge(parent, area, code, one, two, pairs[:, 1].copy(), self._least)
        flatten(parent)
        self._group = parent + np.int32(1)  # 0 is for no region
        self.code = np.concatenate([np.zeros(1, np.uint8), code])
        self._pairs = np.empty((0, 2), np.int64)
        self._begin()

    def relabel(self, band: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The next rows with a number for each region after the sieve; 0 stays 0."""
        out = np.empty(band.shape, np.int32)
        relabel(band, self._meta, self._first, self._value, self._label, self._group, out)
        return out

    def _summed_pairs(self) -> NDArray[np.int64]:
        """One row for each border that matters still, in the order of the regions."""
        pairs = self._pairs[: self._meta[PAIRS]]
        parent = self._parent
        one, two = parent[pairs[:, 0] >> 32], parent[pairs[:, 0] & (2**32 - 1)]
        matters = (self._area[one] < self._least) | (self._area[two] < self._least)
        one, two = one[matters].astype(np.int64), two[matters].astype(np.int64)
        key, inverse = np.unique(
            (np.minimum(one, two) << 32) | np.maximum(one, two), return_inverse=True
        )
        summed = np.zeros((key.size, 2), np.int64)
        summed[:, 0] = key
        np.add.at(summed[:, 1], inverse, pairs[matters, 1])
        return summed

    def _make_room(self) -> None:
        """Sums up the borders, and lengthens what is still too short for one more row."""
        count = int(self._meta[COUNT])
        flatten(self._parent[:count])
        pairs = self._summed_pairs()
        self._meta[PAIRS] = pairs.shape[0]
        room = max(6 * self._width, 2 * pairs.shape[0], 2**16)
        self._pairs = np.empty((pairs.shape[0] + room, 2), np.int64)
        self._pairs[: pairs.shape[0]] = pairs
        if self._parent.size - count < self._width:
            size = count + max(2 * self._width, count // 2)
            if size >= 2**31:
                raise RasterError(
                    "The raster has more than 2,000,000,000 regions: cut it into parts first."
                )
            self._parent = _lengthened(self._parent, count, size)
            self._area = _lengthened(self._area, count, size)
            self._code = _lengthened(self._code, count, size)


def _edge_lengths(grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of cell edges on each line (rows + 1,) and in each row (rows,), whole numbers."""
    x, y = grid.cell_size_m()
    lines = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    step = max(lines.max(), y.max()) / _LENGTH_STEPS
    across, upright = (np.maximum(1, np.rint(part / step)).astype(np.int64) for part in (lines, y))
    return across, upright


def _lengthened(table: NDArray[Any], count: int, size: int) -> NDArray[Any]:
    longer = np.empty(size, table.dtype)
    longer[:count] = table[:count]
    return longer
