# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Warp: one affine warp of a tile, and the compiled loop that samples a block by it.

What is drawn and which features are directions is in `augment`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

__all__ = ["ASPECT", "CATEGORY", "VALUE", "Warp", "sample"]

VALUE, CATEGORY, ASPECT = 0, 1, 2
"""How a feature is sampled: between cells, the nearest cell, as an angle in degrees."""

_ON_CELL = 1e-6
"""Share of a cell within which a place is on its middle."""


@dataclass(frozen=True, slots=True)
class Warp:
    """Where each cell of a tile is taken from: centre + shift + matrix (cell - centre)."""

    matrix: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    """On metres southward and eastward: from a place in the tile to its place in the scene."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Rows and columns that the middle is moved by, in shares of the tile."""
    whole: bool = True
    """Shift by whole cells, so that quarter turns interpolate nothing."""
    ratio: float = 1.0
    """Width of a cell over its height, in metres."""

    @property
    def zoom(self) -> float:
        """Cell size of the tile over that of the scene; below 1, terrain looks larger."""
        (a, b), (c, d) = self.matrix
        return math.sqrt(abs(a * d - b * c))

    @property
    def cells(self) -> NDArray[np.float64]:
        """The matrix on rows and columns: (2, 2)."""
        (a, b), (c, d) = self.matrix
        on_cells = np.array([[a, b * self.ratio], [c / self.ratio, d]])
        return np.round(on_cells, 12)  # quarter turns are exact

    def moved(self, size: int) -> tuple[tuple[int, int], tuple[float, float]]:
        """Whole cells, rows and columns, that a tile of this size is moved by, and the rest."""
        exact = [share * size for share in self.shift]
        down, right = (math.floor(value + 0.5) for value in exact)
        rest = (0.0, 0.0) if self.whole else (exact[0] - down, exact[1] - right)
        return (down, right), rest

    def shape(self, size: int) -> tuple[int, int]:
        """Rows and columns of the block that a tile of this size is sampled from.

        Both differ from `size` by an even number, so that the middles are at the same place in a
        cell.
        """
        matrix, (_, rest) = self.cells, self.moved(size)
        half = (size - 1) / 2
        reach = np.abs(matrix).sum(1) * half + np.abs(rest)  # cells from the middle
        margins = np.ceil(np.round(reach - half, 9)).astype(int)
        rows, cols = (max(size + 2 * int(margin), 1) for margin in margins)
        return rows, cols


@compiled()
def sample(
    block: NDArray[Any],
    cells: NDArray[Any],
    matrix: NDArray[Any],
    rest: NDArray[Any],
    kinds: NDArray[Any],
    out: NDArray[Any],
    nearest: NDArray[Any],
) -> None:
    """Nothing; writes a tile that is sampled from a block.

    Values are means of the four cells around a place, weighted by nearness (bilinear); invalid
    cells have no weight. Aspects are the directions of such means. All are NaN where the nearest
    cell is NaN or outside.

    Args:
        block: (F, h, w) float32, NaN where invalid.
        cells: (h, w) int64.
        matrix: (2, 2), from rows and columns of the tile to those of the block.
        rest: (2,), rows and columns that the middle is moved by.
        kinds: (F,) int64, `VALUE`, `CATEGORY` or `ASPECT`.
        out: (F, S, S) float32, which is written to.
        nearest: (S, S) int64, which is written to; -1 outside.
    """
    count, rows, cols = block.shape
    size = nearest.shape[0]
    half = (size - 1) / 2
    turn = math.pi / 180
    for i in range(size):
        for j in range(size):
            row = (rows - 1) / 2 + rest[0] + matrix[0, 0] * (i - half) + matrix[0, 1] * (j - half)
            col = (cols - 1) / 2 + rest[1] + matrix[1, 0] * (i - half) + matrix[1, 1] * (j - half)
            near_row, near_col = math.floor(row + 0.5), math.floor(col + 0.5)
            if abs(row - near_row) < _ON_CELL:
                row = float(near_row)
            if abs(col - near_col) < _ON_CELL:
                col = float(near_col)
            if near_row < 0 or near_row >= rows or near_col < 0 or near_col >= cols:
                nearest[i, j] = -1
                out[:, i, j] = np.nan
                continue
            nearest[i, j] = cells[near_row, near_col]
            top, left = math.floor(row), math.floor(col)
            low, right = row - top, col - left
            for f in range(count):
                value = block[f, near_row, near_col]
                out[f, i, j] = value
                if math.isnan(value) or kinds[f] == 1 or (low == 0.0 and right == 0.0):
                    continue
                total = weight = north = east = 0.0
                for corner in range(4):
                    r, c = top + corner // 2, left + corner % 2
                    share = (low if corner // 2 else 1 - low) * (right if corner % 2 else 1 - right)
                    if share == 0.0 or r < 0 or r >= rows or c < 0 or c >= cols:
                        continue
                    value = block[f, r, c]
                    if math.isnan(value):
                        continue
                    if kinds[f] == 2:
                        north += share * math.cos(value * turn)
                        east += share * math.sin(value * turn)
                    else:
                        total += share * value
                        weight += share
                if kinds[f] == 0:
                    out[f, i, j] = total / weight
                elif abs(north) + abs(east) > 1e-6:  # opposite aspects have no mean
                    out[f, i, j] = (math.atan2(east, north) / turn) % 360
