"""The b-value of Gutenberg and Richter, with its error, and the a-value that goes with it.

Completeness is given, not sought; that is in `completeness`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.magnitudes import (
    bin_numbers,
    check_width,
    excess_bins,
    known_magnitudes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MIN_EVENTS", "BValue", "Method", "a_value", "b_from_moments", "b_positive", "b_value"]

MIN_EVENTS = 50
"""Events that a b-value of a map needs: below, its error passes 15 % (Shi & Bolt 1982; Woessner &
Wiemer 2005 ask for as many)."""

Method = Literal["tinti-mulargia", "utsu"]

_LN10 = math.log(10)


@dataclass(frozen=True, slots=True)
class BValue:
    """A b-value and how sure it is."""

    b: float
    """Slope of log10 N(≥ m) against m; NaN where fewer than two bins hold events."""
    error: float
    """Standard error after Shi & Bolt (1982, eq. 5); NaN where b is."""
    n: int
    """Events, or differences of events, that it rests on."""


def b_value(
    magnitude: NDArray[np.floating],
    *,
    mc: float | NDArray[np.floating],
    delta_m: float = 0.1,
    method: Method = "tinti-mulargia",
) -> BValue:
    """The maximum-likelihood b-value of the events at or above completeness.

    Args:
        magnitude: (events,) in any order; NaN ones are left out. They are put in bins first.
        mc: completeness magnitude, the centre of its bin: one for all, or (events,) the one that
            held when each event happened.
        delta_m: width of the magnitude bins; 0 for magnitudes that are not rounded.
        method: tinti-mulargia, exact for bins (Tinti & Mulargia 1987, eq. 3.1); utsu, Aki's
            (1965) with mc lowered by half a bin (Utsu 1965), too low for wide bins.

    Raises:
        EventsError: magnitudes, completeness or bins that cannot be.
    """
    above = excess_bins(magnitude, np.asarray(mc, np.float64), delta_m)
    n = int(above.size)
    if n < 2:
        return BValue(math.nan, math.nan, n)
    mean = above.mean()
    b, error = b_from_moments(
        np.array([n]),
        np.array([mean]),
        np.array([((above - mean) ** 2).sum()]),
        delta_m=delta_m,
        method=method,
    )
    return BValue(float(b[0]), float(error[0]), n)


def b_from_moments(
    n: NDArray[Any],
    mean: NDArray[np.float64],
    squares: NDArray[np.float64],
    *,
    delta_m: float,
    method: Method = "tinti-mulargia",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """b-values and their errors of many samples at once, each of the shape of `n`.

    Args:
        n: number of events of each sample.
        mean: their mean magnitude above completeness.
        squares: sum of the squared deviations from that mean.
        delta_m: width of the magnitude bins, or 0.
        method: see `b_value`.

    Raises:
        EventsError: an unknown method.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if delta_m == 0:
            b = 1 / (_LN10 * mean)  # Aki 1965
        elif method == "utsu":
            b = 1 / (_LN10 * (mean + delta_m / 2))
        elif method == "tinti-mulargia":
            b = np.log1p(delta_m / mean) / (_LN10 * delta_m)
        else:
            raise EventsError(f"Method {method!r} is unknown: use tinti-mulargia or utsu.")
        b = np.where((n >= 2) & (mean > 0) & (squares > 1e-9), b, np.nan)
        # Shi & Bolt 1982, eq. 5; their 2.30 is ln 10
        error = _LN10 * b**2 * np.sqrt(squares / (n * (n - 1.0)))
    return b, error


def b_positive(
    time_days: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    delta_m: float = 0.1,
    smallest: float | None = None,
) -> BValue:
    """The b-value of the rises of magnitude from one event to the next (van der Elst 2021).

    It needs no completeness, for after a large event it is the small ones that are missed, and
    they would be falls. The error is Shi & Bolt's, of the differences.

    Args:
        time_days: (events,) days; the order of the events in the arrays does not matter.
        magnitude: (events,) NaN ones are left out.
        delta_m: width of the magnitude bins; 0 for magnitudes that are not rounded.
        smallest: rises below this are left out; a bin's width when None.

    Raises:
        EventsError: times or magnitudes that cannot be.
    """
    check_width(delta_m, zero=True)
    times, values = np.asarray(time_days, np.float64), np.asarray(magnitude, np.float64)
    if times.shape != values.shape:
        raise EventsError(
            f"Times of shape {times.shape} for magnitudes of shape {values.shape}: give one each."
        )
    known = ~np.isnan(values)
    values, times = known_magnitudes(values), times[known]
    order = np.lexsort((values, times))
    values, times = values[order], times[order]
    if delta_m:
        values = np.asarray(bin_numbers(values, delta_m) * delta_m)
    # Of events at one time, nobody knows which came first.
    rises = np.diff(values)[np.diff(times) > 0]
    smallest = delta_m if smallest is None else smallest
    rises = rises[rises > 1e-9]
    if not rises.size:
        return BValue(math.nan, math.nan, 0)
    return b_value(rises, mc=smallest, delta_m=delta_m)


def a_value(n: float, b: float, mc: float) -> float:
    """log10 of the number of events with magnitude 0 or more, when `n` reach `mc`.

    Of a yearly rate in place of `n`, the yearly a-value. -inf when n is 0.

    Args:
        n: events at or above mc, or their rate.
        b: the b-value.
        mc: completeness magnitude.
    """
    return math.log10(n) + b * mc if n > 0 else -math.inf
