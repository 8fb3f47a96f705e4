"""Molchan's diagram: how many events an alarm misses for the share of space and time it takes.

The share is measured by a reference forecast: against a uniform one it says that the map is
informative, against smoothed seismicity that it knows more than where events have been before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.evaluation.gains import block_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["AlarmTally", "Molchan", "molchan"]

_DECADES = 10
"""Alarms are told apart while the forecast is within so many decades of the reference."""

_PER_DECADE = 200
"""Classes to a decade: ratios that differ by under 0.6 % are one alarm level."""


@dataclass(frozen=True, slots=True, eq=False)
class Molchan:
    """The miss rate as the alarm grows, and the area skill score."""

    share: NDArray[np.float64]
    """(levels + 1,) share of the reference under alarm, from 0 to 1."""
    miss: NDArray[np.float64]
    """(levels + 1,) share of the events that are missed, from 1 to 0."""
    skill: float
    """Area above the trajectory: 0.5 without skill, 1 at best; NaN without events."""
    null_interval: tuple[float, float]
    """95 % of the skill of an alarm without skill, events taken as independent."""
    event_skill: NDArray[np.float64]
    """(levels,) 1 - share at the middle of a level: what an event in it adds to the skill."""
    events: int
    """Number of events."""


def molchan(alarm: ArrayLike, counts: ArrayLike, reference: ArrayLike) -> Molchan:
    """Molchan's trajectory and the area skill score (Zechar and Jordan 2008, 2010).

    Cells of one alarm value enter together, and the trajectory is straight between: in the mean
    over catalogs drawn from the reference, the skill of any alarm is then exactly 0.5.

    Args:
        alarm: (cells,) alarms are raised from the highest value down: a forecast's rates, or
            their ratio to the reference.
        counts: (cells,) observed events.
        reference: (cells,) rates of the reference, of any scale.

    Raises:
        EventsError: arrays that do not fit, or a reference that is 0 everywhere.
    """
    alarm, counts = np.asarray(alarm, np.float64).ravel(), np.asarray(counts, np.int64).ravel()
    reference = np.asarray(reference, np.float64).ravel()
    if not (alarm.shape == counts.shape == reference.shape) or np.isnan(alarm).any():
        raise EventsError(
            f"Alarm, counts and reference of {alarm.size}, {counts.size} and {reference.size} "
            "cells: give one number of each per cell."
        )
    mass = float(reference.sum())
    if not (reference >= 0).all() or not 0 < mass < math.inf:
        raise EventsError("The reference of a Molchan diagram needs rates from 0 up, not all 0.")
    levels, place = np.unique(-alarm, return_inverse=True)  # the highest alarm comes first
    share = _rising(np.bincount(place, reference, len(levels)) / mass)
    hits = np.bincount(place, counts, len(levels))
    events = int(counts.sum())
    miss = 1 - _rising(hits / events) if events else np.full(len(levels) + 1, np.nan)
    event_skill = 1 - (share[1:] + share[:-1]) / 2
    skill = float(hits @ event_skill) / events if events else math.nan
    # The mean of uniform variates (Zechar and Jordan 2010).
    reach = 1.96 * math.sqrt(1 / (12 * events)) if events else math.nan
    return Molchan(
        share, miss, skill, (max(0.5 - reach, 0.0), min(0.5 + reach, 1.0)), event_skill, events
    )


class AlarmTally:
    """Alarms of many windows by levels, so that their diagrams need no memory of the windows.

    Alarms are raised where a forecast is highest in proportion to the reference: for a given
    share of the reference under alarm no other order catches more events, if the forecast is true
    (Neyman and Pearson 1933). A forecast that is its own reference has a skill of exactly 0.5.
    """

    def __init__(self) -> None:
        self._mass: dict[str, NDArray[np.float64]] = {}
        self._hits: dict[str, list[NDArray[np.int64]]] = {}
        self._blocks: list[NDArray[np.int64]] = []

    def add(
        self,
        rates: NDArray[np.float64],
        references: dict[str, NDArray[np.float64]],
        event_cells: NDArray[np.int64],
        block: int,
    ) -> None:
        """Counts a window.

        Args:
            rates: (cells,) of the forecast that raises the alarms.
            references: name and (cells,) rates of each reference, the same names every time.
            event_cells: (events,) index of each event's cell.
            block: the month of the window, for the interval.
        """
        for name, reference in references.items():
            levels = _level(rates, reference)
            mass = self._mass.setdefault(name, np.zeros(_LEVELS))
            mass += np.bincount(levels, reference, _LEVELS)
            self._hits.setdefault(name, []).append(levels[event_cells])
        self._blocks.append(np.full(len(event_cells), block))

    def diagram(self, reference: str) -> Molchan:
        """The diagram against a reference, of all windows together."""
        counts = np.bincount(np.concatenate(self._hits[reference]), minlength=_LEVELS)
        return molchan(np.arange(_LEVELS), counts, self._mass[reference])

    def interval(self, reference: str, *, seed: int = 0) -> tuple[float, float]:
        """95 % of the skill by resampling the blocks; NaN with under 2 blocks with events."""
        hits, blocks = np.concatenate(self._hits[reference]), np.concatenate(self._blocks)
        if not len(hits):
            return math.nan, math.nan
        skill = self.diagram(reference).event_skill[::-1]  # levels rise from the lowest ratio
        labels, place = np.unique(blocks, return_inverse=True)
        sums = np.bincount(place, skill[hits], len(labels))
        return block_interval(sums, np.bincount(place, minlength=len(labels)), seed=seed)


_LEVELS = 2 * _DECADES * _PER_DECADE + 1


def _level(rates: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.int64]:
    """(cells,) the class of each ratio; equal rates are in the middle of a class."""
    with np.errstate(divide="ignore", invalid="ignore"):
        decades = np.log10(rates) - np.log10(reference)
    decades = np.clip(np.nan_to_num(decades, nan=-_DECADES), -_DECADES, _DECADES)
    levels: NDArray[np.int64] = np.rint((decades + _DECADES) * _PER_DECADE).astype(np.int64)
    return levels


def _rising(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """0, then the running sum, which ends at exactly 1."""
    run = np.concatenate([[0.0], np.cumsum(steps)])
    run[-1] = 1.0
    return run
