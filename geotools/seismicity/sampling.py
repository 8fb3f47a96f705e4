"""Events gathered for the cells of a map: those inside, within a radius, or the nearest.

What a map makes of them is in `quantities`. No n cells times n events anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from geotools.seismicity._index import SphereIndex, chord
from geotools.seismicity.distance import EARTH_RADIUS_KM, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Window

__all__ = ["Cells", "Events", "Inside", "Nearest", "Sampler", "Samples", "Within"]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """What a map needs to know of each event."""

    longitude: NDArray[np.float64]
    """(events,) degrees."""
    latitude: NDArray[np.float64]
    """(events,) degrees."""
    codes: NDArray[np.int64]
    """(events,) what is counted apart: a bin of magnitude or of time; -1 is not counted."""
    code_count: int
    """Number of codes."""
    values: NDArray[np.float64]
    """(events, kinds) what is summed up."""
    ranked: NDArray[np.float64]
    """(events,) what the largest is wanted of."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A rectangle of cells, row by row."""

    window: Window
    """Where they are in the grid."""
    longitude: NDArray[np.float64]
    """(cells,) degrees of their centres; inf where the projection has no place."""
    latitude: NDArray[np.float64]
    """(cells,) degrees."""
    area_km2: NDArray[np.float64]
    """(cells,) their areas."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The events of each cell, summed up."""

    counts: NDArray[np.int64]
    """(cells, codes) events of each code."""
    sums: NDArray[np.float64]
    """(cells, kinds) sums of the values."""
    largest: NDArray[np.float64]
    """(cells,) largest of what is ranked; -inf without events."""
    area_km2: NDArray[np.float64]
    """(cells,) area that they come from."""
    unbiased: NDArray[np.float64]
    """(cells,) what a density is to be multiplied by: (N - 1) / N where the area was drawn
    through the N-th event, else 1."""


class Sampler(Protocol):
    """One way of choosing the events of a cell."""

    bytes_per_cell: int
    """Working memory, beside what the samples take."""

    def sample(self, cells: Cells) -> Samples:
        """The events of these cells."""


class Inside:
    """The events inside each cell."""

    def __init__(self, events: Events, row: NDArray[np.int64], col: NDArray[np.int64]) -> None:
        """Of events that lie in these rows and columns of the grid; outside it they are none."""
        order = np.lexsort((col, row))
        self._row, self._col = row[order], col[order]
        self._codes, self._values = events.codes[order], events.values[order]
        self._ranked, self._code_count = events.ranked[order], events.code_count
        self.bytes_per_cell = 0

    def sample(self, cells: Cells) -> Samples:
        """The events of these cells."""
        window, count = cells.window, cells.longitude.size
        begin, end = np.searchsorted(self._row, [window.row_off, window.row_stop])
        col = self._col[begin:end]
        here = np.flatnonzero((col >= window.col_off) & (col < window.col_stop)) + begin
        cell = (self._row[here] - window.row_off) * window.width + self._col[here] - window.col_off
        counted = self._codes[here] >= 0
        place = cell[counted] * self._code_count + self._codes[here][counted]
        counts = np.bincount(place, minlength=count * self._code_count)
        sums = _sums(cell, self._values[here], count)
        largest = np.full(count, -np.inf)
        np.maximum.at(largest, cell, self._ranked[here])
        return Samples(counts.reshape(count, -1), sums, largest, cells.area_km2, np.ones(count))


class Within:
    """The events within a radius of each cell's centre."""

    def __init__(self, events: Events, radius_km: float) -> None:
        index = SphereIndex.build(events.longitude, events.latitude, reach_km=radius_km)
        order = index.order
        self._index = index
        self._vectors = unit_vectors(events.longitude[order], events.latitude[order])
        self._codes, self._values = events.codes[order], events.values[order]
        self._ranked, self._code_count = events.ranked[order], events.code_count
        self._radius_km = radius_km
        self.bytes_per_cell = 0

    def sample(self, cells: Cells) -> Samples:
        """The events of these cells."""
        from geotools.seismicity._circles import gather

        count, index = cells.longitude.size, self._index
        counts = np.zeros((count, self._code_count), np.int64)
        sums = np.zeros((count, self._values.shape[1]))
        largest = np.full(count, -np.inf)
        longitude, latitude = _defined(cells)
        gather(
            cells.longitude,
            latitude,
            unit_vectors(longitude, latitude),
            self._vectors,
            self._codes,
            self._values,
            self._ranked,
            math.degrees(min(self._radius_km / EARTH_RADIUS_KM, math.pi)),
            float(chord(self._radius_km)) ** 2,
            index.starts,
            index.south_deg,
            index.size_deg,
            index.rows,
            index.cols,
            counts,
            sums,
            largest,
        )
        area = np.full(count, cap_area_km2(np.array(self._radius_km)))
        return Samples(counts, sums, largest, area, np.ones(count))


class Nearest:
    """The nearest events to each cell's centre, but none beyond a radius."""

    def __init__(self, events: Events, nearest: int, radius_km: float) -> None:
        from scipy.spatial import cKDTree

        self._tree = cKDTree(unit_vectors(events.longitude, events.latitude))
        self._events = events
        self._nearest = min(nearest, events.longitude.size)
        self._full = nearest <= events.longitude.size
        self._radius_km = radius_km
        self.bytes_per_cell = 16 * self._nearest * (4 + events.values.shape[1])

    def sample(self, cells: Cells) -> Samples:
        """The events of these cells."""
        events, count = self._events, cells.longitude.size
        known = np.isfinite(cells.longitude)
        limit = float(chord(self._radius_km)) * (1 + 1e-12)
        distance, which = self._tree.query(
            unit_vectors(*_defined(cells)),
            k=np.arange(1, self._nearest + 1),
            distance_upper_bound=limit,
        )  # (cells, nearest); events that are missing lie at inf
        found = np.isfinite(distance) & known[:, None]
        cell, place = np.nonzero(found)
        event = which[cell, place]
        counted = events.codes[event] >= 0
        position = cell[counted] * events.code_count + events.codes[event][counted]
        counts = np.bincount(position, minlength=count * events.code_count)
        sums = _sums(cell, events.values[event], count)
        largest = np.full(count, -np.inf)
        np.maximum.at(largest, cell, events.ranked[event])
        reached = found[:, -1] & self._full
        last = np.where(reached, distance[:, -1], 0)
        radius = np.where(reached, 2 * EARTH_RADIUS_KM * np.arcsin(last / 2), self._radius_km)
        return Samples(
            counts.reshape(count, -1),
            sums,
            largest,
            cap_area_km2(radius),
            np.where(reached, 1 - 1 / self._nearest, 1.0),
        )


def _sums(cell: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(cells, kinds) sums of (events, kinds) values; float64 without events too."""
    sums = np.zeros((count, values.shape[1]))
    for kind, column in enumerate(values.T):
        sums[:, kind] = np.bincount(cell, weights=column, minlength=count)
    return sums


def cap_area_km2(radius_km: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of the part of the sphere within a great-circle distance."""
    angle = np.minimum(radius_km / EARTH_RADIUS_KM, math.pi)
    return np.asarray(4 * math.pi * EARTH_RADIUS_KM**2 * np.sin(angle / 2) ** 2)


def _defined(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes with 0 where there is no place."""
    known = np.isfinite(cells.longitude) & np.isfinite(cells.latitude)
    return np.where(known, cells.longitude, 0.0), np.where(known, cells.latitude, 0.0)
