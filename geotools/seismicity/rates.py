"""Rates of events and how sure they are, with a completeness that changes with time honoured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.magnitudes import bin_numbers, lowest_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DAYS_PER_YEAR",
    "Rate",
    "completeness_at",
    "event_weights",
    "exposure_days",
    "poisson_interval",
    "rate",
]

DAYS_PER_YEAR = 365.25
"""The Julian year."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of events at or above a magnitude."""

    per_year: float
    """Events per Julian year."""
    error: float
    """Standard error of that, for Poisson counts."""
    n: int
    """Events that it rests on."""


def rate(
    magnitude: NDArray[np.floating],
    *,
    years: float,
    reference: float,
    mc: float | NDArray[np.floating],
    b: float = 1.0,
    delta_m: float = 0.1,
) -> Rate:
    """The yearly rate of events with magnitude `reference` or more.

    Where completeness was worse than the reference, each event that was complete stands for
    10^(b (mc - reference)) events (Gutenberg & Richter 1944), so that the rate stays unbiased.

    Args:
        magnitude: (events,) NaN ones are left out.
        years: length of the catalog.
        reference: least magnitude that is counted, the centre of its bin.
        mc: completeness magnitude, one for all or (events,).
        b: the b-value that carries counts down from mc to the reference.
        delta_m: width of the magnitude bins.

    Raises:
        EventsError: a length that is not positive.
    """
    if not years > 0:
        raise EventsError(f"A rate over {years:g} years cannot be: name the start and the end.")
    weights = event_weights(magnitude, reference=reference, mc=mc, b=b, delta_m=delta_m)
    used = weights > 0
    return Rate(
        float(weights.sum() / years),
        float(np.sqrt((weights**2).sum()) / years),
        int(used.sum()),
    )


def event_weights(
    magnitude: NDArray[np.floating],
    *,
    reference: float,
    mc: float | NDArray[np.floating],
    b: float,
    delta_m: float = 0.1,
) -> NDArray[np.float64]:
    """(events,) how many events of at least `reference` each event stands for; 0 = not complete.

    Args:
        magnitude: (events,) NaN where unknown, which weighs 0.
        reference: least magnitude that is counted.
        mc: completeness magnitude, one for all or (events,).
        b: the b-value.
        delta_m: width of the magnitude bins.
    """
    values = np.asarray(magnitude, np.float64)
    lowest = lowest_bins(np.array([reference], np.float64), delta_m)
    complete = lowest_bins(np.atleast_1d(np.asarray(mc, np.float64)), delta_m)
    needed = np.broadcast_to(np.maximum(complete, lowest), values.shape)  # (events,)
    known = ~np.isnan(values)
    bins = bin_numbers(np.where(known, values, 0.0), delta_m)
    weights = 10.0 ** (b * delta_m * (needed - lowest))
    return np.where(known & (bins >= needed), weights, 0.0)


def completeness_at(
    time_days: NDArray[np.floating], starts_days: Sequence[float], mc: Sequence[float]
) -> NDArray[np.float64]:
    """(events,) completeness magnitude at each time; inf before the first period.

    Args:
        time_days: (events,) days.
        starts_days: where each period starts, rising; it ends where the next one starts.
        mc: completeness magnitude of each period.

    Raises:
        EventsError: periods that do not rise.
    """
    starts = np.asarray(starts_days, np.float64)
    if starts.size == 0 or starts.shape != np.shape(mc) or (np.diff(starts) <= 0).any():
        raise EventsError("Periods of completeness need rising starts and one magnitude each.")
    period = np.searchsorted(starts, time_days, side="right")
    return np.concatenate([[np.inf], np.asarray(mc, np.float64)])[period]


def exposure_days(
    starts_days: Sequence[float],
    mc: Sequence[float],
    *,
    start_days: float,
    end_days: float,
    reference: float,
    b: float,
) -> float:
    """Days of full completeness that the periods are worth (Weichert 1980, eq. 7).

    A day on which only mc was complete shows 10^(-b (mc - reference)) of the events.

    Args:
        starts_days: where each period starts, rising.
        mc: completeness magnitude of each period.
        start_days: first moment that counts.
        end_days: first moment that does not.
        reference: least magnitude that is counted.
        b: the b-value.
    """
    edges = np.clip([*starts_days, np.inf], start_days, end_days)
    shown = 10.0 ** (-b * np.maximum(np.asarray(mc, np.float64) - reference, 0))
    return float((np.diff(edges) * shown).sum())


def poisson_interval(
    n: NDArray[np.floating], confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bound of the mean of a Poisson count, exact (Garwood 1936).

    Args:
        n: counts, of any shape; need not be whole.
        confidence: share of the intervals that hold the mean.
    """
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    counts = np.asarray(n, np.float64)
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1e-12), tail), 0.0)
    return low, gammaincinv(counts + 1, 1 - tail)
