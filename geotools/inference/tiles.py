"""FixedTiles: how a grid is cut for models that take blocks of one size and no other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from geotools.errors import GridError
from geotools.grid import Grid, Tile, Window

__all__ = ["FixedTiles"]


@dataclass(frozen=True, slots=True)
class FixedTiles:
    """Blocks of one size whose middles cover the grid exactly once.

    They are laid from the first cell of the grid, so that nothing but the grid decides where
    they are. The last of a row or column slides back until its middle ends with the grid.
    """

    rows: int
    """Rows of a block."""
    cols: int
    """Columns of a block."""
    margin: int = 0
    """Cells on every side of a block that are not written."""

    def __post_init__(self) -> None:
        if self.margin < 0 or min(self.rows, self.cols) <= 2 * self.margin:
            raise GridError(
                f"A block of {self.rows} x {self.cols} cells has no middle within a margin of "
                f"{self.margin}: give a smaller overlap."
            )

    def count(self, grid: Grid) -> int:
        """Number of blocks of `grid`."""
        rows, cols = self.rows - 2 * self.margin, self.cols - 2 * self.margin
        return math.ceil(grid.height / rows) * math.ceil(grid.width / cols)

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        """The blocks of `grid`, row by row."""
        cols = list(self._spans(grid.width, self.cols))
        for row, height, read_row in self._spans(grid.height, self.rows):
            for col, width, read_col in cols:
                yield Tile(
                    read=Window(read_col, read_row, self.cols, self.rows),
                    write=Window(col, row, width, height),
                )

    def _spans(self, cells: int, side: int) -> Iterator[tuple[int, int, int]]:
        """(first, length) to write and first to read, along one axis."""
        step = side - 2 * self.margin
        for first in range(0, cells, step):
            length = min(step, cells - first)
            start = first - self.margin
            if length < step:
                start = max(start - (step - length), -self.margin)
            yield first, length, start
