"""Units: a grid cut into blocks of whole tiles, each computed and stored by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from geotools.engine.work import Work
from geotools.grid import Tile, Window
from geotools.raster import Layer, is_in_strips

__all__ = ["Unit", "cells_of_unit", "units_of"]

_CELLS = 2048
"""Cells along a side of a unit, about: 4 blocks of 512."""

_BYTES = 64 * 2**20
"""What the layers of a unit may hold in memory, about."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A block of tiles."""

    row: int
    """Its row among the units, from 0."""
    col: int
    """Its column among the units, from 0."""
    window: Window
    """The cells of the result that it is."""
    tiles: tuple[Tile, ...]
    """Its tiles, on the grid of the source."""

    @property
    def source_window(self) -> Window:
        """The cells of the source that it is, without those around."""
        first, last = self.tiles[0].write, self.tiles[-1].write
        col, row = first.col_off, first.row_off
        return Window(col, row, last.col_stop - col, last.row_stop - row)

    @property
    def name(self) -> str:
        """For messages and the names of parts."""
        return f"{self.row}-{self.col}"

    @property
    def place(self) -> str:
        """Its cells, for messages."""
        w = self.window
        return f"columns {w.col_off} to {w.col_stop}, rows {w.row_off} to {w.row_stop}"


def cells_of_unit(layers: tuple[Layer, ...]) -> int:
    """Cells along a side of a unit that holds these layers: 2048, or less for many bands."""
    import numpy as np

    per_cell = sum(len(layer.bands) * np.dtype(layer.dtype).itemsize for layer in layers)
    cells = _CELLS
    while cells > 256 and cells * cells * per_cell > _BYTES:
        cells //= 2
    return cells


def units_of(work: Work, cells: int) -> Iterator[Unit]:
    """The units, row by row; their windows cover the result exactly once.

    Tiles are never cut, so no cell is computed twice, and which tiles there are does not depend
    on the units.

    Args:
        work: whose tiles.
        cells: along a side of a unit of the result, at least one tile; of files of strips, units
            are one tile high and hold about as many cells.
    """
    rows: list[list[Tile]] = []
    number = height = 0
    # Rows of a file of strips are decoded once when units lie side by side along them.
    high, wide = (1, None) if is_in_strips(work.source) else (cells, cells)
    for _, row in groupby(work.tiling.tiles(work.source.grid), key=lambda tile: tile.write.row_off):
        tiles = list(row)
        more = work.placed(tiles[0].write).height
        if rows and height + more > high:
            yield from _row_of(work, rows, number, wide or max(1, cells * cells // height))
            rows, number, height = [], number + 1, 0
        rows.append(tiles)
        height += more
    if rows:
        yield from _row_of(work, rows, number, wide or max(1, cells * cells // height))


def _row_of(work: Work, rows: list[list[Tile]], number: int, cells: int) -> Iterator[Unit]:
    """The units of some rows of tiles."""
    first = width = col = 0
    for last, tile in enumerate(rows[0]):
        more = work.placed(tile.write).width
        if last > first and width + more > cells:
            yield _unit(work, rows, number, col, first, last)
            first, width, col = last, 0, col + 1
        width += more
    yield _unit(work, rows, number, col, first, len(rows[0]))


def _unit(work: Work, rows: list[list[Tile]], number: int, col: int, first: int, stop: int) -> Unit:
    tiles = tuple(tile for row in rows for tile in row[first:stop])
    start, end = work.placed(tiles[0].write), work.placed(tiles[-1].write)
    window = Window(
        start.col_off,
        start.row_off,
        end.col_stop - start.col_off,
        end.row_stop - start.row_off,
    )
    return Unit(number, col, window, tiles)
