"""Figures of agreement against closed forms."""

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.evaluation.classification import (
    agreement,
    block_confusions,
    bootstrap_interval,
    confusion_matrix,
    f1_per_class,
    kappa,
    macro_f1,
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
