"""Surface: the terrain features of a stack, computed together from one block of elevation.

What they mean is in `geotools.terrain.attributes`; here are radii in metres, halos, and the
cutting that makes them the same whatever the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ConfigError
from geotools.features.names import LARGEST_RADIUS, Feature
from geotools.grid import Grid, Window
from geotools.terrain.attributes import ATTRIBUTES, attributes, reach
from geotools.terrain.cell_sizes import search_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Surface"]

_BLOCK = 128
"""Cells on a side of the blocks that `dev` is computed in: its squares are summed about a height
near the block's mean, so it is the same to the last bit only in the same block."""


class Surface:
    """Terrain features of a grid; elevation has at least 3 x 3 cells of it."""

    def __init__(self, features: Sequence[tuple[int, Feature]], grid: Grid) -> None:
        """
        Args:
            features: where each is written, and what it is.
            grid: the cells.

        Raises:
            ConfigError: a radius that does not fit the cells.
        """
        self._grid = grid
        x_m, y_m = grid.cell_size_m()
        self._unit_m = search_unit(x_m, y_m)
        middle = grid.height // 2
        cell_m = float(np.sqrt(x_m[middle] * y_m[middle]))
        self._groups: dict[int, dict[str, list[int]]] = {}
        """Radius (0: neighbours alone) -> attribute -> where it is written."""
        self._halos: dict[int, int] = {}
        self._blocks: dict[int, list[int]] = {}
        """Radius -> where dev of this radius is written."""
        for number, feature in features:
            radius = _radius_cells(feature, cell_m)
            if feature.name == "dev":
                self._blocks.setdefault(radius, []).append(number)
            else:
                group = self._groups.setdefault(radius, {})
                group.setdefault(feature.name, []).append(number)
        for radius, group in self._groups.items():
            halo = reach(list(group), radius=radius or None, x_m=x_m, y_m=y_m, unit_m=self._unit_m)
            self._halos[radius] = min(halo, max(grid.shape))

    @property
    def halo(self) -> int:
        """Cells that any of them looks away."""
        return max([*self._halos.values(), *self._blocks], default=0)

    def around(self, window: Window) -> Window:
        """The elevations that the features of a window need."""
        wide = _grown(window, max(self._halos.values(), default=0))
        for radius in self._blocks:
            wide = _union(wide, _grown(_union(*self._ends(window, radius)), radius))
        return wide

    def fill(
        self,
        data: NDArray[np.float32],
        elevation: NDArray[np.float32],
        wide: Window,
        window: Window,
    ) -> None:
        """Nothing; writes the features of a window to its bands of `data`.

        Args:
            data: (features, rows, cols) float32 of `window`.
            elevation: float32 of `wide`, metres, NaN where invalid.
            wide: what `around` says.
            window: the cells that are written.
        """
        if np.isnan(elevation).all():
            return
        for radius, group in self._groups.items():
            around = _grown(window, self._halos[radius])
            values = self._compute(elevation, wide, around, list(group), radius)
            inner = window.slices(around)
            for band, numbers in zip(values, group.values(), strict=True):
                for number in numbers:
                    data[number] = band[inner]
        for radius, numbers in self._blocks.items():
            for block in self._cut(window, radius):
                around = _grown(block, radius)
                if np.isnan(elevation[block.slices(wide)]).all():
                    continue
                values = self._compute(elevation, wide, around, ["dev"], radius)
                part = block.intersection(window)
                if part is not None:
                    for number in numbers:
                        data[number, *part.slices(window)] = values[0, *part.slices(around)]

    def _compute(
        self,
        elevation: NDArray[np.float32],
        wide: Window,
        around: Window,
        names: list[str],
        radius: int,
    ) -> NDArray[np.float32]:
        """(names, rows, cols) of the cells of `around`, whose own edges are not to be used."""
        x_m, y_m = self._grid.cell_size_m(around)
        return attributes(
            elevation[around.slices(wide)], x_m, y_m, names,
            radius=radius or None, edges=True, unit_m=self._unit_m, threads=1,
        )  # fmt: skip

    def _ends(self, window: Window, radius: int) -> tuple[Window, Window]:
        """The first and the last block that a window touches."""
        size = max(_BLOCK, 2 * radius)
        col, row = self._grid.phase(size)
        first_col = (window.col_off - col) // size * size + col
        first_row = (window.row_off - row) // size * size + row
        last_col = (window.col_stop - 1 - col) // size * size + col
        last_row = (window.row_stop - 1 - row) // size * size + row
        return Window(first_col, first_row, size, size), Window(last_col, last_row, size, size)

    def _cut(self, window: Window, radius: int) -> list[Window]:
        """The blocks that a window touches; they lie alike whatever the window."""
        first, last = self._ends(window, radius)
        return [
            Window(col, row, first.width, first.height)
            for row in range(first.row_off, last.row_stop, first.height)
            for col in range(first.col_off, last.col_stop, first.width)
        ]


def _radius_cells(feature: Feature, cell_m: float) -> int:
    """Radius in cells; 0 for attributes of the neighbours."""
    attribute = ATTRIBUTES[feature.name]
    if attribute.kind == "stencil":
        return 0
    if feature.radius is None:
        return attribute.radius
    if not feature.in_metres:
        return int(feature.radius)
    cells = feature.radius / cell_m
    if cells < 1 - 1e-6 or cells > LARGEST_RADIUS:
        raise ConfigError(
            f"The feature {feature} has a radius of {cells:.2g} cells of {cell_m:.4g} m: give "
            f"{_shown(cell_m, up=True)} to {_shown(LARGEST_RADIUS * cell_m, up=False)} m."
        )
    return max(round(cells), 1)


def _shown(metres: float, *, up: bool) -> str:
    """A length with few figures that is itself allowed."""
    if metres >= 10:
        return f"{np.ceil(metres) if up else np.floor(metres):.0f}"
    return f"{metres:.3g}"


def _grown(window: Window, cells: int) -> Window:
    return Window(
        window.col_off - cells, window.row_off - cells,
        window.width + 2 * cells, window.height + 2 * cells,
    )  # fmt: skip


def _union(first: Window, second: Window) -> Window:
    """The smallest window that holds both."""
    left, top = min(first.col_off, second.col_off), min(first.row_off, second.row_off)
    return Window(
        left, top,
        max(first.col_stop, second.col_stop) - left, max(first.row_stop, second.row_stop) - top,
    )  # fmt: skip
