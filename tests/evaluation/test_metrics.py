"""The table of metrics, and intervals by units."""

from __future__ import annotations

import numpy as np
import pytest

from geotools.errors import ConfigError, RasterError
from geotools.evaluation.class_rows import class_rows
from geotools.evaluation.metrics import (
    METRICS,
    all_scores,
    difference_interval,
    interval,
    score,
    score_with_interval,
)
from geotools.spec import ClassInfo
from geotools.training.config import CLASS_METRICS, VALUE_METRICS

INFOS = (ClassInfo(1, "a", "#112233"), ClassInfo(2, "b", "#445566"), ClassInfo(7, "c", "#778899"))


def test_every_metric_of_a_configuration_is_there():
    names = {task: [m.name for m in METRICS.values() if m.task == task] for task in
             ("classification", "regression")}  # fmt: skip
    assert names == {"classification": [*CLASS_METRICS], "regression": [*VALUE_METRICS]}
    assert {m.name for m in METRICS.values() if not m.higher_is_better} == {"rmse", "mae"}


def test_scores_of_a_small_map_by_hand():
    """Two classes, 20 and 15 right, 5 and 10 wrong, as in Cohen's table."""
    truth = np.repeat([0, 1], 25)
    predicted = np.r_[np.repeat([0, 1], [20, 5]), np.repeat([0, 1], [10, 15])]
    expected = {"accuracy": 0.7, "balanced_accuracy": 0.7, "kappa": 0.4,
                "macro_f1": (40 / 55 + 30 / 45) / 2, "iou": (20 / 35 + 15 / 30) / 2}  # fmt: skip
    for name, figure in expected.items():
        assert score(name, truth, predicted, classes=2) == pytest.approx(figure), name
    assert score("iou", truth, predicted, classes=2, background=0) == pytest.approx(0.5)


def test_cells_that_are_their_own_units_have_the_binomial_interval():
    """1.96 sqrt(p q / n) on each side."""
    truth = np.zeros(400, int)
    predicted = np.repeat([0, 1], [300, 100])
    low, high = interval("accuracy", truth, predicted, np.arange(400), classes=2)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.01)


def test_copies_of_a_cell_in_its_unit_tell_nothing_new():
    """Ten alike neighbours in every unit leave the interval as it was; as units, they narrow it."""
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, (2, 120))
    unit = np.arange(120) // 2
    given = interval("macro_f1", truth, predicted, unit, classes=3)
    truth, predicted, unit = (np.repeat(values, 10) for values in (truth, predicted, unit))
    assert interval("macro_f1", truth, predicted, unit, classes=3) == pytest.approx(given)
    low, high = interval("macro_f1", truth, predicted, np.arange(1200), classes=3)
    assert high - low < (given[1] - given[0]) / 2


def test_the_order_of_cells_and_the_numbers_of_units_do_not_matter():
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 5, (2, 300))
    unit = rng.integers(0, 30, 300)
    given = score_with_interval("kappa", truth, predicted, unit, classes=5, seed=4)
    order = rng.permutation(300)
    other = score_with_interval(
        "kappa", truth[order], predicted[order], unit[order] * 1000 - 7, classes=5, seed=4
    )
    assert other == given
    assert given.interval[0] < given.value < given.interval[1]
    assert given.interval == interval("kappa", truth, predicted, unit, classes=5, seed=4)
    assert given.interval != interval("kappa", truth, predicted, unit, classes=5, seed=5)


def test_one_unit_alone_has_no_interval():
    found = score_with_interval("accuracy", [0, 1], [0, 0], [5, 5], classes=2)
    assert found.value == 0.5
    assert np.isnan(found.interval).all()


def test_the_difference_of_a_map_with_itself_is_nothing():
    rng = np.random.default_rng(2)
    truth, predicted = rng.integers(0, 3, (2, 90))
    found = difference_interval("iou", truth, predicted, predicted, np.arange(90), classes=3)
    assert (found.value, *found.interval) == (0.0, 0.0, 0.0)


def test_what_is_hard_for_both_does_not_widen_the_difference():
    """Units differ much in how hard they are, yet the one map is better by 0.1 in each of them."""
    wrong = np.repeat(np.linspace(0.1, 0.9, 30), 100)  # share of wrong cells by unit
    rank = np.tile(np.arange(100) / 100, 30)
    truth = np.zeros(3000, int)
    better, worse = (rank < wrong - 0.05).astype(int), (rank < wrong + 0.05).astype(int)
    unit = np.repeat(np.arange(30), 100)
    found = difference_interval("accuracy", truth, better, worse, unit, classes=2)
    low, high = interval("accuracy", truth, better, unit, classes=2)
    alone = score("accuracy", truth, better, classes=2) - score("accuracy", truth, worse, classes=2)
    assert found.value == pytest.approx(alone)
    assert found.interval == pytest.approx((0.1, 0.1), abs=0.01)
    assert high - low > 0.1


def test_differences_of_errors_are_below_nothing_for_the_better_values():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=500)
    near, far = truth + rng.normal(0, 0.1, 500), truth + rng.normal(0, 0.3, 500)
    found = difference_interval("rmse", truth, near, far, np.arange(500) // 5)
    assert found.interval[1] < 0
    assert found.value == pytest.approx(-0.2, abs=0.03)


def test_many_units_and_classes_stay_small():
    """Every cell a unit, 200 classes: nothing of units x classes x classes is ever laid out."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 200, 20_000)
    low, high = interval("accuracy", truth, truth // 2 * 2, np.arange(20_000), classes=200)
    assert low < 0.5 < high


def test_all_scores_are_those_of_the_task():
    found = all_scores("classification", [0, 1, 1], [0, 1, 0], [1, 2, 3], classes=2)
    assert list(found) == list(CLASS_METRICS)
    found = all_scores("regression", [0.0, 1, 2], [0.0, 1, 2], [1, 2, 3])
    assert [found[name].value for name in VALUE_METRICS] == [1.0, 0.0, 0.0]


def test_nothing_to_score_is_nan():
    none = np.zeros(0, int)
    assert np.isnan(score("macro_f1", none, none, classes=3))
    assert np.isnan(score("r2", none, none))
    assert np.isnan(interval("rmse", none, none, none)).all()


def test_wrong_input_is_refused():
    with pytest.raises(ConfigError, match="no metric 'f2': give one of accuracy"):
        score("f2", [0], [0], classes=1)
    with pytest.raises(RasterError, match="0 to 1"):
        score("accuracy", [0, 1], [0, 2], classes=2)


def test_a_class_of_few_units_does_not_pull_the_interval_down():
    """Of 40 units one holds all of the third class, which is also claimed elsewhere: resamples
    without that unit leave the class out, where a score of 0 would halve the figure.
    """
    truth = np.tile([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 40)
    predicted = truth.copy()
    truth[:10] = predicted[:10] = 2
    predicted[15::50] = 2  # eight false claims
    unit = np.arange(400) // 10
    for metric in ("macro_f1", "iou"):
        found = score_with_interval(metric, truth, predicted, unit, classes=3)
        assert found.interval[0] > found.value - 0.16, metric
    row = class_rows(truth, predicted, unit, INFOS)[2]
    assert (row.cells, row.predicted, row.units) == (10, 18, 1)
    assert row.f1.value == pytest.approx(20 / 28)
    assert row.f1.interval[0] > 0.5


def test_rows_of_classes_hold_their_figures_and_units():
    truth, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 1])
    rows = class_rows(truth, predicted, [1, 1, 1, 2, 3], INFOS)
    assert [row.cells for row in rows] == [2, 3, 0]
    assert [row.predicted for row in rows] == [1, 4, 0]
    assert [row.units for row in rows] == [1, 3, 0]
    assert [row.recall.value for row in rows[:2]] == [0.5, 1.0]
    assert rows[1].precision.value == 0.75
    assert rows[0].iou.value == 0.5
    assert np.isnan([rows[2].f1.value, *rows[2].f1.interval]).all()
    alone = class_rows(truth, predicted, [1] * 5, INFOS)
    assert np.isnan(alone[0].f1.interval).all()


def test_units_beyond_counting_are_bundled_without_a_change_of_width():
    """Every one of 90,000 cells a unit: 1.96 sqrt(p q / n) on each side."""
    truth = np.zeros(90_000, int)
    predicted = (np.arange(90_000) % 10 == 0).astype(int)[
        np.random.default_rng(0).permutation(90_000)
    ]
    half = 1.96 * np.sqrt(0.9 * 0.1 / 90_000)
    for found in (
        interval("accuracy", truth, predicted, np.arange(90_000), classes=2),
        tuple(1 - end for end in interval("mae", truth, predicted, np.arange(90_000))[::-1]),
    ):
        assert found == pytest.approx((0.9 - half, 0.9 + half), abs=half / 8)


def test_all_scores_have_the_intervals_of_each():
    rng = np.random.default_rng(8)
    truth, predicted = rng.integers(0, 4, (2, 500))
    unit = rng.integers(0, 40, 500)
    found = all_scores("classification", truth, predicted, unit, classes=4, background=1, seed=2)
    for name, scored in found.items():
        assert scored == score_with_interval(
            name, truth, predicted, unit, classes=4, background=1, seed=2
        )
    alone = all_scores("regression", [1.0, 2.0], [1.5, 2.0], [3, 3])
    assert np.isnan(alone["rmse"].interval).all()
