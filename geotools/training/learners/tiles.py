"""TileFeed and WindowFeed: tiles for nets that name every cell of one, or the one in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Window
from geotools.training.augment import Augmenter
from geotools.training.cellmap import CellMap
from geotools.training.learners.batches import Batch, draw_cells
from geotools.training.learners.protocol import Material
from geotools.training.learners.scenes import SceneReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TileFeed", "WindowFeed"]

_FEWEST, _MOST = 16, 200
"""Steps in an epoch of tiles."""

_WINDOWS = 60
"""Steps in an epoch of windows at most."""


class _Cutter(SceneReader):
    """Cuts tiles around training cells."""

    def __init__(
        self,
        material: Material,
        train: NDArray[np.intp],
        augmenter: Augmenter,
        *,
        halo: int,
        multiple: int,
        with_cell_size: bool = False,
    ) -> None:
        super().__init__(
            material, halo=halo, multiple=multiple, with_cell_size=with_cell_size, keep=True
        )
        self._augmenter = augmenter
        self._map = CellMap(material.cells, train, material.grids)

    def cut(
        self, cell: int, size: int, rng: np.random.Generator, *, moved: int = 0
    ) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.int64]]:
        """A varied tile around a cell: the inputs of the net without N, and cells (size, size).

        Args:
            cell: in the middle.
            size: cells on a side.
            rng: draws.
            moved: up to so many rows and columns away from the middle.
        """
        scene = int(self.cells.scene[cell])
        row, col = (
            int(at[cell]) + int(rng.integers(-moved, moved + 1))
            for at in (self.cells.row, self.cells.col)
        )
        x_m, y_m = self.grids[scene].cell_size_m(Window(0, row, 1, 1))
        warp = self._augmenter.draw(rng, ratio=float(x_m[0] / y_m[0]))
        window = self._augmenter.window(warp, row, col, size)
        block, numbers = self.scenes.read(scene, window), self._map.read(scene, window)
        raw, numbers = self._augmenter.apply(warp, block, numbers, size, rng)
        if not self.with_cell_size:
            return (raw,), numbers
        sizes = np.array([x_m[0], y_m[0]], np.float32) * np.float32(warp.zoom)
        return (raw, np.broadcast_to(sizes[:, None, None], (2, size, 1))), numbers


class TileFeed(_Cutter):
    """Tiles around labelled cells; all training cells in them count."""

    def __init__(
        self,
        material: Material,
        train: NDArray[np.intp],
        targets: NDArray[Any],
        augmenter: Augmenter,
        *,
        size: int,
        batch: int,
        halo: int,
        multiple: int,
        with_cell_size: bool = False,
    ) -> None:
        """
        Args:
            material: cells and features.
            train: cells to learn from.
            targets: (cells,) what is learned, of all cells.
            augmenter: how tiles are varied.
            size: cells on a side of a training tile, a multiple of `multiple`.
            batch: tiles in a step.
            halo, multiple, with_cell_size: see `SceneReader`.
        """
        super().__init__(
            material, train, augmenter,
            halo=halo, multiple=multiple, with_cell_size=with_cell_size,
        )  # fmt: skip
        self._targets, self._size, self._batch = targets, size, batch
        self._centres = _Centres(train, targets[train])
        cells = material.cells.take(train)
        blocks = np.stack([cells.scene, cells.row // size, cells.col // size])  # (3, n)
        tiles = np.unique(blocks, axis=1).shape[1]
        # So many tiles hold all training cells about once.
        self.steps = int(np.clip(-(-tiles // batch), _FEWEST, _MOST))

    def draw(self, rng: np.random.Generator) -> Iterator[Batch]:
        """See `Feed`."""
        centres = self._centres.draw(self.steps * self._batch, rng)
        for part in centres.reshape(self.steps, self._batch):
            tiles = [self.cut(int(cell), self._size, rng, moved=self._size // 4) for cell in part]
            inputs = tuple(
                np.stack(each) for each in zip(*(tile[0] for tile in tiles), strict=True)
            )
            cells = np.stack([tile[1] for tile in tiles])  # (N, S, S)
            known = (cells >= 0) & np.isfinite(inputs[0]).any(1)
            yield Batch(inputs, self._targets[np.where(known, cells, 0)], known)


class WindowFeed(_Cutter):
    """Windows with a labelled cell in the middle, which alone counts."""

    def __init__(
        self,
        material: Material,
        train: NDArray[np.intp],
        targets: NDArray[Any],
        augmenter: Augmenter,
        *,
        size: int,
        batch: int,
        max_cells: int,
        rng: np.random.Generator,
    ) -> None:
        """
        Args:
            material: cells and features.
            train: cells to learn from.
            targets: (cells,) what is learned, of all cells.
            augmenter: how windows are varied; it must not shift them.
            size: cells on a side of a window, odd.
            batch: windows in a step.
            max_cells: cells learned from at most.
            rng: draws the cells.
        """
        super().__init__(material, train, augmenter, halo=size // 2, multiple=1)
        self._targets, self._size = targets, size
        self._chosen = draw_cells(train, targets[train], max_cells, rng)
        self._batch = min(batch, len(self._chosen))
        self.steps = int(np.clip(len(self._chosen) // self._batch, 1, _WINDOWS))

    def draw(self, rng: np.random.Generator) -> Iterator[Batch]:
        """See `Feed`."""
        order = rng.permutation(self._chosen)[: self.steps * self._batch]
        for part in order.reshape(self.steps, self._batch):
            raw = np.stack([self.cut(int(cell), self._size, rng)[0][0] for cell in part])
            known = np.asarray(np.isfinite(raw).any((1, 2, 3)))  # (N,)
            yield Batch((raw,), self._targets[part], known)


class _Centres:
    """Cells that tiles are laid around: every class gets its share, and one tile at least."""

    def __init__(self, index: NDArray[np.intp], target: NDArray[Any]) -> None:
        if target.dtype.kind == "f":
            self._groups = [index]
        else:
            self._groups = [index[target == one] for one in np.unique(target)]

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """(count,) cells; shares go with the root of how often a class is."""
        sizes = np.sqrt([len(group) for group in self._groups])
        shares = np.maximum(np.floor(count * sizes / sizes.sum()), 1).astype(int)
        drawn = np.concatenate(
            [
                rng.choice(group, share, replace=bool(share > len(group)))
                for group, share in zip(self._groups, shares, strict=True)
            ]
        )
        missing = max(0, count - len(drawn))
        drawn = np.concatenate([drawn, rng.choice(np.concatenate(self._groups), missing)])
        return rng.permutation(drawn)[:count]
