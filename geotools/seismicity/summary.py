"""A page about a catalog: how many events, since when, how complete, and their b-value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.seismicity.bvalue import MIN_EVENTS, BValue, a_value, b_positive, b_value
from geotools.seismicity.completeness import (
    Completeness,
    b_stability,
    ks_test,
    maximum_curvature,
)
from geotools.seismicity.rates import DAYS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CatalogSummary", "summarize"]

_DRIFT = 0.3
"""Completeness of two halves of a catalog that differs by more is said: three bins of 0.1."""


@dataclass(frozen=True, slots=True)
class CatalogSummary:
    """What is to be known of a catalog before a map of it is believed."""

    n: int
    """Events of known magnitude."""
    years: float
    """Time from the first to the last."""
    magnitudes: tuple[float, float]
    """Smallest and largest."""
    completeness: tuple[Completeness, ...]
    """Mc by maximum curvature, ks and b-stability."""
    b: BValue
    """Above maximum curvature's Mc (Tinti & Mulargia 1987)."""
    b_positive: BValue
    """From rises of magnitude (van der Elst 2021)."""
    yearly_a: float
    """log10 of the events of magnitude 0 and more in a year; NaN where it cannot be told."""
    notes: tuple[str, ...]
    """What deserves caution, one sentence each."""

    def lines(self) -> list[str]:
        """The page, line by line."""
        found = [
            f"{self.n:,} events in {self.years:.4g} years, magnitudes {self.magnitudes[0]:.4g} to "
            f"{self.magnitudes[1]:.4g}"
        ]
        for one in self.completeness:
            mc = "none found" if math.isnan(one.mc) else f"{one.mc:.4g}, {one.n:,} events above"
            found.append(f"Mc by {one.method}: {mc}")
        found.append(f"b {_with_error(self.b)}, b-positive {_with_error(self.b_positive)}")
        if math.isfinite(self.yearly_a):
            found.append(f"a {self.yearly_a:.2f} (events of M ≥ 0 in a year: 10^a)")
        return [*found, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; None for what is not known."""
        return {
            "events": self.n,
            "years": _plain(self.years),
            "magnitudes": list(self.magnitudes),
            "mc": {one.method: _plain(one.mc) for one in self.completeness},
            "b": _plain(self.b.b),
            "b_error": _plain(self.b.error),
            "b_events": self.b.n,
            "b_positive": _plain(self.b_positive.b),
            "b_positive_error": _plain(self.b_positive.error),
            "a_yearly": _plain(self.yearly_a),
            "notes": list(self.notes),
        }


def summarize(
    time_days: NDArray[np.floating], magnitude: NDArray[np.floating], *, delta_m: float = 0.1
) -> CatalogSummary:
    """The page of a catalog.

    Args:
        time_days: (events,) days, in any order.
        magnitude: (events,) NaN ones are left out.
        delta_m: width of the magnitude bins.

    Raises:
        EventsError: no magnitude, or some that cannot be.
    """
    times, values = np.asarray(time_days, np.float64), np.asarray(magnitude, np.float64)
    known = ~np.isnan(values)
    methods = (maximum_curvature, ks_test, b_stability)
    found = tuple(method(values, delta_m=delta_m) for method in methods)
    times, values = times[known], values[known]
    mc = found[0].mc
    b = b_value(values, mc=mc, delta_m=delta_m)
    years = float(np.ptp(times)) / DAYS_PER_YEAR
    yearly = a_value(b.n / years, b.b, mc) if years > 0 and b.n else math.nan
    return CatalogSummary(
        n=values.size,
        years=years,
        magnitudes=(float(values.min()), float(values.max())),
        completeness=found,
        b=b,
        b_positive=b_positive(times, values, delta_m=delta_m),
        yearly_a=yearly,
        notes=tuple(_notes(times, values, found, b, delta_m)),
    )


def _notes(
    time: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    found: tuple[Completeness, ...],
    b: BValue,
    delta_m: float,
) -> list[str]:
    notes = []
    if b.n < MIN_EVENTS:
        notes.append(f"Only {b.n} events reach Mc: a b-value wants {MIN_EVENTS} or more.")
    known = [one.mc for one in found if not math.isnan(one.mc)]
    if max(known) - min(known) > _DRIFT + 1e-9:
        notes.append(
            f"The methods put Mc from {min(known):.4g} to {max(known):.4g}: the higher one is the "
            "safer."
        )
    early = time < np.median(time)
    if min(early.sum(), (~early).sum()) >= 4 * MIN_EVENTS:
        before, after = (
            maximum_curvature(magnitude[half], delta_m=delta_m).mc for half in (early, ~early)
        )
        if abs(before - after) > _DRIFT + 1e-9:
            notes.append(
                f"Mc was {before:.4g} in the first half of the events and {after:.4g} in the "
                "second: completeness changes with time."
            )
    return notes


def _with_error(value: BValue) -> str:
    if math.isnan(value.b):
        return "not known"
    return f"{value.b:.3f} ± {value.error:.3f} ({value.n:,} events)"


def _plain(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
