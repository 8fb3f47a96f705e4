"""The events of an ETAS fit in the order of time, and the sums over their pairs."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._etas_maximum import (
    SPACE_BINS,
    TIME_BINS,
    Exposure,
    Histograms,
    ring_shares,
)
from geotools.seismicity.cells import Place, inside
from geotools.seismicity.distance import EARTH_RADIUS_KM, unit_vectors
from geotools.seismicity.etas_parameters import EtasParameters
from geotools.seismicity.smoothing import neighbour_km, smoothed_density

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNIFORM = 0.01
"""Share of the background that is spread evenly, as in `smoothing`."""
_FEWEST = 100
"""Targets that a fit of eight parameters needs at least."""
_RINGS_KM = np.geomspace(2.0, 3000.0, 24)
"""Outer radii of the rings in which the covered part of the surroundings is measured."""


class Problem:
    """Events in the order of time, and the sums over their pairs."""

    def __init__(
        self,
        arrays: list[NDArray[np.float64]],
        *,
        mc: float,
        window: tuple[float, float],
        place: Place | None,
        threads: int,
    ) -> None:
        start, end = window
        if not (math.isfinite(start) and math.isfinite(end) and start < end):
            raise EventsError(f"Targets from day {start} to day {end} are none: turn round.")
        used = np.all([np.isfinite(values) for values in arrays], axis=0)
        used &= (arrays[3] >= mc - 1e-6) & (arrays[0] < end)
        order = np.flatnonzero(used)
        # Ties in time go by magnitude and place: the order given does not matter.
        order = order[np.lexsort([values[order] for values in (*arrays[1:], arrays[0])])]
        self.order = order
        self.time, lon, lat, self.magnitude = (values[order] for values in arrays)
        wanted = self.time >= start
        if place is not None:
            wanted &= inside(lon, lat, place)
        self.targets = np.flatnonzero(wanted)
        if len(self.targets) < _FEWEST:
            raise EventsError(
                f"{len(self.targets)} events of magnitude {mc:g} or more are in the region and "
                f"the window of the fit: {_FEWEST} are needed, so take generic parameters."
            )
        self.mc, self.days, self.threads = mc, end - start, threads
        self.points = np.ascontiguousarray(unit_vectors(lon, lat).T)  # (3, events)
        self.places = lon[self.targets], lat[self.targets]
        self.width = neighbour_km(*self.places)
        # Subsurface rupture length of all slip types (Wells and Coppersmith 1994, table 2A).
        cut = np.maximum(100 * 10 ** (0.59 * self.magnitude - 2.44), 150.0)
        self._cut2 = (2 * np.sin(np.minimum(cut / EARTH_RADIUS_KM, math.pi) / 2)) ** 2
        covered = _covered(lon, lat, place)
        self.exposure = Exposure(self.time, self.magnitude, mc, window, _RINGS_KM, covered)
        # Share of each target's smoothing kernel that stays in the region.
        kept = ring_shares(self.width**2, _RINGS_KM, 0.5) * covered[self.targets]
        self._kept = kept.sum(axis=1)

    def background(
        self, chance: NDArray[np.float64], area: float, *, smoothed: bool
    ) -> tuple[NDArray[np.float64], float]:
        """Background rates at the targets, per day and km2, and the number of background events."""
        number = float(chance.sum())
        even = np.full(len(chance), number / (area * self.days))
        if not smoothed:
            return even, number
        density = smoothed_density(
            *self.places, width_km=self.width, weights=chance, threads=self.threads
        )
        density *= number / float(chance @ self._kept)
        return (1 - _UNIFORM) * density / self.days + _UNIFORM * even, number

    def expectation(
        self, parameters: EtasParameters, rates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], Histograms, float]:
        """Chances of being background, who triggered whom, and the sum of log rates."""
        from geotools.seismicity._etas_loops import expectation

        p = parameters
        rate = p.k0 * np.exp(p.a * (self.magnitude - self.mc))
        spread = p.spread_km2(self.magnitude)
        parts = [Histograms(self.exposure) for _ in range(self.threads)]
        chance = np.empty(len(rates))

        def part(first: int) -> float:
            found = parts[first]
            return float(
                expectation(
                    self.time, self.points, rate, spread, self._cut2, self.exposure.group,
                    p.c_days, p.omega, p.tau_days, p.rho, self.targets, rates, first,
                    self.threads, chance, found.offspring, found.by_time, found.by_space,
                    *TIME_BINS[:2], *SPACE_BINS[:2],
                )
            )  # fmt: skip

        with ThreadPoolExecutor(self.threads) as pool:
            log_sum = sum(pool.map(part, range(self.threads)))
        for other in parts[1:]:
            parts[0].add(other)
        return chance, parts[0], log_sum


def _covered(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], place: Place | None
) -> NDArray[np.float64]:
    """(events, rings) share of each ring around each event that lies in the region."""
    covered = np.ones((len(longitude), len(_RINGS_KM) + 1))
    if place is not None:
        from geotools.seismicity._kernel_loops import covered_rings

        edges = np.concatenate((np.zeros(1), _RINGS_KM, _RINGS_KM[-1:] * 2))
        covered_rings(longitude, latitude, (edges[:-1] + edges[1:]) / 2, place, 24, covered)
    return covered
