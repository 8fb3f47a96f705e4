"""Round and Split, rounds out of folds, and what lies too near to a test left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.training.splits.folds import deal, tabulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.splits.blocks import Blocks

__all__ = ["Round", "Split", "cross_rounds", "drawn", "one_round", "without_near"]

_VALIDATION = 5
"""One part of so many is drawn for validation where no fold can be spared."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One round of a cross-validation; indices into the cells, disjoint."""

    train: NDArray[np.intp]
    """Cells that are learned from."""
    validation: NDArray[np.intp]
    """Cells that decide when a net stops; other learners learn from them too."""
    test: NDArray[np.intp]
    """Cells that the score is taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A split of labelled cells into rounds."""

    kind: str
    """`blocks`, `polygons`, `group`, `time`, `list`, `raster` or `random`."""
    title: str
    """What it is in a few words, with its sizes: "5 folds of blocks of 640 m"."""
    rounds: tuple[Round, ...]
    """Every cell is tested in at most one round."""
    unit: NDArray[np.int64]
    """(n,) block, polygon, group, period or raster of each cell: what is drawn again for
    intervals. Where fewer than five are tested, blocks or rows within them."""
    fold: NDArray[np.int16]
    """(n,) the round in which a cell is tested, from 0; -1 for cells that are never tested."""
    blocks: Blocks | None = None
    """The lattice that `unit` counts, when the units are blocks."""
    unit_word: str = ""
    """What the units are called: `blocks`, `polygons`, `clusters`, `groups`, `periods`, `rasters`,
    `rows` or `cells`."""
    part: NDArray[np.int64] | None = None
    """(n,) scene, group or period of each cell, an index into `parts`, -1 for none; None where
    there are none of these. They stay whole where `unit` divides them."""
    parts: tuple[str, ...] = ()
    """Names of the scenes, groups or periods."""
    part_word: str = ""
    """What they are called: `scenes`, `groups` or `periods`."""


def cross_rounds(
    fold: NDArray[np.int16],
    strata: NDArray[np.int64],
    finer: NDArray[np.int64],
    *,
    seed: int,
) -> tuple[Round, ...]:
    """One round for each fold, decided by the next fold that leaves all classes to learn from.

    Args:
        fold: (n,) fold of each cell from 0, -1 for cells that are not used.
        strata: (n,) class of each cell.
        finer: (n,) units that validation cells are drawn by when there are two folds only.
        seed: of that draw.
    """
    folds = int(fold.max()) + 1
    there: NDArray[np.bool_] = np.zeros((folds, int(strata.max(initial=0)) + 1), np.bool_)
    used = fold >= 0
    there[fold[used], strata[used]] = True
    rounds = []
    for test in range(folds):
        others = [(test + step) % folds for step in range(1, folds)]
        if len(others) < 2:
            rounds.append(one_round(fold == test, fold == others[0], strata, finer, seed=seed))
            continue
        needed = np.asarray(there[others].any(axis=0))
        validation = next(
            (
                one
                for one in others
                if _holds(there[[other for other in others if other != one]], needed)
            ),
            others[0],
        )
        rounds.append(
            Round(
                np.flatnonzero(used & (fold != test) & (fold != validation)),
                np.flatnonzero(fold == validation),
                np.flatnonzero(fold == test),
            )
        )
    return tuple(rounds)


def _holds(there: NDArray[np.bool_], needed: NDArray[np.bool_]) -> bool:
    """True when the folds (folds, classes) together have all classes that are needed."""
    return bool((~needed | there.any(axis=0)).all())


def one_round(
    test: NDArray[np.bool_],
    learned: NDArray[np.bool_],
    strata: NDArray[np.int64],
    finer: NDArray[np.int64],
    *,
    seed: int,
) -> Round:
    """A round with its validation cells drawn from what is learned, unit by unit."""
    validation = drawn(learned, strata, finer, seed=seed)
    return Round(
        np.flatnonzero(learned & ~validation), np.flatnonzero(validation), np.flatnonzero(test)
    )


def drawn(
    learned: NDArray[np.bool_],
    strata: NDArray[np.int64],
    finer: NDArray[np.int64],
    *,
    seed: int,
) -> NDArray[np.bool_]:
    """(n,) True for about a fifth of the cells, by whole units; none where units are too few to
    leave all classes to learn from.
    """
    chosen = np.zeros(len(learned), np.bool_)
    index = np.flatnonzero(learned)
    if not len(index):
        return chosen
    units, counts, place = tabulate(finer[index], strata[index])
    parts = min(_VALIDATION, len(units))
    if parts < 2:
        return chosen
    part = deal(counts, parts, seed=seed)
    for number in range(parts):
        left = counts[part != number].sum(axis=0) > 0
        if left[counts.sum(axis=0) > 0].all():
            chosen[index[part[place] == number]] = True
            break
    return chosen


def without_near(one: Round, places: NDArray[np.float64], buffer_m: float) -> Round:
    """The round without the cells nearer to a test cell than this.

    Args:
        one: the round.
        places: (n, 2) or (n, 3) metres.
        buffer_m: metres.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(places[one.test])

    def far(index: NDArray[np.intp]) -> NDArray[np.intp]:
        distance, _ = tree.query(places[index], distance_upper_bound=buffer_m)
        return np.asarray(index[~np.isfinite(distance)])

    return Round(far(one.train), far(one.validation), one.test)
