"""Losses against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from geotools.errors import ConfigError
from geotools.training.learners.losses import balanced_weights, make_loss, named_weights

LOGITS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
TARGET = torch.tensor([0, 0, 1])


def p_true():
    shares = torch.softmax(LOGITS.double(), 1).numpy()
    return shares[np.arange(3), TARGET.numpy()]


def test_cross_entropy_is_the_weighted_mean_of_minus_log_p():
    weights = [1.0, 3.0]
    each = np.array([1.0, 1.0, 3.0])
    expected = -(each * np.log(p_true())).sum() / each.sum()
    loss = make_loss("auto", classes=2, weights=weights)(LOGITS, TARGET)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_focal_loss_is_cross_entropy_times_what_is_missing_squared():
    p = p_true()
    expected = -((1 - p) ** 2 * np.log(p)).mean()
    assert float(make_loss("focal", classes=2)(LOGITS, TARGET)) == pytest.approx(expected, rel=1e-6)


def test_dice_is_zero_where_sure_and_right_and_near_one_where_sure_and_wrong():
    target = torch.arange(4000) % 2
    sure = 50.0 * torch.nn.functional.one_hot(target, 2).float()
    dice = make_loss("dice", classes=2)
    assert float(dice(sure, target)) == pytest.approx(0.0, abs=1e-6)
    assert float(dice(-sure, target)) == pytest.approx(1.0, abs=1e-3)


def test_dice_does_not_ask_for_a_class_that_the_batch_has_not():
    target = torch.zeros(10, dtype=torch.int64)
    sure = torch.tensor([[50.0, 0.0, 0.0]]).expand(10, 3)
    assert float(make_loss("dice", classes=3)(sure, target)) == pytest.approx(0.0, abs=1e-6)


def test_cross_entropy_plus_dice_is_their_sum():
    both = make_loss("cross-entropy+dice", classes=2)(LOGITS, TARGET)
    parts = [make_loss(name, classes=2)(LOGITS, TARGET) for name in ("cross-entropy", "dice")]
    assert float(both) == pytest.approx(float(sum(parts)), rel=1e-6)


def test_huber_is_half_a_square_and_then_a_line():
    values, target = torch.tensor([[0.5], [3.0]]), torch.zeros(2)
    assert float(make_loss("auto", classes=0)(values, target)) == pytest.approx(
        (0.5**2 / 2 + 3.0 - 0.5) / 2
    )
    assert float(make_loss("mse", classes=0)(values, target)) == pytest.approx((0.25 + 9) / 2)


def test_balanced_weights_are_inverse_to_counts_and_bounded():
    target = np.repeat([0, 1, 2], [600, 300, 3])
    weights = balanced_weights(target, 3)
    assert weights[0] == pytest.approx(903 / (3 * 600))
    assert weights[1] == pytest.approx(903 / (3 * 300))
    assert weights[2] == 10.0
    assert all(math.isfinite(weight) for weight in balanced_weights(np.zeros(5, np.int64), 3))


def test_weights_by_name_keep_the_order_of_classes():
    assert named_weights({"b": 2.0}, ("a", "b")) == [1.0, 2.0]


@pytest.mark.parametrize("weights", [{"c": 1.0}, {"a": 0.0}, {"a": float("inf")}])
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(ConfigError, match="weights"):
        named_weights(weights, ("a", "b"))


@pytest.mark.parametrize(("name", "classes"), [("huber", 2), ("dice", 0)])
def test_a_loss_for_the_other_task_is_refused(name, classes):
    with pytest.raises(ConfigError, match="allowed are auto"):
        make_loss(name, classes=classes)
