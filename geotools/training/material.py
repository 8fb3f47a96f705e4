"""RasterMaterial and TableMaterial: labelled cells with the features at and around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.grid import Grid, Window
from geotools.raster import Raster, Source
from geotools.training.labels.cells import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.learners.protocol import Material

__all__ = ["PermutedMaterial", "RasterMaterial", "TableMaterial", "raster_material"]

_WINDOW = 512
"""Cells on a side of the windows in which features are read."""


class TableMaterial:
    """The rows of a table; there is nothing around them."""

    def __init__(
        self,
        cells: Cells,
        rows: NDArray[np.float32],
        *,
        classes: Sequence[str],
        features: Sequence[str],
        categories: Mapping[int, tuple[int, ...]] | None = None,
    ) -> None:
        self.cells = cells
        self.classes = tuple(classes)
        self.features = tuple(features)
        self.categories = dict(categories or {})
        self.grids: tuple[Grid, ...] = ()
        self.steps: tuple[tuple[int, ...], ...] = ()
        self.elevation: int | None = None
        """Which feature is the bare elevation."""
        self._rows = rows

    def rows(self, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """See `Material`."""
        return self._rows[index]

    def tile(self, scene: int, window: Window) -> Raster:
        """Not for tables."""
        raise LabelsError("A table has no surroundings: take a learner that sees one row.")


class RasterMaterial(TableMaterial):
    """The labelled cells of one or more scenes."""

    def __init__(
        self,
        stacks: Sequence[Source],
        cells: Cells,
        rows: NDArray[np.float32],
        *,
        classes: Sequence[str],
        categories: Mapping[int, tuple[int, ...]] | None = None,
        steps: tuple[tuple[int, ...], ...] = (),
        elevation: int | None = None,
    ) -> None:
        super().__init__(
            cells, rows, classes=classes, features=stacks[0].bands, categories=categories
        )
        self.grids = tuple(stack.grid for stack in stacks)
        self.steps = steps
        self.elevation = elevation
        self._stacks = tuple(stacks)

    def tile(self, scene: int, window: Window) -> Raster:
        """See `Material`."""
        block = self._stacks[scene].read(window)
        return Raster(block.filled(), block.valid, block.grid, block.bands)


class PermutedMaterial:
    """A material in which one feature tells nothing: its values are dealt out anew.

    Cells get the value of another cell; in tiles, where the surroundings matter too, the plane is
    shuffled cell by cell.
    """

    def __init__(self, material: Material, feature: int, *, seed: int) -> None:
        self._material, self._feature = material, feature
        self._seed = seed
        self.cells = material.cells
        self.classes = material.classes
        self.features = material.features
        self.categories = material.categories
        self.steps = material.steps
        self.grids = material.grids
        self.elevation = getattr(material, "elevation", None)

    def rows(self, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """See `Material`."""
        rows = self._material.rows(index).copy()
        rng = np.random.default_rng([self._seed, self._feature])
        rows[:, self._feature] = rows[rng.permutation(len(rows)), self._feature]
        return rows

    def tile(self, scene: int, window: Window) -> Raster:
        """See `Material`."""
        block = self._material.tile(scene, window)
        data = block.data.copy()  # (features, row, col)
        plane = data[self._feature]
        known = np.isfinite(plane)
        rng = np.random.default_rng(
            [self._seed, self._feature, scene, window.row_off & 0xFFFF, window.col_off & 0xFFFF]
        )
        plane[known] = rng.permutation(plane[known])
        return Raster(data, block.valid, block.grid, block.bands)


def raster_material(
    stacks: Sequence[Source],
    cells: Cells,
    *,
    classes: Sequence[str],
    categories: Mapping[int, tuple[int, ...]] | None = None,
    steps: tuple[tuple[int, ...], ...] = (),
    elevation: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RasterMaterial:
    """The cells whose inputs are valid, with the features that were read at them.

    Args:
        stacks: the features of every scene, alike in their bands.
        cells: labelled cells.
        classes: names of the classes.
        categories: features that are codes, and the codes.
        steps: see `Material`.
        elevation: which feature is the bare elevation.
        progress: called with windows done and in all.

    Raises:
        LabelsError: no labelled cell has valid inputs.
    """
    rows = np.empty((len(cells), len(stacks[0].bands)), np.float32)
    valid = np.zeros(len(cells), np.bool_)
    across = cells.col // _WINDOW
    down = cells.row // _WINDOW
    order = np.lexsort((across, down, cells.scene))
    keys = np.stack([cells.scene[order], down[order], across[order]])  # (3, n)
    change = np.any(np.diff(keys, axis=1) != 0, axis=0)
    starts = np.concatenate([[0], np.flatnonzero(change) + 1, [len(order)]])
    for number in range(len(starts) - 1 if len(order) else 0):
        here = order[starts[number] : starts[number + 1]]
        top, left = int(cells.row[here].min()), int(cells.col[here].min())
        window = Window(
            left, top, int(cells.col[here].max()) - left + 1, int(cells.row[here].max()) - top + 1
        )
        block = stacks[int(cells.scene[here[0]])].read(window)
        row, col = cells.row[here] - top, cells.col[here] - left
        rows[here] = block.data[:, row, col].T
        valid[here] = block.valid[row, col]
        if progress is not None:
            progress(number + 1, len(starts) - 1)
    if not valid.any():
        raise LabelsError(
            "No labelled cell has valid values in all rasters: check that labels and rasters "
            "cover the same ground, and the nodata values."
        )
    return RasterMaterial(
        stacks, cells.take(valid), rows[valid],
        classes=classes, categories=categories, steps=steps, elevation=elevation,
    )  # fmt: skip
