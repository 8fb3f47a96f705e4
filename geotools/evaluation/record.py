"""Record: what a run of forecasts leaves behind, and the tests and scores taken from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation.csep_tests import LikelihoodTest, consistency_tests
from geotools.evaluation.gains import Gain, information_gain
from geotools.evaluation.molchan import AlarmTally, Molchan
from geotools.evaluation.number_tests import NumberTest
from geotools.evaluation.reliability import Reliability
from geotools.forecast import utc
from geotools.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Record", "month_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What a run of forecasts leaves behind: enough for every test, without the forecasts."""

    names: tuple[str, ...]
    """The forecasts that were scored; the first is the model, the others its baselines."""
    grid: Grid
    """Where the cells are."""
    region: NDArray[np.bool_]
    """(rows, cols) True for the cells that were scored."""
    magnitudes: tuple[float, ...]
    """Lower edges of the magnitude bins; the last is open."""
    starts: tuple[datetime, ...]
    """Beginning of each window, rising."""
    ends: tuple[datetime, ...]
    """End of each window."""
    observed: NDArray[np.int64]
    """(windows,) number of events."""
    totals: Mapping[str, NDArray[np.float64]]
    """(windows,) expected number of events, by forecast."""
    event_windows: NDArray[np.int64]
    """(events,) index of each event's window."""
    event_days: NDArray[np.float64]
    """(events,) time of each event, days since 1970-01-01 UTC."""
    event_places: NDArray[np.float64]
    """(events, 3) longitude, latitude and magnitude of each event."""
    log_rates: Mapping[str, NDArray[np.float64]]
    """(events,) logarithm of the rate in the event's window, cell and bin, by forecast; -inf
    where the forecast was 0."""
    rates: Mapping[str, NDArray[np.float64]]
    """(cells, bins) expected numbers of all windows together, by forecast; cells row by row."""
    counts: NDArray[np.int64]
    """(cells, bins) observed numbers of all windows together."""
    reliability: Mapping[str, Reliability]
    """Of the probability of any event in a cell and window, by forecast."""
    alarms: Mapping[str, AlarmTally]
    """Alarm levels of all cells and windows, by forecast."""
    window_tests: Mapping[str, tuple[LikelihoodTest, ...]]
    """The likelihood tests over all windows, by forecast; see `window_tests`."""
    references: tuple[str, ...]
    """Forecasts that Molchan diagrams can be measured by."""
    left_out: Mapping[str, int]
    """Number of events of the windows that were not scored, by reason."""

    @property
    def months(self) -> NDArray[np.int64]:
        """(windows,) year x 12 + month - 1 of the beginning of each window."""
        return np.array([month_of(start) for start in self.starts], np.int64)

    def gain(self, name: str, baseline: str, *, seed: int = 0) -> Gain:
        """The information gain of a forecast over another; blocks are calendar months."""
        return information_gain(
            self.log_rates[name],
            self.log_rates[baseline],
            self.totals[name],
            self.totals[baseline],
            event_windows=self.event_windows,
            window_blocks=self.months,
            names=(name, baseline),
            seed=seed,
        )

    def cumulative_gain(self, name: str, baseline: str) -> NDArray[np.float64]:
        """(windows,) nats gained since the beginning, at the end of each window."""
        gained = self.totals[baseline] - self.totals[name]
        with np.errstate(invalid="ignore"):  # both 0 at an event
            np.add.at(gained, self.event_windows, self.log_rates[name] - self.log_rates[baseline])
            summed: NDArray[np.float64] = np.cumsum(gained)
        return summed

    def tests(
        self,
        name: str,
        *,
        variance_ratio: float | None = None,
        simulations: int = 1000,
        seed: int = 0,
    ) -> tuple[NumberTest | LikelihoodTest, ...]:
        """The consistency tests of a forecast: those by windows, and those of the sums.

        The number is tested on its sum over all windows, whose variance under the forecast is the
        sum of the windows' (the forecast of a window is fixed before it begins). The M, S, CL, L
        and binary S tests of the sums are those of `consistency_tests`, with the same arguments;
        of forecasts that are updated they are lenient, as the sums have reacted to the events.
        """
        found = consistency_tests(
            self.rates[name],
            self.counts,
            variance_ratio=variance_ratio,
            simulations=simulations,
            seed=seed,
        )
        numbers = sum(isinstance(test, NumberTest) for test in found)
        return *found[:numbers], *self.window_tests[name], *found[numbers:]

    def molchan(self, name: str, reference: str) -> Molchan:
        """Molchan's diagram of a forecast over all cells and windows, measured by another."""
        return self.alarms[name].diagram(reference)

    def map(self, name: str) -> NDArray[np.float64]:
        """(rows, cols) expected number of events of all windows together; NaN outside."""
        drawn = np.full(self.grid.shape, np.nan)
        drawn[self.region] = self.rates[name].sum(axis=1)
        return drawn


def month_of(moment: datetime) -> int:
    """Year x 12 + month - 1 of a moment: a number for each calendar month."""
    moment = utc(moment)
    return moment.year * 12 + moment.month - 1
