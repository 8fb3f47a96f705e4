"""Tracer: a class raster, fed row by row from the top, into the outlines of its polygons.

It holds the outlines that are still open and those not yet taken, never the raster. Reading,
attributes and geometry objects are in `polygonize`; the compiled loops are in `_sweep`, `_rings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import KeptLoop
from geotools.convert import _layout as at
from geotools.errors import RasterError

__all__ = ["Outlines", "Tracer"]

_PIECE = 2**20
"""Corners after which a piece of the outlines is given out."""

_sweep = KeptLoop("geotools.convert._sweep", "sweep")
_collect = KeptLoop("geotools.convert._rings", "collect")

_NO_NODES = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Complete polygons as flat arrays, in the reading order of their first cells."""

    coords: NDArray[np.float64]
    """(corners, 2), x and y in the CRS; every ring ends with its first corner."""
    ring_ends: NDArray[np.int64]
    """(rings,), end of each ring in `coords`; shells are counter-clockwise and come first."""
    part_ends: NDArray[np.int64]
    """(polygons,), end of each polygon in `ring_ends`."""
    value: NDArray[np.int32]
    """(polygons,), value of the cells."""
    sums: NDArray[np.float64]
    """(polygons, 3): area, sum of confidence, number of cells that have a confidence."""


class Tracer:
    """Polygons of equal, edge-connected cells; 0 is no polygon."""

    def __init__(
        self,
        xs: NDArray[np.float64],
        ys: NDArray[np.float64],
        cell_area: NDArray[np.float64],
        *,
        keep_fresh: bool = False,
    ) -> None:
        """Prepares tables.

        Args:
            xs: (cols + 1,), coordinates of the cell edges.
            ys: (rows + 1,), the same downwards.
            cell_area: (rows,), area of a cell.
            keep_fresh: `thin` will be called before every `take`.
        """
        self.width, self.height = xs.size - 1, ys.size - 1
        self._xs, self._ys, self._cell_area = xs, ys, cell_area
        self._row = self._line = 0
        self._meta = np.zeros(at.META, np.int64)
        self._meta[[at.FREE_NODE, at.FREE_PART]] = -1
        self._meta[at.N_RUNS] = 1
        self._first = np.zeros((2, self.width + 2), np.int32)
        self._first[0, 1] = self.width  # above the raster: one run of nothing
        self._value = np.zeros((2, self.width + 2), np.int32)
        self._label = np.zeros((2, self.width + 2), np.int32)
        self._up, self._down, self._dead = np.full((3, self.width + 1), -1, np.int32)
        self._nodes = np.empty((0, at.NODE_COLUMNS), np.int32)
        self._starts = np.empty(0, np.int32)
        self._parts = np.empty((0, at.PART_COLUMNS), np.int32)
        self._sums = np.empty((0, at.SUM_COLUMNS))
        self._done = np.empty(0, np.int32)
        self._coords = np.empty((0, 2))
        self._ring_ends = np.empty(0, np.int64)
        self._fresh = np.empty(1, np.int32) if keep_fresh else _NO_NODES

    def feed(
        self,
        band: NDArray[Any],
        confidence: NDArray[np.float32] | None = None,
        *,
        seam: int = -1,
    ) -> None:
        """Takes the next rows.

        Args:
            band: (rows, cols) integers, 0 = no polygon.
            confidence: (rows, cols) float32, NaN = none.
            seam: raster row at whose upper line every outline gets a corner that stays.
        """
        if confidence is None:
            confidence = np.empty((0, 0), np.float32)
        taken = 0
        while True:
            _sweep(
                band[taken:], confidence[taken:], self._cell_area, self._row + taken, seam,
                self._meta, self._first, self._value, self._label, self._up, self._down,
                self._dead, self._nodes, self._starts, self._parts, self._sums, self._done,
                self._fresh,
            )  # fmt: skip
            taken += int(self._meta[at.TAKEN])
            if taken == band.shape[0]:
                break
            self._grow()
        self._row += taken

    def finish(self) -> None:
        """Closes what is still open: there are no more rows."""
        self.feed(np.zeros((1, self.width), np.uint8))

    def thin(self, limit: NDArray[np.float64], top: int, bottom: int) -> None:
        """Drops corners of the borders between two lines of the raster, see `simplify`.

        Args:
            limit: (rows + 1,), twice the largest area in cells of a corner that may go.
            top: first line; the last call's `bottom`.
            bottom: last line; rows were fed up to the one below it, which was a seam.
        """
        from geotools.convert._thin import thin  # numba: its heap cannot be kept

        fresh = self._fresh[: self._meta[at.N_FRESH]]
        corners = np.zeros((bottom - top + 1, self.width + 1), np.uint8)
        thin(self._nodes, fresh, limit, corners, self.width, top, bottom)
        self._line = bottom

    def take(self) -> Iterator[Outlines]:
        """The polygons completed since the last call, in pieces of a million corners or so."""
        meta, nodes, parts = self._meta, self._nodes, self._parts
        done = self._done[: meta[at.N_DONE]]
        first = nodes[parts[done, at.FIRST]]
        done = done[np.lexsort((first[:, at.X], first[:, at.Y]))]
        meta[at.N_DONE] = 0
        # A ring has four corners at least, and repeats one. Room not used is never touched.
        used = int(meta[at.N_NODES])
        if self._coords.shape[0] < used + used // 4:
            self._coords = np.empty((2 * used, 2))
            self._ring_ends = np.empty(used, np.int64)
        while True:
            part_ends = np.empty(done.size, np.int64)
            _collect(
                done, meta, nodes, self._starts, parts, self._xs, self._ys, self._coords,
                self._ring_ends, part_ends, _PIECE,
            )  # fmt: skip
            taken, rings, corners = meta[[at.TAKEN, at.N_RINGS, at.N_CORNERS]]
            yield Outlines(
                coords=self._coords[:corners].copy(),
                ring_ends=self._ring_ends[:rings].copy(),
                part_ends=part_ends[:taken],
                value=parts[done[:taken], at.VALUE],
                sums=self._sums[done[:taken]],
            )
            done = done[taken:]
            if done.size == 0:
                break
        if self._fresh.size:
            self._tidy()

    def _tidy(self) -> None:
        """Keeps the corners on the line where the next strip begins, and sorts the free list.

        Corners that are neighbours on the ground are then neighbours in memory.
        """
        meta, nodes = self._meta, self._nodes
        fresh = self._fresh[: meta[at.N_FRESH]]
        stays = nodes[fresh]
        fresh = fresh[(stays[:, at.Y] == self._line) & (stays[:, at.LINK] != at.VISITED)]
        self._fresh[: fresh.size] = fresh
        meta[at.N_FRESH] = fresh.size
        free = np.flatnonzero(nodes[: meta[at.N_NODES], at.LINK] == at.VISITED)
        nodes[free, at.NEXT] = np.append(free[1:], -1)[: free.size]
        meta[at.FREE_NODE] = free[0] if free.size else -1

    def _grow(self) -> None:
        """Room for at least one more row in every table."""
        nodes = 8 * (self.width + 2)
        self._nodes = _extended(self._nodes, nodes)
        self._starts = _extended(self._starts, nodes)
        if self._fresh.size:
            self._fresh = _extended(self._fresh, nodes)
        self._parts = _extended(self._parts, self.width + 2)
        self._sums = _extended(self._sums, self.width + 2)
        self._done = _extended(self._done, self.width + 2)


def _extended(table: NDArray[Any], least: int) -> NDArray[Any]:
    """The table with half as many rows again, and `least` more; new rows are not filled."""
    rows = table.shape[0] + max(table.shape[0] // 2, least)
    if rows >= at.MAX_NODES:
        raise RasterError(
            "The outlines open at one time have more than 1,000,000,000 corners: cut the raster "
            "into parts, or sieve it first."
        )
    grown = np.empty((rows, *table.shape[1:]), table.dtype)
    grown[: table.shape[0]] = table
    return grown
