"""SphereIndex: events sorted by place, so that those near a place are found without the others.

The index is plain arrays, so that compiled loops can walk it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.distance import EARTH_RADIUS_KM

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SphereIndex", "checked_events", "chord"]

_SMALLEST_DEG = 0.05
_MOST_BINS = 2_000_000


def chord(distance_km: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Straight length through the unit sphere of a great-circle distance; at most 2."""
    angle = np.minimum(np.asarray(distance_km, np.float64) / EARTH_RADIUS_KM, math.pi)
    return np.asarray(2 * np.sin(angle / 2))


def checked_events(
    *arrays: NDArray[np.floating], names: tuple[str, ...]
) -> list[NDArray[np.float64]]:
    """The arrays as float64, when they have one length and hold numbers alone.

    Raises:
        EventsError: they do not.
    """
    checked = [np.asarray(array, np.float64) for array in arrays]
    for values, name in zip(checked, names, strict=True):
        if values.ndim != 1 or values.shape != checked[0].shape:
            raise EventsError(
                f"The {name} of the events has shape {values.shape}, the {names[0]} "
                f"{checked[0].shape}: give one value per event."
            )
        unknown = int(values.size - np.isfinite(values).sum())
        if unknown:
            raise EventsError(
                f"{unknown} of {values.size} events have no {name}: leave them out first."
            )
        if name == "latitude" and (np.abs(values) > 90).any():
            raise EventsError("A latitude beyond 90 degrees cannot be: is it the longitude?")
    return checked


@dataclass(frozen=True, slots=True)
class SphereIndex:
    """Events sorted into bins of latitude and longitude; each row of bins goes round the Earth."""

    order: NDArray[np.int64]
    """(events,) which event lies at each place of the sorted arrays."""
    starts: NDArray[np.int64]
    """(rows * cols + 1,) first place of each bin."""
    south_deg: float
    """Southern edge of row 0."""
    size_deg: float
    """Height of a bin; its width is 360 / cols."""
    rows: int
    """Rows of bins, counted from the south."""
    cols: int
    """Columns of bins, counted from 180 degrees west."""

    @classmethod
    def build(
        cls,
        longitude: NDArray[np.float64],
        latitude: NDArray[np.float64],
        *,
        reach_km: float,
    ) -> SphereIndex:
        """The index of these events; within a bin they keep their order.

        Args:
            longitude: (events,) degrees.
            latitude: (events,) degrees.
            reach_km: distance that is mostly asked for.
        """
        south, north = (float(latitude.min()), float(latitude.max())) if latitude.size else (0, 0)
        size = max(math.degrees(reach_km / EARTH_RADIUS_KM) / 2, _SMALLEST_DEG)
        most = min(_MOST_BINS, 1000 + 4 * latitude.size)
        while ((north - south) / size + 1) * (360 / size) > most:
            size *= 1.5
        rows, cols = int((north - south) / size) + 1, max(1, int(360 / size))
        row = np.minimum(((latitude - south) / size).astype(np.int64), rows - 1)
        col = np.floor((longitude + 180) * (cols / 360)).astype(np.int64) % cols
        number = row * cols + col
        order = np.argsort(number, kind="stable")
        counts = np.bincount(number, minlength=rows * cols)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(order, starts, south, size, rows, cols)
