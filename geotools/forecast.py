"""Forecast: expected numbers of earthquakes per cell, window and magnitude bin.

A value with its place and time, whoever made it; no file and no model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.raster import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Forecast", "utc"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected number of events per cell in [start, end), by magnitude bin."""

    rates: Raster
    """(bins, rows, cols) float64: expected number of events; `valid` is the region."""
    start: datetime
    """First moment of the window, UTC: the issue time, unless a gap is meant."""
    end: datetime
    """First moment after the window, UTC."""
    magnitudes: tuple[float, ...]
    """Lower edges of the bins, rising; a bin ends where the next begins, the last is open."""
    name: str
    """Which model made it."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise EventsError("A forecast's start and end need a time zone: give UTC.")
        if self.start >= self.end:
            raise EventsError(f"A forecast ends at {self.end}, before it starts: turn round.")
        if len(self.magnitudes) != self.rates.data.shape[0]:
            raise EventsError(
                f"A forecast has {self.rates.data.shape[0]} bands for {len(self.magnitudes)} "
                "magnitude bins: give one band per bin."
            )
        if any(low >= high for low, high in pairwise(self.magnitudes)):
            raise EventsError(f"Magnitude bins must rise, not {self.magnitudes}.")
        inside = self.rates.data[:, self.rates.valid]
        if not (np.isfinite(inside).all() and (inside >= 0).all()):
            raise EventsError(f"The forecast {self.name} has rates that are no numbers from 0 up.")

    @property
    def horizon_days(self) -> float:
        """Length of the window in days."""
        return (self.end - self.start).total_seconds() / 86_400

    @property
    def total(self) -> float:
        """Expected number of events in the region, all bins."""
        return float(self.rates.data[:, self.rates.valid].sum())

    def at_least(self, magnitude: float) -> NDArray[np.float64]:
        """(rows, cols) expected number of events of that magnitude or more, an edge of a bin.

        Raises:
            EventsError: the magnitude is no edge.
        """
        if magnitude not in self.magnitudes:
            raise EventsError(f"{magnitude} is no edge of the bins {self.magnitudes}.")
        first = self.magnitudes.index(magnitude)
        summed: NDArray[np.float64] = self.rates.data[first:].sum(axis=0, dtype=np.float64)
        return summed


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a time zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
