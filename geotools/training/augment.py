"""Augmenter: training tiles that are turned, mirrored, moved, sheared, zoomed and disturbed.

Directions are turned with the terrain, not just moved (`features.directions`). The loop that
samples is in `warps`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.features.directions import directions_of
from geotools.grid import Window
from geotools.training.sections import AugmentConfig
from geotools.training.warps import ASPECT, CATEGORY, VALUE, Warp, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Augmenter"]

_WHOLE = 0.5
"""Share of tiles that only turn by quarters and move by whole cells: a map is made of values that
are not interpolated, and these are as crisp."""

_SQUARE = 0.01
"""Cells whose ratio of sides is this near to 1 are square."""


class Augmenter:
    """Draws warps and applies them to tiles of features."""

    def __init__(
        self,
        features: Sequence[str],
        categories: Collection[int],
        config: AugmentConfig,
        *,
        scale: NDArray[np.float32],
    ) -> None:
        """Nothing is drawn yet.

        Args:
            features: names; which are directions is said by `features.directions`.
            categories: indices of features that are codes.
            config: what is done.
            scale: (F,) standard deviation of each feature, the unit of the noise.
        """
        self._config = config
        self._directions = directions_of(features)
        self._kinds = np.full(len(features), VALUE, np.int64)
        self._kinds[list(self._directions.aspects)] = ASPECT
        self._kinds[sorted(categories)] = CATEGORY
        self._noise = config.noise * np.nan_to_num(np.asarray(scale, np.float32), posinf=0.0)
        self._noise[self._kinds == CATEGORY] = 0.0

    def draw(self, rng: np.random.Generator, *, ratio: float = 1.0) -> Warp:
        """A warp, drawn at random.

        Northness without eastness, or the other way round, is half of a direction: tiles are then
        neither rotated nor sheared.

        Args:
            rng: as many numbers are taken from it at every call.
            ratio: width of a cell over its height, in metres, for geographic grids.
        """
        config = self._config
        angle, part, sheared, zoomed, down, right = rng.uniform(-1, 1, 6)
        mirror_rows, mirror_cols, whole, across = rng.random(4) < (0.5, 0.5, _WHOLE, 0.5)
        ratio = 1.0 if abs(ratio - 1) < _SQUARE else ratio
        half_known = self._directions.half_known
        turn = angle * math.pi if config.rotate and not half_known else 0.0
        shear = 0.0 if half_known else sheared * config.shear
        zoom = (1 + config.zoom) ** zoomed
        if whole:
            quarters = 4 if ratio == 1.0 else 2
            turn = 0.0 if turn == 0.0 else math.floor(part * quarters) * 2 * math.pi / quarters
            shear, zoom = 0.0, 1.0
        matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        matrix = matrix @ (np.array([[1, shear], [0, 1]] if across else [[1, 0], [shear, 1]]))
        if config.flip:
            matrix = matrix @ np.diag([-1.0 if mirror_rows else 1.0, -1.0 if mirror_cols else 1.0])
        (a, b), (c, d) = (zoom * matrix).tolist()
        shift = float(down * config.shift), float(right * config.shift)
        return Warp(((a, b), (c, d)), shift, bool(whole), ratio)

    def window(self, warp: Warp, row: float, col: float, size: int) -> Window:
        """The cells that a tile of `size` x `size` cells is sampled from.

        Args:
            warp: as drawn.
            row, col: middle of the tile in cells of the scene, where 0 is the middle of the first
                row or column; rounded so that unwarped tiles lie on whole cells.
            size: cells on a side of the tile.
        """
        rows, cols = warp.shape(size)
        (down, right), _ = warp.moved(size)
        top = math.floor(row + down - (rows - 1) / 2 + 0.5)
        left = math.floor(col + right - (cols - 1) / 2 + 0.5)
        return Window(left, top, cols, rows)

    def apply(
        self,
        warp: Warp,
        block: NDArray[np.float32],
        cells: NDArray[np.int64],
        size: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features (F, size, size), NaN where invalid or dropped, and cells (size, size).

        Args:
            warp: as drawn.
            block: (F, h, w) float32, NaN where invalid: the features of `window`.
            cells: (h, w) int64, number of the labelled cell, -1 where there is none; the nearest
                is taken.
            size: cells on a side of the tile.
            rng: for the noise and the dropped features.
        """
        _, rest = warp.moved(size)
        tile = np.empty((len(block), size, size), np.float32)
        nearest = np.empty((size, size), np.int64)
        sample(
            np.ascontiguousarray(block, np.float32), np.ascontiguousarray(cells, np.int64),
            warp.cells, np.array(rest), self._kinds, tile, nearest,
        )  # fmt: skip
        self._directions.turn(warp.matrix, tile)
        self._disturb(tile, rng)
        return tile, nearest

    def _disturb(self, tile: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Adds noise and drops features, never all."""
        for f in np.nonzero(self._noise > 0)[0]:
            tile[f] += self._noise[f] * rng.standard_normal(tile[f].shape, np.float32)
            if self._kinds[f] == ASPECT:
                tile[f] %= 360
        if self._config.drop_bands > 0:
            dropped = rng.random(len(tile)) < self._config.drop_bands
            dropped[rng.integers(len(tile))] = False
            tile[dropped] = np.nan
