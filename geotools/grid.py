"""Where things are: windows, grids and tiles, as pure arithmetic on frozen values.

No pixels and no files here; a `Grid` is an affine place for pixels, and every operation returns
a new value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geotools.errors import GridError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Grid", "Tile", "TileScheme", "Window"]

_FEW = 4
"""Up to so many tiles along an axis are made equally long."""

_EDGE = 1e-9
"""Share of a cell within which a place is on its edge."""

_POLE_DEG = 89.9999
"""Rows nearer to a pole than this are measured here: at the pole itself a cell has no width."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole cells, in rasterio's words; it may reach beyond its raster."""

    col_off: int
    """First column; negative when the window starts left of the raster."""
    row_off: int
    """First row; negative when the window starts above the raster."""
    width: int
    """Number of columns, at least 1."""
    height: int
    """Number of rows, at least 1."""

    def __post_init__(self) -> None:
        values = (self.col_off, self.row_off, self.width, self.height)
        # Millions are made of a large raster: a type is looked at first, as that is faster.
        if {*map(type, values)} != {int} and not all(isinstance(value, int) for value in values):
            raise GridError(f"Window takes whole numbers, not {values}: round them first.")
        if self.width < 1 or self.height < 1:
            raise GridError(
                f"Window of {self.width} x {self.height} cells: give at least 1 x 1 cell."
            )

    @property
    def col_stop(self) -> int:
        """The column after the last."""
        return self.col_off + self.width

    @property
    def row_stop(self) -> int:
        """The row after the last."""
        return self.row_off + self.height

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    def slices(self, origin: Window | None = None) -> tuple[slice, slice]:
        """Row and column slices of this window in an array that begins at `origin`."""
        row, col = (origin.row_off, origin.col_off) if origin else (0, 0)
        return (
            slice(self.row_off - row, self.row_stop - row),
            slice(self.col_off - col, self.col_stop - col),
        )

    def intersection(self, other: Window) -> Window | None:
        """The cells that both windows have, or None."""
        left, top = max(self.col_off, other.col_off), max(self.row_off, other.row_off)
        right, bottom = min(self.col_stop, other.col_stop), min(self.row_stop, other.row_stop)
        if right <= left or bottom <= top:
            return None
        return Window(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up affine place for pixels: CRS, transform and size, without the pixels."""

    crs: Any
    """rasterio.crs.CRS of the coordinates."""
    transform: Affine
    """From (column, row) of a cell corner to (x, y) in the CRS; north-up, no rotation."""
    width: int
    """Number of columns."""
    height: int
    """Number of rows."""

    def __post_init__(self) -> None:
        if self.crs is None:
            raise GridError("The grid has no CRS: name one, for example --crs EPSG:32633.")
        if self.width < 1 or self.height < 1:
            raise GridError(f"Grid of {self.width} x {self.height} cells: needs at least 1 x 1.")
        t = self.transform
        if not all(math.isfinite(value) for value in t[:6]):
            raise GridError(f"The transform {tuple(t[:6])} is not finite: georeference the raster.")
        if t.b or t.d or t.a <= 0 or t.e >= 0:
            raise GridError(
                f"The transform {tuple(t[:6])} is not north-up: warp the raster first, "
                "for example with gdalwarp."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def window(self) -> Window:
        """The window that holds the whole grid."""
        return Window(0, 0, self.width, self.height)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in units of the CRS."""
        left, top = self.transform @ (0, 0)
        right, bottom = self.transform @ (self.width, self.height)
        return left, bottom, right, top

    @property
    def is_geographic(self) -> bool:
        """True when the coordinates are longitude and latitude."""
        return bool(self.crs.is_geographic)

    def locate(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column, int64, of the cell that each place is in; both -1 outside the grid.

        A cell holds its left and its upper edge; a place as near as 1e-9 of a cell to an edge is
        on it, because edges of 0.1 degrees are not exact in binary. On a geographic grid
        longitudes go round, and the south pole is in the last row.

        Args:
            x, y: (places,) in units of the CRS.
        """
        cols = (x - self.transform.c) / self.transform.a
        if self.is_geographic:
            around = 360 / self.transform.a
            cols = cols % around
            cols = np.where(cols >= around - _EDGE, 0.0, cols)
        rows = (y - self.transform.f) / self.transform.e
        row = np.floor(rows + _EDGE)
        if self.is_geographic:
            row = np.where((row == self.height) & (y <= _EDGE - 90), self.height - 1, row)
        col = np.floor(cols + _EDGE)
        inside = (col >= 0) & (col < self.width) & (row >= 0) & (row < self.height)
        return (
            np.where(inside, row, -1).astype(np.int64),
            np.where(inside, col, -1).astype(np.int64),
        )

    def cut(self, window: Window) -> Grid:
        """The grid of the cells of `window`, which may reach beyond this one."""
        shifted = self.transform @ Affine.translation(window.col_off, window.row_off)
        return Grid(self.crs, shifted, window.width, window.height)

    def phase(self, multiple: int) -> tuple[int, int]:
        """(column, row) of the first cell whose place counted from the CRS's origin is a multiple.

        Two grids that are cut out of one bigger grid agree on which cells these are, so that
        strides laid from them fall on the same places. A quarter is added before rounding down,
        because origins on whole and on half cells are both common.
        """
        col = math.floor(self.transform.c / self.transform.a + 0.25)
        row = math.floor(self.transform.f / self.transform.e + 0.25)
        return -col % multiple, -row % multiple

    def cell_size_m(
        self, window: Window | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cell size in metres along x and along y, each of shape (rows,), float64.

        With a window, which may reach beyond the grid, of its rows: the same numbers to the last
        bit, whatever the window.

        Projected: the linear unit of the CRS, in Web Mercator divided by its scale at the row.
        Geographic: arc lengths on the ellipsoid at the row's centre, from the radii of curvature
        of the prime vertical N cos(lat) and of the meridian M (Snyder 1987, eq. 4-20, 4-18).

        Raises:
            GridError: the CRS's ellipsoid cannot be read.
        """
        x, y = self.transform.a, -self.transform.e
        window = window or self.window
        rows = np.arange(window.row_off, window.row_stop, dtype=np.float64) + 0.5
        northing = self.transform.f + self.transform.e * rows  # (rows,)
        factor = float(self.crs.units_factor[1])  # metres, or radians, for one unit
        if self.is_geographic:
            prime, meridian, latitude = self._radii_m(northing * factor)
            return x * factor * prime * np.cos(latitude), y * factor * meridian
        if self._is_web_mercator:
            major, _ = self._ellipsoid()
            latitude = np.arctan(np.sinh(northing / major))
            prime, meridian, latitude = self._radii_m(latitude)
            # Pseudo-Mercator is a sphere of radius `major`: its scale is major / (R cos lat).
            return x * prime * np.cos(latitude) / major, y * meridian * np.cos(latitude) / major
        return np.full(window.height, x * factor), np.full(window.height, y * factor)

    def cell_area_m2(self) -> NDArray[np.float64]:
        """Area of one cell in square metres, of shape (rows,), float64.

        Geographic: the exact area of the cell between its two parallels on the ellipsoid (the
        authalic integral, Snyder 1987, eq. 3-12). Projected: the planar area in the CRS's own
        unit, made square metres; what the projection does to areas is undone for Web Mercator,
        where it is large, and for no other.
        """
        factor = float(self.crs.units_factor[1])
        width, height = self.transform.a * factor, -self.transform.e * factor
        if self._is_web_mercator:
            x_m, y_m = self.cell_size_m()
            return x_m * y_m
        if not self.is_geographic:
            return np.full(self.height, width * height)
        edges = self.transform.f + self.transform.e * np.arange(self.height + 1, dtype=np.float64)
        major, flattening = self._ellipsoid()
        e2 = flattening * (2 - flattening)
        sine = np.sin(np.clip(edges * factor, -math.pi / 2, math.pi / 2))
        if e2 < 1e-12:  # a sphere
            integral = 2 * sine
        else:
            e = math.sqrt(e2)
            integral = sine / (1 - e2 * sine**2) + np.arctanh(e * sine) / e
        area = width * major**2 * (1 - e2) / 2 * -np.diff(integral)
        return np.asarray(area)

    @property
    def _is_web_mercator(self) -> bool:
        return "Pseudo-Mercator" in self.crs.wkt or "Popular Visualisation" in self.crs.wkt

    def _ellipsoid(self) -> tuple[float, float]:
        """Semi-major axis in metres and flattening, from the CRS's WKT."""
        found = re.search(
            r'(?:SPHEROID|ELLIPSOID)\["[^"]*",([\d.eE+-]+),([\d.eE+-]+)', self.crs.wkt
        )
        if not found:
            raise GridError(f"The CRS {self.crs} names no ellipsoid: assign one with --crs.")
        major, inverse = float(found[1]), float(found[2])
        return major, 1 / inverse if inverse else 0.0

    def _radii_m(
        self, latitude: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Prime vertical and meridian radius of curvature in metres, and the latitude used."""
        limit = math.radians(_POLE_DEG)
        latitude = np.clip(latitude, -limit, limit)
        major, flattening = self._ellipsoid()
        e2 = flattening * (2 - flattening)
        w2 = 1 - e2 * np.sin(latitude) ** 2
        return major / np.sqrt(w2), major * (1 - e2) / w2**1.5, latitude


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a grid: what to read (with its halo) and what to write."""

    read: Window
    """Cells to read; may reach beyond the raster, where they are invalid."""
    write: Window
    """Cells to write, inside the raster and inside `read`."""

    @property
    def inner(self) -> tuple[slice, slice]:
        """Row and column slices of the written cells in an array of the read ones."""
        return self.write.slices(self.read)


@dataclass(frozen=True, slots=True)
class TileScheme:
    """How a grid is cut into tiles; the write windows cover it exactly once."""

    size: int
    """Cells on a side of a write window, at most."""
    margin: int = 0
    """Halo: cells of surroundings that a tile needs on every side."""
    stride_multiple: int = 1
    """Read windows begin on this multiple, counted from the CRS's origin, and are as long."""

    def __post_init__(self) -> None:
        if self.size < 1 or self.margin < 0 or self.stride_multiple < 1:
            raise GridError(
                f"TileScheme(size={self.size}, margin={self.margin}, "
                f"stride_multiple={self.stride_multiple}): size and multiple are at least 1, "
                "the margin at least 0."
            )

    def count(self, grid: Grid) -> int:
        """Number of tiles of `grid`."""
        cols, rows = (math.ceil(cells / self._length(cells)) for cells in (grid.width, grid.height))
        return cols * rows

    def _length(self, cells: int) -> int:
        """Cells of a tile along an axis of so many: `size`, or less where few tiles share evenly.

        1,201 cells in tiles of 1,024 are two of 608, instead of one of 1,024 and one that reads
        1,024 to write 177. Where there are many tiles the waste is small, and whole blocks of
        the file matter more.
        """
        count = math.ceil(cells / self.size)
        if count > _FEW:
            return self.size
        even = math.ceil(cells / count)
        return min(self.size, math.ceil(even / 16) * 16)

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        """The tiles of `grid`, row by row; all read windows have one shape."""
        col_phase, row_phase = grid.phase(self.stride_multiple)
        cols = list(self._spans(grid.width, col_phase))
        for row, height, read_row, read_height in self._spans(grid.height, row_phase):
            for col, width, read_col, read_width in cols:
                yield Tile(
                    read=Window(read_col, read_row, read_width, read_height),
                    write=Window(col, row, width, height),
                )

    def _spans(self, cells: int, phase: int) -> Iterator[tuple[int, int, int, int]]:
        """(first, length) to write and (first, length) to read, along one axis.

        A raster smaller than a tile gets one short tile. Otherwise the last tile slides back
        until it ends with the raster's own halo, so that it reads raster and not emptiness.
        """
        multiple, size = self.stride_multiple, self._length(cells)
        slack = multiple - 1  # room to begin on a multiple
        reading = min(size, cells) + 2 * self.margin + slack
        reading = -(-reading // multiple) * multiple
        for first in range(0, cells, size):
            length = min(size, cells - first)
            start = first - self.margin
            if length < size:
                start = max(start - (size - length), -self.margin)
            start -= (start - phase) % multiple
            yield first, length, start, reading
