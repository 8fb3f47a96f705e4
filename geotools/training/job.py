"""learn: learners through all rounds of a split, the best of them fitted to everything.

What comes out is judged and written elsewhere: `maps.training_record`, `export.model_file`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, GeotoolsError
from geotools.evaluation.metrics import (
    METRICS,
    Scored,
    difference_interval,
    score_with_interval,
)
from geotools.evaluation.training_record import BlocksScore
from geotools.evaluation.training_words import blocks_words
from geotools.features.names import parse_feature
from geotools.stream import Progress, Step
from geotools.training.choosing import Choice, by_other_rounds, calibrated, choose, decided
from geotools.training.learners.protocol import Fitted, Learner
from geotools.training.learners.settings import (
    LEARNERS,
    AutoSettings,
    NetSettings,
    Settings,
    SvmSettings,
)
from geotools.training.learners.table import make_learner, title_of
from geotools.training.material import PermutedMaterial
from geotools.training.prepare import Prepared
from geotools.training.splits.splitting import Split
from geotools.training.trial import Trial, baseline, fit_final, run_trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Outcome", "learn"]

_FOREST = "forest"
_SHUFFLED_CELLS = 20_000
"""Test cells of a round by which features are judged at most, for learners of single cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was learned."""

    settings: Settings
    """Of the learner that was taken."""
    fitted: Fitted
    """It, fitted to all cells."""
    trials: tuple[Trial, ...]
    """All learners that were tried."""
    baselines: tuple[Trial, ...]
    """The majority class or the mean, and the random forest."""
    choice: Choice
    """Which was taken."""
    predictions: NDArray[np.float32]
    """(n, K) probabilities at the temperature of other rounds, or (n, 1) values; NaN where no round
    tests."""
    temperature: float
    """The one of the final model; 1 for values."""
    importance: tuple[tuple[str, Scored], ...]
    """Feature, and how much of the score goes with it."""
    blocks: BlocksScore | None = None
    """What blocks say, where the split is at random."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """What took how long."""


def learn(
    prepared: Prepared,
    *,
    work: Path | None = None,
    progress: Progress | None = None,
    warn: Any = None,
) -> Outcome:
    """Tries the learners, takes the best and fits it to everything.

    Args:
        prepared: material, classes, split.
        work: folder for what a stopped run goes on from.
        progress: called as the work goes on.
        warn: called with a sentence when something deserves caution.

    Raises:
        GeotoolsError: no learner could be fitted.
    """
    config, material, split = prepared.config, prepared.material, prepared.split
    started = time.monotonic()
    trials, tried = _trials(prepared, work, progress, warn)
    choice = choose(
        trials, split, material.cells.target, config.score, background=prepared.background
    )
    forest = next((one for one in trials if one.name == _FOREST), None)
    if forest is None:
        settings = LEARNERS[_FOREST]()
        forest = run_trial(
            settings, make_learner(settings, config), material, split,
            seed=config.seed, title=title_of(settings, config), progress=progress,
        )  # fmt: skip
    predictions, temperature = choice.predictions, 1.0
    if material.classes:
        taken = trials[choice.final]
        predictions, temperature = calibrated(taken, split, material.cells.target)
    settings, learner = tried[choice.final]
    blocks = _by_blocks(prepared, settings, choice, forest, progress, warn)
    rounds = time.monotonic() - started
    importance = _importance(prepared, trials, choice, settings, progress)
    judged = time.monotonic() - started - rounds
    fitted = fit_final(
        settings, learner, material, trials[choice.final].fitted,
        seed=config.seed, folder=work, progress=progress,
    )  # fmt: skip
    final = time.monotonic() - started - rounds - judged
    if warn is not None:
        for note in fitted.facts.get("notes", ()):
            warn(note)
    return Outcome(
        settings=settings,
        fitted=fitted,
        trials=tuple(trials),
        baselines=(baseline(material, split), forest),
        choice=choice,
        predictions=predictions,
        temperature=temperature,
        importance=importance,
        blocks=blocks,
        seconds={"rounds": rounds, "importance": judged, "final fit": final},
    )


def _trials(
    prepared: Prepared, work: Path | None, progress: Progress | None, warn: Any
) -> tuple[list[Trial], list[tuple[Settings, Learner]]]:
    """Every candidate through every round; of several, those that cannot are told and left out."""
    config = prepared.config
    chosen = config.learner
    several = isinstance(chosen, AutoSettings)
    candidates = _candidates(chosen) if isinstance(chosen, AutoSettings) else [chosen]
    trials, tried = [], []
    for number, settings in enumerate(candidates, 1):
        try:
            _check_material(settings, prepared)
            learner = make_learner(settings, config)
            trial = run_trial(
                settings, learner, prepared.material, prepared.split,
                seed=config.seed, validate=several or not by_other_rounds(prepared.split),
                title=title_of(settings, config), folder=work, progress=progress,
                stage=f"learner {number} of {len(candidates)}, {settings.name}" if several else "",
            )  # fmt: skip
        except GeotoolsError as error:
            if not several:
                raise
            if warn is not None:
                warn(f"The learner {settings.name} is left out: {error}")
            continue
        trials.append(trial)
        tried.append((settings, learner))
    if not trials:
        raise ConfigError("None of the learners could be fitted: see the warnings, name one.")
    return trials, tried


def _candidates(auto: AutoSettings) -> list[Settings]:
    """The settings of every learner that is tried."""
    found: list[Settings] = []
    for name in auto.candidates:
        kind: Any = LEARNERS[name]
        if kind is SvmSettings:
            found += [
                kind(class_weights=auto.class_weights, strength=one) for one in auto.strengths
            ]
        else:
            found.append(kind(class_weights=auto.class_weights))
    return found


def _check_material(settings: Settings, prepared: Prepared) -> None:
    """Refuses learners that need what there is not."""
    if settings.sees == "window" and not prepared.stacks:
        raise ConfigError(
            f"The learner {settings.name} looks at the surroundings of a cell, and a table has "
            "none: take forest, boosting, logistic, svm, dense or auto."
        )
    if settings.sees == "dates" and len(prepared.material.steps) < 2:
        if any(parse_feature(name).date for name in prepared.material.features if prepared.stacks):
            raise ConfigError(
                f"The learner {settings.name} goes along dates, and the features are not the same "
                "at each of two or more: name those that are with features, or take a learner that "
                "sees one cell or its surroundings."
            )
        raise ConfigError(
            f"The learner {settings.name} goes along dates, and there are none: give an input with "
            "`dates` and its bands as features, or take another learner."
        )


def _by_blocks(
    prepared: Prepared,
    settings: Settings,
    choice: Choice,
    forest: Trial,
    progress: Progress | None,
    warn: Any,
) -> BlocksScore | None:
    """What the learner scores by blocks, where the split is at random; of nets, the forest."""
    blocks = prepared.blocks
    if blocks is None:
        return None
    config, material = prepared.config, prepared.material
    told = choice.predictions
    if isinstance(settings, NetSettings):
        settings, told = LEARNERS[_FOREST](), forest.predictions
    trial = run_trial(
        settings, make_learner(settings, config), material, blocks,
        seed=config.seed, title=title_of(settings, config), stage="by blocks", progress=progress,
    )  # fmt: skip

    def scored(predictions: NDArray[np.float32], split: Split) -> Scored:
        tested = np.flatnonzero(split.fold >= 0)
        return score_with_interval(
            config.score, material.cells.target[tested], decided(predictions[tested]),
            split.unit[tested], classes=len(material.classes), background=prepared.background,
            seed=config.seed,
        )  # fmt: skip

    claimed = scored(told, prepared.split).value
    found = BlocksScore(trial.title, scored(trial.predictions, blocks), claimed, blocks.title)
    if warn is not None:
        warn(blocks_words(found, METRICS[config.score].title))
    return found


def _importance(
    prepared: Prepared,
    trials: list[Trial],
    choice: Choice,
    settings: Settings,
    progress: Progress | None,
) -> tuple[tuple[str, Scored], ...]:
    """How much of the score is lost when a feature is shuffled among the cells of a test.

    Permutation importance (Breiman 2001, sec. 10) of the learner as each round fitted it, on the
    cells that the round tests; learners that look at surroundings are judged by the first round
    alone, which takes them as long as all others take for all.
    """
    config, material, split = prepared.config, prepared.material, prepared.split
    taken = trials[choice.final]
    rounds = range(1 if settings.sees == "window" else len(split.rounds))
    rng = np.random.default_rng(config.seed)
    parts = []
    for number in rounds:
        test = split.rounds[number].test
        if settings.sees != "window" and len(test) > _SHUFFLED_CELLS:
            test = np.sort(rng.choice(test, _SHUFFLED_CELLS, replace=False))
        parts.append(test)
    index = np.concatenate(parts)
    truth, unit = material.cells.target[index], split.unit[index]
    before = decided(taken.predictions[index])
    found = []
    for feature, name in enumerate(material.features):
        if progress is not None:
            progress(Step("importance of features", feature, len(material.features)))
        shuffled = PermutedMaterial(material, feature, seed=config.seed)
        after = np.concatenate(
            [taken.fitted[n].predict(shuffled, part) for n, part in zip(rounds, parts, strict=True)]
        )
        pair = (before, decided(after))
        if not METRICS[config.score].higher_is_better:
            pair = pair[::-1]
        lost = difference_interval(
            config.score, truth, *pair, unit,
            classes=len(material.classes), background=prepared.background, seed=config.seed,
        )  # fmt: skip
        found.append((name, lost))
    if progress is not None:
        progress(Step("importance of features", len(found), len(found)))
    return tuple(found)
