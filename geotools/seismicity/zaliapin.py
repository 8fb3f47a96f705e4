"""Nearest neighbours in space, time and magnitude (Zaliapin & Ben-Zion), and clusters from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._index import checked_events
from geotools.seismicity.declustering import Declustered, of_clusters
from geotools.seismicity.distance import EARTH_RADIUS_KM, unit_vectors
from geotools.seismicity.rates import DAYS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Neighbours", "ZaliapinClusters", "nearest_neighbours", "two_modes", "zaliapin"]

_NAMES = ("time", "longitude", "latitude", "magnitude")
_LN10 = math.log(10)
_LEAF = 24
"""Events in a leaf of the search tree, at most."""

_LEAST_KM = 0.1
"""Epicentres that coincide are so far apart: below what catalogs resolve."""

_SEPARATION = 2.0
"""Two modes are two when their means lie so many standard deviations apart (Ashman et al. 1994)."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest earlier neighbour of every event."""

    parent: NDArray[np.int64]
    """(events,) number of that event; -1 for those with none before them."""
    log_eta: NDArray[np.float64]
    """(events,) log10 of eta = t r^df 10^(-b m), t in years, r in km; inf where parent is -1."""


@dataclass(frozen=True, slots=True)
class ZaliapinClusters(Declustered):
    """Clusters of events that are nearer to their neighbours than the background is."""

    background: NDArray[np.bool_]
    """(events,) True for the first event of each cluster: those that nothing triggered."""
    neighbours: Neighbours
    """What the clusters are made from."""
    threshold: float
    """log10 eta below which an event belongs to its parent; -inf where there is one mode."""


def zaliapin(
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    b: float = 1.0,
    dimension: float = 1.6,
    threshold: float | None = None,
) -> ZaliapinClusters:
    """Clusters by nearest-neighbour distance (Zaliapin et al. 2008; Zaliapin & Ben-Zion 2013).

    log10 eta of clustered and of background events make two modes; where the densities of two
    normal distributions that are fitted to them cross is the threshold. Where the modes do not
    stand apart, as in a catalog without clusters, every event is background.

    Args:
        time_days: (events,) days; events may lie in any order.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
        magnitude: (events,) all known, all complete.
        b: the b-value.
        dimension: fractal dimension df of epicentres.
        threshold: log10 eta; from the modes when None.

    Raises:
        EventsError: arrays that do not match, values that are missing.
    """
    found = nearest_neighbours(time_days, longitude, latitude, magnitude, b=b, dimension=dimension)
    time, lon, lat, mag = checked_events(time_days, longitude, latitude, magnitude, names=_NAMES)
    if threshold is None:
        threshold = two_modes(found.log_eta)
    root = ~(found.log_eta < threshold)
    name = np.where(root, np.arange(root.size), found.parent)
    while True:  # each round doubles the way to the root
        further = name[name]
        if np.array_equal(further, name):
            break
        name = further
    made = of_clusters(time, lon, lat, mag, name)
    return ZaliapinClusters(made.cluster, made.mainshock, root, found, threshold)


def nearest_neighbours(
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    b: float = 1.0,
    dimension: float = 1.6,
) -> Neighbours:
    """The earlier event that each event is nearest to, exactly (Baiesi & Paczuski 2004, eq. 3).

    The metric is eta = t r^dimension 10^(-b m), m of the earlier event; simultaneous events are
    no neighbours. The search goes through a tree: about n log n, never n times n.

    Args:
        time_days: (events,) days; events may lie in any order.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
        magnitude: (events,) all known.
        b: the b-value.
        dimension: fractal dimension of epicentres.

    Raises:
        EventsError: arrays that do not match, values that are missing, parameters below 0.
    """
    if not (0 < b < 10 and 0 < dimension <= 3):
        raise EventsError(f"b {b:g} and dimension {dimension:g}: give b near 1 and at most 3.")
    time, lon, lat, mag = checked_events(time_days, longitude, latitude, magnitude, names=_NAMES)
    if not time.size:
        return Neighbours(np.zeros(0, np.int64), np.zeros(0))
    from geotools.seismicity._nearest import nearest_earlier

    vectors = unit_vectors(lon, lat)
    tree = _tree(vectors, time)
    order = tree["order"]
    in_time = np.lexsort((lat[order], lon[order], mag[order], time[order]))
    nearest, distance = nearest_earlier(
        in_time,
        time[order] / DAYS_PER_YEAR,
        b * _LN10 * mag[order],
        vectors[order],
        tree["leaf"],
        tree["begin"],
        tree["end"],
        tree["child"],
        tree["parent"],
        tree["center"],
        tree["radius"],
        dimension,
        _LEAST_KM,
        EARTH_RADIUS_KM,
    )
    parent, log_eta = np.empty_like(nearest), np.empty_like(distance)
    parent[order] = np.where(nearest >= 0, order[nearest], -1)
    log_eta[order] = distance / _LN10
    return Neighbours(parent, log_eta)


def two_modes(log_eta: NDArray[np.floating]) -> float:
    """Where two normal distributions fitted to the values cross, between their means.

    -inf when the two do not stand apart (Ashman's D below 2), or with fewer than 50 values. The
    fit is by expectation and maximisation on a histogram of 500 bins.

    Args:
        log_eta: (events,); values that are not finite are left out.
    """
    values = np.asarray(log_eta, np.float64)
    values = values[np.isfinite(values)]
    if values.size < 50 or np.ptp(values) == 0:
        return -math.inf
    counts, edges = np.histogram(values, 500)
    x = (edges[1:] + edges[:-1]) / 2
    share = counts / values.size
    mean = np.quantile(values, [0.2, 0.8])
    sd = np.full(2, values.std() / 2)
    weight = np.full(2, 0.5)
    for _ in range(1000):
        density = _normals(x, weight, mean, sd)  # (2, bins)
        member = density / np.maximum(density.sum(axis=0), 1e-300) * share
        before, weight = mean, member.sum(axis=1)
        if weight.min() < 1e-6:
            return -math.inf
        mean = member @ x / weight
        sd = np.sqrt((member * (x - mean[:, None]) ** 2).sum(axis=1) / weight)
        sd = np.maximum(sd, edges[1] - edges[0])
        if np.abs(mean - before).max() < 1e-7:
            break
    low, high = np.argsort(mean)
    if mean[high] - mean[low] < _SEPARATION * math.sqrt((sd**2).mean()):
        return -math.inf
    between = np.linspace(mean[low], mean[high], 10_001)
    density = _normals(between, weight, mean, sd)
    return float(between[np.argmin(np.abs(np.log(density[low]) - np.log(density[high])))])


def _normals(
    x: NDArray[np.float64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(2, values) density of each of the two, times its weight; the root of 2 pi left out."""
    standard = (x - mean[:, None]) / sd[:, None]
    densities: NDArray[np.float64] = (weight / sd)[:, None] * np.exp(-(standard**2) / 2)
    return densities


def _tree(vectors: NDArray[np.float64], time: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Events cut in half over and over, in x, y, z or time, wherever they reach farthest."""
    points = np.column_stack([vectors, time])  # (events, 4)
    extent = np.ptp(points, axis=0)
    scale = np.array([extent[:3].max() or 1.0] * 3 + [extent[3] or 1.0])
    points = points / scale
    order = np.arange(time.size)
    begin, end, child, parent = [0], [time.size], [-1], [-1]
    node = 0
    while node < len(begin):
        first, stop = begin[node], end[node]
        part = order[first:stop]
        if part.size > _LEAF:
            axis = int(np.argmax(np.ptp(points[part], axis=0)))
            half = part.size // 2
            order[first:stop] = part[np.argpartition(points[part, axis], half)]
            child[node] = len(begin)
            begin += [first, first + half]
            end += [first + half, stop]
            child += [-1, -1]
            parent += [node, node]
        node += 1
    center, radius = np.empty((len(begin), 3)), np.empty(len(begin))
    leaf = np.empty(time.size, np.int64)
    for number, (first, stop) in enumerate(zip(begin, end, strict=True)):
        inside = vectors[order[first:stop]]
        center[number] = (inside.max(axis=0) + inside.min(axis=0)) / 2
        offsets = inside - center[number]
        # a little more, for the rounding of what is compared with it
        radius[number] = math.sqrt((offsets**2).sum(axis=1).max()) * (1 + 1e-9) + 1e-12
        if child[number] < 0:
            leaf[first:stop] = number
    return {
        "order": order,
        "leaf": leaf,
        "begin": np.array(begin),
        "end": np.array(end),
        "child": np.array(child),
        "parent": np.array(parent),
        "center": center,
        "radius": radius,
    }
