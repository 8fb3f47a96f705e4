"""What a forecast has to say of the catalog: which events it rests on, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.events import days
from geotools.seismicity.backbone import Backbone

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["EventArrays", "inside", "past_dispersion", "remarks", "used_events"]

_SILENCE = 20
"""Expected events without one, before the end of a catalog is called silent (e^-20 by chance)."""

_FEWEST_WINDOWS = 20
_MOST_WINDOWS = 5_000
"""Past windows that a dispersion needs, and how many are looked at."""

_GAP_M = 0.5
"""Magnitude units between Mc and the smallest event, before the catalog is called cut."""


@dataclass(frozen=True, slots=True, eq=False)
class EventArrays:
    """The columns of an event table that forecasts look at."""

    time_days: NDArray[np.float64]
    """(events,) days since 1970-01-01 UTC."""
    longitude: NDArray[np.float64]
    """(events,) degrees."""
    latitude: NDArray[np.float64]
    """(events,) degrees."""
    magnitude: NDArray[np.float64]
    """(events,) NaN where unknown."""

    @classmethod
    def of(cls, events: GeoDataFrame) -> EventArrays:
        """The arrays of an event table."""
        columns = (events[name].to_numpy() for name in ("longitude", "latitude", "magnitude"))
        return cls(days(events["time"]), *columns)


def inside(backbone: Backbone, events: EventArrays) -> NDArray[np.bool_]:
    """(events,) True where the place is in a cell of the region."""
    row, col = backbone.grid.locate(events.longitude, events.latitude)
    return np.asarray((row >= 0) & backbone.region[row, col])


def used_events(
    backbone: Backbone, events: EventArrays, issue_days: float
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """(events,) True for those that the rates come from, and the number of others by reason.

    Events outside the region are used, as their aftershocks may reach into it, and counted.
    """
    unknown = np.isnan(events.magnitude)
    small = ~unknown & ~backbone.used(events.magnitude)
    late = ~unknown & ~small & (events.time_days >= issue_days)
    used = ~(unknown | small | late)
    counts = {
        "without a magnitude": unknown,
        f"below M {backbone.mc:g}": small,
        "at or after the start": late,
        "outside the grid (what they trigger in it counts)": used & ~inside(backbone, events),
    }
    return used, {reason: int(mask.sum()) for reason, mask in counts.items() if mask.any()}


def remarks(
    backbone: Backbone, events: EventArrays, used: NDArray[np.bool_], issue_days: float
) -> list[str]:
    """What a reader of the forecast must know of the catalog, one sentence each."""
    if not used.any():
        return [
            f"No event of M {backbone.mc:g} or more lies before the start: this is the long-term "
            "background alone."
        ]
    notes = []
    silence = issue_days - float(events.time_days[used].max())
    if silence * float(backbone.smoothed[backbone.region].sum()) > _SILENCE:
        notes.append(
            f"The last event is {silence:,.0f} days before the start: what happened since is not "
            "in the catalog, and not in the forecast."
        )
    lowest = float(events.magnitude[used].min())
    if lowest >= backbone.mc + _GAP_M:
        notes.append(
            f"The catalog begins at M {lowest:g}, the forecast counts from {backbone.mc:g}: "
            "triggering by smaller events is missing."
        )
    if not (used & inside(backbone, events)).any():
        notes.append("No event lies in the region: it is the long-term background alone.")
    return notes


def past_dispersion(
    time_days: NDArray[np.float64], issue_days: float, horizon_days: float
) -> float | None:
    """Variance of the number of events in past windows beyond Poisson's, over the squared mean.

    Of whole windows of that length, back from the issue time; as their expected numbers are not
    known it is that around the long-term mean, and rather too wide. None with fewer than 20.

    Args:
        time_days: (events,) of the region, before the issue time.
        issue_days: the issue time.
        horizon_days: length of a window.
    """
    if not time_days.size:
        return None
    windows = int(min((issue_days - time_days.min()) / horizon_days, _MOST_WINDOWS))
    if windows < _FEWEST_WINDOWS:
        return None
    back = ((issue_days - time_days) / horizon_days).astype(np.int64)
    counts = np.bincount(back[back < windows], minlength=windows)
    mean = float(counts.mean())
    return None if mean == 0 else max(0.0, float(counts.var(ddof=1)) - mean) / mean**2
