"""Indicators of seismicity at an issue time: Panakkat & Adeli's, the z-value, elapsed time, energy.

Nothing here looks at an event at or after the issue time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._index import checked_events

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Indicators",
    "ZValue",
    "bins_of_period",
    "elapsed_days",
    "energy_j",
    "panakkat_adeli",
    "z_from_counts",
    "z_value",
]


@dataclass(frozen=True, slots=True)
class Indicators:
    """The eight seismicity indicators of Panakkat & Adeli (2007), and the a-value among them."""

    elapsed_days: float
    """T: time from the first to the last of the n events."""
    mean_magnitude: float
    """Mean magnitude of the n events."""
    root_energy: float
    """dE^½: sum of the roots of their energies over T, J^½ per day; NaN when T is 0."""
    b: float
    """Slope of the least-squares line through log10 N(≥ m) of the n events."""
    mean_square_deviation: float
    """η: mean square deviation of log10 N from that line, over n - 1."""
    magnitude_deficit: float
    """ΔM: largest magnitude of the n less a / b, the largest that the line expects."""
    mean_interval_days: float
    """μ: mean time between characteristic events among the n; NaN below two of them."""
    interval_variation: float
    """c: standard deviation of these times over μ; NaN below three of them."""
    a: float
    """Height of the line at magnitude 0."""


def panakkat_adeli(
    time_days: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    issue_days: float,
    characteristic: float,
    n: int = 100,
) -> Indicators:
    """The indicators of the last n events before the issue time (Panakkat & Adeli 2007, eq. 1-8).

    The magnitudes should be complete. b, η, ΔM and a are NaN when the n events have one magnitude.

    Args:
        time_days: (events,) days; events may lie in any order.
        magnitude: (events,) all known.
        issue_days: no event at or after it enters.
        characteristic: least magnitude of the characteristic events.
        n: how many events.

    Raises:
        EventsError: arrays that do not match, values that are missing, fewer than n events before
            the issue time, n below 2.
    """
    time, mag = checked_events(time_days, magnitude, names=("time", "magnitude"))
    if n < 2:
        raise EventsError(f"Indicators of {n} events cannot be: give at least 2.")
    past = time < issue_days
    time, mag = time[past], mag[past]
    if time.size < n:
        raise EventsError(
            f"{time.size} events lie before the issue time, {n} are needed: ask for fewer."
        )
    last = np.lexsort((mag, time))[-n:]
    time, mag = time[last], mag[last]
    span = float(time[-1] - time[0])
    a, b, deviation = _line(mag)
    main = time[mag >= characteristic]
    intervals = np.diff(main)
    mean_interval = float(intervals.mean()) if intervals.size else math.nan
    varies = intervals.size >= 2 and mean_interval > 0
    return Indicators(
        elapsed_days=span,
        mean_magnitude=float(mag.mean()),
        root_energy=float(np.sqrt(energy_j(mag)).sum() / span) if span > 0 else math.nan,
        b=b,
        mean_square_deviation=deviation,
        magnitude_deficit=float(mag.max()) - a / b if b else math.nan,
        mean_interval_days=mean_interval,
        interval_variation=float(intervals.std(ddof=1) / mean_interval) if varies else math.nan,
        a=a,
    )


def _line(magnitude: NDArray[np.float64]) -> tuple[float, float, float]:
    """a, b and mean square deviation of log10 N(≥ m) = a - b m, each event a point."""
    ordered = np.sort(magnitude)
    count = magnitude.size
    log_n = np.log10(count - np.searchsorted(ordered, ordered, side="left"))
    centred = ordered - ordered.mean()
    squares = float((centred**2).sum())
    if squares < 1e-9:
        return math.nan, math.nan, math.nan
    b = -float((centred * log_n).sum()) / squares
    a = float(log_n.mean() + b * ordered.mean())
    deviation = float(((log_n - (a - b * ordered)) ** 2).sum() / (count - 1))
    return a, b, deviation


def energy_j(magnitude: NDArray[np.floating]) -> NDArray[np.float64]:
    """(events,) radiated energy in joules: log10 E = 4.8 + 1.5 M (Gutenberg & Richter 1956).

    The paper's 11.8 is for ergs. NaN where the magnitude is.
    """
    energy: NDArray[np.float64] = 10.0 ** (4.8 + 1.5 * np.asarray(magnitude, np.float64))
    return energy


def elapsed_days(
    time_days: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    issue_days: float,
    at_least: float,
) -> float:
    """Days from the last event of that magnitude or more to the issue time; inf without one.

    Args:
        time_days: (events,) days, in any order.
        magnitude: (events,) NaN ones do not count.
        issue_days: no event at or after it counts.
        at_least: least magnitude.
    """
    times, values = np.asarray(time_days, np.float64), np.asarray(magnitude, np.float64)
    found = times[(times < issue_days) & (values >= at_least)]
    return float(issue_days - found.max()) if found.size else math.inf


@dataclass(frozen=True, slots=True)
class ZValue:
    """How much the rate of a window differs from that of a reference period."""

    z: float
    """Standard deviate of the difference; positive for a quiescence; NaN where neither varies."""
    reference_per_day: float
    """Events per day in the reference period."""
    window_per_day: float
    """Events per day in the window."""
    n: int
    """Events in both."""


def z_value(
    time_days: NDArray[np.floating],
    *,
    reference_days: tuple[float, float],
    window_days: tuple[float, float],
    bin_days: float = 28.0,
) -> ZValue:
    """The z-value of a change of rate (Habermann 1983; Wiemer & Wyss 1994, eq. 1).

    z = (R1 - R2) / sqrt(S1 / n1 + S2 / n2): means and variances of the counts of bins, of the
    reference and of the window. Each period is cut into whole bins of nearly `bin_days`.

    Args:
        time_days: (events,) days, in any order.
        reference_days: start and end of the reference period, the end left out.
        window_days: start and end of the window.
        bin_days: length of a bin.

    Raises:
        EventsError: a period shorter than two bins.
    """
    counts, rates, total = [], [], 0
    for start, end in (reference_days, window_days):
        bins = bins_of_period(start, end, bin_days)
        times = np.asarray(time_days, np.float64)
        times = times[(times >= start) & (times < end)]
        number = np.minimum(((times - start) / (end - start) * bins).astype(np.int64), bins - 1)
        counts.append(np.bincount(number, minlength=bins)[None])
        rates.append(times.size / (end - start))
        total += times.size
    z = z_from_counts(counts[0], counts[1], bin_days=_lengths(reference_days, window_days, counts))
    return ZValue(float(z[0]), rates[0], rates[1], total)


def bins_of_period(start_days: float, end_days: float, bin_days: float) -> int:
    """How many bins of nearly that length a period has.

    Raises:
        EventsError: fewer than two.
    """
    bins = round((end_days - start_days) / bin_days) if bin_days > 0 else 0
    if bins < 2:
        raise EventsError(
            f"A period of {end_days - start_days:g} days has no two bins of {bin_days:g} days: "
            "give longer periods or shorter bins."
        )
    return bins


def _lengths(
    reference: tuple[float, float],
    window: tuple[float, float],
    counts: list[NDArray[np.int64]],
) -> tuple[float, float]:
    """Length of a bin in each period."""
    return (
        (reference[1] - reference[0]) / counts[0].shape[1],
        (window[1] - window[0]) / counts[1].shape[1],
    )


def z_from_counts(
    reference: NDArray[np.integer],
    window: NDArray[np.integer],
    *,
    bin_days: tuple[float, float],
) -> NDArray[np.float64]:
    """(samples,) z-values of counts by bins.

    Args:
        reference: (samples, bins) counts of the reference period.
        window: (samples, bins) counts of the window.
        bin_days: length of a bin in the reference period and in the window.
    """
    means, variances = [], []
    for counts, length in zip((reference, window), bin_days, strict=True):
        daily = counts / length
        means.append(daily.mean(axis=1))
        variances.append(daily.var(axis=1, ddof=1) / counts.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (means[0] - means[1]) / np.sqrt(variances[0] + variances[1])
    return np.where(np.isfinite(z), z, np.nan)
