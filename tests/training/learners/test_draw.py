"""Which cells are drawn, and what they weigh."""

import numpy as np

from geotools.training.learners.draw import draw

TARGET = np.repeat(np.array([0, 1, 2], dtype=np.int16), [9000, 900, 30])


def test_few_cells_are_all_kept():
    kept, weight = draw(TARGET, len(TARGET), 10_000, seed=0, balanced=False)
    np.testing.assert_array_equal(kept, np.arange(len(TARGET)))
    assert (weight == 1).all()


def test_rare_classes_stay_whole():
    kept, _ = draw(TARGET, len(TARGET), 1000, seed=0, balanced=False)
    assert len(np.unique(kept)) == len(kept) <= 1000
    number = np.bincount(TARGET[kept])
    assert number[2] == 30
    assert number[1] >= 1000 // 6
    assert number[0] > 4 * number[1] / 2


def test_weights_make_up_for_the_draw():
    """The weight of a class is its share of all cells, or an even one."""
    for balanced, shares in ((False, np.bincount(TARGET) / len(TARGET)), (True, np.full(3, 1 / 3))):
        kept, weight = draw(TARGET, len(TARGET), 1000, seed=0, balanced=balanced)
        assert np.isclose(weight.mean(), 1)
        np.testing.assert_allclose(np.bincount(TARGET[kept], weight) / len(kept), shares)


def test_a_seed_fixes_the_draw():
    one, two, other = (draw(None, 5000, 700, seed=seed, balanced=False)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert len(np.unique(one)) == 700


def test_more_classes_than_cells_are_asked_for_leave_one_cell_of_each():
    kept, _ = draw(np.arange(40).repeat(3), 120, 10, seed=0, balanced=False)
    assert len(kept) == 40
