"""FixedTiles: how a grid is cut for models that take blocks of one size and no other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from geotools.errors import GridError
from geotools.grid import Grid, Tile, Window

__all__ = ["FixedTiles"]

_MULTIPLES = (32, 16, 8, 4, 2, 1)
"""Cells on which blocks of one size begin, as far as they are large enough: five halvings."""


@dataclass(frozen=True, slots=True)
class FixedTiles:
    """Blocks of one size whose middles cover the grid exactly once.

    Nothing but the grid decides where they are. The last of a row or column slides back, so that
    it reads the raster and not the emptiness beyond it.
    """

    rows: int
    """Rows of a block."""
    cols: int
    """Columns of a block."""
    margin: int = 0
    """Cells on every side of a block that are not written."""
    multiple: int = 1
    """Blocks begin on a multiple of this many cells, counted from the CRS's origin."""
    anchored: bool = False
    """Counted from the first cell of the grid instead."""

    def __post_init__(self) -> None:
        if self.margin < 0 or self.multiple < 1 or min(self.steps) < 1:
            raise GridError(
                f"A block of {self.rows} x {self.cols} cells has no middle within a margin of "
                f"{self.margin}, in steps of {self.multiple}: give a smaller overlap."
            )

    @classmethod
    def over(cls, side: tuple[int, int], margin: int, coarser: int = 1) -> FixedTiles:
        """The blocks for a model of others.

        Nets that halve their maps see the same cells together wherever a raster begins. Where an
        output cell has several input cells along a side, it is made of whole ones: blocks are
        counted from the first cell of the grid, and so are the output cells.

        Args:
            side: rows and columns of a block.
            margin: cells on every side that are not written; a multiple of `coarser`.
            coarser: input cells along a side of an output cell.
        """
        step = min(side) - 2 * margin
        multiple = next(one for one in _MULTIPLES if step >= 2 * one * coarser or one == 1)
        return cls(*side, margin, multiple * coarser, anchored=coarser > 1)

    @property
    def steps(self) -> tuple[int, int]:
        """Rows and columns from one block to the next."""
        return (
            (self.rows - 2 * self.margin) // self.multiple * self.multiple,
            (self.cols - 2 * self.margin) // self.multiple * self.multiple,
        )

    def count(self, grid: Grid) -> int:
        """Number of blocks of `grid`."""
        (rows, cols), (row, col) = self.steps, self._first(grid)
        return math.ceil((grid.height - row) / rows) * math.ceil((grid.width - col) / cols)

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        """The blocks of `grid`, row by row."""
        (row_step, col_step), (row, col) = self.steps, self._first(grid)
        cols = list(self._spans(grid.width, col, col_step))
        for first_row, height, read_row in self._spans(grid.height, row, row_step):
            for first_col, width, read_col in cols:
                yield Tile(
                    read=Window(read_col, read_row, self.cols, self.rows),
                    write=Window(first_col, first_row, width, height),
                )

    def _first(self, grid: Grid) -> tuple[int, int]:
        """Row and column of the first middle, at most one multiple before the grid."""
        col, row = (0, 0) if self.anchored else grid.phase(self.multiple)
        return -(-(self.margin + row) % self.multiple), -(-(self.margin + col) % self.multiple)

    def _spans(self, cells: int, origin: int, step: int) -> Iterator[tuple[int, int, int]]:
        """(first, length) to write and first to read, along one axis."""
        for middle in range(origin, cells, step):
            first, stop = max(middle, 0), min(middle + step, cells)
            beyond = (middle + step - stop) // self.multiple * self.multiple
            start = max(middle - beyond, origin) - self.margin
            yield first, stop - first, start
