"""Cell-windows to learn rates from: every one that holds an event, and a weighted sample of all.

The log-likelihood of a Poisson process needs the sum of the rate over all cells and windows; a
sample that is drawn mostly where rates are high gives it with a small error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.seismicity.backbone import Backbone
from geotools.seismicity.discs import cells_of
from geotools.seismicity.etas import TriggeringField
from geotools.seismicity.features import CellFeatures, each_features, usable_events

__all__ = ["CellWindows", "Events", "counts_of", "drawn_windows", "stacked"]

Events = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Time in days, longitude, latitude, magnitude; (events,) each."""

_FROM_TRIGGERED, _FROM_BACKGROUND = 0.5, 0.25
"""Shares of the sample that are drawn from what ETAS expects and from the background; the rest is
uniform."""


@dataclass(frozen=True, slots=True, eq=False)
class CellWindows:
    """Rows of cells and windows: their features, what happened, and what they stand for."""

    features: NDArray[np.float32]
    """(rows, features)."""
    horizon: NDArray[np.float32]
    """(rows,) days."""
    issue: NDArray[np.float64]
    """(rows,) days since 1970-01-01 UTC."""
    cell: NDArray[np.int64]
    """(rows,) number of the cell in the region."""
    background: NDArray[np.float64]
    """(rows,) expected independent events in the window."""
    smoothed: NDArray[np.float64]
    """(rows,) expected events by the long-term baseline."""
    triggered: NDArray[np.float64]
    """(rows,) expected direct aftershocks."""
    with_secondaries: NDArray[np.float64]
    """(rows,) expected aftershocks."""
    count: NDArray[np.float64]
    """(rows,) events in the window; 0 in rows that were drawn, for others hold the events."""
    weight: NDArray[np.float64]
    """(rows,) how many cell-windows a drawn row stands for; 0 for rows with events."""

    def __len__(self) -> int:
        return len(self.count)

    def at(self, rows: NDArray[Any]) -> CellWindows:
        """Some of the rows."""
        return CellWindows(*(getattr(self, f.name)[rows] for f in dataclasses.fields(self)))


def stacked(parts: Sequence[CellWindows]) -> CellWindows:
    """The rows of all."""
    names = [field.name for field in dataclasses.fields(CellWindows)]
    return CellWindows(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def counts_of(
    backbone: Backbone, events: Events, issue_days: float, horizon_days: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cells that hold events in the window, and how many.

    Args:
        events: as `usable_events` gives them.
    """
    time, longitude, latitude, _ = events
    first, stop = np.searchsorted(time, [issue_days, issue_days + horizon_days])
    cells = cells_of(backbone, longitude[first:stop], latitude[first:stop])
    cells, number = np.unique(cells[cells >= 0], return_counts=True)
    return cells, number.astype(np.float64)


def drawn_windows(
    backbone: Backbone,
    events: Events,
    *,
    issues_days: NDArray[np.float64],
    horizon_days: float,
    draws: int,
    seed: int,
    maps: Callable[[float], Backbone] | None = None,
    watch: Callable[[CellFeatures], None] | None = None,
) -> CellWindows:
    """All cell-windows with events, and about `draws` others that stand for the sum over all.

    A window gets draws in proportion to what ETAS and the background expect in it: half of them
    by triggering, a quarter by the background, a quarter evenly.

    Args:
        events: of the whole catalog; features see those before each issue time.
        issues_days: rising.
        horizon_days: length of each window.
        draws: of all windows together.
        seed: fixes the draws.
        maps: the backbone whose background and baseline hold at an issue time.
        watch: is shown the cells of each window.
    """
    rng = np.random.default_rng(seed)
    time, lon, lat, mag = usable_events(backbone, *events)
    usable: Events = (time, lon, lat, mag)
    field = TriggeringField(
        backbone.etas, time, lon, lat, mag, grid=backbone.grid, region=backbone.region
    )
    totals = np.array(
        [field.expected(t, horizon_days, secondaries=False).sum() for t in issues_days]
    )
    even = 1.0 - _FROM_TRIGGERED
    expected = draws * (_FROM_TRIGGERED * totals / totals.sum() + even / len(issues_days))
    shares = draws * np.array([_FROM_TRIGGERED, _FROM_BACKGROUND, even - _FROM_BACKGROUND])
    parts = []
    stream = each_features(
        backbone, *usable,
        issues_days=issues_days, horizon_days=horizon_days, field=field, maps=maps,
    )  # fmt: skip
    for number, (issue, cells) in enumerate(zip(issues_days, stream, strict=True)):
        by_background = cells.background / cells.background.sum()
        # Expected number of draws of each cell in this window.
        wanted = shares[0] * cells.triggered / totals.sum()
        wanted += (shares[1] * by_background + shares[2] / len(wanted)) / len(issues_days)
        size = rng.poisson(expected[number])
        drawn = rng.choice(len(wanted), size=size, p=wanted / wanted.sum())
        held, count = counts_of(backbone, usable, issue, horizon_days)
        chosen = np.concatenate([drawn, held])
        rows = len(chosen)
        weight = np.zeros(rows)
        weight[:size] = 1.0 / wanted[drawn]
        number_of = np.zeros(rows)
        number_of[size:] = count
        parts.append(_rows(cells, chosen, issue, horizon_days, number_of, weight))
        if watch:
            watch(cells)
    return stacked(parts)


def _rows(
    cells: CellFeatures,
    chosen: NDArray[np.int64],
    issue: float,
    horizon: float,
    count: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> CellWindows:
    return CellWindows(
        features=cells.values[chosen],
        horizon=np.full(len(chosen), horizon, dtype=np.float32),
        issue=np.full(len(chosen), issue),
        cell=chosen,
        background=cells.background[chosen],
        smoothed=cells.smoothed[chosen],
        triggered=cells.triggered[chosen],
        with_secondaries=cells.with_secondaries[chosen],
        count=count,
        weight=weight,
    )
