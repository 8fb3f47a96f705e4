"""Figures of agreement against closed forms."""

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.evaluation.classification import (
    accuracies,
    agreement,
    balanced_accuracy,
    block_confusions,
    bootstrap_interval,
    confusion_matrix,
    f1_per_class,
    iou,
    iou_per_class,
    kappa,
    kappas,
    macro_f1,
    means_of_present,
    precision_per_class,
    recall_per_class,
    unit_confusions,
)

MATRIX = np.array([[20, 5, 0], [10, 15, 0], [0, 0, 0]])


def test_confusion_counts_pairs_and_leaves_out_invalid_cells():
    truth = np.array([[1, 1, 2], [2, 0, 3]])
    other = np.array([[1, 2, 2], [0, 1, 3]])
    expected = [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_array_equal(confusion_matrix(truth, other, 3), expected)


def test_agreement_and_kappa_of_cohens_textbook_table():
    """20 + 15 of 50 agree, chance alone gives one half: kappa 0.4."""
    assert agreement(MATRIX) == pytest.approx(0.7)
    assert kappa(MATRIX) == pytest.approx(0.4)


def test_f1_leaves_out_classes_that_do_not_occur():
    scores = f1_per_class(MATRIX)
    np.testing.assert_allclose(scores, [40 / 55, 30 / 45, np.nan])
    assert macro_f1(MATRIX) == pytest.approx((40 / 55 + 30 / 45) / 2)


def test_nothing_to_compare_is_nan():
    empty = np.zeros((3, 3), dtype=np.int64)
    assert np.isnan([agreement(empty), kappa(empty), macro_f1(empty)]).all()
    assert np.isnan(bootstrap_interval(np.zeros((0, 3, 3), dtype=np.int64), agreement)).all()


def test_blocks_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    truth, other = rng.integers(0, 4, (2, 25, 37))
    blocks = block_confusions(truth, other, 3, 10)
    assert blocks.shape == (12, 3, 3)
    np.testing.assert_array_equal(blocks.sum(0), confusion_matrix(truth, other, 3))


def test_interval_of_equal_blocks_is_a_point():
    blocks = np.repeat(MATRIX[None], 7, axis=0)
    assert bootstrap_interval(blocks, agreement) == pytest.approx((0.7, 0.7))


def test_interval_has_the_width_of_the_binomial():
    """Blocks of one cell each are independent draws: 1.96 sqrt(p q / n) on each side."""
    right = np.zeros((400, 2, 2), dtype=np.int64)
    right[:300, 0, 0] = 1
    right[300:, 0, 1] = 1
    low, high = bootstrap_interval(right, agreement, draws=2000)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.006)


def test_wrong_input_is_refused():
    with pytest.raises(RasterError, match="shape"):
        confusion_matrix([1, 2], [1], 3)
    with pytest.raises(RasterError, match="beyond 3"):
        confusion_matrix([1, 4], [1, 1], 3)


@pytest.fixture
def labelled():
    """True and predicted indices of four classes, the last of which is never true, in 9 units."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 400)
    predicted = np.where(rng.random(400) < 0.6, truth, rng.integers(0, 4, 400))
    return truth, predicted, rng.integers(10, 19, 400) * 7


def test_units_add_up_to_the_whole_whatever_their_numbers(labelled):
    truth, predicted, unit = labelled
    matrices = unit_confusions(truth, predicted, unit, 4)
    assert matrices.shape == (9, 4, 4)
    np.testing.assert_array_equal(matrices.sum(0), confusion_matrix(truth + 1, predicted + 1, 4))
    second = unit == np.unique(unit)[1]
    expected = confusion_matrix(truth[second] + 1, predicted[second] + 1, 4)
    np.testing.assert_array_equal(matrices[1], expected)


def test_figures_are_those_of_scikit_learn(labelled):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, predicted, _ = labelled
    matrix = confusion_matrix(truth + 1, predicted + 1, 4)
    every = {"labels": range(4), "average": None, "zero_division": 0}
    assert agreement(matrix) == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert kappa(matrix) == pytest.approx(metrics.cohen_kappa_score(truth, predicted))
    assert macro_f1(matrix) == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    recall = metrics.recall_score(truth, predicted, **every)
    assert balanced_accuracy(matrix) == pytest.approx(recall[:3].mean())
    np.testing.assert_allclose(recall_per_class(matrix), [*recall[:3], np.nan])
    precision = metrics.precision_score(truth, predicted, **every)
    np.testing.assert_allclose(precision_per_class(matrix), precision)
    jaccard = metrics.jaccard_score(truth, predicted, **every)
    np.testing.assert_allclose(iou_per_class(matrix), jaccard)
    assert iou(matrix) == pytest.approx(jaccard.mean())
    assert iou(matrix, background=0) == pytest.approx(jaccard[1:].mean())


def test_iou_of_one_class_and_its_background_is_that_of_the_class():
    """Of 30 true and 25 predicted cells, 20 are both: 20 / 35."""
    matrix = np.array([[65, 5], [10, 20]])
    assert iou(matrix, background=0) == pytest.approx(20 / 35)


def test_a_stack_of_matrices_gives_the_figures_of_each(labelled):
    stack = unit_confusions(*labelled, 4)
    for several, one in ((accuracies, agreement), (kappas, kappa)):
        np.testing.assert_allclose(several(stack), [one(matrix) for matrix in stack])
    means = means_of_present(f1_per_class(stack))
    np.testing.assert_allclose(means, [macro_f1(matrix) for matrix in stack])


def test_wrong_indices_are_refused():
    unit = np.zeros(2, np.int64)
    for truth, predicted, match in (
        ([0, 3], [0, 1], "0 to 2"),
        ([0, -1], [0, 1], "0 to 2"),
        ([0, 1], [0], "shape"),
        ([0.0, 1.0], [0, 1], "float64"),
    ):
        with pytest.raises(RasterError, match=match):
            unit_confusions(truth, predicted, unit, 3)
    with pytest.raises(RasterError, match="units of shape"):
        unit_confusions([0, 1], [0, 1], [1, 2, 3], 3)
    with pytest.raises(RasterError, match="too many matrices"):
        unit_confusions(*np.zeros((2, 3000), int), np.arange(3000), 250)
