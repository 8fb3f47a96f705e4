# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of the ETAS fit: all pairs of events once, nothing kept per pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.seismicity._kernel_loops import squared_km

Array = NDArray[Any]

_NEGLIGIBLE = 1e-8
"""Probabilities below this enter the sum of rates but no histogram."""


@compiled(error_model="numpy")
def expectation(
    time: Array, points: Array, rate: Array, spread: Array, cut2: Array, group: Array,
    c: float, omega: float, tau: float, rho: float,
    targets: Array, background: Array, first: int, step: int,
    probability: Array, offspring: Array, by_time: Array, by_space: Array,
    time_low: float, time_step: float, space_low: float, space_step: float,
) -> float:  # fmt: skip
    """Log of the rates at every `step`-th target, summed; who triggered whom goes to histograms.

    Events are in the order of time; `targets` are places among them. `probability` gets the
    chance that a target is background, `offspring` the expected number of direct offspring of
    each event, `by_time` (bins of log t) and `by_space` (group of magnitude, bins of log r^2) the
    expected number of pairs, shared between the two nearest bins.
    """
    count = len(time)
    chords = np.empty(count)
    sources = np.empty(count, np.int64)
    rates = np.empty(count)
    lags = np.empty(count)
    gaps = np.empty(count)
    log_sum = 0.0
    bins_t, bins_r = by_time.shape[0], by_space.shape[1]
    for n in range(first, len(targets), step):
        j = targets[n]
        x, y, z, now = points[0, j], points[1, j], points[2, j], time[j]
        found = 0
        total = background[n]
        for i in range(j):  # alone in its loop, it runs over several events at once
            dx, dy, dz = points[0, i] - x, points[1, i] - y, points[2, i] - z
            chords[i] = dx * dx + dy * dy + dz * dz
        for i in range(j):
            if chords[i] > cut2[i]:
                continue
            lag = now - time[i]
            if lag <= 0:  # of the same instant
                continue
            r2 = squared_km(chords[i])
            value = rate[i] * math.exp(
                -lag / tau - (1 + omega) * math.log(lag + c) - (1 + rho) * math.log(r2 + spread[i])
            )
            sources[found], rates[found], lags[found], gaps[found] = i, value, lag, r2
            total += value
            found += 1
        log_sum += math.log(total)
        probability[n] = background[n] / total
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


@compiled(error_model="numpy")
def rates_at_targets(
    time: Array, points: Array, productivity: Array, spread: Array,
    c: float, omega: float, tau: float, rho: float, whole: float,
    first_target: int, first: int, step: int, there: Array, anywhere: Array, before: Array,
    log_c: float, log_step: float, grown: Array,
) -> None:  # fmt: skip
    """Triggered rates at every `step`-th target, from all earlier events.

    `there` gets the rate at its place, per day and km2; `anywhere` the rate on the whole plane,
    per day; `before` the expected number until then. `grown` is the share of offspring until an
    age, a table over log(age + c) from `log_c` by `log_step`.
    """
    last = len(grown) - 1
    for j in range(first_target + first, len(time), step):
        x, y, z, now = points[0, j], points[1, j], points[2, j], time[j]
        here, all_over, number = 0.0, 0.0, 0.0
        for i in range(j):
            lag = now - time[i]
            if lag <= 0:
                continue
            dx, dy, dz = points[0, i] - x, points[1, i] - y, points[2, i] - z
            r2 = squared_km(dx * dx + dy * dy + dz * dz)
            log_lag = math.log(lag + c)
            rate = productivity[i] * math.exp(-lag / tau - (1 + omega) * log_lag) / whole
            norm = rho / math.pi / spread[i] * (1 + r2 / spread[i]) ** (-1 - rho)
            here += rate * norm
            all_over += rate
            place = min((log_lag - log_c) / log_step, last - 1e-9)
            k = int(place)
            number += productivity[i] * (grown[k] + (place - k) * (grown[k + 1] - grown[k]))
        there[j - first_target] = here
        anywhere[j - first_target] = all_over
        before[j - first_target] = number
