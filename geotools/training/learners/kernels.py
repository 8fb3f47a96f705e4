"""Machines: sums of radial kernels around support vectors, as products of matrices.

Probabilities are not libsvm's, which differ from what any export of them computes, but a smooth
vote of the machines with one scale. How they are found is in `svm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from geotools.training.learners.graphs import Graph
from geotools.training.learners.linear import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Machines", "vote"]

_EXP_ERROR = 5e-8
"""Largest rounding of a sum of float32 exponentials, as a share of the root of the summed squares
of their weights; measured on the Statlog Landsat rows: 4.6e-8 to 4.9e-8 for classes and values."""

_UNSEEN = 5e-6
"""Error of a probability, whose slope is a quarter of the score's at most, or of a value."""

_DOUBLE, _FLOAT = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT

_ROWS = 128
"""Rows whose kernels are held at a time: in the cache of a core they take a sixth of the time."""

_BLOCK = 256
"""Support vectors whose kernels a graph holds at a time: 32 MB for 16,384 rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Machines:
    """Sums of kernels around support vectors: one for values, one for each pair of classes."""

    vectors: NDArray[np.float32]
    """(S, columns) support vectors."""
    gamma: float
    """Of the kernel exp(-gamma distance^2)."""
    weights: NDArray[np.float64]
    """(S, machines)."""
    offset: NDArray[np.float64]
    """(machines,)."""
    facts: dict[str, Any]
    """For the card."""
    classes: int = 0
    """Classes, every pair of which has a machine that is positive for the first; 0 for values."""
    scale: float = 1.0
    """Of what the machines say, before the vote."""

    def decide(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, machines) what the machines say."""
        near, factors = x.astype(np.float64), self._factors().T
        wide = np.concatenate([near, (near**2).sum(1, keepdims=True), np.ones((len(x), 1))], 1)
        said = np.empty((len(x), len(self.offset)))
        for first in range(0, len(x), _ROWS):
            part = slice(first, first + _ROWS)
            kernel = wide[part] @ factors  # (rows, S) the exponents
            said[part] = np.exp(kernel, out=kernel) @ self.weights
        return said + self.offset

    def _factors(self) -> NDArray[np.float64]:
        """(S, columns + 2) by which (x, |x|^2, 1) become exponents, -gamma |x - v|^2."""
        vectors = self.vectors.astype(np.float64)
        ones = np.full((len(vectors), 1), -self.gamma)
        away = ones * (vectors**2).sum(1, keepdims=True)
        return np.concatenate([2.0 * self.gamma * vectors, ones, away], 1)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, classes) probabilities or (n, 1) values."""
        said = self.decide(x)
        return vote(said * self.scale, self.classes) if self.classes else said

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`.

        The exponent -gamma (|x|^2 + |v|^2 - 2 x v) is one product: of (x, |x|^2, 1) with
        (2 gamma v, -gamma, -gamma |v|^2). Support vectors go through it in blocks. It is
        computed in double precision, as large kernels of either sign nearly cancel; exponentials,
        the greater part of the time, in single where their rounding stays unseen.
        """
        x = graph.add("Cast", x, to=_DOUBLE)
        squares = graph.add("ReduceSum", graph.add("Mul", x, x), graph.constant(np.array([1])))
        zero = graph.constant(np.array(0.0))
        one = graph.add("Add", graph.add("Mul", squares, zero), graph.constant(np.array(1.0)))
        wide = graph.add("Concat", x, squares, one, axis=1)
        factors = self._factors()
        said = graph.constant(self.offset * self.scale)
        strength = np.sqrt((self.weights**2).sum(0)).max(initial=0.0) * self.scale
        quick = _EXP_ERROR * strength * (0.25 if self.classes else 1.0) < _UNSEEN
        for first in range(0, len(factors), _BLOCK):
            part = slice(first, first + _BLOCK)
            product = graph.add("MatMul", wide, graph.constant(factors[part].T))
            weights = graph.constant(self.weights[part] * self.scale)
            if quick:
                short = graph.add("Cast", product, to=_FLOAT)
                kernel = graph.add("Cast", graph.add("Exp", short), to=_DOUBLE)
            else:
                kernel = graph.add("Exp", product)
            said = graph.add("Gemm", kernel, weights, said)
        said = graph.add("Cast", said, to=_FLOAT)
        if not self.classes:
            return said
        both = graph.add("Concat", said, graph.add("Neg", said), axis=1)
        # log sigmoid(s) = -softplus(-s)
        lost = graph.add("Softplus", graph.add("Neg", both))
        sides = graph.constant((-_sides(self.classes)).astype(np.float32))
        return graph.add("Softmax", graph.add("MatMul", lost, sides), axis=1)


def vote(said: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """(n, classes) softmax of the sum of log sigmoids of what is said for a class."""
    votes = -np.logaddexp(0.0, -np.concatenate([said, -said], axis=1)) @ _sides(classes)
    return softmax(votes)


def _sides(classes: int) -> NDArray[np.float64]:
    """(2 pairs, classes) which class a pair speaks for, then which one it speaks against."""
    first, second = np.triu_indices(classes, 1)
    return np.asarray(np.eye(classes)[np.concatenate([first, second])])
