"""Support vector machines with a radial kernel, as products of matrices.

scikit-learn (libsvm) finds the support vectors; probabilities are not libsvm's, which differ from
what any export of them computes, but a smooth vote of the machines with one scale.
"""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, SVR

from geotools.training.learners.graphs import Graph
from geotools.training.learners.linear import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.learners.settings import SvmSettings

__all__ = ["Machines", "fit_svm", "fit_svr"]

_CACHE_MB = 300
"""Rows of the kernel matrix that libsvm keeps."""

_EPSILON = 0.1
"""Half width of the tube, in standard deviations of the target, in which a value costs nothing."""

_STEPS = 1_000_000
"""Of libsvm for one machine at most: enough but for penalties that ask for the impossible."""

_HELD = 3
"""One group or cell in so many is held out to fit the scale of the vote."""

_GAMMAS = (0.5, 1.0, 2.0, 4.0)
"""That are tried, over the number of features: pixels of land cover like narrow kernels, soils and
landslides wide ones."""

_SCALES = np.geomspace(0.25, 16.0, 25)
"""Scales that are tried."""

_USUAL_SCALE = 2.0
"""Where there is nothing to hold out; what most sets of data come to."""

_EXP_ERROR = 5e-8
"""Largest rounding of a sum of float32 exponentials, as a share of the root of the summed squares
of their weights; measured on the Statlog Landsat rows: 4.6e-8 to 4.9e-8 for classes and values."""

_UNSEEN = 5e-6
"""Error of a probability, whose slope is a quarter of the score's at most, or of a value."""

_DOUBLE, _FLOAT = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT

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
        wide, vectors = x.astype(np.float64), self.vectors.astype(np.float64)
        squares = (wide**2).sum(1)[:, None] + (vectors**2).sum(1) - 2.0 * (wide @ vectors.T)
        kernel = np.exp(-self.gamma * np.maximum(squares, 0.0))
        return np.asarray(kernel @ self.weights + self.offset)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, classes) probabilities or (n, 1) values."""
        said = self.decide(x)
        return _vote(said * self.scale, self.classes) if self.classes else said

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
        vectors = self.vectors.astype(np.float64)
        ones = np.full((len(vectors), 1), -self.gamma)
        away = ones * (vectors**2).sum(1, keepdims=True)
        factors = np.concatenate([2.0 * self.gamma * vectors, ones, away], 1)
        said = graph.constant(self.offset * self.scale)
        strength = np.sqrt((self.weights**2).sum(0)).max(initial=0.0) * self.scale
        quick = _EXP_ERROR * strength * (0.25 if self.classes else 1.0) < _UNSEEN
        for first in range(0, len(vectors), _BLOCK):
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


def fit_svm(
    x: NDArray[np.float32],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: SvmSettings,
    seed: int,
    *,
    features: int,
    group: NDArray[np.integer],
) -> Machines:
    """A support vector machine for every pair of classes, and the scale of their vote.

    Scale and, where none is stated, gamma are those with the least log loss on a third of the
    groups (of the cells, where a class has one group or none), which machines of the other two
    thirds have not seen.

    Args:
        x: (n, columns), scaled.
        target: (n,) index of the class from 0; two classes at least, none missing.
        weight: (n,) of the cells, of mean 1.
        settings: strength, gamma.
        seed: of the cells that are held out.
        features: features that the columns come from.
        group: (n,) cells that belong together; -1 for none.
    """
    classes = int(target.max()) + 1

    def fitted(kept: NDArray[np.bool_], gamma: float) -> Machines:
        estimator = SVC(C=settings.strength, gamma=gamma, cache_size=_CACHE_MB, max_iter=_STEPS)
        _fit_quietly(estimator, x[kept], target[kept], weight[kept])
        return _machines(estimator, gamma, classes)

    held = _held_out(target, group, np.random.default_rng(seed))
    loss, gamma, scale = np.inf, settings.gamma or 1.0 / features, _USUAL_SCALE
    for one in _gammas(settings, features) if held.any() else ():
        said = fitted(~held, one).decide(x[held])
        loss, gamma, scale = min(
            (loss, gamma, scale),
            *((_loss(said * s, target[held], weight[held], classes), one, s) for s in _SCALES),
        )
    machines = fitted(np.ones(len(x), dtype=bool), gamma)
    facts = {"vectors": len(machines.vectors), "gamma": float(gamma), "scale": float(scale)}
    return dataclasses.replace(machines, scale=float(scale), facts=facts)


def fit_svr(
    x: NDArray[np.float32],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    settings: SvmSettings,
    seed: int,
    *,
    features: int,
    group: NDArray[np.integer],
) -> Machines:
    """Support vector regression, gamma by the squared error where none is stated.

    Args: as `fit_svm`; target: (n,), of mean 0 and standard deviation 1.
    """

    def fitted(kept: NDArray[np.bool_], gamma: float) -> Machines:
        estimator = SVR(
            C=settings.strength,
            gamma=gamma,
            epsilon=_EPSILON,
            cache_size=_CACHE_MB,
            max_iter=_STEPS,
        )
        _fit_quietly(estimator, x[kept], target[kept], weight[kept])
        vectors = np.asarray(estimator.support_vectors_, dtype=np.float32)
        offset = np.asarray(estimator.intercept_, dtype=np.float64)
        return Machines(vectors, gamma, estimator.dual_coef_.T, offset, {})

    held = _held_out(np.zeros(len(x), dtype=np.int64), group, np.random.default_rng(seed))
    loss, gamma = np.inf, settings.gamma or 1.0 / features
    for one in _gammas(settings, features) if held.any() and settings.gamma is None else ():
        wrong = fitted(~held, one).decide(x[held])[:, 0] - target[held]
        loss, gamma = min((loss, gamma), (float((wrong**2).mean()), one))
    machines = fitted(np.ones(len(x), dtype=bool), gamma)
    facts = {"vectors": len(machines.vectors), "gamma": float(gamma)}
    return dataclasses.replace(machines, facts=facts)


def _gammas(settings: SvmSettings, features: int) -> tuple[float, ...]:
    """What is tried."""
    if settings.gamma is not None:
        return (settings.gamma,)
    return tuple(one / features for one in _GAMMAS)


def _fit_quietly(
    estimator: SVC | SVR, x: NDArray[Any], target: NDArray[Any], weight: NDArray[Any]
) -> None:
    with warnings.catch_warnings():
        # Machines that are not the optimum to the last digit decide as well.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(x, target, sample_weight=weight)


def _held_out(
    target: NDArray[np.int64], group: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(n,) True for the cells of a class that are held out: whole groups where it has several."""
    held = np.zeros(len(target), dtype=bool)
    for one in range(int(target.max()) + 1):
        places = np.flatnonzero(target == one)
        owner = group[places]
        if owner.min() < 0 or owner.min() == owner.max():
            owner = places
        groups = np.unique(owner)
        number = min(-(-len(groups) // _HELD), len(groups) - 1)
        held[places] = np.isin(owner, rng.choice(groups, number, replace=False))
    return held


def _loss(
    said: NDArray[np.float64],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: int,
) -> float:
    """Log loss of the vote, of probabilities kept above 1e-6."""
    p = np.maximum(_vote(said, classes)[np.arange(len(target)), target], 1e-6)
    return float(-(weight * np.log(p)).sum())


def _vote(said: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """(n, classes) softmax of the sum of log sigmoids of what is said for a class."""
    votes = -np.logaddexp(0.0, -np.concatenate([said, -said], axis=1)) @ _sides(classes)
    return softmax(votes)


def _sides(classes: int) -> NDArray[np.float64]:
    """(2 pairs, classes) which class a pair speaks for, then which one it speaks against."""
    first, second = np.triu_indices(classes, 1)
    return np.asarray(np.eye(classes)[np.concatenate([first, second])])


def _machines(estimator: SVC, gamma: float, classes: int) -> Machines:
    """The pairs of a fitted SVC."""
    first, second = np.triu_indices(classes, 1)
    ends = np.cumsum(estimator.n_support_)
    code = np.repeat(np.arange(classes), estimator.n_support_)
    dual = estimator.dual_coef_  # (classes - 1, S): against the other classes in their order
    weights = np.zeros((int(ends[-1]), len(first)))
    for pair, (one, other) in enumerate(zip(first, second, strict=True)):
        weights[code == one, pair] = dual[other - 1, code == one]
        weights[code == other, pair] = dual[one, code == other]
    offset = estimator.intercept_.astype(np.float64)
    if classes == 2:  # scikit-learn turns the sign of a single pair
        weights, offset = -weights, -offset
    vectors = np.asarray(estimator.support_vectors_, dtype=np.float32)
    return Machines(vectors, gamma, weights, offset, {}, classes)
