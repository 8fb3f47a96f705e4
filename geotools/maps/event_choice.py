"""Which events of a catalog a map of seismicity counts: complete, large enough, declustered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.events import days
from geotools.maps.event_completeness import Completion, moment_days
from geotools.seismicity.bvalue import b_value
from geotools.seismicity.completeness import maximum_curvature
from geotools.seismicity.declustering import WINDOWS, gardner_knopoff, reasenberg
from geotools.seismicity.magnitudes import bin_numbers, check_width, lowest_bins
from geotools.seismicity.rates import event_weights, exposure_days
from geotools.seismicity.zaliapin import zaliapin

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["METHODS", "Chosen", "SeismicitySettings", "choose", "mainshocks", "period_days"]

METHODS = (*WINDOWS, "reasenberg", "zaliapin")
"""Ways of declustering, as `--declustered` takes them."""


@dataclass(frozen=True, slots=True)
class SeismicitySettings:
    """What is counted, and how; what is None is chosen."""

    start: datetime | None = None
    """First moment; the first event when None."""
    end: datetime | None = None
    """First moment that does not count any more; just after the last event when None."""
    since: datetime | None = None
    """For z: the rate since this moment is compared with that before."""
    min_magnitude: float | None = None
    """Least magnitude that is counted."""
    mc: str | float | None = None
    """Completeness: a magnitude; auto (maximum curvature + 0.2); none; periods such as
    "1932:4.0,1980:3.2"; column, for the column mc of an event table. When None: auto for rate, a,
    b and z, none for the others."""
    delta_m: float = 0.1
    """Width of the magnitude bins."""
    declustered: str | None = None
    """Reduce clusters to their largest event: one of `METHODS`."""
    radius_km: float | None = None
    """Events within this distance of a cell's centre; the cell's own for rate, count, energy and
    elapsed when None, else 30 km or two diagonals of a cell, whichever is more."""
    nearest: int | None = None
    """So many nearest events, none beyond the radius."""
    min_events: int | None = None
    """Cells with fewer events are nodata; 50 for a, b, mc and z, 1 for energy and elapsed, 0 for
    rate and count when None."""

    def __post_init__(self) -> None:
        if self.radius_km is not None and not 0 < self.radius_km <= 20_000:
            raise EventsError(f"A radius of {self.radius_km:g} km cannot be: give 1 to 20000.")
        if self.nearest is not None and not 1 <= self.nearest <= 10_000:
            raise EventsError(f"The nearest {self.nearest} events cannot be: give 1 to 10000.")
        if self.min_events is not None and self.min_events < 0:
            raise EventsError(f"At least {self.min_events} events cannot be: give 0 or more.")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The events that count."""

    use: NDArray[np.bool_]
    """(events,) True for those that count, of all events of the table."""
    above: NDArray[np.int64]
    """(events,) bins of magnitude above the completeness of the moment; below 0 = incomplete."""
    weights: NDArray[np.float64]
    """(events,) how many events of at least the reference each stands for."""
    reference: float
    """Least magnitude that is counted; NaN where all are."""
    mc: str
    """Completeness, in words."""


def choose(
    events: GeoDataFrame,
    inside: NDArray[np.bool_],
    *,
    mc: str | float | None,
    settings: SeismicitySettings,
    period: tuple[float, float],
) -> Chosen:
    """The events at or above completeness and the least magnitude.

    Args:
        events: an event table; all magnitudes known.
        inside: (events,) those on the map, from which `auto` estimates completeness.
        mc: auto (maximum curvature + 0.2), none, or as `Completion.parse`; none when None.
        settings: least magnitude and bins.
        period: start and end of the catalog in days.

    Raises:
        EventsError: completeness that cannot be, or no event that reaches it.
    """
    delta_m, min_magnitude = settings.delta_m, settings.min_magnitude
    check_width(delta_m)
    time, magnitude = days(events["time"]), events["magnitude"].to_numpy(dtype=np.float64)
    bins = bin_numbers(magnitude, delta_m)
    least = -10.0 if min_magnitude is None else float(min_magnitude)
    if not -10 <= least <= 12:
        raise EventsError(f"The least magnitude {least:g} cannot be: give one such as 3.0.")
    lowest = lowest_bins(np.full(bins.shape, least), delta_m)
    if mc is None or mc == "none":
        use = bins >= lowest
        reference = least if min_magnitude is not None else math.nan
        return _some(Chosen(use, bins - lowest, use.astype(np.float64), reference, "not asked for"))
    words = f"{mc}"
    if mc == "auto":
        found = maximum_curvature(magnitude[inside], delta_m=delta_m)
        completion = Completion((-math.inf,), (found.mc,))
        words = f"{found.mc:g} (maximum curvature + 0.2)"
    else:
        completion = Completion.parse(mc)
    limits = completion.at(events, time)  # (events,)
    known = np.isfinite(limits)
    if not known.any():
        raise EventsError(f"No event lies in the periods of completeness {mc}: begin them earlier.")
    needed = np.maximum(lowest_bins(np.where(known, limits, 12.0), delta_m), lowest)
    above = np.where(known, bins - needed, -1)
    use = above >= 0
    reference = float(max(lowest_bins(limits[known], delta_m).min() * delta_m, least))
    reference = round(reference, 6)
    chosen = Chosen(use, above, use.astype(np.float64), reference, words)
    _some(chosen)
    if np.ptp(needed[known]) > 0:
        weights = _weights(magnitude, limits, use, reference, delta_m, completion, period)
        chosen = Chosen(use, above, weights, reference, words)
    return chosen


def _weights(
    magnitude: NDArray[np.float64],
    limits: NDArray[np.float64],
    use: NDArray[np.bool_],
    reference: float,
    delta_m: float,
    completion: Completion,
    period: tuple[float, float],
) -> NDArray[np.float64]:
    """(events,) by what share of the period each event of the reference would have been seen."""
    at_least = np.maximum(limits[use], reference)
    b = b_value(magnitude[use], mc=at_least, delta_m=delta_m).b
    if math.isnan(b):
        raise EventsError(
            "The events above the changing completeness have no b-value to carry rates from one "
            "magnitude to another: give one completeness for all."
        )
    if completion.mc:
        seen = exposure_days(
            completion.starts_days, completion.mc, start_days=period[0], end_days=period[1],
            reference=reference, b=b,
        )  # fmt: skip
        return np.where(use, (period[1] - period[0]) / seen, 0.0)
    limits = np.where(use, limits, 0.0)
    weights = event_weights(magnitude, reference=reference, mc=limits, b=b, delta_m=delta_m)
    return np.where(use, weights, 0.0)


def _some(chosen: Chosen) -> Chosen:
    if not chosen.use.any():
        bound = "" if math.isnan(chosen.reference) else f" {chosen.reference:g}"
        raise EventsError(
            f"None of the {chosen.use.size:,} events reaches the least magnitude{bound} "
            f"(completeness: {chosen.mc}): lower --mc or --min-magnitude."
        )
    return chosen


def mainshocks(
    events: GeoDataFrame, use: NDArray[np.bool_], method: str, *, reference: float
) -> NDArray[np.bool_]:
    """(events,) those of `use` that stay when clusters are reduced to their largest event.

    Args:
        events: an event table; all magnitudes known.
        use: (events,) events that are looked at.
        method: one of METHODS.
        reference: completeness, for Reasenberg's; NaN takes the smallest magnitude.

    Raises:
        EventsError: an unknown method.
    """
    if method not in METHODS:
        raise EventsError(f"Declustering {method!r} is unknown: use one of {', '.join(METHODS)}.")
    columns = [events[name].to_numpy(dtype=np.float64)[use] for name in _PLACE]
    arrays = (days(events["time"])[use], *columns)
    if method == "zaliapin":
        kept = zaliapin(*arrays).mainshock
    elif method == "reasenberg":
        mc = float(columns[2].min()) if math.isnan(reference) else reference
        kept = reasenberg(*arrays, mc=mc).mainshock
    else:
        kept = gardner_knopoff(*arrays, windows=method).mainshock
    stay = use.copy()
    stay[use] = kept
    return stay


_PLACE = ("longitude", "latitude", "magnitude")


def period_days(
    events: GeoDataFrame, start: datetime | None, end: datetime | None
) -> tuple[float, float]:
    """Start and end of the catalog in days: as given, else its first and last event."""
    time = days(events["time"])
    first = float(time[0]) if start is None else moment_days(start)
    last = float(time[-1]) if end is None else moment_days(end)
    return first, last
