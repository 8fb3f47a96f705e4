# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of the ETAS fit: all pairs of events once, nothing kept per pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.seismicity._kernel_loops import squared_km
from geotools.seismicity.distance import EARTH_RADIUS_KM

Array = NDArray[Any]

_R2 = EARTH_RADIUS_KM**2
_NEGLIGIBLE = 1e-8
"""Probabilities below this enter the sum of rates but no histogram."""


@compiled(error_model="numpy", fastmath={"contract", "nsz"})
def background_density(
    points: Array, width: Array, weights: Array, first: int, step: int, density: Array
) -> None:
    """Density per km2 at every `step`-th point of all OTHER points, spread by their own width.

    The kernel is that of `smoothing`. A point's own kernel is left out: with it the background
    would explain each event by that event.
    """
    count = len(points)
    for j in range(first, count, step):
        total = 0.0
        x, y, z = points[j, 0], points[j, 1], points[j, 2]
        for i in range(count):
            dx, dy, dz = points[i, 0] - x, points[i, 1] - y, points[i, 2] - z
            chord2 = dx * dx + dy * dy + dz * dz
            # The chord for the arc: 0.1 % of r at 1,000 km, where a kernel is next to nothing.
            r2 = chord2 * _R2 + width[i] * width[i]
            value = weights[i] * width[i] / (r2 * math.sqrt(r2))
            total += value if i != j else 0.0
        density[j] = total / (2 * math.pi)


@compiled(error_model="numpy")
def expectation(
    time: Array, points: Array, rate: Array, spread: Array, cut2: Array, group: Array,
    c: float, omega: float, tau: float, rho: float,
    first_target: int, background: Array, first: int, step: int,
    probability: Array, offspring: Array, by_time: Array, by_space: Array,
    time_low: float, time_step: float, space_low: float, space_step: float,
    totals: Array,
) -> float:  # fmt: skip
    """Log of the rates at every `step`-th target, summed; who triggered whom goes to histograms.

    Events are in the order of time; targets are those from `first_target` on. `probability` gets
    the chance that a target is background, `offspring` the expected number of direct offspring of
    each event, `by_time` (bins of log t) and `by_space` (group of magnitude, bins of log r^2) the
    expected number of pairs, shared between the two nearest bins.
    """
    count = len(time)
    sources = np.empty(count, np.int64)
    rates = np.empty(count)
    lags = np.empty(count)
    gaps = np.empty(count)
    log_sum = 0.0
    bins_t, bins_r = by_time.shape[0], by_space.shape[1]
    for j in range(first_target + first, count, step):
        x, y, z, now = points[j, 0], points[j, 1], points[j, 2], time[j]
        found = 0
        total = background[j - first_target]
        for i in range(j):
            dx, dy, dz = points[i, 0] - x, points[i, 1] - y, points[i, 2] - z
            chord2 = dx * dx + dy * dy + dz * dz
            if chord2 > cut2[i]:
                continue
            lag = now - time[i]
            if lag <= 0:  # of the same instant
                continue
            r2 = squared_km(chord2)
            value = rate[i] * math.exp(
                -lag / tau - (1 + omega) * math.log(lag + c) - (1 + rho) * math.log(r2 + spread[i])
            )
            sources[found], rates[found], lags[found], gaps[found] = i, value, lag, r2
            total += value
            found += 1
        totals[j - first_target] = total
        log_sum += math.log(total)
        probability[j - first_target] = background[j - first_target] / total
        for k in range(found):
            p = rates[k] / total
            if p < _NEGLIGIBLE:
                continue
            i = sources[k]
            offspring[i] += p
            place = (math.log(lags[k]) - time_low) / time_step
            place = min(max(place, 0.0), bins_t - 1.001)
            low = int(place)
            by_time[low] += p * (1 - (place - low))
            by_time[low + 1] += p * (place - low)
            place = (math.log(gaps[k] + 1e-12) - space_low) / space_step
            place = min(max(place, 0.0), bins_r - 1.001)
            low = int(place)
            by_space[group[i], low] += p * (1 - (place - low))
            by_space[group[i], low + 1] += p * (place - low)
    return log_sum
