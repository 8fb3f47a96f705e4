"""OutputCells: where the cells of a map lie when a model gives finer or coarser ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.grid import Grid, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OutputCells"]


class OutputCells:
    """The grid of a map whose cells are whole parts or multiples of those that were read."""

    def __init__(self, finer: int, coarser: int, grid: Grid) -> None:
        """
        Args:
            finer: cells of the map along a side of a cell that is read.
            coarser: cells that are read along a side of a cell of the map; one of both is 1.
            grid: what is read.
        """
        self.finer, self.coarser = finer, coarser
        self._read = grid
        self.grid = grid
        """Where the cells of the map are."""
        if finer > 1 or coarser > 1:
            size = coarser / finer
            self.grid = Grid(
                grid.crs,
                grid.transform @ grid.transform.scale(size, size),
                math.ceil(grid.width * finer / coarser),
                math.ceil(grid.height * finer / coarser),
            )

    def window(self, window: Window) -> Window:
        """The cells of the map in a window of what is read; it begins on a whole one."""
        if self.finer == self.coarser == 1:
            return window
        first = [offset * self.finer // self.coarser for offset in (window.col_off, window.row_off)]
        size = [math.ceil(n * self.finer / self.coarser) for n in (window.width, window.height)]
        return Window(*first, *size)

    def whole(self, window: Window) -> Window:
        """A window of what is read, made larger until it holds whole cells of the map."""
        if self.coarser == 1:
            return window
        step, (left, top) = self.coarser, (window.col_off, window.row_off)
        left, top = left // step * step, top // step * step
        right, bottom = (-(-stop // step) * step for stop in (window.col_stop, window.row_stop))
        stop_col, stop_row = min(right, self._read.width), min(bottom, self._read.height)
        return Window(left, top, stop_col - left, stop_row - top)

    def slices(self, inner: tuple[slice, slice]) -> tuple[slice, slice]:
        """Slices of what is read as slices of what the model gives for it."""
        if self.finer == self.coarser == 1:
            return inner
        rows, cols = (
            slice(
                one.start * self.finer // self.coarser,
                math.ceil(one.stop * self.finer / self.coarser),
            )
            for one in inner
        )
        return rows, cols

    def shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) that the model gives for a block of this shape."""
        rows, cols = (math.ceil(n * self.finer / self.coarser) for n in shape)
        return rows, cols

    def spread(self, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Validity of the cells of the map; a coarser one is valid with any cell in it.

        Args:
            valid: (rows, cols) of a written window.
        """
        if self.finer > 1:
            valid = valid.repeat(self.finer, axis=0).repeat(self.finer, axis=1)
        if self.coarser > 1:
            rows = np.logical_or.reduceat(valid, range(0, valid.shape[0], self.coarser), axis=0)
            valid = np.logical_or.reduceat(rows, range(0, valid.shape[1], self.coarser), axis=1)
        return valid
