"""Do probabilities come true: the Brier score and the reliability table.

Probabilities and outcomes are added window by window; what is kept does not grow with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PROBABILITY_EDGES", "Reliability", "ReliabilityTally", "brier_score",
           "wilson_interval"]  # fmt: skip

PROBABILITY_EDGES = np.concatenate([[0.0], 10 ** np.arange(-7.0, 0.25, 0.5)[:-1], [1.0]])
"""Half decades: nearly all cells and days are empty, and equal steps would hold them in one bin."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often what was given a probability came true, by classes of probability."""

    edges: NDArray[np.float64]
    """(classes + 1,) a class holds its lower edge; the last holds 1 too."""
    cells: NDArray[np.int64]
    """(classes,) how many cells and windows had such a probability."""
    hits: NDArray[np.int64]
    """(classes,) how many of them had an event."""
    mean: NDArray[np.float64]
    """(classes,) their mean probability; NaN without cells."""
    brier: float
    """Brier score over all of them; see `brier_score`."""

    @property
    def observed(self) -> NDArray[np.float64]:
        """(classes,) share that had an event; NaN without cells."""
        share = np.full(len(self.cells), np.nan)
        np.divide(self.hits, self.cells, out=share, where=self.cells > 0)
        return share

    @property
    def interval(self) -> NDArray[np.float64]:
        """(classes, 2) Wilson's 95 % interval of the share."""
        return wilson_interval(self.hits, self.cells)


class ReliabilityTally:
    """A reliability table that is filled as forecasts come by."""

    def __init__(self, edges: NDArray[np.float64] = PROBABILITY_EDGES) -> None:
        self._edges = edges
        classes = len(edges) - 1
        self._cells = np.zeros(classes, np.int64)
        self._hits = np.zeros(classes, np.int64)
        self._sums = np.zeros(classes)
        self._squares = 0.0

    def add(self, probability: ArrayLike, occurred: ArrayLike) -> None:
        """Counts cells with the probability of an event, and whether there was one.

        Raises:
            EventsError: a probability outside 0 to 1, or shapes that differ.
        """
        given, outcome = _pair(probability, occurred)
        classes = len(self._cells)
        place = np.searchsorted(self._edges[1:-1], given, side="right")
        self._cells += np.bincount(place, minlength=classes)
        self._hits += np.bincount(place[outcome], minlength=classes)
        self._sums += np.bincount(place, given, minlength=classes)
        self._squares += float(((given - outcome) ** 2).sum())

    def table(self) -> Reliability:
        """What was counted so far."""
        mean = np.full(len(self._cells), np.nan)
        np.divide(self._sums, self._cells, out=mean, where=self._cells > 0)
        total = int(self._cells.sum())
        brier = self._squares / total if total else math.nan
        return Reliability(self._edges, self._cells.copy(), self._hits.copy(), mean, brier)


def brier_score(probability: ArrayLike, occurred: ArrayLike) -> float:
    """Mean squared difference of probability and outcome, 0 is perfect (Brier 1950, halved).

    Args:
        probability: any shape, probability of at least one event.
        occurred: the same shape, whether there was any.

    Raises:
        EventsError: a probability outside 0 to 1, or shapes that differ.
    """
    given, outcome = _pair(probability, occurred)
    return float(((given - outcome) ** 2).mean()) if given.size else math.nan


def wilson_interval(hits: ArrayLike, trials: ArrayLike, level: float = 0.95) -> NDArray[np.float64]:
    """The interval of a share (Wilson 1927, eq. for p), (..., 2); NaN without trials."""
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    count = np.asarray(trials, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(hits, np.float64) / count
        middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
        reach = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
        reach /= 1 + z**2 / count
    ends = np.stack([middle - reach, middle + reach], axis=-1)
    return np.clip(ends, 0.0, 1.0)


def _pair(
    probability: ArrayLike, occurred: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    given = np.asarray(probability, np.float64).ravel()
    outcome = np.asarray(occurred, np.bool_).ravel()
    if given.shape != outcome.shape:
        raise EventsError(
            f"{given.size} probabilities for {outcome.size} outcomes: give one of each."
        )
    if not ((given >= 0) & (given <= 1)).all():
        raise EventsError("A probability is not between 0 and 1.")
    return given, outcome
