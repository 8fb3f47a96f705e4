"""Folds: units dealt out so that every fold has about the same share of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STRATA", "deal", "strata_of", "tabulate"]

STRATA = 5
"""Bins of equal counts that values are put in, to be dealt out as classes are."""

_ONE_BY_ONE = 20_000
"""Units that are each given the best fold; more are dealt round, the large ones first."""


def strata_of(target: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) the class, or the bin of the value."""
    if target.dtype.kind == "i":
        return target.astype(np.int64)
    edges = np.unique(np.quantile(target, np.linspace(0, 1, STRATA + 1)[1:-1]))
    return np.searchsorted(edges, target, side="right").astype(np.int64)


def tabulate(
    unit: NDArray[np.int64], strata: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """Units (u,) in order, cells (u, strata) of each, and (n,) place of each cell's unit."""
    units, place = np.unique(unit, return_inverse=True)
    place = place.reshape(-1)
    classes = int(strata.max(initial=0)) + 1
    counts = np.bincount(place * classes + strata, minlength=len(units) * classes)
    return units, counts.reshape(len(units), classes), place


def deal(counts: NDArray[np.int64], folds: int, *, seed: int) -> NDArray[np.int64]:
    """(units,) fold of each unit: every fold gets about the same of every stratum.

    Units go one by one, those with the largest share of any stratum first, to the fold where they
    leave the strata most even. A stratum that two units have is in two folds.

    Args:
        counts: (units, strata) cells.
        folds: number of folds, at most that of units.
        seed: of the order among equals.
    """
    units = len(counts)
    shares = counts / np.maximum(counts.sum(axis=0), 1)  # (units, strata)
    shuffled = np.random.default_rng(seed).permutation(units)
    order = shuffled[np.argsort(-shares.max(axis=1)[shuffled], kind="stable")]
    fold = np.empty(units, np.int64)
    sums = np.zeros((folds, counts.shape[1] + 1))
    # All cells together count as one more stratum, so that folds are about equally large.
    whole = np.column_stack([shares, counts.sum(axis=1) / counts.sum()])
    for unit in order[:_ONE_BY_ONE].tolist():
        # Sum of squares after the unit is added, less what is the same for all folds.
        cost = sums @ whole[unit]
        best = int(np.argmin(cost))
        fold[unit] = best
        sums[best] += whole[unit]
    rest = order[_ONE_BY_ONE:]
    fold[rest] = np.arange(len(rest)) % folds
    _fill(fold, counts, folds)
    _spread(fold, counts, folds)
    return fold


def _fill(fold: NDArray[np.int64], counts: NDArray[np.int64], folds: int) -> None:
    """Gives every empty fold the smallest unit of the fold that has the most units."""
    sizes = counts.sum(axis=1)
    for empty in range(folds):
        if (fold == empty).any():
            continue
        fullest = int(np.argmax(np.bincount(fold, minlength=folds)))
        there = np.flatnonzero(fold == fullest)
        fold[there[np.argmin(sizes[there])]] = empty


def _spread(fold: NDArray[np.int64], counts: NDArray[np.int64], folds: int) -> None:
    """Moves units so that a stratum of several units is not in one fold alone."""
    if folds < 2:
        return
    for stratum in np.argsort((counts > 0).sum(axis=0), kind="stable").tolist():
        holders = np.flatnonzero(counts[:, stratum] > 0)
        if len(holders) < 2 or len(np.unique(fold[holders])) > 1:
            continue
        moved = holders[np.argmin(counts[holders].sum(axis=1))]
        sizes = np.bincount(fold, counts.sum(axis=1), folds)
        sizes[fold[moved]] = np.inf
        fold[moved] = int(np.argmin(sizes))
