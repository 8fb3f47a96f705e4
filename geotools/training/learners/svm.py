"""fit_svm, fit_svr: libsvm finds the support vectors; width of the kernel and scale of the vote are
searched for on cells that are held out.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, SVR

from geotools.training.learners.kernels import Machines, vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.learners.settings import SvmSettings

__all__ = ["fit_svm", "fit_svr"]

_Judged = TypeVar("_Judged", bound=tuple[float, ...])

_CACHE_MB = 300
"""Rows of the kernel matrix that libsvm keeps."""

_EPSILON = 0.1
"""Half width of the tube, in standard deviations of the target, in which a value costs nothing."""

_STEPS = 1_000_000
"""Of libsvm for one machine at most: enough but for penalties that ask for the impossible."""

_EXACT, _ROUGH = 1e-3, 1e-2
"""Where libsvm stops: in machines that are kept, and in those that are tried. It costs a quarter
more time to try them exactly, and their log loss differs by 1e-4 at most (craters of the Moon)."""

_HELD = 3
"""One group or cell in so many is held out to fit the scale of the vote."""

_GAMMAS = (0.5, 1.0, 2.0, 4.0)
"""That may be tried, over the number of features: pixels of land cover like narrow kernels, soils
and landslides wide ones."""

_SCALES = np.geomspace(0.25, 16.0, 25)
"""Scales that are tried."""

_USUAL_SCALE = 2.0
"""Where there is nothing to hold out; what most sets of data come to."""


def fit_svm(
    x: NDArray[np.float32],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: SvmSettings,
    seed: int,
    *,
    features: int,
    group: NDArray[np.integer],
    found: Mapping[str, Any] | None = None,
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
        found: facts of machines of most of these cells, whose gamma and scale are taken instead.
    """
    classes = int(target.max()) + 1

    def fitted(kept: NDArray[np.bool_], gamma: float, tolerance: float = _EXACT) -> Machines:
        estimator = SVC(
            C=settings.strength,
            gamma=gamma,
            tol=tolerance,
            cache_size=_CACHE_MB,
            max_iter=_STEPS,
        )
        _fit_quietly(estimator, x[kept], target[kept], weight[kept])
        return _machines(estimator, gamma, classes)

    def judged(gamma: float) -> tuple[float, float, float]:
        said = fitted(~held, gamma, _ROUGH).decide(x[held])
        return min(
            (_loss(said * scale, target[held], weight[held], classes), gamma, scale)
            for scale in _SCALES
        )

    gamma, scale = settings.gamma or 1.0 / features, _USUAL_SCALE
    if found and "scale" in found:
        gamma, scale = found["gamma"], found["scale"]
    else:
        held = _held_out(target, group, np.random.default_rng(seed))
        if held.any():
            _, gamma, scale = _least(judged, _gammas(settings, features))
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
    found: Mapping[str, Any] | None = None,
) -> Machines:
    """Support vector regression, gamma by the squared error where none is stated.

    Args: as `fit_svm`; target: (n,), of mean 0 and standard deviation 1.
    """

    def fitted(kept: NDArray[np.bool_], gamma: float, tolerance: float = _EXACT) -> Machines:
        estimator = SVR(
            C=settings.strength,
            gamma=gamma,
            tol=tolerance,
            epsilon=_EPSILON,
            cache_size=_CACHE_MB,
            max_iter=_STEPS,
        )
        _fit_quietly(estimator, x[kept], target[kept], weight[kept])
        vectors = np.asarray(estimator.support_vectors_, dtype=np.float32)
        offset = np.asarray(estimator.intercept_, dtype=np.float64)
        return Machines(vectors, gamma, estimator.dual_coef_.T, offset, {})

    def judged(gamma: float) -> tuple[float, float]:
        wrong = fitted(~held, gamma, _ROUGH).decide(x[held])[:, 0] - target[held]
        return float((wrong**2).mean()), gamma

    gamma = settings.gamma or 1.0 / features
    if found and "gamma" in found:
        gamma = found["gamma"]
    elif settings.gamma is None:
        held = _held_out(np.zeros(len(x), dtype=np.int64), group, np.random.default_rng(seed))
        if held.any():
            _, gamma = _least(judged, _gammas(settings, features))
    machines = fitted(np.ones(len(x), dtype=bool), gamma)
    facts = {"vectors": len(machines.vectors), "gamma": float(gamma)}
    return dataclasses.replace(machines, facts=facts)


def _gammas(settings: SvmSettings, features: int) -> tuple[float, ...]:
    """What is tried."""
    if settings.gamma is not None:
        return (settings.gamma,)
    return tuple(one / features for one in _GAMMAS)


def _least(judged: Callable[[float], _Judged], gammas: Sequence[float]) -> _Judged:
    """What is judged the least, of gammas that rise: the two in the middle are tried, then those on
    the side where it falls, as long as it does.
    """
    place = (len(gammas) - 1) // 2
    best = judged(gammas[place])
    for side in (1, -1):
        start = place
        while 0 <= place + side < len(gammas) and (one := judged(gammas[place + side])) < best:
            place, best = place + side, one
        if place != start:
            break
    return best


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
    p = np.maximum(vote(said, classes)[np.arange(len(target)), target], 1e-6)
    return float(-(weight * np.log(p)).sum())


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
