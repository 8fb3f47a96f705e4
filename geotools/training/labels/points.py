"""PointScene: points as labels of the cells that hold them; circles around points as shapes.

Points with a radius become polygons here and go the way of polygons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.grid import Grid, Window
from geotools.io.tables import numbers
from geotools.training.labels.radii import circles
from geotools.training.labels.scenes import Block
from geotools.training.labels.shapes import crs_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["PointScene", "as_circles", "radius_of"]

_RADII = {"radius_m": 1.0, "radius_km": 1000.0, "diameter_m": 0.5, "diameter_km": 500.0}
"""Keys of `labels.columns` that give a size, and the metres of radius in one unit."""


class PointScene:
    """Points on a grid, one label for each cell that holds any."""

    def __init__(
        self,
        grid: Grid,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        target: NDArray[np.int32] | NDArray[np.float32],
        feature: NDArray[np.int32],
        *,
        overlap: str,
    ) -> None:
        """
        Args:
            grid: the cells.
            x, y: (n,) places in the CRS of the grid; NaN for none.
            target: (n,) class, -2 for none; or value, NaN for none. Values in one cell are
                averaged.
            feature: (n,) number of the feature.
            overlap: what becomes of a cell with points of several classes: `first`, `last`; with
                any other word it is unlabelled.
        """
        self.grid = grid
        with np.errstate(invalid="ignore"):
            rows, cols = grid.locate(np.nan_to_num(x, nan=np.inf), np.nan_to_num(y, nan=np.inf))
        labelled = np.isfinite(target) if target.dtype.kind == "f" else target >= 0
        there = np.flatnonzero((rows >= 0) & labelled)
        self.number = len(there)
        cell = rows[there] * grid.width + cols[there]
        order = np.argsort(cell, kind="stable")
        there, cell = there[order], cell[order]
        self._cell, first, count = np.unique(cell, return_index=True, return_counts=True)
        last = first + count - 1
        chosen = last if overlap == "last" else first
        self._target = target[there][chosen]
        self._feature = feature[there][chosen]
        self.overlaps = self.dropped = self.idle = 0
        if target.dtype.kind == "f" and len(cell):
            sums = np.add.reduceat(target[there].astype(np.float64), first)
            self._target = (sums / count).astype(np.float32)
        elif len(cell):
            low = np.minimum.reduceat(target[there], first)
            high = np.maximum.reduceat(target[there], first)
            mixed = low != high
            self.overlaps = int(mixed.sum())
            if overlap not in ("first", "last"):
                self._target[mixed] = -2
                self.dropped = self.overlaps

    def may_hold(self, window: Window) -> bool:
        """See `LabelScene`."""
        return len(self._inside(window)) > 0

    def read(self, window: Window) -> Block:
        """See `LabelScene`."""
        values = self._target.dtype.kind == "f"
        target = np.full(window.shape, np.nan if values else -1, self._target.dtype)
        feature = np.full(window.shape, -1, np.int32)
        inside = self._inside(window)
        row, col = np.divmod(self._cell[inside], self.grid.width)
        target[row - window.row_off, col - window.col_off] = self._target[inside]
        feature[row - window.row_off, col - window.col_off] = self._feature[inside]
        return Block(target, feature)

    def _inside(self, window: Window) -> NDArray[np.intp]:
        width = self.grid.width
        low, high = np.searchsorted(self._cell, [window.row_off * width, window.row_stop * width])
        col = self._cell[low:high] % width
        found = (col >= window.col_off) & (col < window.col_stop)
        return np.asarray(np.flatnonzero(found) + low)


def radius_of(
    frame: GeoDataFrame, columns: Mapping[str, str] | None, buffer_m: float, name: str
) -> NDArray[np.float64] | None:
    """(n,) radius in metres around each point; None when each is its cell.

    Raises:
        LabelsError: a radius that is none, or a key that is unknown.
    """
    for key, column in (columns or {}).items():
        if key in ("x", "y"):
            continue
        if key not in _RADII:
            raise LabelsError(
                f"labels.columns has the key {key!r}: known are x, y, {', '.join(_RADII)}."
            )
        if column not in frame:
            raise LabelsError(f"{name} has no column {column!r}, which labels.columns names.")
        radius = numbers(frame[column], name) * _RADII[key] + buffer_m
        if not (np.isfinite(radius) & (radius > 0)).all():
            row = int(np.flatnonzero(~(np.isfinite(radius) & (radius > 0)))[0])
            raise LabelsError(
                f"{name}: column {column!r} holds no size above 0 in row {row + 1}: mend it."
            )
        return radius
    return np.full(len(frame), buffer_m) if buffer_m > 0 else None


def as_circles(
    x: NDArray[np.float64], y: NDArray[np.float64], radius_m: NDArray[np.float64], grid: Grid
) -> NDArray[np.object_]:
    """(n,) polygons in the CRS of the grid: circles on the ground around the places."""
    import shapely

    shapes = np.full(len(x), shapely.Polygon(), dtype=object)
    there = np.isfinite(x) & np.isfinite(y)
    shapes[there] = circles(x[there], y[there], radius_m[there], crs_of(grid))
    return shapes
