"""Logistic and ridge regression, and the model of a target that never changes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from geotools.training.learners.graphs import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.learners.settings import LogisticSettings

__all__ = ["Constant", "Linear", "fit_logistic", "fit_ridge", "softmax"]

_STEPS = 1000
"""Of L-BFGS at most; some 50 are usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Scores that are sums of weighted columns; probabilities are their softmax."""

    weights: NDArray[np.float64]
    """(columns, targets)."""
    offset: NDArray[np.float64]
    """(targets,)."""
    facts: dict[str, Any]
    """For the card."""
    softmax: bool
    """True for classes, False for values."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, targets) probabilities or values."""
        scores = x @ self.weights + self.offset
        return softmax(scores) if self.softmax else scores

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`."""
        weights = graph.constant(self.weights.astype(np.float32))
        offset = graph.constant(self.offset.astype(np.float32))
        scores = graph.add("Gemm", x, weights, offset)
        return graph.add("Softmax", scores, axis=1) if self.softmax else scores


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """The same for all rows: what is left to say where the target never changes."""

    value: float
    """Probability of the one class, or the value."""
    facts: dict[str, Any] = field(default_factory=lambda: {"constant": True})
    """For the card."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, 1), all alike."""
        return np.full((len(x), 1), self.value)

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`."""
        columns = graph.constant(np.array([1], dtype=np.int64))
        zero = graph.add("Mul", graph.add("ReduceSum", x, columns), graph.scalar(0.0))
        return graph.add("Add", zero, graph.scalar(self.value))


def fit_logistic(
    x: NDArray[np.float32],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: LogisticSettings,
) -> Linear:
    """Softmax regression with a penalty on squared weights.

    Args:
        x: (n, columns), scaled.
        target: (n,) index of the class from 0; two classes at least, none missing.
        weight: (n,) of the cells, of mean 1.
        settings: strength.
    """
    # float64: in float32 the gradient is too rough to converge.
    estimator = LogisticRegression(C=settings.strength, max_iter=_STEPS)
    with warnings.catch_warnings():
        # Weights that are not the optimum to the last digit predict as well; the card says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(x.astype(np.float64), target, sample_weight=weight)
    weights, offset = estimator.coef_.T, estimator.intercept_
    if weights.shape[1] == 1:  # two classes: the score of the second against the first
        weights, offset = weights * [-0.5, 0.5], offset * [-0.5, 0.5]
    facts = {"columns": x.shape[1], "iterations": int(np.max(estimator.n_iter_))}
    return Linear(weights, offset, facts, softmax=True)


def fit_ridge(
    x: NDArray[np.float32],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    settings: LogisticSettings,
) -> Linear:
    """Linear regression with a penalty on squared weights.

    Args:
        x: (n, columns), scaled.
        target: (n,), of mean 0 and standard deviation 1.
        weight: (n,) of the cells, of mean 1.
        settings: strength.
    """
    estimator = Ridge(alpha=1.0 / settings.strength)
    estimator.fit(x.astype(np.float64), target, sample_weight=weight)
    weights = np.asarray(estimator.coef_, dtype=np.float64).reshape(-1, 1)
    offset = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    return Linear(weights, offset, {"columns": x.shape[1]}, softmax=False)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) probabilities of (n, K) scores."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
