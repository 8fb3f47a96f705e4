"""Issued: a forecast as it goes out: the rates, the baselines, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.forecast import Forecast

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Issued", "count_interval"]

_MANY = 1e6
"""From this number on, quantiles are those of the continuous limits."""


@dataclass(frozen=True, slots=True, eq=False)
class Issued:
    """A forecast and the baselines for the same cells, window and magnitude bins."""

    forecast: Forecast
    """What is issued."""
    baselines: Mapping[str, Forecast]
    """By name: `uniform`, `smoothed` (the long-term baseline), `etas`."""
    mc: float
    """Completeness magnitude; smaller events were not looked at."""
    b_value: float
    """Slope of the Gutenberg-Richter law that divides the rates among magnitudes."""
    used: NDArray[np.bool_]
    """(events,) True for the rows of the event table that the forecast rests on."""
    left_out: Mapping[str, int]
    """Number of events that it does not rest on, by reason."""
    dispersion: float | None
    """Variance of the number of events beyond Poisson's, as a share of the squared mean; None:
    not known."""
    model: Mapping[str, str]
    """Name, version, sha256 of the model file; `name` alone for a generic forecast."""
    notes: tuple[str, ...]
    """What a reader must know, one sentence each."""

    @property
    def smoothed(self) -> Forecast:
        """The long-term baseline."""
        return self.baselines["smoothed"]

    def interval(self, magnitude: float) -> tuple[int, int]:
        """The 95 % interval of the number of events of that magnitude or more in the region.

        Poisson's where `dispersion` is not known, which is too narrow after large earthquakes.
        """
        inside = self.forecast.rates.valid
        expected = float(self.forecast.at_least(magnitude)[inside].sum())
        return count_interval(expected, self.dispersion or 0.0)


def count_interval(expected: float, dispersion: float = 0.0) -> tuple[int, int]:
    """The smallest and largest number between the 2.5 % and the 97.5 % quantile.

    Poisson when `dispersion` is 0; otherwise negative binomial with variance
    expected + dispersion expected², as Kagan (2010) finds for counts of clustered
    earthquakes.

    Args:
        expected: expected number, 0 or more.
        dispersion: 0 or more.
    """
    spread = np.sqrt(expected + dispersion * expected**2)
    if expected > _MANY:
        if dispersion == 0:
            return int(expected - 1.96 * spread), int(np.ceil(expected + 1.96 * spread))
        from scipy.special import gammaincinv  # what the negative binomial becomes

        low, high = gammaincinv(1 / dispersion, [0.025, 0.975]) * dispersion * expected
        return int(low), int(np.ceil(high))
    numbers = np.arange(1, int(expected + 40 * spread) + 30, dtype=np.float64)
    # Log of P(n) / P(n - 1), for n = 1, 2, …
    if dispersion > 0:
        size = 1 / dispersion
        share = expected / (expected + size)
        first = -size * np.log1p(expected / size)
        steps = np.log((numbers - 1 + size) / numbers) + np.log(share) if expected else -numbers
    else:
        first = -expected
        steps = np.log(expected / numbers) if expected else -np.inf * numbers
    summed = np.cumsum(np.exp(np.concatenate([[first], first + np.cumsum(steps)])))
    low, high = np.searchsorted(summed, [0.025, 0.975])
    return int(low), int(high)
