"""SceneReader: what nets that see surroundings read of scenes, cells in their windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Grid, Window
from geotools.training.labels.cells import Cells
from geotools.training.learners.batches import Piece
from geotools.training.learners.protocol import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SceneReader", "Scenes", "pieces"]

_KEEP = 1_000_000_000
"""Bytes up to which the features of all scenes are held in memory."""

_STRIP = 512
"""Rows that are read at once."""

_PIECE = 256
"""Cells on a side that are predicted at once, without the halo."""

_LOOK = 1_500_000
"""Cells of input, halo included, that are looked at after every epoch at most, …"""
_CALL = 4_000
"""… a call of the net being worth so many."""


class Scenes:
    """Features of all scenes, held in memory where they fit."""

    def __init__(self, material: Material, *, keep: bool = True) -> None:
        """
        Args:
            material: where they come from.
            keep: hold them.
        """
        self._material = material
        cells = sum(grid.width * grid.height for grid in material.grids)
        self._keep = keep and 4 * cells * len(material.features) < _KEEP
        self._whole: dict[int, NDArray[np.float32]] = {}

    def read(self, scene: int, window: Window) -> NDArray[np.float32]:
        """(F, rows, cols) float32; NaN where undefined, invalid or beyond the grid."""
        if not self._keep:
            return self._material.tile(scene, window).filled()
        whole = self._whole.get(scene)
        if whole is None:
            whole = self._whole[scene] = self._read_whole(scene)
        data = np.full((len(whole), *window.shape), np.nan, np.float32)  # (F, rows, cols)
        if inside := window.intersection(self._material.grids[scene].window):
            data[:, *inside.slices(window)] = whole[:, *inside.slices()]
        return data

    def _read_whole(self, scene: int) -> NDArray[np.float32]:
        grid = self._material.grids[scene]
        whole = np.empty((len(self._material.features), *grid.shape), np.float32)
        for top in range(0, grid.height, _STRIP):
            strip = Window(0, top, grid.width, min(_STRIP, grid.height - top))
            whole[:, top : strip.row_stop] = self._material.tile(scene, strip).filled()
        return whole


class SceneReader:
    """Reads cells with their surroundings."""

    def __init__(
        self, material: Material, *, halo: int, multiple: int, with_cell_size: bool, keep: bool
    ) -> None:
        """
        Args:
            material: cells and features.
            halo: reach of the net.
            multiple: of cells on which tiles must begin in use.
            with_cell_size: the net also takes the cell size.
            keep: hold the scenes in memory where they fit.
        """
        self.cells, self.grids = material.cells, material.grids
        self.scenes = Scenes(material, keep=keep)
        self.with_cell_size = with_cell_size
        self._halo, self._multiple = halo, multiple

    def read(self, index: NDArray[np.intp]) -> Iterator[Piece]:
        """See `Reader`."""
        for scene, window, place in self._pieces(index):
            inputs = [self.scenes.read(scene, window)[None]]  # (1, F, H, W)
            if self.with_cell_size:
                sizes = np.stack(self.grids[scene].cell_size_m(window))  # (2, H)
                inputs.append(sizes.astype(np.float32)[None, :, :, None])  # (1, 2, H, 1)
            here = index[place]
            rows = self.cells.row[here].astype(np.intp) - window.row_off
            cols = self.cells.col[here].astype(np.intp) - window.col_off
            yield Piece(tuple(inputs), place, (rows, cols))

    def some(self, index: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """See `Reader`; whole windows, so that few calls see many cells."""
        found = list(self._pieces(index))
        chosen, cost = [index[:0]], 0
        for number in rng.permutation(len(found)):
            _, window, place = found[number]
            chosen.append(index[place])
            cost += window.width * window.height + _CALL
            if cost > _LOOK:
                break
        return np.sort(np.concatenate(chosen))

    def _pieces(self, index: NDArray[np.intp]) -> Iterator[tuple[int, Window, NDArray[np.intp]]]:
        return pieces(self.cells, index, self.grids, halo=self._halo, multiple=self._multiple)


def pieces(
    cells: Cells,
    index: NDArray[np.intp],
    grids: tuple[Grid, ...],
    *,
    halo: int,
    multiple: int,
) -> Iterator[tuple[int, Window, NDArray[np.intp]]]:
    """Scene, window to read and the cells in it, so that each cell comes once.

    Windows hold their cells with `halo` cells around, begin on a multiple counted from the CRS's
    origin and are as long, as those of the map do; they may reach beyond the grid.

    Args:
        cells: all labelled cells.
        index: (n,) which are wanted.
        grids: the grid of every scene.
        halo: cells of surroundings.
        multiple: of cells.

    Yields:
        the scene, the window, and (cells,) places in `index`.
    """
    scene, row, col = cells.scene[index], cells.row[index], cells.col[index]
    order = np.lexsort((col // _PIECE, row // _PIECE, scene))
    keys = np.stack([scene, row // _PIECE, col // _PIECE])[:, order]  # (3, n)
    starts = np.flatnonzero(np.any(np.diff(keys, axis=1) != 0, axis=0)) + 1
    for place in np.split(order, starts) if len(order) else ():
        number = int(scene[place[0]])
        col_phase, row_phase = grids[number].phase(multiple)
        top, height = _span(row[place], halo, multiple, row_phase)
        left, width = _span(col[place], halo, multiple, col_phase)
        yield number, Window(left, top, width, height), place


def _span(at: NDArray[Any], halo: int, multiple: int, phase: int) -> tuple[int, int]:
    """First cell and length that hold these cells with their halo."""
    first = int(at.min()) - halo
    first -= (first - phase) % multiple
    length = int(at.max()) + halo + 1 - first
    return first, -(-length // multiple) * multiple
