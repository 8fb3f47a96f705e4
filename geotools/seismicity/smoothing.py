"""Smoothed seismicity: where past earthquakes say that the next ones will be, as shares of cells.

Adaptive power-law smoothing as in Helmstetter, Kagan and Jackson (2007, SRL 78, 78-86).
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.cells import Place, cell_area_km2, cell_place
from geotools.seismicity.distance import EARTH_RADIUS_KM, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["neighbour_km", "smoothed_density", "smoothed_rates"]

_CORRECTED = 8.0
"""Cells up to so many cell sizes from an event are integrated; farther ones are their centre's
density times their area, which is within 0.6 % there."""


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
    threads: int = 2,
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
        threads: that share the work.

    Raises:
        EventsError: arrays that do not fit together, weights or options that cannot be.
        GridError: the grid is not geographic, or the region is not of its shape.
    """
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
    threads = max(threads, 1)
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
    summed = _summed(lon[some], lat[some], width[some], weight[some], place, threads)
    if not summed.sum() > 0:
        return even
    shares: NDArray[np.float64] = (1 - uniform) * summed / summed.sum() + uniform * even
    return shares


def _summed(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    width: NDArray[np.float64],
    weights: NDArray[np.float64],
    place: Place,
    threads: int,
) -> NDArray[np.float64]:
    """(cells,) summed weights in each cell: density at its centre times area, corrected nearby."""
    from geotools.seismicity._kernel_loops import kernel_rows

    left, top, dx, dy, _, index = place
    rows, cols = np.nonzero(index >= 0)
    middle = top - (rows + 0.5) * dy
    centres = left + (cols + 0.5) * dx, middle
    flat = 2 * math.sin(math.radians(dy) / 2) * np.cos(np.radians(middle))
    area = flat * math.radians(dx) * EARTH_RADIUS_KM**2  # on the sphere of the distances
    density = smoothed_density(
        longitude, latitude, width_km=width, weights=weights, at=centres, threads=threads
    )
    km = math.radians(1) * EARTH_RADIUS_KM
    size = km * np.maximum(dy, dx * np.cos(np.radians(latitude)))
    near = width < _CORRECTED * size

    def part(first: int) -> NDArray[np.float64]:
        some = np.flatnonzero(near)[first::threads]
        more = np.zeros(len(area))
        kernel_rows(
            longitude[some], latitude[some], width[some] ** 2, _CORRECTED * size[some], 0.5, place,
            weights[some], np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32),
            more, 2,
        )  # fmt: skip
        return more

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(part, range(threads)))
    summed: NDArray[np.float64] = np.maximum(density * area + np.sum(parts, axis=0), 0.0)
    return summed


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


def smoothed_density(
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    *,
    width_km: NDArray[np.floating],
    weights: NDArray[np.floating],
    at: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
    threads: int = 2,
) -> NDArray[np.float64]:
    """(places,) float64: summed weights of events per km2 at places, by the kernel of the maps.

    Args:
        longitude, latitude: (events,) degrees.
        width_km: (events,) h of each event, as `neighbour_km` gives it.
        weights: (events,) how much each event counts.
        at: longitudes and latitudes of the places; by default the events themselves, each
            without its own kernel, which would explain every event by that event.
        threads: that share the places.
    """
    from geotools.seismicity._kernel_loops import density_at

    points = np.ascontiguousarray(unit_vectors(longitude, latitude).T)  # (3, events)
    places = points if at is None else np.ascontiguousarray(unit_vectors(*at).T)
    width, weight = np.asarray(width_km, np.float64), np.asarray(weights, np.float64)
    density = np.empty(places.shape[1])
    threads = max(threads, 1)

    def part(first: int) -> None:
        density_at(places, points, width, weight, at is None, first, threads, density)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, range(threads)))
    return density
