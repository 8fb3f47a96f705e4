"""Burner: which shape each cell of a window belongs to, on a grid of any size.

Shapes are held in cells of the grid and burnt window by window with GDAL; a window without any
costs a look into a spatial index. Which shape is to win is said by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from rasterio.features import rasterize

from geotools.grid import Grid, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Burner", "in_cells", "to_steps"]

_STEP = 2.0**-20
"""Vertices lie on multiples of this part of a cell, so that moving them by whole cells is exact and
what is burnt does not depend on the window."""
_LARGE = 2_000
"""Shapes with more vertices than this are cut to the window before they are burnt."""
_MARGIN = 2
"""Cells around a window that cut shapes keep."""


def in_cells(geometry: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """The geometries with columns and rows of the grid as coordinates, (column, row) from its
    upper left corner.

    Args:
        geometry: (n,) shapely geometries in the CRS of the grid.
        grid: the cells.
    """
    import shapely

    inverse = ~grid.transform

    def to_cells(places: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.column_stack(
            [places[:, 0] * inverse.a + inverse.c, places[:, 1] * inverse.e + inverse.f]
        )
        return to_steps(cells)

    return np.asarray(shapely.transform(geometry, to_cells))


def to_steps(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coordinates, in cells, rounded as all that is burnt."""
    return np.round(cells / _STEP) * _STEP


class Burner:
    """Shapes of one grid, to be burnt window by window."""

    def __init__(self, shapes: NDArray[np.object_], *, all_touched: bool = False) -> None:
        """Shapes as from `in_cells`; a later one covers an earlier.

        Args:
            shapes: (n,) polygons, lines and points.
            all_touched: every cell that a shape touches, instead of those whose centre is in it.
        """
        import shapely

        self._shapes = shapes
        self._all_touched = all_touched
        self._tree = shapely.STRtree(shapes)
        self._large = shapely.get_num_coordinates(shapes) > _LARGE

    def touching(self, window: Window) -> NDArray[np.intp]:
        """Numbers of the shapes whose bounds meet the window, in order."""
        import shapely

        edge = 1 if self._all_touched else 0
        box = shapely.box(
            window.col_off - edge, window.row_off - edge,
            window.col_stop + edge, window.row_stop + edge,
        )  # fmt: skip
        return np.sort(self._tree.query(box))

    def read(self, window: Window, *, only: NDArray[np.intp] | None = None) -> NDArray[np.int32]:
        """(rows, cols) int32: number of the last shape that each cell belongs to, -1 for none.

        Args:
            window: cells, inside the grid or not.
            only: burn these shapes alone, in this order.
        """
        chosen = self.touching(window) if only is None else only
        burnt = np.full(window.shape, -1, np.int32)
        if not len(chosen):
            return burnt
        pairs = [
            (shape, int(number))
            for number in chosen
            if not (shape := self._cut(int(number), window)).is_empty
        ]
        if pairs:
            place = Affine.translation(window.col_off, window.row_off)
            rasterize(pairs, out=burnt, transform=place, all_touched=self._all_touched)
        return burnt

    def _cut(self, number: int, window: Window) -> Any:
        import shapely

        shape = self._shapes[number]
        if not self._large[number]:
            return shape
        return shapely.clip_by_rect(
            shape, window.col_off - _MARGIN, window.row_off - _MARGIN,
            window.col_stop + _MARGIN, window.row_stop + _MARGIN,
        )  # fmt: skip
