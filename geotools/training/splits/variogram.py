"""range_m: over which distance labels are alike, from their experimental semivariogram.

Of classes the indicator semivariograms are summed, which is the share of pairs that differ
(Goovaerts 1997, section 7.1); of values Cressie and Hawkins' robust estimate is taken (1980, eq.
4.2). A spherical model is fitted (Cressie 1985, weighted least squares).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["range_m", "semivariogram"]

_LAGS = 24
"""Classes of distance, each longer than the one before by the same factor."""
_SAMPLE = 1_500
"""Places whose pairs are all taken."""
_ANCHORS, _NEAR = 80, 48
"""Places whose nearest neighbours' pairs are taken, on each scale."""
_THINNER = 16
"""Each scale has so many times fewer places than the one before: four times the distances."""
_DENSEST = 200_000
"""Places on the densest scale at most."""
_FEWEST, _HEAVIEST = 30, 2_000
"""Pairs that a lag needs (Journel and Huijbregts 1978, p. 194), and beyond which more of them do
not make it weigh more."""
_RANGES = 60


def range_m(
    places: NDArray[np.float64],
    target: NDArray[np.int16] | NDArray[np.float32],
    *,
    seed: int = 0,
) -> float:
    """Range in metres; half of the extent where the semivariogram never levels off, and 0 where
    there are too few places to tell.

    Args:
        places: (n, 2) or (n, 3) metres, in an order that does not depend on who asks.
        target: (n,) classes, int16, or values, float32.
        seed: of the sample.
    """
    lag, gamma, pairs = semivariogram(places, target, seed=seed)
    if len(lag) < 3:
        return 0.0
    weight = np.minimum(pairs, _HEAVIEST)
    candidates = np.geomspace(lag[0], lag[-1], _RANGES)
    losses = np.array([_loss(one, lag, gamma, weight) for one in candidates])
    return float(candidates[int(np.argmin(losses))])


def semivariogram(
    places: NDArray[np.float64],
    target: NDArray[np.int16] | NDArray[np.float32],
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Lags in metres, semivariances and numbers of pairs, each (lags,); lags with few pairs are
    left out.

    Args:
        places, target, seed: as for `range_m`.
    """
    distance, first, second = _pairs(places, np.random.default_rng(seed))
    positive = distance > 0
    distance, first, second = distance[positive], first[positive], second[positive]
    nothing = np.empty(0)
    if len(distance) < _FEWEST:
        return nothing, nothing, np.empty(0, np.int64)
    longest = float(np.linalg.norm(np.ptp(places, axis=0))) / 2
    edges = np.geomspace(distance.min() * 0.999, max(longest, distance.min() * 1.01), _LAGS + 1)
    lag = np.searchsorted(edges, distance) - 1
    inside = (lag >= 0) & (lag < _LAGS)
    lag, distance = lag[inside], distance[inside]
    first, second = first[inside], second[inside]
    pairs = np.bincount(lag, minlength=_LAGS)
    enough = pairs >= _FEWEST
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.bincount(lag, distance, _LAGS) / pairs
        if target.dtype.kind == "f":
            roots = np.sqrt(np.abs(target[first].astype(np.float64) - target[second]))
            mean = np.bincount(lag, roots, _LAGS) / pairs
            gamma = mean**4 / (0.457 + 0.494 / pairs) / 2
        else:
            gamma = np.bincount(lag, target[first] != target[second], _LAGS) / pairs
    return middle[enough], gamma[enough], pairs[enough]


def _pairs(
    places: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Distances and both ends of pairs of all lengths."""
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import pdist

    chosen = rng.permutation(len(places))[:_SAMPLE]
    one, other = np.triu_indices(len(chosen), 1)
    distances = [pdist(places[chosen])]
    firsts, seconds = [chosen[one]], [chosen[other]]
    scale = _densest(places, rng)
    near = np.triu_indices(_NEAR, 1)
    while len(scale) > _SAMPLE:
        tree = cKDTree(places[scale])
        anchors = scale[rng.permutation(len(scale))[:_ANCHORS]]
        _, found = tree.query(places[anchors], k=_NEAR)
        around = scale[found]  # (anchors, near)
        first, second = around[:, near[0]].ravel(), around[:, near[1]].ravel()
        distances.append(np.linalg.norm(places[first] - places[second], axis=1))
        firsts.append(first)
        seconds.append(second)
        scale = scale[rng.permutation(len(scale))[: len(scale) // _THINNER]]
    return np.concatenate(distances), np.concatenate(firsts), np.concatenate(seconds)


def _densest(places: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """All places, or those of some squares, so that neighbours stay together."""
    if len(places) <= _DENSEST:
        return np.arange(len(places))
    low, extent = places.min(axis=0), np.ptp(places, axis=0).max()
    square = np.floor((places - low) / (extent / 64)).astype(np.int64)  # (n, axes)
    _, number = np.unique(square @ (65 ** np.arange(square.shape[1])), return_inverse=True)
    number = number.reshape(-1)
    order = rng.permutation(int(number.max()) + 1)
    sizes = np.bincount(number)[order]
    kept = order[: max(1, int(np.searchsorted(np.cumsum(sizes), _DENSEST)))]
    return np.flatnonzero(np.isin(number, kept))


def _loss(
    range_: float,
    lag: NDArray[np.float64],
    gamma: NDArray[np.float64],
    weight: NDArray[np.int64],
) -> float:
    """Weighted squares of what a spherical model of this range misses, nugget and sill at best."""
    reach = np.minimum(lag / range_, 1.0)
    shape = 1.5 * reach - 0.5 * reach**3  # Journel and Huijbregts 1978, eq. III.13
    total = weight.sum()
    mean_shape, mean_gamma = (weight @ shape) / total, (weight @ gamma) / total
    spread = weight @ (shape - mean_shape) ** 2
    sill = weight @ ((shape - mean_shape) * (gamma - mean_gamma)) / spread if spread > 0 else 0.0
    sill = max(float(sill), 0.0)
    nugget = mean_gamma - sill * mean_shape
    if nugget < 0:
        nugget = 0.0
        sill = float(weight @ (shape * gamma) / (weight @ shape**2))
    return float(weight @ (nugget + sill * shape - gamma) ** 2)
