"""Which learner is taken, and what the choice is worth."""

import numpy as np
import pytest

from geotools.evaluation.calibration import apply_temperature
from geotools.evaluation.metrics import score
from geotools.training.choosing import by_other_rounds, calibrated, choose, decided
from geotools.training.splits.rounds import Round, Split
from geotools.training.trial import Trial

FOLDS = 3
CELLS = 90


def make_split(kind: str = "blocks", folds: int = FOLDS) -> Split:
    """Folds by turns; each round's validation cells are those of the next."""
    fold = (np.arange(CELLS) % FOLDS).astype(np.int16)
    rounds = []
    for number in range(folds):
        after = (number + 1) % FOLDS
        rounds.append(
            Round(
                np.flatnonzero((fold != number) & (fold != after)),
                np.flatnonzero(fold == after),
                np.flatnonzero(fold == number),
            )
        )
    fold[fold >= folds] = -1
    return Split(kind, "turns", tuple(rounds), np.arange(CELLS) // 9, fold)


def truth() -> np.ndarray:
    return (np.arange(CELLS) // 3 % 2).astype(np.int16)


def told(right: np.ndarray, sure: float = 0.8) -> np.ndarray:
    """(n, 2) probabilities that name the true class where `right` holds."""
    named = np.where(right, truth(), 1 - truth())
    p = np.full((CELLS, 2), 1 - sure, np.float32)
    p[np.arange(CELLS), named] = sure
    return p


def make_trial(name: str, split: Split, tested: np.ndarray, validated: np.ndarray) -> Trial:
    predictions = told(tested)
    predictions[split.fold < 0] = np.nan
    return Trial(
        name, name, predictions,
        validated=tuple(told(validated)[part.validation] for part in split.rounds),
    )  # fmt: skip


def some(share: float) -> np.ndarray:
    return np.random.default_rng(0).random(CELLS) < share


def test_the_best_by_validation_is_taken():
    """Though another is the best by test, which must not choose."""
    split = make_split()
    trials = [
        make_trial("lucky", split, some(1.0), some(0.6)),
        make_trial("steady", split, some(0.7), some(0.9)),
    ]
    choice = choose(trials, split, truth(), "accuracy", background=None)
    assert choice.final == 1
    assert choice.predictions is trials[1].predictions
    assert choice.test[0] > choice.test[1]
    assert choice.validation[1] == pytest.approx(
        score("accuracy", truth(), told(some(0.9)).argmax(1), classes=2)
    )


def test_a_small_error_is_the_best():
    """Metrics that fall are turned round."""
    split, values = make_split(), np.arange(CELLS, dtype=np.float32)
    trials = [
        Trial(
            name, name, (values + off)[:, None],
            validated=tuple((values + off)[part.validation, None] for part in split.rounds),
        )
        for name, off in (("far", 9.0), ("near", 1.0), ("middle", 3.0))
    ]  # fmt: skip
    choice = choose(trials, split, values, "rmse", background=None)
    assert choice.final == 1
    assert choice.validation == pytest.approx((9.0, 1.0, 3.0))


def test_nothing_to_choose():
    split = make_split()
    choice = choose(
        [make_trial("only", split, some(0.7), some(0.7))], split, truth(), "accuracy",
        background=None,
    )  # fmt: skip
    assert choice.final == 0
    assert np.isnan(choice.validation[0])
    assert choice.nested is None


def test_a_round_is_given_to_the_best_of_the_others():
    """Whatever is predicted of a round's own test cells, it does not choose there."""
    split = make_split()
    good_here = make_trial("first", split, some(0.6), some(0.9))
    steady = make_trial("second", split, some(0.8), some(0.8))
    for number, part in enumerate(split.rounds):
        perfect, hopeless = good_here.predictions.copy(), good_here.predictions.copy()
        perfect[part.test] = told(some(1.0))[part.test]
        hopeless[part.test] = told(some(0.0))[part.test]
        taken = [
            choose(
                [Trial("first", "", changed, validated=good_here.validated), steady],
                split, truth(), "accuracy", background=None,
            ).nested[part.test]
            for changed in (perfect, hopeless)
        ]  # fmt: skip
        others = np.flatnonzero(split.fold != number)
        scores = [
            score("accuracy", truth()[others], decided(one.predictions[others]), classes=2)
            for one in (good_here, steady)
        ]
        assert scores[1] > scores[0]
        for found in taken:
            np.testing.assert_array_equal(found, steady.predictions[part.test])


def test_no_other_rounds_no_nested_choice():
    """One round, or rounds that follow one another in time."""
    for split in (make_split(folds=1), make_split("time")):
        assert not by_other_rounds(split)
        trials = [make_trial(name, split, some(0.7), some(0.8)) for name in ("one", "two")]
        assert choose(trials, split, truth(), "accuracy", background=None).nested is None


def test_a_temperature_never_sees_the_cells_it_is_judged_on():
    """Changing what is said of a round's test cells changes the temperature of the others only."""
    split = make_split()
    trial = make_trial("one", split, some(0.8), some(0.8))
    cooled, final = calibrated(trial, split, truth())
    changed = trial.predictions.copy()
    part = split.rounds[0]
    changed[part.test] = told(some(0.5), 0.99)[part.test]
    other, other_final = calibrated(Trial("one", "", changed), split, truth())
    assert other_final != final
    untouched = apply_temperature(trial.predictions[part.test], 1.0)
    np.testing.assert_allclose(untouched, trial.predictions[part.test], atol=1e-6)

    def power(before: np.ndarray, after: np.ndarray) -> float:
        """1/T, from the log-odds."""
        return float(np.log(after[0, 1] / after[0, 0]) / np.log(before[0, 1] / before[0, 0]))

    first = power(trial.predictions[part.test], cooled[part.test])
    assert power(changed[part.test], other[part.test]) == pytest.approx(first, rel=1e-4)
    second = split.rounds[1].test
    assert not np.allclose(cooled[second], other[second])


def test_with_one_round_the_validation_cells_set_the_temperature():
    split = make_split(folds=1)
    trial = make_trial("one", split, some(0.8), some(1.0))
    cooled, final = calibrated(trial, split, truth())
    assert final < 1  # always right at .8: too modest
    tested = split.rounds[0].test
    assert cooled[tested].max() > 0.9
    assert np.isnan(cooled[split.fold < 0]).all()


def test_what_is_decided():
    np.testing.assert_array_equal(decided(np.array([[0.2, 0.8], [0.7, 0.3]], np.float32)), [1, 0])
    np.testing.assert_array_equal(decided(np.array([[3.5], [1.0]], np.float32)), [3.5, 1.0])
