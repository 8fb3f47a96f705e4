"""Losses: how wrong logits or values are, as one number to make small.

All take labelled cells only; what has no label never gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from geotools.errors import ConfigError

__all__ = ["Loss", "balanced_weights", "make_loss", "named_weights"]

Loss = Callable[[Tensor, Tensor], Tensor]
"""From (n, K) logits and (n,) classes int64, or (n, 1) and (n,) standardised values, to ()."""

_FOCUS = 2.0
"""Exponent of the focal loss (Lin et al. 2017, section 4.1)."""

_HEAVIEST = 10.0
"""How many times more than the mean a class weighs at most, and less at least: one cell of a class
of ten must not move the net as much as a thousand others."""


def make_loss(name: str, *, classes: int, weights: Sequence[float] | None = None) -> Loss:
    """The loss of that name; `auto` is cross-entropy, or huber without classes.

    Args:
        name: as in the configuration.
        classes: how many; 0 for values.
        weights: (classes,) how much each counts; alike when left out.

    Raises:
        ConfigError: a loss for values with classes, or the other way round.
    """
    known = _CLASS_LOSSES if classes else _VALUE_LOSSES
    if name == "auto":
        name = next(iter(known))
    if name not in known:
        task = "classification" if classes else "regression"
        raise ConfigError(f"loss is {name!r}: for {task}, allowed are auto, {', '.join(known)}.")
    if not classes:
        return _VALUE_LOSSES[name]
    weight = torch.ones(classes) if weights is None else torch.tensor(weights)
    weight = weight.to(torch.float32)
    loss = _CLASS_LOSSES[name]

    def weighted(logits: Tensor, target: Tensor) -> Tensor:
        return loss(logits, target, weight.to(logits.device))

    return weighted


def balanced_weights(target: NDArray[np.int64], classes: int, *, power: float = 1.0) -> list[float]:
    """Weights inverse to how often each class is, at most ten times and at least a tenth of 1.

    With a power of 1 all classes weigh alike, which is what balanced accuracy asks for; with 0.5
    they are half way there, which is nearer to what F1 asks for, where false alarms count too.
    """
    counts = np.bincount(target, minlength=classes).clip(1)
    weights = (counts.sum() / (classes * counts)) ** power
    return [float(weight) for weight in weights.clip(1 / _HEAVIEST, _HEAVIEST)]


def named_weights(weights: Mapping[str, float], classes: Sequence[str]) -> list[float]:
    """Weights in the order of the classes; 1 for those that are not named.

    Raises:
        ConfigError: a name that is no class, or a weight that is not positive.
    """
    for name, weight in weights.items():
        if name not in classes:
            raise ConfigError(
                f"weights names the class {name!r}: the labels have {', '.join(classes)}."
            )
        if not 0 < weight < float("inf"):
            raise ConfigError(f"weights gives {name!r} {weight:g}: give a number above 0.")
    return [float(weights.get(name, 1.0)) for name in classes]


def _cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    return functional.cross_entropy(logits, target, weight)


def _focal(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy times (1 - p)^2 (Lin et al. 2017, eq. 4): what is known well counts little."""
    logs = functional.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]  # (n,)
    each = weight[target]  # (n,)
    return -(each * (1.0 - logs.exp()) ** _FOCUS * logs).sum() / each.sum()


def _dice(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """1 - soft Dice of every class over the batch (Milletari et al. 2016), weighted mean.

    A class that no cell of the batch has is left out: its Dice would be 0 however small its
    probabilities are.
    """
    shares = functional.softmax(logits, 1)  # (n, K)
    truth = functional.one_hot(target, logits.shape[1]).to(shares.dtype)  # (n, K)
    both, all_of = (shares * truth).sum(0), (shares + truth).sum(0)  # (K,)
    dice = (2.0 * both + 1.0) / (all_of + 1.0)
    each = weight * (truth.sum(0) > 0)
    return 1.0 - (each * dice).sum() / each.sum()


def _both(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    return _cross_entropy(logits, target, weight) + _dice(logits, target, weight)


def _mse(values: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(values[:, 0], target)


def _huber(values: Tensor, target: Tensor) -> Tensor:
    """Squares up to one standard deviation, a line beyond (Huber 1964)."""
    return functional.huber_loss(values[:, 0], target)


_CLASS_LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "cross-entropy": _cross_entropy,
    "dice": _dice,
    "focal": _focal,
    "cross-entropy+dice": _both,
}
_VALUE_LOSSES: dict[str, Loss] = {"huber": _huber, "mse": _mse}
