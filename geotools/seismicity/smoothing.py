"""Smoothed seismicity: where past earthquakes say that the next ones will be, as shares of cells.

Adaptive power-law smoothing as in Helmstetter, Kagan and Jackson (2007, SRL 78, 78-86).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.cells import cell_area_km2, cell_place
from geotools.seismicity.distance import EARTH_RADIUS_KM, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["neighbour_km", "smoothed_rates"]


def smoothed_rates(
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    grid: Grid,
    region: NDArray[np.bool_],
    *,
    weights: NDArray[np.floating] | None = None,
    neighbours: int = 6,
    minimum_km: float = 2.0,
    uniform: float = 0.01,
) -> NDArray[np.float64]:
    """(cells,) float64: the share of events that falls into each cell of the region; sum 1.

    Every event is spread by h / (2 pi (r^2 + h^2)^1.5) with h the distance to its neighbour of
    that rank, along great circles, and integrated over the cells; what falls outside the region
    is given back to it in proportion. To that comes a uniform part by area, so that no cell is
    without a rate. Without events all is uniform.

    Args:
        longitude, latitude: (events,) degrees; in the region or not.
        grid: geographic, north-up.
        region: (rows, cols) True where cells belong to the forecast; order row by row.
        weights: (events,) how much each event counts, at least 0; 1 by default.
        neighbours: rank of the neighbour that sets h; the farthest where there are fewer.
        minimum_km: h is at least this, also of a single event.
        uniform: share that is spread evenly over the region.

    Raises:
        EventsError: arrays that do not fit together, weights or options that cannot be.
        GridError: the grid is not geographic, or the region is not of its shape.
    """
    from geotools.seismicity._kernel_loops import kernel_rows

    lon, lat = (np.asarray(values, dtype=np.float64) for values in (longitude, latitude))
    weight = np.ones(len(lon)) if weights is None else np.asarray(weights, dtype=np.float64)
    if lon.ndim != 1 or lon.shape != lat.shape or weight.shape != lon.shape:
        raise EventsError(
            f"Events to smooth have {lon.shape} longitudes, {lat.shape} latitudes and "
            f"{weight.shape} weights: give one of each per event."
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise EventsError("Weights of events to smooth must be numbers from 0 up.")
    if not 0 <= uniform <= 1 or not minimum_km > 0 or neighbours < 1:
        raise EventsError(
            f"Smoothing takes a uniform part from 0 to 1, not {uniform}, at least 1 neighbour, "
            f"not {neighbours}, and a distance above 0 km, not {minimum_km}."
        )
    place = cell_place(grid, region)
    area = cell_area_km2(grid, region)
    if not len(area):
        raise EventsError("The region to smooth over has no cell: widen it.")
    even: NDArray[np.float64] = area / area.sum()
    used = np.isfinite(lon) & np.isfinite(lat)
    lon, lat, weight = lon[used], lat[used], weight[used]
    if not weight.sum() > 0:
        return even
    width = neighbour_km(lon, lat, neighbours=neighbours, minimum_km=minimum_km)
    some = weight > 0
    summed = np.zeros(len(area))
    nothing = np.zeros(0)
    kernel_rows(
        lon[some], lat[some], width[some] ** 2, np.full(some.sum(), math.pi * EARTH_RADIUS_KM), 0.5,
        place, weight[some], np.zeros(1, np.int64), np.zeros(0, np.int32), nothing, summed, 2,
    )  # fmt: skip
    if not summed.sum() > 0:
        return even
    shares: NDArray[np.float64] = (1 - uniform) * summed / summed.sum() + uniform * even
    return shares


def neighbour_km(
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    *,
    neighbours: int = 6,
    minimum_km: float = 2.0,
) -> NDArray[np.float64]:
    """(events,) float64: km to each event's neighbour of that rank, at least the minimum.

    Args:
        longitude, latitude: (events,) degrees.
        neighbours: rank; with fewer other events, the farthest of them.
        minimum_km: smallest distance that is given; a single event has it.
    """
    from scipy.spatial import cKDTree

    points = unit_vectors(longitude, latitude)
    rank = min(neighbours, len(points) - 1)
    if rank < 1:
        return np.full(len(points), float(minimum_km))
    chord, _ = cKDTree(points).query(points, k=[rank + 1])  # the first is the event itself
    distance = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord[:, 0] / 2, 1))
    width: NDArray[np.float64] = np.maximum(distance, minimum_km)
    return width
