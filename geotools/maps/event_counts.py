"""What a map of seismicity counts of each event, and how its cells come by their events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.events import days
from geotools.maps.event_choice import Chosen, SeismicitySettings
from geotools.maps.event_completeness import moment_days
from geotools.seismicity.distance import EARTH_RADIUS_KM
from geotools.seismicity.indicators import bins_of_period, energy_j
from geotools.seismicity.magnitudes import bin_numbers
from geotools.seismicity.quantities import Counted, Quantity
from geotools.seismicity.rates import DAYS_PER_YEAR
from geotools.seismicity.sampling import Events, Inside, Nearest, Sampler, Within

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["count_events", "make_sampler", "neighbourhood"]

_RADIUS_KM = 30.0
"""Least radius of statistics that need many events, when none is asked for."""

_Z_BIN_DAYS = 28.0
"""Length of a bin of the z-value (Wiemer & Wyss 1994)."""

_MOST_CODES = 5000
"""Bins of magnitude or of time; more are a mistake in their width."""


def count_events(
    events: GeoDataFrame,
    use: NDArray[np.bool_],
    chosen: Chosen,
    kind: Quantity,
    settings: SeismicitySettings,
    period: tuple[float, float],
) -> tuple[Events, Counted]:
    """The events that count as the quantity takes them, and what its cells share.

    Args:
        events: an event table.
        use: (events,) those that count.
        chosen: their weights and magnitudes above completeness.
        kind: the quantity.
        settings: bins, moments, and the events that a cell needs.
        period: start and end of the catalog in days.

    Raises:
        EventsError: the catalog has no length, or the moment of z is not inside it.
    """
    used = events[use]
    time, magnitude = days(used["time"]), used["magnitude"].to_numpy(dtype=np.float64)
    years = (period[1] - period[0]) / DAYS_PER_YEAR
    if kind.name not in ("b", "mc", "energy", "count") and not years > 0:
        raise EventsError(
            f"The catalog has no length in time, so there is no {kind.name}: name its --start and "
            "--end."
        )
    codes, first, split, lengths = np.zeros(time.size, np.int64), 0, (1, 1.0, 1.0), (1.0, 1.0)
    if kind.name in ("a", "b"):
        codes = chosen.above[use]
    elif kind.name == "mc":
        codes = bin_numbers(magnitude, settings.delta_m)
        first = int(codes.min())
        codes = codes - first
    elif kind.name == "z":
        codes, split, lengths = _time_bins(time, settings, period)
    weights = chosen.weights[use]
    values = np.stack([weights, weights**2], axis=1)
    if kind.name == "energy":
        values = energy_j(magnitude)[:, None]
    count = int(codes.max()) + 1
    if kind.name == "z":
        count = split[0] + _window_bins(settings, period)
    if count > _MOST_CODES:
        raise EventsError(
            f"{count:,} bins are too many for a map: give wider magnitude bins or a shorter time."
        )
    minimum = kind.min_events if settings.min_events is None else settings.min_events
    counted = Events(
        used["longitude"].to_numpy(dtype=np.float64),
        used["latitude"].to_numpy(dtype=np.float64),
        codes,
        count,
        values,
        time if kind.name == "elapsed" else magnitude,
    )
    reference = chosen.reference
    mean_weight = float(weights.mean())
    shared = Counted(
        years, period[1], settings.delta_m, first, reference, mean_weight, split, lengths, minimum
    )
    return counted, shared


def _time_bins(
    time: NDArray[np.float64], settings: SeismicitySettings, period: tuple[float, float]
) -> tuple[NDArray[np.int64], tuple[int, float, float], tuple[float, float]]:
    """(events,) number of the bin of time; bins before `since`, years before and after; lengths."""
    since = _since(settings, period)
    before, after = since - period[0], period[1] - since
    first = bins_of_period(period[0], since, _Z_BIN_DAYS)
    second = _window_bins(settings, period)
    early = np.floor((time - period[0]) / before * first).astype(np.int64)
    late = np.floor((time - since) / after * second).astype(np.int64)
    codes = np.where(
        time < since, np.clip(early, 0, first - 1), first + np.clip(late, 0, second - 1)
    )
    split = (first, before / DAYS_PER_YEAR, after / DAYS_PER_YEAR)
    return codes, split, (before / first, after / second)


def _window_bins(settings: SeismicitySettings, period: tuple[float, float]) -> int:
    return bins_of_period(_since(settings, period), period[1], _Z_BIN_DAYS)


def _since(settings: SeismicitySettings, period: tuple[float, float]) -> float:
    if settings.since is None:
        raise EventsError("z compares the rate since a date with that before: give --since DATE.")
    since = moment_days(settings.since)
    if not period[0] < since < period[1]:
        raise EventsError(f"The moment {settings.since} of z is not inside the catalog: move it.")
    return since


def neighbourhood(
    kind: Quantity, settings: SeismicitySettings, grid: Grid
) -> tuple[float | None, int | None]:
    """Radius in km and number of the events that a cell takes; both None for its own."""
    radius = settings.radius_km
    if radius is None and settings.nearest is None and not kind.is_local:
        x_m, y_m = grid.cell_size_m()
        diagonal = float(np.hypot(x_m, y_m).max()) / 1000
        radius = max(_RADIUS_KM, float(f"{2 * diagonal:.3g}"))
    return radius, settings.nearest


def make_sampler(
    counted: Events, radius_km: float | None, nearest: int | None, places: tuple[Any, Any]
) -> tuple[Sampler, str]:
    """How cells come by their events, and that in words.

    Args:
        counted: the events that count.
        radius_km: distance from a cell's centre.
        nearest: so many nearest events.
        places: (events,) row and column of their cells.
    """
    if nearest is not None:
        words = f"the nearest {nearest}" + (f" within {radius_km:g} km" if radius_km else "")
        return Nearest(counted, nearest, radius_km or math.pi * EARTH_RADIUS_KM), words
    if radius_km is not None:
        return Within(counted, radius_km), f"within {radius_km:g} km"
    return Inside(counted, *places), "the cell's own"
