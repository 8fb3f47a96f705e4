"""Trial: one learner through all rounds of a split, its predictions where it did not learn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ModelError
from geotools.stream import Progress, Step
from geotools.training.learners.protocol import Epoch, Fitted, Learner, Material
from geotools.training.learners.settings import NetSettings, Settings
from geotools.training.splits.splitting import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Trial", "baseline", "fit_final", "run_trial"]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A learner, or a baseline, as the rounds of a split saw it."""

    name: str
    """Name of the learner or baseline."""
    title: str
    """What people call it."""
    predictions: NDArray[np.float32]
    """(n, K) probabilities, or (n, 1) values, of each cell from the round that tests it; NaN where
    none does."""
    fitted: tuple[Fitted, ...] = ()
    """The learner as fitted in each round; empty for baselines."""
    validated: tuple[NDArray[np.float32], ...] = ()
    """For each round (validation cells, K), from a fit that did not see them; empty unless asked
    for."""
    seconds: float = 0.0
    """Wall time of all rounds."""


def run_trial(
    settings: Settings,
    learner: Learner,
    material: Material,
    split: Split,
    *,
    seed: int,
    title: str = "",
    stage: str = "",
    validate: bool = False,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Trial:
    """The learner fitted and tested in every round.

    Args:
        settings: of the learner; nets stop by the validation cells, others learn from them too.
        learner: what is fitted.
        material: cells and features.
        split: the rounds.
        seed: fixes everything that is drawn.
        title: what people call it; its name when empty.
        stage: what progress calls it; the learner's name when empty.
        validate: predict the validation cells of each round too, which learners that learn from
            them are fitted once more without.
        folder: where nets keep the state of each round.
        progress: called after every epoch, or round.

    Raises:
        ModelError: what it predicts is no number.
    """
    start = time.monotonic()
    width = len(material.classes) or 1
    predictions = np.full((len(material.cells), width), np.nan, np.float32)
    fitted, validated = [], []
    for number, part in enumerate(split.rounds):
        watch = _watch(
            progress, f"{stage or learner.name}, round {number + 1}/{len(split.rounds)}", settings
        )
        train, validation = part.train, part.validation
        net = isinstance(settings, NetSettings)
        apart = None
        if validate and not net:
            apart = learner.fit(material, np.sort(train), None, seed=seed + number)
            validated.append(apart.predict(material, part.validation))
        if not net:
            train, validation = np.concatenate([train, validation]), np.zeros(0, np.intp)
        one = learner.fit(
            material, np.sort(train), np.sort(validation) if len(validation) else None,
            seed=seed + number,
            checkpoint=folder / f"{learner.name}-{number + 1}.pt" if folder else None,
            progress=watch,
            like=apart,
        )  # fmt: skip
        said = one.predict(material, part.test)
        if not np.isfinite(said).all():
            raise ModelError(
                f"The learner {learner.name} gives what is no number in round {number + 1}: look "
                "for huge values in features and labels, or give it a lower learning_rate."
            )
        predictions[part.test] = said
        fitted.append(one)
        if validate and net:
            validated.append(one.predict(material, part.validation))
        if progress is not None and not net:
            progress(Step(stage or learner.name, number + 1, len(split.rounds)))
    return Trial(
        learner.name,
        title or learner.name,
        predictions,
        tuple(fitted),
        tuple(validated),
        time.monotonic() - start,
    )


def fit_final(
    settings: Settings,
    learner: Learner,
    material: Material,
    rounds: Sequence[Fitted],
    *,
    seed: int,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """The learner fitted to all cells; nets for as many epochs as the rounds found best."""
    epochs = None
    if isinstance(settings, NetSettings):
        best = [int(one.facts["best_epoch"]) for one in rounds if "best_epoch" in one.facts]
        epochs = max(1, round(float(np.median(best)))) if best else settings.epochs
    return learner.fit(
        material, np.arange(len(material.cells)), None,
        seed=seed, epochs=epochs,
        checkpoint=folder / f"{learner.name}-final.pt" if folder else None,
        progress=_watch(progress, f"{learner.name}, final", settings, epochs),
    )  # fmt: skip


def baseline(material: Material, split: Split) -> Trial:
    """The commonest class, or the mean, of what each round learns from."""
    cells = material.cells
    width = len(material.classes) or 1
    predictions = np.full((len(cells), width), np.nan, np.float32)
    for part in split.rounds:
        known = cells.target[np.concatenate([part.train, part.validation])]
        if material.classes:
            counts = np.bincount(known.astype(np.int64), minlength=width)
            predictions[part.test] = 0.0
            predictions[part.test, int(counts.argmax())] = 1.0
        else:
            predictions[part.test] = known.mean()
    if material.classes:
        return Trial("majority", "majority class", predictions)
    return Trial("mean", "mean", predictions)


def _watch(
    progress: Progress | None, stage: str, settings: Settings, epochs: int | None = None
) -> Callable[[Epoch], None] | None:
    if progress is None or not isinstance(settings, NetSettings):
        return None
    total = epochs or settings.epochs

    def tell(epoch: Epoch) -> None:
        figures = {
            "training loss": epoch.train_loss,
            "validation loss": epoch.validation_loss,
            "score": epoch.score,
        }
        known = tuple((name, value) for name, value in figures.items() if math.isfinite(value))
        progress(Step(stage, epoch.number, total, known))

    return tell
