"""The N test: whether the observed number of events could be a draw from the forecast's.

Poisson numbers, and negative binomial ones for catalogs that keep their aftershocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from geotools.errors import EventsError

__all__ = [
    "MOST_EVENTS",
    "NumberTest",
    "negative_binomial_number_test",
    "number_test",
    "verdict_of",
]

MOST_EVENTS = 1e9
"""More than this expected in all is no count of earthquakes but a mistake in the units."""


@dataclass(frozen=True, slots=True)
class NumberTest:
    """Whether the observed number of events could be a draw from the forecast's."""

    name: str
    """"N" or "N, negative binomial"."""
    expected: float
    """Expected number of events."""
    observed: int
    """Observed number of events."""
    delta1: float
    """Probability of at least as many events as were observed; small: too few were expected."""
    delta2: float
    """Probability of at most as many; small: too many were expected."""
    interval: tuple[int, int]
    """Central 95 % of the number under the forecast."""

    @property
    def quantile(self) -> float:
        """The smaller of both probabilities."""
        return min(self.delta1, self.delta2)

    def verdict(self, level: float = 0.05) -> str:
        """What the test says, two-sided at `level`."""
        return verdict_of(self.quantile, level / 2, level)


def number_test(expected: float, observed: int) -> NumberTest:
    """The N test with Poisson numbers (Zechar, Gerstenberger and Rhoades 2010).

    Args:
        expected: number of events that the forecast expects in all.
        observed: number of events that happened.

    Raises:
        EventsError: a number that cannot be.
    """
    from scipy.special import gammainc, gammaincc
    from scipy.stats import poisson

    expected, observed = _numbers(expected, observed)
    low, high = poisson.interval(0.95, expected) if expected else (0, 0)
    return NumberTest(
        "N",
        expected,
        observed,
        float(gammainc(observed, expected)) if observed else 1.0,
        float(gammaincc(observed + 1, expected)),
        (int(low), int(high)),
    )


def negative_binomial_number_test(expected: float, observed: int, variance: float) -> NumberTest:
    """The N test with negative binomial numbers, for clustered catalogs (Kagan 2010).

    Args:
        expected: number of events that the forecast expects in all.
        observed: number of events that happened.
        variance: of the number of events, above `expected`; from the years before the test.

    Raises:
        EventsError: a number that cannot be, or a variance that is not above the mean.
    """
    from scipy.special import betainc
    from scipy.stats import nbinom

    expected, observed = _numbers(expected, observed)
    if not (math.isfinite(variance) and variance > expected > 0):
        raise EventsError(
            f"A negative binomial number of mean {expected:g} cannot have the variance "
            f"{variance:g}: it must be above the mean."
        )
    size, share = expected**2 / (variance - expected), expected / variance
    low, high = nbinom.interval(0.95, size, share)
    return NumberTest(
        "N, negative binomial",
        expected,
        observed,
        float(betainc(observed, size, 1 - share)) if observed else 1.0,
        float(betainc(size, observed + 1, share)),
        (int(low), int(high)),
    )


def verdict_of(quantile: float, limit: float, level: float) -> str:
    """What a test at `level` says of a quantile that must not be below `limit`."""
    if math.isnan(quantile):
        return "not tested"
    return f"{'' if quantile >= limit else 'not '}consistent at {100 * level:g} %"


def _numbers(expected: float, observed: int) -> tuple[float, int]:
    if not (0 <= expected <= MOST_EVENTS and 0 <= observed <= MOST_EVENTS):
        raise EventsError(
            f"{expected} expected and {observed} observed events: numbers from 0 to "
            f"{MOST_EVENTS:g} are needed."
        )
    if observed != int(observed):
        raise EventsError(f"{observed} events were observed: a whole number is needed.")
    return float(expected), int(observed)
