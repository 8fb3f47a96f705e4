"""Likelihood tests window by window, for forecasts that are updated as events happen.

The sums of such forecasts over a period have reacted to the very events they are tested on. Given
what was before a window its forecast has not: every window is drawn from what was issued for it,
and the log-likelihoods of the windows are added up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.csep_tests import LikelihoodTest, likelihood_quantile
from geotools.evaluation.number_tests import MOST_EVENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WindowTally"]

_MOST_DRAWN = 2_000_000
"""Events of simulated catalogs in memory at one time."""


class WindowTally:
    """The L test and the S test over all windows, filled as forecasts come by."""

    def __init__(self, *, simulations: int = 1000, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._joint, self._spatial = 0.0, 0.0
        self._joints, self._spatials = np.zeros(simulations), np.zeros(simulations)
        self._events, self._zero, self._zero_cells = 0, 0, 0

    def add(
        self,
        rates: NDArray[np.float64],
        cells: NDArray[np.int64],
        bins: NDArray[np.int64],
    ) -> None:
        """Counts a window.

        Args:
            rates: (cells, bins) expected number of events in the window.
            cells: (events,) index of each event's cell.
            bins: (events,) index of each event's magnitude bin.

        Raises:
            EventsError: more events are expected than there can be.
        """
        flat, places = rates.ravel(), rates.sum(axis=1)
        total, number = float(flat.sum()), len(cells)
        if total > MOST_EVENTS:
            raise EventsError(
                f"A window expects {total:g} events, more than {MOST_EVENTS:g}: are the rates per "
                "cell and window?"
            )
        observed = cells * rates.shape[1] + bins
        self._events += number
        self._zero += int((flat[observed] == 0).sum())
        self._zero_cells += int((places[cells] == 0).sum())
        self._joint += float(_logs(flat, observed, np.zeros(number, np.int64), 1)[0]) - total
        numbers = self._rng.poisson(total, len(self._joints))
        self._joints += self._drawn(flat, numbers) - total
        if number:
            here = np.zeros(number, np.int64)
            scale = math.log(number / total) * number if total else 0.0
            self._spatial += float(_logs(places, cells, here, 1)[0]) + scale - number
            self._spatials += self._drawn(places, np.full(len(numbers), number)) + scale - number

    def tests(self) -> tuple[LikelihoodTest, LikelihoodTest]:
        """The L test, and the S test given the number of events of each window."""
        spatial = self._spatial if self._events else math.nan
        return (
            LikelihoodTest(
                "L, by windows",
                self._joint,
                self._joints.copy(),
                likelihood_quantile(self._joints, self._joint),
                self._zero,
            ),
            LikelihoodTest(
                "S, by windows",
                spatial,
                self._spatials.copy() if self._events else np.zeros(0),
                likelihood_quantile(self._spatials, spatial) if self._events else math.nan,
                self._zero_cells,
            ),
        )

    def _drawn(self, rates: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """(simulations,) sums of n log(rate) - log(n!) of catalogs of so many events each."""
        found = np.zeros(len(numbers))
        total = float(rates.sum())
        if not total:
            return found
        possible = np.flatnonzero(rates)
        cumulative = np.cumsum(rates[possible]) / total
        cumulative[-1] = 1.0  # rounding must not leave a gap below 1
        if numbers.max() > _MOST_DRAWN:  # too many to draw one by one
            for row, number in enumerate(numbers):
                times = self._rng.multinomial(number, rates / total)
                found[row] = _logs_of_counts(rates[times > 0], times[times > 0]).sum()
            return found
        ends = np.cumsum(numbers)
        first = 0
        while first < len(numbers):
            before = ends[first] - numbers[first]
            stop = max(int(np.searchsorted(ends, before + _MOST_DRAWN, side="right")), first + 1)
            catalog = np.repeat(np.arange(stop - first), numbers[first:stop])
            variates = self._rng.random(len(catalog))
            cells = possible[np.searchsorted(cumulative, variates, side="right")]
            found[first:stop] = _logs(rates, cells, catalog, stop - first)
            first = stop
        return found


def _logs(
    rates: NDArray[np.float64],
    cells: NDArray[np.int64],
    catalogs: NDArray[np.int64],
    count: int,
) -> NDArray[np.float64]:
    """(count,) sums of n log(rate) - log(n!) by catalog, of events given one by one."""
    keys, times = np.unique(catalogs * len(rates) + cells, return_counts=True)
    terms = _logs_of_counts(rates[keys % len(rates)], times)
    return np.bincount(keys // len(rates), terms, count).astype(np.float64)


def _logs_of_counts(rates: NDArray[np.float64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import gammaln

    with np.errstate(divide="ignore"):
        logs: NDArray[np.float64] = times * np.log(rates) - gammaln(times + 1)
    return logs
