"""How well an ETAS model explains events one by one: log-likelihood in time and in space."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._columns import checked_columns
from geotools.seismicity.distance import unit_vectors
from geotools.seismicity.etas_parameters import EtasParameters, decay_share, remaining_decay

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EtasScores", "etas_log_likelihood"]

_PER_E = 2000
"""Nodes of the table of grown shares per factor e of time; lines between them leave 1e-7."""


@dataclass(frozen=True, slots=True)
class EtasScores:
    """Log-likelihood of each target given all events before it; natural logarithm."""

    temporal: NDArray[np.float64]
    """(targets,) log of the rate on the whole plane, per day, less its integral since the target
    before (the first: since the start)."""
    spatial: NDArray[np.float64]
    """(targets,) log of the share of that rate per km2 at the target's place."""
    rows: NDArray[np.int64]
    """(targets,) which of the events given, in the order of time."""


def etas_log_likelihood(
    parameters: EtasParameters,
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    start_days: float,
    end_days: float,
    background_rate_per_day: float,
    background_density: NDArray[np.floating],
    threads: int = 2,
) -> EtasScores:
    """The temporal and spatial log-likelihood of every event in [start, end).

    The split of the point process's likelihood as in EarthquakeNPP (Stockman, Lawson and Werner
    2024): log rate(t, x) - integral = (log rate(t) - integral) + log(rate(t, x) / rate(t)). The
    integral over space is that over the whole plane. Every event of the catalog at and above
    `mref` triggers, however far it is.

    Args:
        parameters: of the triggering.
        time_days: (events,) days since 1970-01-01 UTC; in any order.
        longitude, latitude: (events,) degrees.
        magnitude: (events,) those below `mref`, or NaN, are left out.
        start_days, end_days: window of the targets.
        background_rate_per_day: independent events per day in the region.
        background_density: (events,) share of them per km2 at the place of each event; 1 / area
            for an even background.
        threads: that share the pairs.

    Raises:
        EventsError: arrays that do not fit together, or no target.
    """
    from geotools.seismicity._etas_loops import rates_at_targets

    arrays = checked_columns(
        time_days=time_days,
        longitude=longitude,
        latitude=latitude,
        magnitude=magnitude,
        background_density=background_density,
    )
    used = np.all([np.isfinite(values) for values in arrays], axis=0)
    used &= (arrays[3] >= parameters.mref - 1e-6) & (arrays[0] < end_days)
    order = np.flatnonzero(used)
    order = order[np.argsort(arrays[0][order], kind="stable")]
    time, lon, lat, mag, density = (values[order] for values in arrays)
    first_target = int(np.searchsorted(time, start_days, side="left"))
    targets = len(time) - first_target
    if targets < 1:
        raise EventsError(f"No event lies between day {start_days} and day {end_days}.")
    p, threads = parameters, max(threads, 1)
    log_c = math.log(p.c_days)
    log_last = math.log(time[-1] - time[0] + 2 * p.c_days)
    nodes = np.linspace(log_c, log_last, math.ceil((log_last - log_c) * _PER_E) + 2)
    grown = decay_share(p, 0.0, np.exp(nodes) - p.c_days)
    there, anywhere, before = (np.empty(targets) for _ in range(3))
    productivity = p.productivity(mag)
    whole = float(remaining_decay(p, np.zeros(1))[0])
    points, spread = np.ascontiguousarray(unit_vectors(lon, lat).T), p.spread_km2(mag)

    def part(first: int) -> None:
        rates_at_targets(
            time, points, productivity, spread, p.c_days, p.omega, p.tau_days, p.rho, whole,
            first_target, first, threads, there, anywhere, before, log_c,
            float(nodes[1] - nodes[0]), grown,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, range(threads)))
    earlier = time[:first_target]
    at_start = float(productivity[:first_target] @ decay_share(p, 0.0, start_days - earlier))
    mu = background_rate_per_day
    number = before + mu * (time[first_target:] - start_days)
    integral = np.diff(number, prepend=at_start)
    rate = mu + anywhere
    temporal = np.log(rate) - integral
    spatial = np.log(mu * density[first_target:] + there) - np.log(rate)
    return EtasScores(temporal, spatial, order[first_target:])
