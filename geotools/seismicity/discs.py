"""Where events are among the cells of a backbone: the cell each is in, and soft discs around each.

Cells are numbered in row-major order of the region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geotools.seismicity.backbone import Backbone

__all__ = ["cell_numbers", "cells_of", "disc"]


def cell_numbers(backbone: Backbone) -> NDArray[np.int64]:
    """(rows, cols) number of each cell of the region in row-major order; -1 outside."""
    index = np.full(backbone.grid.shape, -1, dtype=np.int64)
    index[backbone.region] = np.arange(backbone.cells)
    return index


def disc(
    backbone: Backbone,
    index: NDArray[np.int64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    radius_km: float,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """The cells within 2.5 radii of each event, with exp(-r^2 / (2 radius^2)), as CSR.

    Args:
        index: (rows, cols) numbers of the cells, -1 outside.
        backbone, longitude, latitude: as for `cell_features`.
        radius_km: of the disc.
    """
    from geotools.seismicity import _feature_loops as loops

    grid = backbone.grid
    west, north = grid.transform.c, grid.transform.f
    centre_lon = west + grid.transform.a * (np.arange(grid.width) + 0.5)
    centre_lat = north + grid.transform.e * (np.arange(grid.height) + 0.5)
    # Grids may be in longitudes of 0 to 360, events are in -180 to 180.
    middle = west + 0.5 * grid.width * grid.transform.a
    near = middle + (longitude - middle + 180.0) % 360.0 - 180.0
    wraps = grid.width * grid.transform.a > 360.0 - 1e-6
    first = np.zeros(len(near) + 1, dtype=np.int64)
    cells, weights = np.zeros(0, dtype=np.int32), np.zeros(0)
    places = near, latitude, radius_km, centre_lon, centre_lat, wraps, index, first
    count = loops.disc(*places, cells, weights)
    cells, weights = np.zeros(count, dtype=np.int32), np.zeros(count)
    loops.disc(*places, cells, weights)
    return first, cells, weights


def cells_of(
    backbone: Backbone, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(events,) number of the cell of the region that each place is in; -1 outside."""
    row, col = backbone.grid.locate(longitude, latitude)
    return np.where(row >= 0, cell_numbers(backbone)[row, col], -1).astype(np.int64)
