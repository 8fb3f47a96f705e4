"""Resampled: a source brought onto another grid, window by window.

Which cells are looked at is exact and does not depend on the window; the loops are in
`_resampling`, the places in `places`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.compiled import KeptLoop
from geotools.errors import RasterError
from geotools.grid import Grid, Window
from geotools.io.places import Places
from geotools.raster import Raster, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["METHODS", "OF_CODES", "Resampled"]

METHODS = ("nearest", "bilinear", "cubic", "average", "mode", "min", "max", "median")
"""The ways, in GDAL's words."""

OF_CODES = ("nearest", "mode", "min", "max")
"""Those that give values which were there before, as codes need."""

_UNDER = ("average", "min", "max", "mode", "median")
"""Those that look at all cells under a cell; the position is the number that the loop takes."""

_LEAST = 0.25 - 1e-6
"""Share of a cell that must be known under it: a quarter, so that no hole is left where four
tiles meet in it."""

_ON_EDGE = 1e-6
"""Share of a cell within which a place belongs to the next cell."""

_MAX_CELLS = 2**24
"""Cells of the source that are read at once; a window that needs more is cut."""

_MAX_UNDER = 2**24
"""Cells of the source in one cell."""

_between = KeptLoop("geotools.io._resampling", "between")
_under = KeptLoop("geotools.io._resampling", "under")


class Resampled:
    """A `Source` on another grid."""

    def __init__(
        self, source: Source, grid: Grid, method: str, *, dtype: np.dtype[Any], name: str
    ) -> None:
        """
        Args:
            source: what to read.
            grid: the cells that are wanted.
            method: one of `METHODS`.
            dtype: of the source's values.
            name: what messages call it.

        Raises:
            GridError: no way leads from the source's CRS to the grid's.
        """
        self.grid, self.bands = grid, source.bands
        self._source, self._method, self._name = source, method, name
        self._places = Places(grid, source.grid, name)
        self._shift, self._extent = self._places.shift(), self._places.extent()
        keeps = self._shift is not None or method in OF_CODES
        exact = np.can_cast(dtype, np.float32)
        self.dtype = dtype if keeps else np.dtype(np.float32 if exact else np.float64)

    @property
    def scale(self) -> float:
        """Length of a cell of the grid in cells of the source."""
        return self._places.scale()

    @property
    def overlaps(self) -> bool:
        """False when the source is elsewhere."""
        return self._extent is not None

    def read(self, window: Window) -> Raster:
        """The cells of `window`; those beyond the grid are invalid and 0."""
        data = np.zeros((len(self.bands), *window.shape), self.dtype)  # (band, row, col)
        valid = np.zeros(window.shape, np.bool_)
        inside = self._extent and window.intersection(self._extent)
        if inside is not None:
            rows, cols = inside.slices(window)
            if self._shift is not None:
                moved = Window(
                    inside.col_off + self._shift[0], inside.row_off + self._shift[1],
                    inside.width, inside.height,
                )  # fmt: skip
                block = self._source.read(moved)
                data[:, rows, cols], valid[rows, cols] = block.data, block.valid
            else:
                self._fill(data[:, rows, cols], valid[rows, cols], inside)
        return Raster(data, valid, self.grid.cut(window), self.bands)

    def _fill(self, data: NDArray[Any], valid: NDArray[np.bool_], window: Window) -> None:
        """Nothing; writes the cells of a window inside the grid."""
        under = self._method in _UNDER
        cols, rows = self._places.corners(window) if under else self._places.centres(window)
        needed = self._needed(cols, rows)
        if needed is None:
            return
        if needed.width * needed.height > _MAX_CELLS and window.width * window.height > 1:
            for part in _halves(window):
                inner = part.slices(window)
                self._fill(data[:, *inner], valid[inner], part)
            return
        if needed.width * needed.height > _MAX_UNDER:
            raise RasterError(
                f"One cell of the grid holds {needed.width} x {needed.height} cells of "
                f"{self._name}: make it coarser first (gdalwarp -r average -tr)."
            )
        block = self._source.read(needed)
        if not block.valid.any():
            return
        if self._method == "nearest":
            _take_nearest(block, needed, cols, rows, data, valid)
            return
        ordered = self._method in ("mode", "median")
        room = np.empty((2, _largest_box(cols, rows) if ordered else 0))
        around = float(self._places.around or 0)
        seam = (self._source.grid.width + around) / 2
        out = np.empty(window.shape)
        for band, values in enumerate(block.data):
            z = values.astype(np.float64)  # (row, col)
            z[~block.valid] = np.nan
            offsets = needed.col_off, needed.row_off
            if under:
                number = _UNDER.index(self._method)
                _under(z, *offsets, number, _LEAST, around, seam, cols, rows, room[0], room[1], out)
            else:
                _between(z, *offsets, int(self._method == "cubic"), cols, rows, out)
            known = np.isfinite(out)
            valid[:] = known if band == 0 else valid & known
            np.copyto(data[band], out, where=known, casting="unsafe")

    def _needed(self, cols: NDArray[np.float64], rows: NDArray[np.float64]) -> Window | None:
        """The window of the source around these places, or None when it has none of them."""
        grid = self._source.grid
        under = self._method in _UNDER
        slack = 1 if under else 0  # a corner outside may belong to a cell that is partly inside
        near = (cols > -slack - _ON_EDGE) & (cols < grid.width + slack)
        near &= (rows > -slack - _ON_EDGE) & (rows < grid.height + slack)
        if under:
            near = _of_boxes(cols, rows, grid)
        if not near.any():
            return None
        margin = {"nearest": 1, "bilinear": 2, "cubic": 3}.get(self._method, 1)
        return Window(
            first := max(math.floor(cols[near].min()) - margin, 0),
            top := max(math.floor(rows[near].min()) - margin, 0),
            max(min(math.ceil(cols[near].max()) + margin, grid.width) - first, 1),
            max(min(math.ceil(rows[near].max()) + margin, grid.height) - top, 1),
        )


def _of_boxes(
    cols: NDArray[np.float64], rows: NDArray[np.float64], grid: Grid
) -> NDArray[np.bool_]:
    """True for the corners of all boxes that touch the grid: (rows + 1, cols + 1)."""
    corners = (slice(None, -1), slice(1, None))
    boxes = [np.stack([values[r, c] for r in corners for c in corners]) for values in (cols, rows)]
    touch = (boxes[0].min(axis=0) < grid.width) & (boxes[0].max(axis=0) > 0)
    touch &= (boxes[1].min(axis=0) < grid.height) & (boxes[1].max(axis=0) > 0)
    near = np.zeros(cols.shape, np.bool_)
    for r in corners:
        for c in corners:
            near[r, c] |= touch
    return near


def _largest_box(cols: NDArray[np.float64], rows: NDArray[np.float64]) -> int:
    """Cells that the largest box can hold."""
    corners = (slice(None, -1), slice(1, None))
    sides = []
    for values in (cols, rows):
        box = np.stack([values[r, c] for r in corners for c in corners])
        sides.append(np.ceil(box.max(axis=0) - box.min(axis=0)) + 1)
    return int(min((sides[0] * sides[1]).max(), _MAX_UNDER))


def _take_nearest(
    block: Raster,
    window: Window,
    cols: NDArray[np.float64],
    rows: NDArray[np.float64],
    data: NDArray[Any],
    valid: NDArray[np.bool_],
) -> None:
    """Nothing; writes the cell that holds each place."""
    col = np.floor(cols + _ON_EDGE).astype(np.int64) - window.col_off
    row = np.floor(rows + _ON_EDGE).astype(np.int64) - window.row_off
    inside = (col >= 0) & (col < window.width) & (row >= 0) & (row < window.height)
    col, row = np.where(inside, col, 0), np.where(inside, row, 0)
    valid[:] = inside & block.valid[row, col]
    for band, values in enumerate(block.data):
        np.copyto(data[band], values[row, col], where=valid)


def _halves(window: Window) -> tuple[Window, Window]:
    """The window cut across its longer side."""
    if window.width >= window.height:
        left = window.width // 2
        return (
            Window(window.col_off, window.row_off, left, window.height),
            Window(window.col_off + left, window.row_off, window.width - left, window.height),
        )
    top = window.height // 2
    return (
        Window(window.col_off, window.row_off, window.width, top),
        Window(window.col_off, window.row_off + top, window.width, window.height - top),
    )
