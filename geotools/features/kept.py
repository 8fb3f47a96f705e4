"""Kept: a source whose cells stay in memory once they have been read, for reading over and over."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from geotools.grid import Grid, Window
from geotools.raster import Raster

__all__ = ["Kept", "bytes_of"]

_SIDE, _MAX_SIDE = 256, 2048
"""Cells on a side of the blocks that are read and kept: more where there is a wide halo, which is
computed for each block anew.
"""


class Kept:
    """Blocks of a source of float32 bands; any thread may read.

    It gives what the source gives as long as that does not depend on the window.
    """

    def __init__(
        self,
        grid: Grid,
        bands: tuple[str, ...],
        read: Callable[[Window], Raster],
        *,
        halo: int = 0,
    ) -> None:
        """
        Args:
            grid: where the cells are.
            bands: names of the bands.
            read: reads a window inside the grid.
            halo: cells of surroundings that reading looks at.
        """
        self._side = min(max(_SIDE, 4 * halo), _MAX_SIDE)
        self.grid, self.bands = grid, bands
        self._read = read
        self._blocks: dict[tuple[int, int], Raster] = {}
        self._lock = Lock()

    def read(self, window: Window) -> Raster:
        """The cells of `window`; those beyond the grid are invalid and NaN."""
        data = np.full((len(self.bands), *window.shape), np.nan, np.float32)  # (band, row, col)
        valid = np.zeros(window.shape, np.bool_)
        inside = window.intersection(self.grid.window)
        side = self._side
        if inside is not None:
            for row in range(inside.row_off // side, (inside.row_stop - 1) // side + 1):
                for col in range(inside.col_off // side, (inside.col_stop - 1) // side + 1):
                    block, place = self._block(row, col)
                    part = place.intersection(inside)
                    if part is not None:
                        there, here = part.slices(place), part.slices(window)
                        data[:, *here] = block.data[:, *there]
                        valid[here] = block.valid[there]
        return Raster(data, valid, self.grid.cut(window), self.bands)

    def _block(self, row: int, col: int) -> tuple[Raster, Window]:
        side, (rows, cols) = self._side, self.grid.shape
        left, top = col * side, row * side
        place = Window(left, top, min(side, cols - left), min(side, rows - top))
        found = self._blocks.get((row, col))
        if found is None:
            read = self._read(place)
            with self._lock:
                found = self._blocks.setdefault((row, col), read)
        return found, place


def bytes_of(grid: Grid, bands: int) -> int:
    """Memory for all cells of a grid."""
    return grid.width * grid.height * (4 * bands + 1)
