"""Which of several learners is taken, and what that choice is worth.

The learner of a round is chosen, and its probabilities are calibrated, by the cells that the other
rounds test, so that a cell never has a say in what it is tested by; for the final model by all of
them. Where there is one round, or time goes one way, a round's validation cells decide instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation.calibration import apply_temperature, fit_temperature
from geotools.evaluation.metrics import METRICS, score
from geotools.training.splits import Split
from geotools.training.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Choice", "by_other_rounds", "calibrated", "choose", "decided"]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The learners that were taken, and what they say of every tested cell."""

    final: int
    """Which trial the final model is made by."""
    rounds: tuple[int, ...]
    """Which trial each round takes."""
    predictions: NDArray[np.float32]
    """(n, K) probabilities or (n, 1) values; NaN where no round tests."""
    scores: tuple[float, ...]
    """Score of every trial over all cells that decide."""


def by_other_rounds(split: Split) -> bool:
    """True when the test cells of the other rounds decide for a round.

    Where there is one round, or where others are later, its own validation cells do.
    """
    return len(split.rounds) > 1 and split.kind != "time"


def choose(
    trials: Sequence[Trial],
    split: Split,
    truth: NDArray[np.generic],
    metric: str,
    *,
    background: int | None,
) -> Choice:
    """The best trial for each round, and for the final model.

    Args:
        trials: of one material and split; with `validated`, unless `by_other_rounds`.
        split: its rounds.
        truth: (n,) class indices or values.
        metric: name of a metric; its sense is known.
        background: the class that is background, if any.
    """
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    classes = trials[0].predictions.shape[1]

    def judged(trial: Trial, number: int | None) -> float:
        told, where = _deciding(trial, split, number)
        if not len(where):
            return -np.inf
        found = score(metric, truth[where], decided(told), classes=classes, background=background)
        return sign * found if np.isfinite(found) else -np.inf

    scores = [judged(trial, None) for trial in trials]
    final = int(np.argmax(scores))
    rounds = []
    predictions = np.full_like(trials[0].predictions, np.nan)
    for number, part in enumerate(split.rounds):
        taken = int(np.argmax([judged(trial, number) for trial in trials]))
        rounds.append(taken)
        predictions[part.test] = trials[taken].predictions[part.test]
    return Choice(final, tuple(rounds), predictions, tuple(sign * one for one in scores))


def calibrated(
    trials: Sequence[Trial], choice: Choice, split: Split, truth: NDArray[np.generic]
) -> tuple[NDArray[np.float32], float]:
    """Predictions with each round at a temperature that its test cells had no part in, and the
    temperature of the final model.

    Args:
        trials: that were chosen from.
        choice: which were taken.
        split: its rounds.
        truth: (n,) class indices.
    """
    cooled = choice.predictions.copy()
    for number, part in enumerate(split.rounds):
        told, where = _deciding(trials[choice.rounds[number]], split, number)
        own = fit_temperature(told, truth[where]) if len(where) else 1.0
        cooled[part.test] = apply_temperature(choice.predictions[part.test], own)
    told, where = _deciding(trials[choice.final], split, None)
    return cooled, fit_temperature(told, truth[where]) if len(where) else 1.0


def _deciding(
    trial: Trial, split: Split, number: int | None
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """What decides for a round, or for the final model (None): predictions, and which cells."""
    if by_other_rounds(split):
        where = np.flatnonzero(split.fold >= 0 if number is None else
                               (split.fold >= 0) & (split.fold != number))  # fmt: skip
        return trial.predictions[where], where
    chosen = range(len(split.rounds)) if number is None else [number]
    where = np.concatenate([split.rounds[one].validation for one in chosen])
    return np.concatenate([trial.validated[one] for one in chosen]), where


def decided(predictions: NDArray[np.float32]) -> NDArray[np.generic]:
    """(n,) class indices, or values."""
    if predictions.shape[1] == 1:
        return predictions[:, 0]
    return np.asarray(predictions.argmax(1))
