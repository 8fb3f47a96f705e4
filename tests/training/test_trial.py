"""A learner through all rounds."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from geotools.errors import ModelError
from geotools.training.learners.protocol import Epoch
from geotools.training.learners.settings import ForestSettings, UnetSettings
from geotools.training.splits.rounds import Round, Split
from geotools.training.trial import baseline, fit_final, run_trial

CELLS = 30


@dataclass
class Recorder:
    """A learner that keeps what it was given, and predicts which fit it was."""

    name: str = "forest"
    fits: list = field(default_factory=list)

    def fit(self, material, train, validation, *, seed, epochs=None, checkpoint=None,
            progress=None, like=None):  # fmt: skip
        self.fits.append(SimpleNamespace(
            train=train, validation=validation, seed=seed, epochs=epochs, checkpoint=checkpoint,
            like=like,
        ))  # fmt: skip
        number = len(self.fits)
        if progress is not None:
            progress(Epoch(1, 0.5, float("nan"), float("nan")))
        return SimpleNamespace(
            facts={"best_epoch": 3 * number},
            predict=lambda material, index: np.full((len(index), 2), number, np.float32),
        )


def make_split() -> Split:
    fold = (np.arange(CELLS) % 3).astype(np.int16)
    rounds = tuple(
        Round(*(np.flatnonzero(fold == (n + step) % 3) for step in (2, 1, 0))) for n in range(3)
    )
    return Split("blocks", "turns", rounds, np.arange(CELLS), fold)


def material(target: np.ndarray, classes=("a", "b")) -> SimpleNamespace:
    return SimpleNamespace(cells=_Cells(target), classes=classes)


class _Cells:
    def __init__(self, target: np.ndarray) -> None:
        self.target = target

    def __len__(self) -> int:
        return len(self.target)


TARGET = (np.arange(CELLS) % 2).astype(np.int16)


def test_no_round_learns_from_its_test_cells():
    """Trees learn from the validation cells too; no cell of the test is among them."""
    split, learner = make_split(), Recorder()
    trial = run_trial(ForestSettings(), learner, material(TARGET), split, seed=5)
    assert [one.seed for one in learner.fits] == [5, 6, 7]
    for part, one in zip(split.rounds, learner.fits, strict=True):
        assert one.validation is None
        assert not set(one.train) & set(part.test)
        assert set(one.train) == set(part.train) | set(part.validation)
    np.testing.assert_array_equal(trial.predictions[:, 0], split.fold + 1)
    assert trial.validated == ()


def test_nets_stop_by_the_validation_cells(tmp_path):
    """They do not learn from them, keep the state of each round in a file of its own, and tell the
    losses that are known.
    """
    split, learner = make_split(), Recorder("unet")
    steps = []
    trial = run_trial(
        UnetSettings(), learner, material(TARGET), split, seed=0, validate=True, folder=tmp_path,
        progress=steps.append,
    )  # fmt: skip
    for part, one in zip(split.rounds, learner.fits, strict=True):
        np.testing.assert_array_equal(one.train, part.train)
        np.testing.assert_array_equal(one.validation, part.validation)
    assert [one.checkpoint.name for one in learner.fits] == ["unet-1.pt", "unet-2.pt", "unet-3.pt"]
    assert [len(one) for one in trial.validated] == [10, 10, 10]
    assert [step.stage for step in steps] == [f"unet, round {number}/3" for number in (1, 2, 3)]
    assert [step.figures for step in steps] == [(("training loss", 0.5),)] * 3


def test_validation_is_predicted_by_fits_that_did_not_see_it():
    """Learners that learn from these cells are fitted once more without; what those searched for
    is not searched for again.
    """
    split, learner = make_split(), Recorder()
    run_trial(ForestSettings(), learner, material(TARGET), split, seed=0, validate=True)
    assert len(learner.fits) == 6
    for part, one in zip(split.rounds, learner.fits[::2], strict=True):
        np.testing.assert_array_equal(one.train, part.train)
        assert one.like is None
    assert [one.like.facts for one in learner.fits[1::2]] == [
        {"best_epoch": 3 * number} for number in (1, 3, 5)
    ]


def test_what_is_no_number_is_refused():
    """A fit that ran away is told, and not judged."""
    learner = Recorder()
    fit = learner.fit

    def lost(*arguments, **options):
        fit(*arguments, **options)
        return SimpleNamespace(predict=lambda _, index: np.full((len(index), 2), np.nan))

    learner.fit = lost
    with pytest.raises(ModelError, match="no number in round 1"):
        run_trial(ForestSettings(), learner, material(TARGET), make_split(), seed=0)


def test_the_final_net_runs_as_long_as_the_rounds_found_best():
    """The median of the best epochs, on all cells."""
    rounds = [SimpleNamespace(facts={"best_epoch": epoch}) for epoch in (4, 30, 6)]
    learner = Recorder("unet")
    fit_final(UnetSettings(), learner, material(TARGET), rounds, seed=1)
    assert learner.fits[0].epochs == 6
    assert len(learner.fits[0].train) == CELLS
    learner = Recorder()
    fit_final(ForestSettings(), learner, material(TARGET), rounds, seed=1)
    assert learner.fits[0].epochs is None


def test_baselines_know_only_what_is_learned_from():
    """The commonest class, or the mean, of the cells of the other folds."""
    split = make_split()
    target = np.where(split.fold == 0, 0, 1).astype(np.int16)
    target[::5] = 0
    found = baseline(material(target), split)
    assert found.title == "majority class"
    for part in split.rounds:
        known = target[np.concatenate([part.train, part.validation])]
        expected = np.bincount(known).argmax()
        assert (found.predictions[part.test].argmax(1) == expected).all()
    values = np.arange(CELLS, dtype=np.float32)
    found = baseline(material(values, ()), split)
    assert found.title == "mean"
    for part in split.rounds:
        known = values[np.concatenate([part.train, part.validation])]
        assert found.predictions[part.test, 0] == pytest.approx(known.mean())
