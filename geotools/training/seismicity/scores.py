"""Forecasts scored on years that nothing was fitted to: log rates at the events, and totals.

Gains and their intervals come from `geotools.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geotools.evaluation.gains import Gain, information_gain
from geotools.seismicity.features import CellFeatures
from geotools.training.seismicity.data import CellWindows

__all__ = ["Predictor", "Scored", "gain_over", "months_of", "score_exact", "score_sampled"]

Predictor = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float64]]
"""From features (rows, F) and the numbers of the cells (rows,) to rates (rows,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One forecast on the windows of a test."""

    name: str
    """Of the forecast."""
    log_rates: NDArray[np.float64]
    """(events,) logarithm of the rate in each event's cell and window."""
    totals: NDArray[np.float64]
    """(windows,) events expected in each window."""


class Totals:
    """Sums over all cells of each window, collected while windows go by."""

    def __init__(self, predictors: Mapping[str, Predictor]) -> None:
        self.predictors = predictors
        self.sums: list[list[float]] = []

    def __call__(self, cells: CellFeatures) -> None:
        """Takes the cells of one window."""
        everywhere = np.arange(len(cells.values))
        rates = [predict(cells.values, everywhere) for predict in self.predictors.values()]
        self.sums.append([float(one.sum()) for one in rates])

    def of(self, name: str) -> NDArray[np.float64]:
        """(windows,) of one predictor."""
        column = list(self.predictors).index(name)
        return np.array([row[column] for row in self.sums])


def score_exact(name: str, predictor: Predictor, windows: CellWindows, totals: Totals) -> Scored:
    """A forecast whose totals were collected over all cells."""
    return Scored(name, _at_events(predictor, windows), totals.of(name))


def score_sampled(
    name: str,
    rates: NDArray[np.float64],
    windows: CellWindows,
    issues: NDArray[np.float64],
    base_rates: NDArray[np.float64],
    base_totals: NDArray[np.float64],
) -> Scored:
    """A forecast whose totals are those of a base and a sampled difference (a control variate).

    Args:
        rates: (rows,) of the forecast in the rows of `windows`.
        windows: drawn rows and rows with events.
        issues: (windows,) issue times, rising.
        base_rates: (rows,) of a forecast that is much alike.
        base_totals: (windows,) its totals over all cells.
    """
    place = np.searchsorted(issues, windows.issue)
    difference = np.bincount(place, windows.weight * (rates - base_rates), len(issues))
    return Scored(name, _repeated(np.log(rates), windows), base_totals + difference)


def gain_over(
    scored: Scored, baseline: Scored, windows: CellWindows, issues: NDArray[np.float64]
) -> Gain:
    """The gain over a baseline, blocks being calendar months."""
    place = np.searchsorted(issues, windows.issue).astype(np.float64)
    return information_gain(
        scored.log_rates,
        baseline.log_rates,
        scored.totals,
        baseline.totals,
        event_windows=_repeated(place, windows).astype(np.int64),
        window_blocks=months_of(issues),
        names=(scored.name, baseline.name),
    )


def months_of(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """Months since 1970-01 of days since 1970-01-01."""
    dates = np.floor(days).astype("datetime64[D]")
    return dates.astype("datetime64[M]").astype(np.int64)


def _at_events(predictor: Predictor, windows: CellWindows) -> NDArray[np.float64]:
    held = windows.count > 0
    rates = predictor(windows.features[held], windows.cell[held])
    return np.repeat(np.log(rates), windows.count[held].astype(np.int64))


def _repeated(values: NDArray[np.float64], windows: CellWindows) -> NDArray[np.float64]:
    """(events,) from (rows,): a row with two events stands twice, one without not at all."""
    return np.repeat(values, windows.count.astype(np.int64))
