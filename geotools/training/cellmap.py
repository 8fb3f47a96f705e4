"""CellMap: from a window of a scene to the labelled cells in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.grid import Grid, Window
from geotools.training.labels.cells import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CellMap"]


class CellMap:
    """Which of some labelled cells lie where; memory grows with the cells, not with the grid."""

    def __init__(self, cells: Cells, index: NDArray[np.intp], grids: Sequence[Grid]) -> None:
        """
        Args:
            cells: the labelled cells.
            index: which of them count; the others are as if they had no label.
            grids: the grid of every scene.
        """
        self._places: list[NDArray[np.int64]] = []
        self._numbers: list[NDArray[np.int64]] = []
        self._widths = [grid.width for grid in grids]
        index = np.asarray(index, np.int64)
        for scene, width in enumerate(self._widths):
            here = index[cells.scene[index] == scene]
            place = cells.row[here].astype(np.int64) * width + cells.col[here]
            order = np.argsort(place, kind="stable")
            self._places.append(place[order])
            self._numbers.append(here[order])

    def read(self, scene: int, window: Window) -> NDArray[np.int64]:
        """(rows, cols) int64, index into the cells; -1 where there is none."""
        found = np.full(window.shape, -1, np.int64)
        places, numbers, width = self._places[scene], self._numbers[scene], self._widths[scene]
        left, right = max(window.col_off, 0), min(window.col_stop, width)
        if left >= right or not len(places):
            return found
        rows = np.arange(window.row_off, window.row_stop, dtype=np.int64)  # (rows,)
        first = np.searchsorted(places, rows * width + left)
        last = np.searchsorted(places, rows * width + right)
        counts = np.where(rows >= 0, last - first, 0)
        total = int(counts.sum())
        if not total:
            return found
        # The cells of each row are neighbours in the sorted list: their positions, row by row.
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        position = np.arange(total, dtype=np.int64) + starts
        row = np.repeat(np.arange(window.height), counts)
        col = places[position] % width - window.col_off
        found[row, col] = numbers[position]
        return found
