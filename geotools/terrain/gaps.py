"""Gaps: cells at the edge of a raster or beside a void, and how the surface goes on there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["cell_windows", "framed", "near_gap"]


def framed(z: Array, start: int, stop: int) -> Array:
    """A copy of rows `start` to `stop` with one cell around, NaN outside: (rows + 2, cols + 2)."""
    rows, cols = z.shape
    block = np.full((stop - start + 2, cols + 2), np.nan, dtype=np.float32)
    first, last = max(start - 1, 0), min(stop + 1, rows)
    block[first - start + 1 : last - start + 1, 1:-1] = z[first:last]
    return block


def near_gap(block: Array) -> NDArray[np.bool_]:
    """Where a cell or one of its neighbours is NaN: (rows, cols) bool."""
    void = np.isnan(block)
    wide = void[:-2] | void[1:-1] | void[2:]
    result: NDArray[np.bool_] = wide[:, :-2] | wide[:, 1:-1] | wide[:, 2:]
    return result


def cell_windows(block: Array, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> Array:
    """The 3 x 3 windows of these cells, one below the other, gaps continued: (3 * cells, 3).

    A missing neighbour gets the value of the plane through the cell and its opposite. At a
    corner that is twice the next cell less the one beyond, along the column or else the row, as
    in gdaldem -compute_edges; where neither is known, the plane through the filled neighbours.

    Args:
        block: elevation with its frame of one cell, NaN where invalid.
        rows, cols: place of the cells without the frame.
    """
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
    return z.reshape(-1, 3)
