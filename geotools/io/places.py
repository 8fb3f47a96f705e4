"""Places: where the cells of one grid lie in another, exactly and whatever the window.

Every place is computed for itself, by PROJ where the CRS differ, so that a window gives the same
numbers as the whole. No pixels are read here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geotools.errors import GridError
from geotools.grid import Grid, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places2D = NDArray[np.float64]

__all__ = ["Places", "covering", "regrid", "touched"]

_SAME = 1e-6
"""Share of a cell by which cells that count as the same may differ."""

_NOWHERE = -1e12
"""Column and row of places that the other CRS does not have."""

_EDGE_POINTS = 33
"""Points along an edge of a grid that tell where it lies in another CRS."""

_BEND = 0.05
"""Share of its size by which an extent is made larger."""

_MAX_CELLS = 10**11

_SPARSE = 1000
"""Times the cells of its files that a mosaic may cover."""


class Places:
    """Where the cells of `target` lie in `source`, in columns and rows of the latter."""

    def __init__(self, target: Grid, source: Grid, name: str) -> None:
        """
        Args:
            target: the grid whose cells are asked for.
            source: the grid that they are looked up in.
            name: what messages call the source.

        Raises:
            GridError: no way leads from one CRS to the other.
        """
        self._target, self._source = target, source
        self._transformer = None
        if target.crs != source.crs:
            self._transformer = _transformer(target.crs, source.crs, name)
        self.around = _around(source)
        """Columns once around the Earth where longitudes go round, else None."""

    def at(self, cols: Places2D, rows: Places2D) -> tuple[Places2D, Places2D]:
        """Columns and rows in the source, each (rows, cols); far outside where there is no place.

        Args:
            cols, rows: (cols,) and (rows,) places in the target, 0.5 for the centre of a cell.
        """
        to, of = self._source.transform, self._target.transform
        x, y = of.c + of.a * cols, of.f + of.e * rows
        if self._transformer is None:
            col, row = self._wrapped((x - to.c) / to.a), (y - to.f) / to.e
            shape = len(rows), len(cols)
            return (
                np.array(np.broadcast_to(col[None, :], shape), order="C"),
                np.array(np.broadcast_to(row[:, None], shape), order="C"),
            )
        x, y = self._transformer.transform(*(axis.ravel() for axis in np.meshgrid(x, y)))
        shape = len(rows), len(cols)
        col, row = ((x - to.c) / to.a).reshape(shape), ((y - to.f) / to.e).reshape(shape)
        known = np.isfinite(col) & np.isfinite(row)
        col, row = np.where(known, self._wrapped(col), _NOWHERE), np.where(known, row, _NOWHERE)
        return col, row

    def centres(self, window: Window) -> tuple[Places2D, Places2D]:
        """Where the centres of a window's cells lie: columns and rows, each (rows, cols)."""
        return self.at(
            np.arange(window.col_off, window.col_stop, dtype=np.float64) + 0.5,
            np.arange(window.row_off, window.row_stop, dtype=np.float64) + 0.5,
        )

    def corners(self, window: Window) -> tuple[Places2D, Places2D]:
        """Where the corners of a window's cells lie, each (rows + 1, cols + 1)."""
        return self.at(
            np.arange(window.col_off, window.col_stop + 1, dtype=np.float64),
            np.arange(window.row_off, window.row_stop + 1, dtype=np.float64),
        )

    def shift(self) -> tuple[int, int] | None:
        """Whole (columns, rows) by which the source's cells are the target's, or None.

        Cells that differ by less than 1e-6 of their size are the same.
        """
        cols = np.linspace(0.25, self._target.width - 0.25, 9)
        rows = np.linspace(0.25, self._target.height - 0.25, 9)
        found_cols, found_rows = self.at(cols, rows)
        by_cols, by_rows = found_cols - cols[None, :], found_rows - rows[:, None]
        col, row = round(float(by_cols[0, 0])), round(float(by_rows[0, 0]))
        near = max(np.abs(by_cols - col).max(), np.abs(by_rows - row).max()) <= _SAME
        return (col, row) if near else None

    def scale(self) -> float:
        """Length of a target's cell in the source's cells: root of the area, in the middle."""
        col, row = self._target.width / 2, self._target.height / 2
        x, y = self.at(np.array([col - 0.5, col + 0.5]), np.array([row - 0.5, row + 0.5]))
        area = (x[0, 1] - x[0, 0]) * (y[1, 0] - y[0, 0]) - (x[1, 0] - x[0, 0]) * (y[0, 1] - y[0, 0])
        return math.sqrt(abs(float(area)))

    def extent(self) -> Window | None:
        """A window of the target that holds all of the source's cells on it, or None.

        It is larger than need be: by a twentieth of its size, which is more than an edge bends
        between the places that are looked at. Where longitudes go round, it holds all of them.
        """
        back = Places(self._source, self._target, "the grid")
        cols, rows = back.at(
            np.linspace(0, self._source.width, _EDGE_POINTS),
            np.linspace(0, self._source.height, _EDGE_POINTS),
        )
        if (cols == _NOWHERE).any():
            ours = self.at(
                np.linspace(0, self._target.width, _EDGE_POINTS),
                np.linspace(0, self._target.height, _EDGE_POINTS),
            )
            touches = _inside(*ours, self._source) or _inside(cols, rows, self._target)
            if touches or _crossing(*ours, self._source):
                return self._target.window
            return None
        low_col, high_col = float(cols.min()), float(cols.max())
        low_row, high_row = float(rows.min()), float(rows.max())
        slack_cols = _BEND * (high_col - low_col)
        slack_rows = _BEND * (high_row - low_row)
        if _apart(low_col, high_col, self._target.width) or _apart(
            low_row, high_row, self._target.height
        ):
            return None
        left, top = math.floor(low_col - slack_cols) - 1, math.floor(low_row - slack_rows) - 1
        right, bottom = math.ceil(high_col + slack_cols) + 1, math.ceil(high_row + slack_rows) + 1
        return Window(left, top, right - left, bottom - top).intersection(self._target.window)

    def _wrapped(self, cols: Places2D) -> Places2D:
        """Columns brought within half a turn of the source's middle; longitudes go round."""
        if self.around is None:
            return cols
        middle = self._source.width / 2
        turns = np.floor((cols - middle) / self.around + 0.5)
        return np.asarray(cols - turns * self.around)


def regrid(grid: Grid, *, crs: Any = None, cell_size: float | None = None) -> Grid:
    """The grid that covers the same place with another CRS or cell size.

    Its edges lie on multiples of the cell size; in another CRS the cells are as large as before,
    where no size is given.

    Args:
        grid: the place to cover.
        crs: rasterio.crs.CRS.
        cell_size: side of a cell in units of the CRS.

    Raises:
        GridError: no way leads to the CRS, or there would be too many cells.
    """
    bounds = grid.bounds
    size = (grid.transform.a, -grid.transform.e)
    if crs is not None and crs != grid.crs:
        transformer = _transformer(grid.crs, crs, "the raster")
        bounds = transformer.transform_bounds(*bounds, densify_pts=_EDGE_POINTS)
        if not all(map(math.isfinite, bounds)):
            raise GridError(f"The grid has no place in {crs}: name another CRS.")
        across = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
        side = _rounded(math.sqrt(across / (grid.width * grid.height)))
        size = (side, side)
    else:
        crs = grid.crs
    if cell_size is not None:
        size = (cell_size, cell_size)
    left, bottom, right, top = bounds
    first_col, last_col = _multiples(left, right, size[0])
    first_row, last_row = _multiples(-top, -bottom, size[1])
    width, height = max(last_col - first_col, 1), max(last_row - first_row, 1)
    if width == height == 1 and min(size) > 2 * max(right - left, top - bottom):
        raise GridError(
            f"A cell of {size[0]:g} is larger than the whole raster, {right - left:g} x "
            f"{top - bottom:g}: give a smaller cell size."
        )
    if width * height > _MAX_CELLS:
        raise GridError(
            f"Cells of {size[0]:g} are {width:,} x {height:,} of them: give a larger cell size."
        )
    transform = Affine(size[0], 0, first_col * size[0], 0, -size[1], -first_row * size[1])
    return Grid(crs, transform, width, height)


def covering(grids: Sequence[tuple[Grid, str]]) -> Grid:
    """The cells of the first grid, continued over all others.

    Args:
        grids: with the name of each.

    Raises:
        GridError: no way leads from one CRS to the first's, or they lie far apart.
    """
    first = grids[0][0]
    left, top, right, bottom = 0, 0, first.width, first.height
    cells = float(first.width * first.height)
    for grid, name in grids[1:]:
        cols, rows = Places(grid, first, name).at(
            np.linspace(0, grid.width, _EDGE_POINTS), np.linspace(0, grid.height, _EDGE_POINTS)
        )
        if (cols == _NOWHERE).any():
            raise GridError(f"{name} has no place in {first.crs}: name another grid.")
        left = min(left, math.floor(cols.min() + _SAME))
        top = min(top, math.floor(rows.min() + _SAME))
        right = max(right, math.ceil(cols.max() - _SAME))
        bottom = max(bottom, math.ceil(rows.max() - _SAME))
        cells += (float(cols.max()) - float(cols.min())) * (float(rows.max()) - float(rows.min()))
    if (right - left) * (bottom - top) > _SPARSE * cells:
        raise GridError("The rasters of a mosaic lie too far apart: give those of one place.")
    return first.cut(Window(left, top, right - left, bottom - top))


def touched(
    grid: Grid, bounds: tuple[float, float, float, float], *, crs: Any = None
) -> Window | None:
    """The window of the cells that a rectangle touches, or None where it touches none.

    On a geographic grid longitudes go round; a rectangle over the edge of a grid around the Earth
    touches both of its ends, and the window holds all between.

    Args:
        grid: the cells.
        bounds: (left, bottom, right, top).
        crs: rasterio.crs.CRS of these; the grid's when None.

    Raises:
        GridError: no way leads from one CRS to the other, or the rectangle has no place there.
    """
    left, bottom, right, top = bounds
    around = _around(grid)
    if crs is not None and crs != grid.crs:
        transformer = _transformer(crs, grid.crs, "the rectangle")
        left, bottom, right, top = transformer.transform_bounds(*bounds, densify_pts=_EDGE_POINTS)
        if not all(map(math.isfinite, (left, bottom, right, top))):
            raise GridError(f"The rectangle {bounds} has no place in {grid.crs}: give another.")
        if around is not None and left > right:  # over the 180th meridian
            right += around * grid.transform.a
    to = grid.transform
    low, high = (left - to.c) / to.a, (right - to.c) / to.a
    cols = [(low, high)]
    if around is not None:
        turns = range(math.floor(low / around) - 1, math.ceil(high / around) + 2)
        cols = [(low - turn * around, high - turn * around) for turn in turns]
    cols = [pair for pair in cols if not _apart(*pair, grid.width)]
    rows = (top - to.f) / to.e, (bottom - to.f) / to.e
    if not cols or _apart(*rows, grid.height):
        return None
    first_col, first_row = (math.floor(x + _SAME) for x in (min(a for a, _ in cols), rows[0]))
    last_col, last_row = (math.ceil(x - _SAME) for x in (max(b for _, b in cols), rows[1]))
    found = Window(first_col, first_row, max(last_col - first_col, 1), max(last_row - first_row, 1))
    return found.intersection(grid.window)


def _multiples(low: float, high: float, size: float) -> tuple[int, int]:
    return math.floor(low / size + _SAME), math.ceil(high / size - _SAME)


def _rounded(size: float) -> float:
    """A length of three figures."""
    return float(f"{size:.3g}")


def _transformer(of: Any, to: Any, name: str) -> Any:
    """Pyproj's way from one CRS to another, in x and y; heights stay what they are."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        start, end = (CRS.from_user_input(crs).to_2d() for crs in (of, to))
        return Transformer.from_crs(start, end, always_xy=True)
    except ProjError as error:
        lines = str(error).strip().splitlines()
        said = lines[0].rpartition(": ")[2].partition("(")[0].strip(" .)")
        why = "" if not said or said.startswith("Error creating") else f" ({said})"
        raise GridError(
            f"No way leads from the CRS of {name} to that of the grid{why}: give rasters of one "
            "place, or name the right CRS."
        ) from None


def _around(grid: Grid) -> float | None:
    """Columns once around the Earth on a geographic grid, else None."""
    if not grid.is_geographic:
        return None
    full_turn = round(2 * math.pi / float(grid.crs.units_factor[1]), 9)
    return full_turn / grid.transform.a


def _apart(low: float, high: float, cells: int) -> bool:
    return high <= _SAME or low >= cells - _SAME


def _inside(cols: Places2D, rows: Places2D, grid: Grid) -> bool:
    return bool(((cols >= 0) & (cols < grid.width) & (rows >= 0) & (rows < grid.height)).any())


def _crossing(cols: Places2D, rows: Places2D, grid: Grid) -> bool:
    """True when lines between neighbouring places may pass over the grid."""
    low_col, high_col = float(cols.min()), float(cols.max())
    low_row, high_row = float(rows.min()), float(rows.max())
    over = low_col < grid.width and high_col > 0 and low_row < grid.height and high_row > 0
    return over and bool((cols != _NOWHERE).all())
