"""Completeness of a catalog as people write it: a magnitude, one per period, or a column."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.events import days
from geotools.forecast import utc
from geotools.seismicity.rates import completeness_at

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["Completion", "moment_days"]


@dataclass(frozen=True, slots=True)
class Completion:
    """Completeness as it was asked for: one magnitude, one per period, or the column `mc`."""

    starts_days: tuple[float, ...]
    """Where each period starts; -inf for the first of one magnitude for all."""
    mc: tuple[float, ...]
    """Completeness magnitude of each period; empty for the column."""

    @classmethod
    def parse(cls, text: str | float) -> Completion:
        """Of "3.4", of "1932:4.0,1980:3.2" (years or dates), or of "column".

        Raises:
            EventsError: it is none of these.
        """
        words = str(text).strip()
        if words == "column":
            return cls((), ())
        wrong = EventsError(
            f"Completeness {words!r} is not understood: give auto, none, column, a magnitude, or "
            "periods such as 1932:4.0,1980:3.2."
        )
        try:
            if ":" not in words:
                starts, mc = [-math.inf], [float(words)]
            else:
                pairs = [part.strip().rpartition(":") for part in words.split(",")]
                starts = [_days_of_text(start) for start, _, _ in pairs]
                mc = [float(value) for _, _, value in pairs]
        except ValueError:
            raise wrong from None
        if not all(-10 <= value <= 12 for value in mc):
            raise wrong
        if any(late <= early for early, late in pairwise(starts)):
            raise EventsError(f"The periods of completeness {words!r} do not rise: sort them.")
        return cls(tuple(starts), tuple(mc))

    def at(self, events: GeoDataFrame, time_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """(events,) completeness at the time of each event; inf before the first period."""
        if self.mc:
            return completeness_at(time_days, self.starts_days, self.mc)
        if "mc" not in events.columns:
            raise EventsError("The events have no column mc: give a magnitude or periods.")
        column = events["mc"].to_numpy(dtype=np.float64)
        return np.where(np.isnan(column), np.inf, column)


def moment_days(moment: datetime) -> float:
    """Days since 1970-01-01 UTC of a moment, in UTC where it has no zone."""
    return float(days(np.datetime64(utc(moment).replace(tzinfo=None), "us")))


def _days_of_text(text: str) -> float:
    """Days of a year or a date.

    Raises:
        ValueError: it is neither.
    """
    words = text.strip()
    if re.fullmatch(r"\d{4}", words):
        words += "-01-01"
    return moment_days(datetime.fromisoformat(words))
