"""Which cells a learner is fitted to when there are more than it can take, and what they weigh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["draw"]


def draw(
    target: NDArray[np.integer] | None,
    cells: int,
    most: int,
    *,
    seed: int,
    balanced: bool,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(n,) places of the cells that are kept, rising, and (n,) their weights, of mean 1.

    Half of what is kept is shared evenly among the classes, so that rare ones stay whole; the
    other half goes by what is left. Weights make up for it.

    Args:
        target: (cells,) index of the class; None for values, which are drawn alike.
        cells: number of cells.
        most: cells that are kept at most.
        seed: fixes the draw.
        balanced: every class weighs the same; otherwise as much as it has cells.
    """
    rng = np.random.default_rng(seed)
    if target is None:
        few = cells <= most
        kept = np.arange(cells) if few else np.sort(rng.choice(cells, most, replace=False))
        return kept, np.ones(len(kept))
    _, code, number = np.unique(target, return_inverse=True, return_counts=True)
    share = _shares(number, most)
    parts = []
    for one in range(len(number)):
        places = np.flatnonzero(code == one)
        few = share[one] >= len(places)
        parts.append(places if few else rng.choice(places, share[one], replace=False))
    kept = np.sort(np.concatenate(parts))
    weight = ((1.0 if balanced else number) / share)[code[kept]]
    return kept, weight / weight.mean()


def _shares(number: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """(classes,) cells of each class that are kept; one of each at least."""
    if number.sum() <= most:
        return number
    even = np.minimum(number, max(most // (2 * len(number)), 1))
    rest = number - even
    left = max(most - int(even.sum()), 0)
    more = np.floor(rest * (left / max(int(rest.sum()), 1)))
    return np.asarray(even + more, dtype=np.intp)
