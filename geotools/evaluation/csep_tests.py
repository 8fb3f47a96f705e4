"""Consistency tests of a gridded forecast, as the CSEP centres run them: N, M, S, L, CL, binary S.

Arrays in, results out. A test asks whether the observed events could be a draw from the forecast;
passing it does not make a forecast good, that is for `gains`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.number_tests import (
    MOST_EVENTS,
    NumberTest,
    negative_binomial_number_test,
    number_test,
    verdict_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LikelihoodTest",
    "NumberTest",
    "binary_spatial_test",
    "conditional_likelihood_test",
    "consistency_tests",
    "likelihood_quantile",
    "likelihood_test",
    "magnitude_test",
    "negative_binomial_number_test",
    "number_test",
    "spatial_test",
]

_TIE = 1e-9
"""Log-likelihoods that differ relatively by less are equal: sums of the same terms in another
order must not decide a test."""


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodTest:
    """Whether the observed log-likelihood is low among catalogs drawn from the forecast."""

    name: str
    """L, CL, S, M or binary S."""
    observed: float
    """Joint log-likelihood of the observation; -inf when an event fell where none was possible."""
    simulated: NDArray[np.float64]
    """(simulations,) joint log-likelihoods of catalogs drawn from the forecast."""
    quantile: float
    """Share of the simulated that are at most the observed; NaN when there is nothing to test."""
    zero_rate_events: int
    """Observed events in cells where the forecast is 0."""

    def verdict(self, level: float = 0.05) -> str:
        """What the test says, one-sided at `level`: low likelihoods are inconsistent."""
        return verdict_of(self.quantile, level, level)


def likelihood_test(
    rates: ArrayLike, counts: ArrayLike, *, simulations: int = 1000, seed: int = 0
) -> LikelihoodTest:
    """The L test: number, places and magnitudes together (Zechar et al. 2010).

    Args:
        rates: (cells, bins) expected number of events; any shape.
        counts: the same shape, observed number of events.
        simulations: catalogs that are drawn from the forecast.
        seed: fixes them; the order of the cells does not matter.

    Raises:
        EventsError: arrays that cannot be a forecast and an observation.
    """
    expected, observed = _checked(rates, counts)
    return _poisson_test(
        "L", expected, observed, simulations, seed, conditional=False, normalised=False
    )


def conditional_likelihood_test(
    rates: ArrayLike, counts: ArrayLike, *, simulations: int = 1000, seed: int = 0
) -> LikelihoodTest:
    """The CL test: places and magnitudes, given the observed number (Werner et al. 2011).

    Arguments and errors as `likelihood_test`.
    """
    expected, observed = _checked(rates, counts)
    return _poisson_test(
        "CL", expected, observed, simulations, seed, conditional=True, normalised=False
    )


def spatial_test(
    rates: ArrayLike, counts: ArrayLike, *, simulations: int = 1000, seed: int = 0
) -> LikelihoodTest:
    """The S test: places alone, magnitudes summed, given the number (Zechar et al. 2010).

    Arguments and errors as `likelihood_test`; the first axis is the cells.
    """
    expected, observed = _summed(*_checked(rates, counts), 0)
    return _poisson_test(
        "S", expected, observed, simulations, seed, conditional=True, normalised=True
    )


def magnitude_test(
    rates: ArrayLike, counts: ArrayLike, *, simulations: int = 1000, seed: int = 0
) -> LikelihoodTest:
    """The M test: magnitudes alone, cells summed, given the number (Zechar et al. 2010).

    Arguments and errors as `likelihood_test`; the last axis is the magnitude bins. With one bin
    there is nothing to test: the quantile is NaN.
    """
    expected, observed = _checked(rates, counts)
    if expected.ndim < 2 or expected.shape[-1] < 2:
        return LikelihoodTest("M", math.nan, np.zeros(0), math.nan, 0)
    expected, observed = _summed(expected, observed, -1)
    return _poisson_test(
        "M", expected, observed, simulations, seed, conditional=True, normalised=True
    )


def binary_spatial_test(
    rates: ArrayLike, counts: ArrayLike, *, simulations: int = 1000, seed: int = 0
) -> LikelihoodTest:
    """The binary S test: which cells have any event, given how many have (Bayona et al. 2022).

    A cell counts once however many events fell into it, so that clusters weigh less than in the
    S test. Catalogs are drawn cell by cell without replacement; that order of draws is the order
    of exponential variates divided by the rates (Efraimidis and Spirakis 2006).

    Arguments and errors as `likelihood_test`; the first axis is the cells.
    """
    expected, observed = _summed(*_checked(rates, counts), 0)
    active = observed > 0
    total, size = float(expected.sum()), int(active.sum())
    zero = int(observed[expected == 0].sum())
    if not size:
        return LikelihoodTest("binary S", math.nan, np.zeros(0), math.nan, 0)
    with np.errstate(divide="ignore"):
        joint = -total + float(_log_odds(expected[active]).sum())
    possible = np.sort(expected[expected > 0])
    odds, size = _log_odds(possible), min(size, len(possible))
    rng = np.random.default_rng(seed)
    simulated = np.empty(simulations)
    for draw in range(simulations):
        first = rng.standard_exponential(len(possible)) / possible
        chosen = np.argpartition(first, size - 1)[:size]
        simulated[draw] = -total + odds[chosen].sum()
    return LikelihoodTest("binary S", joint, simulated, likelihood_quantile(simulated, joint), zero)


def consistency_tests(
    rates: ArrayLike,
    counts: ArrayLike,
    *,
    variance_ratio: float | None = None,
    simulations: int = 1000,
    seed: int = 0,
) -> tuple[NumberTest | LikelihoodTest, ...]:
    """All tests in the order N, (N, negative binomial), M, S, binary S, CL, L.

    Args:
        rates: (cells, bins) expected number of events.
        counts: (cells, bins) observed number of events.
        variance_ratio: variance of the number of events divided by its mean, from the years
            before the test; without it, or when not above 1, there is no negative binomial test.
        simulations: catalogs per test.
        seed: fixes them.

    Raises:
        EventsError: arrays that cannot be a forecast and an observation.
    """
    expected, observed = _checked(rates, counts)
    total, number = float(expected.sum()), int(observed.sum())
    found: list[NumberTest | LikelihoodTest] = [number_test(total, number)]
    if variance_ratio is not None and variance_ratio > 1:
        found.append(negative_binomial_number_test(total, number, variance_ratio * total))
    tests = (
        magnitude_test,
        spatial_test,
        binary_spatial_test,
        conditional_likelihood_test,
        likelihood_test,
    )
    return *found, *(run(expected, observed, simulations=simulations, seed=seed) for run in tests)


def _poisson_test(
    name: str,
    rates: NDArray[np.float64],
    counts: NDArray[np.int64],
    simulations: int,
    seed: int,
    *,
    conditional: bool,
    normalised: bool,
) -> LikelihoodTest:
    """A test by the Poisson joint log-likelihood, sum of n log(rate) - log(n!) - rate."""
    from scipy.special import gammaln

    rates, counts = rates.ravel(), counts.ravel()
    number, zero = int(counts.sum()), int(counts[rates == 0].sum())
    if conditional and not number:
        return LikelihoodTest(name, math.nan, np.zeros(0), math.nan, 0)
    if normalised:
        rates = rates * (number / rates.sum())
    total = float(number) if normalised else float(rates.sum())
    hit = counts > 0
    with np.errstate(divide="ignore"):
        joint = float((counts[hit] * np.log(rates[hit])).sum() - gammaln(counts[hit] + 1).sum())
    joint -= total
    possible = np.sort(rates[rates > 0])  # sorted: the draws do not depend on the cells' order
    logs = np.log(possible)
    simulated = np.empty(simulations)
    draws = _catalogs(possible, number if conditional else None, simulations, seed)
    for draw, (cells, times) in enumerate(draws):
        simulated[draw] = logs[cells] @ times - gammaln(times + 1).sum() - total
    return LikelihoodTest(name, joint, simulated, likelihood_quantile(simulated, joint), zero)


def _catalogs(
    rates: NDArray[np.float64], number: int | None, simulations: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Catalogs drawn from positive rates: the cells that are hit, and how often.

    `number` events each, or a Poisson number of them when None. Each event takes one uniform
    variate through the inverse distribution; many events to a cell are drawn cell by cell.
    """
    rng = np.random.default_rng(seed)
    total = float(rates.sum())
    cumulative = np.cumsum(rates) / total
    cumulative[-1] = 1.0  # rounding must not leave a gap below 1
    for _ in range(simulations):
        events = int(rng.poisson(total)) if number is None else number
        if events > 4 * len(rates) + 1000:
            times = rng.multinomial(events, rates / total)
            cells = np.flatnonzero(times)
            yield cells, times[cells]
        else:
            variates = np.sort(rng.random(events))  # sorted: neighbours in memory are asked for
            drawn = np.searchsorted(cumulative, variates, side="right")
            yield np.unique(drawn, return_counts=True)


def _log_odds(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of P(any event) / P(none): what a hit adds to the likelihood of no hits at all."""
    odds: NDArray[np.float64] = rates + np.log(-np.expm1(-rates))
    return odds


def likelihood_quantile(simulated: NDArray[np.float64], observed: float) -> float:
    """Share of the simulated log-likelihoods that are at most the observed one."""
    if observed == -math.inf:
        return 0.0
    return float((simulated <= observed + _TIE * max(1.0, abs(observed))).mean())


def _summed(
    rates: NDArray[np.float64], counts: NDArray[np.int64], axis: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Both arrays summed over all axes but one."""
    kept = axis % rates.ndim
    others = tuple(other for other in range(rates.ndim) if other != kept)
    return rates.sum(axis=others), counts.sum(axis=others)


def _checked(rates: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Both arrays, if they are a forecast and an observation."""
    expected, observed = np.asarray(rates, dtype=np.float64), np.asarray(counts)
    if expected.shape != observed.shape or not expected.size:
        raise EventsError(
            f"The forecast has shape {expected.shape}, the observation {observed.shape}: give "
            "the same cells and bins."
        )
    if not (np.isfinite(expected).all() and (expected >= 0).all()):
        raise EventsError("The forecast holds rates that are no numbers from 0 up.")
    whole = observed.astype(np.int64)
    if (whole != observed).any() or (whole < 0).any():
        raise EventsError("The observation holds counts that are no whole numbers from 0 up.")
    if not 0 < expected.sum() <= MOST_EVENTS:
        raise EventsError(
            f"The forecast expects {expected.sum():g} events in all: more than 0 and at most "
            f"{MOST_EVENTS:g} can be tested."
        )
    return expected, whole
