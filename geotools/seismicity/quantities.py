"""What a map of seismicity can show, each with its uncertainty: a table of functions.

From the events of each cell, summed up by `sampling`, to bands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.seismicity.bvalue import MIN_EVENTS, b_from_moments
from geotools.seismicity.completeness import CORRECTION
from geotools.seismicity.indicators import z_from_counts
from geotools.seismicity.rates import DAYS_PER_YEAR, poisson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.seismicity.sampling import Samples

__all__ = ["QUANTITIES", "Counted", "Quantity"]

_RESAMPLES = 100
"""Bootstrap samples of a completeness magnitude."""

_NEVER = 7.0
"""Standard deviations that no sample strays."""

_LOG_E = math.log10(math.e)


@dataclass(frozen=True, slots=True)
class Counted:
    """What all cells of a map share."""

    years: float
    """Length of the catalog."""
    end_days: float
    """Its end."""
    delta_m: float
    """Width of the magnitude bins."""
    first_bin: int
    """Number of the magnitude bin of code 0."""
    reference: float
    """Least magnitude that rates count; NaN where all magnitudes do."""
    weight: float
    """Mean weight of an event; see `rates.event_weights`."""
    split: tuple[int, float, float]
    """For z: bins of the reference period; years of the reference and of the window."""
    bin_days: tuple[float, float]
    """For z: length of a bin in the reference period and in the window."""
    min_events: int
    """Cells with fewer events have no value."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a map."""

    name: str
    """As `--quantity` takes it."""
    title: str
    """What it is, in a line."""
    bands: tuple[tuple[str, str], ...]
    """Name and unit of each band; the first is the quantity."""
    min_events: int
    """Events that a cell needs when nothing else is said."""
    is_local: bool
    """True where a cell's own events are enough; others take those within a radius."""
    is_complete: bool
    """True where only events above completeness count."""
    scale: str
    """How it spreads, for its colours: log, linear, or diverging from 0."""
    compute: Callable[[Samples, Counted, NDArray[np.int64]], list[NDArray[np.float64]]]
    """From samples, what they share, and (cells, 2) row and column to (cells,) per band."""


def _count(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n = samples.counts.sum(axis=1).astype(np.float64)
    return [_enough(n, n, shared), np.where(np.isfinite(samples.largest), samples.largest, np.nan)]


def _rate(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n = samples.counts.sum(axis=1).astype(np.float64)
    total, squares = samples.sums[:, 0], samples.sums[:, 1]
    # Unequal weights know as much as so many equal ones (Kish 1965)
    effective = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    each = np.divide(total, effective, out=np.full_like(total, shared.weight), where=effective > 0)
    low, high = poisson_interval(effective)
    scale = samples.unbiased / (samples.area_km2 * shared.years)
    bands = [total * scale, low * each * scale, high * each * scale]
    return [*(_enough(band, n, shared) for band in bands), n]


def _b(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n, b, error = _b_values(samples, shared)
    return [_enough(b, n, shared), _enough(error, n, shared), n]


def _a(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n, b, error = _b_values(samples, shared)
    with np.errstate(divide="ignore", invalid="ignore"):
        yearly = samples.sums[:, 0] * samples.unbiased / (samples.area_km2 * shared.years)
        a = np.log10(yearly) + b * shared.reference
        # the count and b are independent: their errors add as squares
        spread = np.sqrt((error * shared.reference) ** 2 + _LOG_E**2 / n)
    return [*(_enough(band, n, shared) for band in (a, spread, b)), n]


def _b_values(
    samples: Samples, shared: Counted
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Events above completeness of each cell, their b and its error."""
    bins = np.arange(samples.counts.shape[1], dtype=np.float64)
    n = samples.counts.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = samples.counts @ bins / n
        squares = np.maximum(samples.counts @ bins**2 - n * mean**2, 0)
        b, error = b_from_moments(
            n, mean * shared.delta_m, squares * shared.delta_m**2, delta_m=shared.delta_m
        )
    return n, b, error


def _mc(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n = samples.counts.sum(axis=1)
    mc = _fullest(samples.counts, shared)
    error = np.full(n.size, np.nan)
    for cell in np.flatnonzero(n >= max(shared.min_events, 2)):
        random = np.random.default_rng(at[cell])  # of its place, so that tiles do not matter
        error[cell] = _resampled_error(samples.counts[cell], random) * shared.delta_m
    return [_enough(mc, n, shared), error, n.astype(np.float64)]


def _resampled_error(counts: NDArray[np.int64], random: np.random.Generator) -> float:
    """Standard deviation of the fullest bin over bootstrap samples, in bins."""
    most = counts.max()
    # the rest are so far below that no resample makes one of them the fullest
    rivals = np.flatnonzero(counts >= most - _NEVER * np.sqrt(2 * most))
    shares = np.append(counts[rivals], counts.sum() - counts[rivals].sum()) / counts.sum()
    drawn = random.multinomial(counts.sum(), shares, size=_RESAMPLES)[:, :-1]
    fullest = rivals.size - 1 - np.argmax(drawn[:, ::-1], axis=1)
    return float(rivals[fullest].std())


def _fullest(counts: NDArray[np.int64], shared: Counted) -> NDArray[np.float64]:
    """Mc by maximum curvature of each row of counts; see `completeness.maximum_curvature`."""
    fullest = counts.shape[1] - 1 - np.argmax(counts[:, ::-1], axis=1)
    return np.asarray((shared.first_bin + fullest) * shared.delta_m + CORRECTION)


def _energy(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n = samples.counts.sum(axis=1).astype(np.float64)
    energy = samples.sums[:, 0]
    with np.errstate(divide="ignore"):
        return [_enough(np.log10(energy), n, shared), _enough(energy, n, shared), n]


def _z(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    bins, before, after = shared.split
    reference, window = samples.counts[:, :bins], samples.counts[:, bins:]
    n = samples.counts.sum(axis=1).astype(np.float64)
    z = z_from_counts(reference, window, bin_days=shared.bin_days)
    rates = (reference.sum(axis=1) / before, window.sum(axis=1) / after)
    return [_enough(z, n, shared), *(_enough(rate, n, shared) for rate in rates), n]


def _elapsed(samples: Samples, shared: Counted, at: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    n = samples.counts.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore"):
        mean = np.where(n > 0, shared.years / n, np.nan)
    elapsed = (shared.end_days - samples.largest) / DAYS_PER_YEAR
    return [_enough(np.where(n > 0, elapsed, np.nan), n, shared), _enough(mean, n, shared), n]


def _enough(
    values: NDArray[np.float64], n: NDArray[np.floating] | NDArray[np.integer], shared: Counted
) -> NDArray[np.float64]:
    """The values, NaN where there are too few events."""
    return np.where(n >= shared.min_events, values, np.nan)


_PER_KM2 = "events/(km2 yr)"
_N = ("n", "events")

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            "rate", "Rate per year and km2 with its 95 % Poisson interval (Garwood 1936)",
            (("rate", _PER_KM2), ("rate_low", _PER_KM2), ("rate_high", _PER_KM2), _N),
            0, True, True, "log", _rate,
        ),
        Quantity(
            "b", "b-value (Tinti & Mulargia 1987) with its standard error (Shi & Bolt 1982)",
            (("b_value", ""), ("b_error", ""), _N), MIN_EVENTS, False, True, "linear", _b,
        ),
        Quantity(
            "a", "a-value: log10 of the events of magnitude 0 and more per year and km2",
            (("a_value", f"log10({_PER_KM2})"), ("a_error", ""), ("b_value", ""), _N),
            MIN_EVENTS, False, True, "linear", _a,
        ),
        Quantity(
            "mc", "Completeness by maximum curvature + 0.2, with its bootstrap standard error",
            (("mc", "magnitude"), ("mc_error", "magnitude"), _N),
            MIN_EVENTS, False, False, "linear", _mc,
        ),
        Quantity(
            "energy", "Radiated energy (Gutenberg & Richter 1956), its logarithm first",
            (("log10_energy", "log10(J)"), ("energy", "J"), _N), 1, True, False, "linear", _energy,
        ),
        Quantity(
            "count", "Number of events, and the largest magnitude",
            (("count", "events"), ("largest_magnitude", "magnitude")),
            0, True, False, "log", _count,
        ),
        Quantity(
            "z", "z-value of the rate since a date against that before; positive = quieter",
            (("z_value", ""), ("rate_before", "events/yr"), ("rate_since", "events/yr"), _N),
            MIN_EVENTS, False, True, "diverging", _z,
        ),
        Quantity(
            "elapsed", "Years since the last event, and the mean years between events",
            (("elapsed", "yr"), ("mean_interval", "yr"), _N), 1, True, False, "linear", _elapsed,
        ),
    )
}  # fmt: skip
"""Quantities of `geotools seismicity`, by name."""
