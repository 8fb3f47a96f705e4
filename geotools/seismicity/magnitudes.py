"""Magnitudes in bins: what the b-value, the completeness and the maps all count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bin_numbers", "check_width", "excess_bins", "known_magnitudes", "lowest_bins"]

_TIE = 1e-6
"""Share of a bin by which 3.15 / 0.1 may fall short of 31.5 in binary."""

_RANGE = (-10.0, 12.0)
"""No magnitude of an earthquake lies outside; what does is another column."""


def known_magnitudes(magnitude: Any) -> NDArray[np.float64]:
    """(known,) float64 magnitudes, those that are NaN left out.

    Raises:
        EventsError: not one dimension, a magnitude that cannot be, or none that is known.
    """
    values = np.asarray(magnitude, dtype=np.float64)
    if values.ndim != 1:
        raise EventsError(f"Magnitudes of shape {values.shape}: give one per event.")
    values = values[~np.isnan(values)]
    if not values.size:
        raise EventsError("No event has a magnitude: give a catalog with magnitudes.")
    low, high = float(values.min()), float(values.max())
    if not (_RANGE[0] <= low and high <= _RANGE[1]):
        raise EventsError(
            f"Magnitudes from {low:g} to {high:g} cannot be: is another column taken for them?"
        )
    return values


def check_width(delta_m: float, *, zero: bool = False) -> None:
    """Nothing, when that is a width of magnitude bins.

    Raises:
        EventsError: it is none.
    """
    if not (0.001 <= delta_m <= 1.0 or (zero and delta_m == 0)):
        raise EventsError(f"Magnitude bins of {delta_m:g} cannot be: give 0.001 to 1, mostly 0.1.")


def bin_numbers(magnitude: NDArray[np.float64], delta_m: float) -> NDArray[np.int64]:
    """(events,) number of the bin of each magnitude: bin k is centred on k delta_m.

    A magnitude on the edge of two bins belongs to the upper one.
    """
    numbers: NDArray[np.int64] = np.floor(magnitude / delta_m + 0.5 + _TIE).astype(np.int64)
    return numbers


def lowest_bins(mc: NDArray[np.float64], delta_m: float) -> NDArray[np.int64]:
    """Number of the lowest complete bin: the first that is centred on mc or above it."""
    numbers: NDArray[np.int64] = np.ceil(mc / delta_m - _TIE).astype(np.int64)
    return numbers


def excess_bins(
    magnitude: Any, mc: float | NDArray[np.float64], delta_m: float
) -> NDArray[np.float64]:
    """(used,) magnitude above completeness of the events that reach it, rising; NaN left out.

    In magnitude units: whole multiples of delta_m from 0 up, or any number where delta_m is 0.

    Args:
        magnitude: (events,) NaN where unknown.
        mc: completeness magnitude, one for all or (events,) one at the time of each event.
        delta_m: width of the magnitude bins; 0 for magnitudes that are not binned.

    Raises:
        EventsError: magnitudes or completeness that cannot be.
    """
    check_width(delta_m, zero=True)
    values = np.asarray(magnitude, dtype=np.float64)
    limits = np.asarray(mc, dtype=np.float64)
    if limits.ndim and limits.shape != values.shape:
        raise EventsError(
            f"Completeness of shape {limits.shape} for magnitudes of shape {values.shape}: give "
            "one value, or one per event."
        )
    if not np.isfinite(limits).all():
        raise EventsError("The completeness magnitude is no number: give one, such as 3.0.")
    limits = np.broadcast_to(limits, values.shape)[~np.isnan(values)]
    values = known_magnitudes(values)
    if delta_m == 0:
        above = values - limits
        return np.sort(above[above >= 0])
    bins = bin_numbers(values, delta_m) - lowest_bins(limits, delta_m)
    return np.sort(bins[bins >= 0]) * delta_m
