"""The completeness magnitude Mc of a catalog, by three methods; what is above it can be counted.

Every method bins the magnitudes first. Time-varying completeness is in `rates`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.seismicity.bvalue import MIN_EVENTS, BValue, b_from_moments, b_value
from geotools.seismicity.magnitudes import bin_numbers, check_width, known_magnitudes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CORRECTION",
    "Completeness",
    "b_stability",
    "incompleteness_after",
    "ks_test",
    "maximum_curvature",
]

CORRECTION = 0.2
"""What maximum curvature falls short by (Woessner & Wiemer 2005)."""

_STABLE_RANGE = 0.5
"""Magnitude units over which b must stay (Cao & Gao 2002; Woessner & Wiemer 2005)."""

_TAIL = 1e-6
"""Bins are simulated until fewer than so many events are expected above."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """A completeness magnitude and what it rests on."""

    mc: float
    """Centre of the lowest complete bin; NaN where the method finds none."""
    method: str
    """maximum-curvature, ks or b-stability."""
    n: int
    """Events at or above it; all events where it is NaN."""
    b: BValue
    """The b-value (Tinti & Mulargia 1987) of those events."""
    p_value: float = math.nan
    """Of the ks test: how often a catalog of that b differs as much; NaN for other methods."""


def maximum_curvature(
    magnitude: NDArray[np.floating], *, delta_m: float = 0.1, correction: float = CORRECTION
) -> Completeness:
    """Mc where most events are, plus a correction (Wiemer & Wyss 2000; Woessner & Wiemer 2005).

    Of several bins that hold as many events, the highest is taken.

    Args:
        magnitude: (events,) NaN ones are left out.
        delta_m: width of the magnitude bins.
        correction: added to the fullest bin.

    Raises:
        EventsError: magnitudes or bins that cannot be, or no magnitude.
    """
    first, counts = _histogram(magnitude, delta_m)
    fullest = counts.size - 1 - int(np.argmax(counts[::-1]))
    mc = (first + fullest) * delta_m + correction
    return _complete(magnitude, mc, "maximum-curvature", delta_m)


def ks_test(
    magnitude: NDArray[np.floating],
    *,
    delta_m: float = 0.1,
    p_least: float = 0.1,
    simulations: int = 1000,
    seed: int = 0,
) -> Completeness:
    """The lowest Mc above which magnitudes are exponential, by Kolmogorov and Smirnov's distance.

    The p-value is the share of simulated catalogs of the fitted b-value that lie at least as far
    from their own fit (Clauset et al. 2009, section 4.1; Mizrahi et al. 2021 for magnitudes).
    Simulated are bins and not events, so the time does not grow with the catalog.

    Args:
        magnitude: (events,) NaN ones are left out.
        delta_m: width of the magnitude bins.
        p_least: the p-value that is good enough.
        simulations: catalogs simulated for every candidate.
        seed: of the simulations.

    Raises:
        EventsError: magnitudes or bins that cannot be, or no magnitude.
    """
    first, counts = _histogram(magnitude, delta_m)
    random = np.random.default_rng(seed)
    for lowest in range(counts.size):
        above = counts[lowest:]
        if above.sum() < MIN_EVENTS:
            break
        if above[0] == 0:  # the next candidate has the same events and a better fit
            continue
        p = _ks_p_value(above, simulations, random)
        if p >= p_least:
            mc = (first + lowest) * delta_m
            found = _complete(magnitude, mc, "ks", delta_m)
            return Completeness(found.mc, "ks", found.n, found.b, p)
    return _none("ks", int(counts.sum()))


def b_stability(magnitude: NDArray[np.floating], *, delta_m: float = 0.1) -> Completeness:
    """The lowest Mc from which b stays the same (Cao & Gao 2002; Woessner & Wiemer 2005, eq. 4).

    b(Mc) differs from the mean of the b-values of cut-offs from Mc to Mc + 0.5 by no more than
    its own error (Shi & Bolt 1982). Each of these cut-offs needs 50 events.

    Args:
        magnitude: (events,) NaN ones are left out.
        delta_m: width of the magnitude bins.

    Raises:
        EventsError: magnitudes or bins that cannot be, or no magnitude.
    """
    first, counts = _histogram(magnitude, delta_m)
    n, mean, squares = _moments_above(counts)
    b, error = b_from_moments(n, mean * delta_m, squares * delta_m**2, delta_m=delta_m)
    b[n < MIN_EVENTS] = np.nan
    steps = max(1, round(_STABLE_RANGE / delta_m))
    for lowest in range(counts.size - steps + 1):
        average = b[lowest : lowest + steps].mean()  # NaN when one of them is
        if counts[lowest] and abs(average - b[lowest]) <= error[lowest]:
            return _complete(magnitude, (first + lowest) * delta_m, "b-stability", delta_m)
    return _none("b-stability", int(counts.sum()))


def incompleteness_after(
    time_days: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    mc: float,
    least: float = 6.0,
    limit_days: float = 30.0,
) -> NDArray[np.float64]:
    """(events,) completeness at the time of each event, worse for a while after large ones.

    Mc(t) = M - 4.5 - 0.75 log10(t in days) (Helmstetter et al. 2006, eq. 1, for Southern
    California), never below `mc`. Events anywhere count, so it is meant for one region.

    Args:
        time_days: (events,) days, in any order.
        magnitude: (events,) NaN where unknown.
        mc: completeness at quiet times.
        least: magnitude of the events that blind the network.
        limit_days: longest effect.
    """
    times = np.asarray(time_days, np.float64)
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    limits = np.full(times.shape, mc, np.float64)
    for large in np.flatnonzero(np.asarray(magnitude) >= least):
        begin, end = np.searchsorted(
            ordered, [times[large], times[large] + limit_days], side="right"
        )
        after = order[begin:end]
        blind = magnitude[large] - 4.5 - 0.75 * np.log10(times[after] - times[large])
        # never above the event itself, and never below what holds already
        limits[after] = np.maximum(limits[after], np.minimum(blind, magnitude[large]))
    return limits


def _histogram(magnitude: NDArray[np.floating], delta_m: float) -> tuple[int, NDArray[np.int64]]:
    """Number of the lowest bin, and the events in each bin from there to the highest."""
    check_width(delta_m)
    bins = bin_numbers(known_magnitudes(magnitude), delta_m)
    first = int(bins.min())
    return first, np.bincount(bins - first)


def _moments_above(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Events at or above each bin, their mean above it and squared deviations, in bins."""
    n = np.cumsum(counts[::-1])[::-1]
    bins = np.arange(counts.size, dtype=np.float64)
    sums = np.cumsum((counts * bins)[::-1])[::-1]
    squares = np.cumsum((counts * bins**2)[::-1])[::-1]
    mean = sums / n  # n >= 1: the highest bin holds an event
    return n, mean - bins, np.maximum(squares - n * mean**2, 0)


def _ks_p_value(counts: NDArray[np.int64], simulations: int, random: np.random.Generator) -> float:
    """Share of simulated samples farther from their fit than these counts; 0 where b is none."""
    n = int(counts.sum())
    bins = np.arange(counts.size)
    mean = float((counts * bins).sum()) / n
    if mean == 0:
        return 0.0
    distance = _ks_distance(counts[None], np.array([mean]))[0]
    share = mean / (1 + mean)  # of the events of a bin that reach the next: 10^(-b delta_m)
    reach = max(counts.size, math.ceil(math.log(_TAIL / n) / math.log(share)))
    bins = np.arange(reach)
    shares = (1 - share) * share**bins
    shares[-1] += share**reach  # all above
    beyond = done = 0
    while done < simulations:
        batch = min(simulations - done, max(20, 2_000_000 // reach))
        samples = random.multinomial(n, shares, size=batch)  # (batch, bins)
        distances = _ks_distance(samples, samples @ bins / n)
        beyond += int((distances >= distance).sum())
        done += batch
    return beyond / simulations


def _ks_distance(samples: NDArray[np.int64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """(samples,) largest distance between cumulated shares and those of a geometric fit."""
    share = (means / (1 + means))[:, None]
    cumulated = np.cumsum(samples, axis=1) / samples.sum(axis=1, keepdims=True)
    fitted = 1 - share ** np.arange(1, samples.shape[1] + 1)
    distances: NDArray[np.float64] = np.abs(cumulated - fitted).max(axis=1)
    return distances


def _complete(
    magnitude: NDArray[np.floating], mc: float, method: str, delta_m: float
) -> Completeness:
    mc = round(mc, 6)
    b = b_value(magnitude, mc=mc, delta_m=delta_m)
    return Completeness(mc, method, b.n, b)


def _none(method: str, n: int) -> Completeness:
    return Completeness(math.nan, method, n, BValue(math.nan, math.nan, 0))
