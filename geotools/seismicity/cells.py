"""The cells of a forecast: a grid of degrees and the region in it, as the loops take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import GridError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["Place", "cell_area_km2", "cell_of", "cell_place", "inside"]

Place = tuple[float, float, float, float, bool, "NDArray[np.int32]"]
"""What `cell_place` gives."""


def cell_place(grid: Grid, region: NDArray[np.bool_]) -> Place:
    """Left, top, cell width and height in degrees, whether it goes round, (rows, cols) int32 cells.

    Cells of the region are numbered row by row; others are -1.

    Raises:
        GridError: the grid is not geographic, or the region is not of its shape.
    """
    if not grid.is_geographic:
        raise GridError("Seismicity is mapped on cells of degrees: give a grid in EPSG:4326.")
    region = np.asarray(region, dtype=bool)
    if region.shape != grid.shape:
        raise GridError(f"The region is {region.shape}, the grid {grid.shape}: make them alike.")
    index = np.full(grid.shape, -1, dtype=np.int32)
    index[region] = np.arange(np.count_nonzero(region), dtype=np.int32)
    left, bottom, right, top = grid.bounds
    if top > 90 + 1e-9 or bottom < -90 - 1e-9 or right - left > 360 + 1e-9:
        raise GridError(f"The grid's bounds {grid.bounds} are beyond the globe: cut it.")
    wraps = abs(right - left - 360) < 1e-6 * grid.transform.a
    return left, top, grid.transform.a, -grid.transform.e, wraps, index


def cell_area_km2(grid: Grid, region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(cells,) float64: area of every cell of the region in km2, row by row.

    Raises:
        GridError: the grid is not geographic, or the region is not of its shape.
    """
    *_, index = cell_place(grid, region)
    area = np.broadcast_to(grid.cell_area_m2()[:, None] / 1e6, index.shape)
    return np.asarray(area[index >= 0])


def inside(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], place: Place
) -> NDArray[np.bool_]:
    """(events,) bool: True where an event lies in a cell of the region."""
    return cell_of(longitude, latitude, place) >= 0


def cell_of(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], place: Place
) -> NDArray[np.int64]:
    """(events,) int64: the cell of the region that each event lies in, -1 outside.

    A cell holds its western and its northern edge; longitudes may differ by whole turns.
    """
    left, top, dx, dy, _, index = place
    # A hair, for edges that are not exact in binary; the south pole belongs to the last row.
    row = np.floor((top - latitude) / dy + 1e-9).astype(np.int64)
    row = np.where(latitude <= -90 + 1e-9, np.minimum(row, index.shape[0] - 1), row)
    col = np.floor(((longitude - left) % 360.0) / dx + 1e-9).astype(np.int64)
    held = (row >= 0) & (row < index.shape[0]) & (col >= 0) & (col < index.shape[1])
    cell = np.full(len(longitude), -1, dtype=np.int64)
    cell[held] = index[row[held], col[held]]
    return cell
