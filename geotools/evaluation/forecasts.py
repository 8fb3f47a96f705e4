"""score_forecasts: a run of forecasts and what happened become a record that tests are taken from.

Forecasts come by one window after another and are not kept: the record holds numbers per window,
per event and per cell. Where forecasts come from is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.molchan import AlarmTally
from geotools.evaluation.record import Record, month_of
from geotools.evaluation.reliability import ReliabilityTally
from geotools.evaluation.window_tests import WindowTally
from geotools.forecast import Forecast, utc

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Observed", "Record", "score_forecasts"]

_REFERENCES = ("uniform", "smoothed")
"""Forecasts that Molchan diagrams are measured by, where they are among those scored."""

_TOLERANCE = 1e-6
"""Magnitudes: 3.2 read from text and the edge 3.2 of a bin are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The earthquakes of a window, in any order."""

    time_days: NDArray[np.float64]
    """(events,) days since 1970-01-01 UTC."""
    longitude: NDArray[np.float64]
    """(events,) degrees."""
    latitude: NDArray[np.float64]
    """(events,) degrees."""
    magnitude: NDArray[np.float64]
    """(events,) NaN where unknown."""


def score_forecasts(
    windows: Iterable[tuple[Mapping[str, Forecast], Observed]],
    *,
    min_magnitude: float | None = None,
    simulations: int = 1000,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Record:
    """The record of a run of forecasts, each with the events that its window then saw.

    Args:
        windows: for each window the forecasts by name, always the same names on the same cells
            and magnitude bins, and the events of the window. The first name is the model.
            Windows come in the order of time and do not overlap.
        min_magnitude: an edge of the bins; smaller events and their rates are left out.
        simulations: catalogs that are drawn from each forecast, for the tests by windows.
        seed: fixes them.
        progress: called with the number of windows that are done.

    Raises:
        EventsError: windows that overlap or differ in their cells, events outside their window.
    """
    run: _Run | None = None
    for done, (forecasts, observed) in enumerate(windows, 1):
        if run is None:
            run = _Run(forecasts, min_magnitude, simulations, seed)
        run.add(forecasts, observed)
        if progress is not None:
            progress(done)
    if run is None:
        raise EventsError("There is no window to score: give a longer period or shorter windows.")
    return run.record()


class _Run:
    """The record while it grows."""

    def __init__(
        self,
        forecasts: Mapping[str, Forecast],
        min_magnitude: float | None,
        simulations: int,
        seed: int,
    ) -> None:
        if not forecasts:
            raise EventsError("There is no forecast to score: name at least one.")
        self._names = tuple(forecasts)
        first = forecasts[self._names[0]]
        self._grid, self._region = first.rates.grid, first.rates.valid
        self._all_magnitudes = first.magnitudes
        lowest = first.magnitudes[0] if min_magnitude is None else min_magnitude
        near = [abs(edge - lowest) < _TOLERANCE for edge in first.magnitudes]
        if not any(near):
            raise EventsError(
                f"{lowest:g} is no edge of the forecast's magnitude bins: choose from "
                f"{', '.join(f'{edge:g}' for edge in first.magnitudes)}."
            )
        self._skip = near.index(True)
        self._magnitudes = first.magnitudes[self._skip :]
        self._index = np.full(self._region.shape, -1, np.int64)
        self._index[self._region] = np.arange(int(self._region.sum()))
        shape = (int(self._region.sum()), len(self._magnitudes))
        self._rates = {name: np.zeros(shape) for name in self._names}
        self._counts = np.zeros(shape, np.int64)
        self._references = tuple(name for name in _REFERENCES if name in forecasts)
        self._reliability = {name: ReliabilityTally() for name in self._names}
        self._alarms = {name: AlarmTally() for name in self._names}
        self._windows = {
            name: WindowTally(simulations=simulations, seed=seed) for name in self._names
        }
        self._totals: dict[str, list[float]] = {name: [] for name in self._names}
        self._log_rates: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self._names}
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        self._events: list[NDArray[np.float64]] = []
        self._left_out = {
            "without magnitude": 0, "below the lowest magnitude": 0, "outside the region": 0,
        }  # fmt: skip

    def add(self, forecasts: Mapping[str, Forecast], observed: Observed) -> None:
        self._check(forecasts, observed)
        first = forecasts[self._names[0]]
        places, cells, bins = self._placed(observed)
        rates = {
            name: forecasts[name].rates.data[self._skip :, self._region].T.astype(np.float64)
            for name in self._names
        }  # (cells, bins)
        cell_rates = {name: values.sum(axis=1) for name, values in rates.items()}
        references = {name: cell_rates[name] for name in self._references}
        hit = np.zeros(len(self._counts), np.bool_)
        hit[cells] = True
        np.add.at(self._counts, (cells, bins), 1)
        for name, values in rates.items():
            self._rates[name] += values
            self._totals[name].append(float(values.sum()))
            self._windows[name].add(values, cells, bins)
            with np.errstate(divide="ignore"):
                self._log_rates[name].append(np.log(values[cells, bins]))
            self._reliability[name].add(-np.expm1(-cell_rates[name]), hit)
            self._alarms[name].add(cell_rates[name], references, cells, month_of(first.start))
        self._events.append(places)
        self._starts.append(utc(first.start))
        self._ends.append(utc(first.end))

    def record(self) -> Record:
        observed = np.array([len(events) for events in self._events], np.int64)
        events = np.concatenate(self._events)
        return Record(
            names=self._names,
            grid=self._grid,
            region=self._region,
            magnitudes=self._magnitudes,
            starts=tuple(self._starts),
            ends=tuple(self._ends),
            observed=observed,
            totals={name: np.array(values) for name, values in self._totals.items()},
            event_windows=np.repeat(np.arange(len(observed)), observed),
            event_days=events[:, 0],
            event_places=events[:, 1:],
            log_rates={name: np.concatenate(parts) for name, parts in self._log_rates.items()},
            rates=self._rates,
            counts=self._counts,
            reliability={name: tally.table() for name, tally in self._reliability.items()},
            alarms=self._alarms,
            window_tests={name: tally.tests() for name, tally in self._windows.items()},
            references=self._references,
            left_out={reason: count for reason, count in self._left_out.items() if count},
        )

    def _placed(
        self, observed: Observed
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Time, longitude, latitude and magnitude of the events scored, their cells and bins."""
        magnitude = observed.magnitude
        known = ~np.isnan(magnitude)
        large = known & (magnitude >= self._magnitudes[0] - _TOLERANCE)
        row, col = self._grid.locate(observed.longitude, observed.latitude)
        cells = np.where(row >= 0, self._index[row, col], -1)
        scored = large & (cells >= 0)
        self._left_out["without magnitude"] += int((~known).sum())
        self._left_out["below the lowest magnitude"] += int((known & ~large).sum())
        self._left_out["outside the region"] += int((large & (cells < 0)).sum())
        edges = np.array(self._magnitudes) - _TOLERANCE
        bins = np.searchsorted(edges, magnitude[scored], side="right") - 1
        columns = (observed.time_days, observed.longitude, observed.latitude, magnitude)
        return np.stack([column[scored] for column in columns], axis=1), cells[scored], bins

    def _check(self, forecasts: Mapping[str, Forecast], observed: Observed) -> None:
        if tuple(forecasts) != self._names:
            raise EventsError(
                f"A window has the forecasts {', '.join(forecasts)}, the first had "
                f"{', '.join(self._names)}: give the same in every window."
            )
        first = forecasts[self._names[0]]
        for name, other in forecasts.items():
            same = (
                other.rates.grid == self._grid
                and other.magnitudes == self._all_magnitudes
                and (other.start, other.end) == (first.start, first.end)
                and np.array_equal(other.rates.valid, self._region)
            )
            if not same:
                raise EventsError(
                    f"The forecast {name} of {first.start:%Y-%m-%d} differs from the first in its "
                    "cells, bins or window: only forecasts for the same can be compared."
                )
        if self._ends and utc(first.start) < self._ends[-1]:
            raise EventsError(
                f"The window from {first.start} begins before {self._ends[-1]}, when the last "
                "ended: events would count twice; give steps as long as the horizon."
            )
        start, end = (utc(moment).timestamp() / 86_400 for moment in (first.start, first.end))
        times = observed.time_days
        if ((times < start - 1e-9) | (times >= end + 1e-9)).any():
            raise EventsError(
                f"Events of other times were given for the window from {first.start:%Y-%m-%d} to "
                f"{first.end:%Y-%m-%d}: give those of the window."
            )
