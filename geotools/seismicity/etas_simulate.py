"""Catalogs drawn from an ETAS model: background events, then generation after generation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.cells import cell_place
from geotools.seismicity.distance import EARTH_RADIUS_KM
from geotools.seismicity.etas_parameters import EtasParameters, decay_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["EtasCatalog", "simulate_etas"]

_PER_E = 100
"""Nodes of the table of decay per factor e of age; times between them are within 1 %."""

Events = tuple[
    "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"
]
"""Times, longitudes, latitudes, magnitudes."""


@dataclass(frozen=True, slots=True)
class EtasCatalog:
    """Events that a model made, in the order of time."""

    time_days: NDArray[np.float64]
    """(events,) days since 1970-01-01 UTC."""
    longitude: NDArray[np.float64]
    """(events,) degrees, -180 to 180."""
    latitude: NDArray[np.float64]
    """(events,) degrees."""
    magnitude: NDArray[np.float64]
    """(events,) from `mref` to `magnitude_max`."""
    generation: NDArray[np.int64]
    """(events,) 0 for background, 1 for direct offspring of background or history, and so on."""


def simulate_etas(
    parameters: EtasParameters,
    *,
    start_days: float,
    end_days: float,
    background_rate_per_day: float,
    grid: Grid,
    region: NDArray[np.bool_],
    background: NDArray[np.floating] | None = None,
    history: Events | None = None,
    seed: int = 0,
    largest: int = 1_000_000,
) -> EtasCatalog:
    """A catalog of [start, end) drawn from the model.

    Aftershocks may fall outside the region, and are kept there, with theirs.

    Args:
        parameters: of the triggering and of the magnitudes.
        start_days, end_days: days since 1970-01-01 UTC.
        background_rate_per_day: independent events per day in the region.
        grid, region: geographic grid and (rows, cols) mask of the cells of the background.
        background: (cells,) share of each cell; by default even by area.
        history: times, longitudes, latitudes and magnitudes of events; those before the start
            and from `mref` on trigger too.
        seed: of the random numbers; the same gives the same catalog.
        largest: events at most.

    Raises:
        EventsError: a branching ratio of 1 or more, which has no end; more events than `largest`;
            a window, rate or background that cannot be.
        GridError: the grid is not geographic, or the region is not of its shape.
    """
    ratio = parameters.branching_ratio()
    if not ratio < 1:
        raise EventsError(
            f"Each event has {ratio:.3g} direct aftershocks on average: below 1 is needed, or "
            "sequences have no end."
        )
    if not (math.isfinite(start_days) and math.isfinite(end_days) and start_days < end_days):
        raise EventsError(f"A catalog from day {start_days} to day {end_days} is none: turn round.")
    expected = background_rate_per_day * (end_days - start_days)
    if not 0 <= expected <= largest:
        raise EventsError(f"{expected:,.0f} background events are not between 0 and {largest:,}.")
    rng = np.random.default_rng(seed)
    first = _background(
        parameters, rng, rng.poisson(expected), grid, region, background, (start_days, end_days)
    )
    table = _DecayTable(parameters, end_days - start_days, history, start_days)
    parts, generations = [first], [np.zeros(len(first[0]), np.int64)]
    parents = first
    if history is not None:
        time, lon, lat, mag = (np.asarray(values, np.float64) for values in history)
        past = (time < start_days) & (mag >= parameters.mref - 1e-6)
        old = (time[past], lon[past], lat[past], mag[past])
        parents = _joined([first, old])
    total = len(first[0])
    while len(parents[0]):
        children = _offspring(parameters, rng, parents, table, (start_days, end_days), largest)
        total += len(children[0])
        if total > largest:
            raise EventsError(
                f"The simulated catalog has more than {largest:,} events: shorten it, or lower "
                "the background rate."
            )
        parts.append(children)
        generations.append(np.full(len(children[0]), len(generations), np.int64))
        parents = children
    time, lon, lat, mag = _joined(parts)
    order = np.argsort(time, kind="stable")
    return EtasCatalog(
        time[order], lon[order], lat[order], mag[order], np.concatenate(generations)[order]
    )


class _DecayTable:
    """Ages by the share of offspring that comes before them, turned round by a table."""

    def __init__(
        self, parameters: EtasParameters, days: float, history: Events | None, start: float
    ) -> None:
        oldest = start if history is None or not len(history[0]) else float(np.min(history[0]))
        c = parameters.c_days
        last = days + max(start - oldest, 0.0)
        count = math.ceil(math.log1p(last / c) * _PER_E) + 2
        self._logs = np.linspace(0, math.log1p(last / c), count)
        self._c = c
        self._shares = decay_share(parameters, 0.0, c * np.expm1(self._logs))

    def share(self, age: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of offspring before an age."""
        return np.interp(np.log1p(age / self._c), self._logs, self._shares)

    def age(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Age before which that share of offspring comes."""
        age: NDArray[np.float64] = self._c * np.expm1(np.interp(share, self._shares, self._logs))
        return age


def _background(
    parameters: EtasParameters,
    rng: np.random.Generator,
    count: int,
    grid: Grid,
    region: NDArray[np.bool_],
    background: NDArray[np.floating] | None,
    window: tuple[float, float],
) -> Events:
    left, top, dx, dy, _, index = cell_place(grid, region)
    rows, cols = np.nonzero(index >= 0)
    if not len(rows):
        raise EventsError("The region of the simulation has no cell: widen it.")
    high, low = (np.sin(np.radians(top - (rows + k) * dy)) for k in (0, 1))
    shares = high - low if background is None else np.asarray(background, np.float64)
    if shares.shape != rows.shape or not (shares >= 0).all() or not shares.sum() > 0:
        raise EventsError(
            f"The background has shape {shares.shape}: give a share from 0 up for each of "
            f"{len(rows)} cells."
        )
    cell = rng.choice(len(rows), count, p=shares / shares.sum())
    lon = left + (cols[cell] + rng.random(count)) * dx
    sine = low[cell] + rng.random(count) * (high - low)[cell]  # even by area
    return (
        rng.uniform(*window, count),
        (lon + 180) % 360 - 180,
        np.degrees(np.arcsin(np.clip(sine, -1, 1))),
        _magnitudes(parameters, rng, count),
    )


def _offspring(
    parameters: EtasParameters,
    rng: np.random.Generator,
    parents: Events,
    table: _DecayTable,
    window: tuple[float, float],
    largest: int,
) -> Events:
    """Direct offspring of the parents in the window."""
    time, lon, lat, mag = parents
    before = table.share(np.maximum(window[0] - time, 0))
    after = table.share(window[1] - time)
    expected = parameters.productivity(mag) * (after - before)
    if expected.sum() > 2 * largest:
        raise EventsError(
            f"The simulated catalog has more than {largest:,} events: shorten it, or lower the "
            "background rate."
        )
    parent = np.repeat(np.arange(len(time)), rng.poisson(expected))
    count = len(parent)
    born = before[parent] + rng.random(count) * (after - before)[parent]
    when = np.clip(time[parent] + table.age(born), window[0], np.nextafter(window[1], -np.inf))
    # The kernel leaves (D / (D + r^2))^rho outside r.
    spread = parameters.spread_km2(mag[parent])
    outside = 1 - rng.random(count)
    distance = np.sqrt(spread * (outside ** (-1 / parameters.rho) - 1))
    azimuth = rng.uniform(0, 2 * math.pi, count)
    there = _moved(lon[parent], lat[parent], distance, azimuth)
    return when, *there, _magnitudes(parameters, rng, count)


def _magnitudes(
    parameters: EtasParameters, rng: np.random.Generator, count: int
) -> NDArray[np.float64]:
    """Gutenberg-Richter magnitudes, truncated at both ends."""
    top = parameters.magnitude_max - parameters.mref
    below = rng.random(count) * -math.expm1(-parameters.beta * top)
    return np.asarray(parameters.mref - np.log1p(-below) / parameters.beta)


def _moved(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    distance_km: NDArray[np.float64],
    azimuth: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places that far away along great circles; farther than the antipode is the antipode."""
    arc = np.minimum(distance_km / EARTH_RADIUS_KM, math.pi)
    phi = np.radians(latitude)
    sine = np.sin(phi) * np.cos(arc) + np.cos(phi) * np.sin(arc) * np.cos(azimuth)
    east = np.arctan2(np.sin(azimuth) * np.sin(arc) * np.cos(phi), np.cos(arc) - np.sin(phi) * sine)
    lon = (longitude + np.degrees(east) + 180) % 360 - 180
    return lon, np.degrees(np.arcsin(np.clip(sine, -1, 1)))


def _joined(parts: list[Events]) -> Events:
    time, lon, lat, mag = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return time, lon, lat, mag
