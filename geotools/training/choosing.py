"""Which of several learners is taken, what it is worth, and what the choice itself is worth.

The learner with the best score on the validation cells of all rounds, which its fits did not see,
is taken; its score is that on the test cells. As every cell is a test cell of one round and a
validation cell of another, that score flatters a little: `nested` chooses anew for each round by
what the other rounds tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation.calibration import apply_temperature, fit_temperature
from geotools.evaluation.metrics import METRICS, score
from geotools.training.splits.splitting import Split
from geotools.training.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Choice", "by_other_rounds", "calibrated", "choose", "decided"]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The learner that was taken, and what it says of every tested cell."""

    final: int
    """Which trial is taken."""
    predictions: NDArray[np.float32]
    """(n, K) probabilities or (n, 1) values; NaN where no round tests."""
    validation: tuple[float, ...]
    """Score of every trial on the cells that decide; NaN where there was nothing to choose."""
    test: tuple[float, ...]
    """Score of every trial on all tested cells."""
    nested: NDArray[np.float32] | None
    """As `predictions`, with the learner of each round chosen by the other rounds; None where there
    was nothing to choose, or there are no other rounds."""


def by_other_rounds(split: Split) -> bool:
    """True when the test cells of the other rounds may decide something for a round.

    Not where there is one round, or where others are later: its own validation cells do then.
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
    """The best trial by the validation cells.

    Args:
        trials: of one material and split; with `validated` when they are several.
        split: its rounds.
        truth: (n,) class indices or values.
        metric: name of a metric; its sense is known.
        background: the class that is background, if any.
    """
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    classes = trials[0].predictions.shape[1]

    def judged(told: NDArray[np.float32], where: NDArray[np.intp]) -> float:
        if not len(where):
            return float("nan")
        return score(metric, truth[where], decided(told), classes=classes, background=background)

    def best(scores: Sequence[float]) -> int:
        return int(np.argmax([-np.inf if np.isnan(one) else sign * one for one in scores]))

    def tested(trial: Trial, where: NDArray[np.intp]) -> float:
        return judged(trial.predictions[where], where)

    everywhere = np.flatnonzero(split.fold >= 0)
    test = tuple(tested(trial, everywhere) for trial in trials)
    if len(trials) == 1:
        return Choice(0, trials[0].predictions, (float("nan"),), test, None)
    deciding = np.concatenate([part.validation for part in split.rounds])
    validation = tuple(judged(np.concatenate(trial.validated), deciding) for trial in trials)
    final = best(validation)
    nested = None
    if by_other_rounds(split):
        nested = np.full_like(trials[0].predictions, np.nan)
        for number, part in enumerate(split.rounds):
            others = np.flatnonzero((split.fold >= 0) & (split.fold != number))
            taken = best([tested(trial, others) for trial in trials])
            nested[part.test] = trials[taken].predictions[part.test]
    return Choice(final, trials[final].predictions, validation, test, nested)


def calibrated(
    trial: Trial, split: Split, truth: NDArray[np.generic]
) -> tuple[NDArray[np.float32], float]:
    """Predictions with each round at a temperature that its test cells had no part in, and the
    temperature of the final model.

    Args:
        trial: the one that is taken.
        split: its rounds.
        truth: (n,) class indices.
    """
    cooled = trial.predictions.copy()
    for number, part in enumerate(split.rounds):
        told, where = _deciding(trial, split, number)
        own = fit_temperature(told, truth[where]) if len(where) else 1.0
        cooled[part.test] = apply_temperature(trial.predictions[part.test], own)
    told, where = _deciding(trial, split, None)
    return cooled, fit_temperature(told, truth[where]) if len(where) else 1.0


def _deciding(
    trial: Trial, split: Split, number: int | None
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """What the temperature of a round, or the final one (None), is fitted to: what was predicted,
    and of which cells.
    """
    if by_other_rounds(split):
        tested = split.fold >= 0
        where = np.flatnonzero(tested if number is None else tested & (split.fold != number))
        return trial.predictions[where], where
    chosen = range(len(split.rounds)) if number is None else [number]
    where = np.concatenate([split.rounds[one].validation for one in chosen])
    return np.concatenate([trial.validated[one] for one in chosen]), where


def decided(predictions: NDArray[np.float32]) -> NDArray[np.generic]:
    """(n,) class indices, or values."""
    if predictions.shape[1] == 1:
        return predictions[:, 0]
    return np.asarray(predictions.argmax(1))
