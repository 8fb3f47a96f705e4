"""collect: the labelled cells of all scenes, window by window, thinned by whole small patches.

Patches are squares of cells, so that who sees surroundings still sees dense labels; every class
keeps its share of what is kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Window
from geotools.training.labels.scenes import WINDOW, Block, CountedScene, lattice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Collected", "Valid", "collect"]

Valid = Callable[[int, Window], "NDArray[np.bool_]"]
"""From a scene and a window inside its grid to (rows, cols), True where features are."""

_PATCHES = 200
"""Patches that the largest number of cells kept is at least cut into."""
_MOST = 500_000
"""Patches of all grids together at most, as long as they have 64 x 64 cells or fewer."""
_RARE = 4
"""A class keeps at least this part of its equal share of the cells, or all that it has."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """Labelled cells as arrays of one length."""

    scene: NDArray[np.int32]
    """(n,)"""
    row: NDArray[np.int32]
    """(n,)"""
    col: NDArray[np.int32]
    """(n,)"""
    target: NDArray[np.int32] | NDArray[np.float32]
    """(n,) number of the class, or value."""
    feature: NDArray[np.int32]
    """(n,) number of the feature, -1 for none."""
    counts: NDArray[np.int64]
    """(classes,) labelled cells of each class before thinning; of one class for values."""

    @property
    def total(self) -> int:
        """Labelled cells before thinning."""
        return int(self.counts.sum())


def collect(
    scenes: Sequence[CountedScene], *, max_cells: int, seed: int, valid: Valid | None = None
) -> Collected:
    """The labelled cells of all scenes, scene by scene and row by row of windows.

    Args:
        scenes: labels of each scene.
        max_cells: with more labelled cells, only those of some patches are kept: first some for
            each class, the rarest first, then at random.
        seed: which patches.
        valid: cells where it is False are no labelled cells.
    """
    side, cells = 1, sum(scene.grid.width * scene.grid.height for scene in scenes)
    while side < 64 and ((2 * side) ** 2 * _PATCHES <= max_cells or side**2 * _MOST < cells):
        side *= 2
    parts: list[tuple[NDArray[Any], ...]] = []
    tallies: list[NDArray[np.int64]] = []
    kept = 0
    for index, scene in enumerate(scenes):
        for window in lattice(scene.grid):
            if not scene.may_hold(window):
                continue
            only = scene.all_of(window) if kept > max_cells and valid is None else None
            if only is not None:
                tallies.append(_whole(only, index, window, side))
                continue
            block = scene.read(window)
            labelled = _labelled(block, index, window, valid)
            if not labelled.any():
                continue
            tallies.append(_tally(block, labelled, index, window, side))
            kept += int(np.count_nonzero(labelled))
            if kept <= max_cells:
                parts.append(_cells(block, labelled, index, window))
            else:
                parts.clear()  # they are read again when it is known which are kept
    tally = np.concatenate(tallies) if tallies else np.empty((0, 5), np.int64)
    counts = np.bincount(tally[:, 3], tally[:, 4]).astype(np.int64)
    if kept > max_cells:
        chosen = _choose(tally, counts, max_cells, seed)
        rarity = np.argsort(np.argsort(counts, kind="stable"))
        parts = _again(scenes, chosen, side, valid, rarity, max(1, max_cells // _PATCHES))
    if not parts:
        nothing = np.empty(0, np.int32)
        return Collected(nothing, nothing, nothing, nothing, nothing, counts)
    number, row, col, target, feature = (np.concatenate(same) for same in zip(*parts, strict=True))
    return Collected(number, row, col, target, feature, counts)


def _labelled(block: Block, number: int, window: Window, valid: Valid | None) -> NDArray[np.bool_]:
    labelled = block.labelled
    if valid is not None and labelled.any():
        labelled = labelled & valid(number, window)
    return labelled


def _cells(
    block: Block, labelled: NDArray[np.bool_], number: int, window: Window
) -> tuple[NDArray[Any], ...]:
    row, col = np.nonzero(labelled)
    return (
        np.full(len(row), number, np.int32),
        (row + window.row_off).astype(np.int32),
        (col + window.col_off).astype(np.int32),
        block.target[labelled],
        block.feature[labelled],
    )


def _tally(
    block: Block, labelled: NDArray[np.bool_], number: int, window: Window, side: int
) -> NDArray[np.int64]:
    """(rows, 5): scene, patch row, patch column, class, cells, for what there is any of."""
    across = -(-window.width // side)
    there = np.flatnonzero(labelled)
    patch: NDArray[Any] = _patches(window.height, window.width, side)[there]
    classes = 1
    if block.target.dtype.kind == "i":
        values = block.target.ravel()[there]
        classes = int(values.max()) + 1
        patch = patch * classes + values
    count = np.bincount(patch)
    key = np.flatnonzero(count)
    patch_row, patch_col = np.divmod(key // classes, across)
    patch_row += window.row_off // side
    patch_col += window.col_off // side
    return np.column_stack(
        [np.full(len(key), number), patch_row, patch_col, key % classes, count[key]]
    )


@functools.lru_cache(maxsize=4)
def _patches(height: int, width: int, side: int) -> NDArray[np.int64]:
    """(cells,) number of the patch of each cell of a window."""
    row, col = np.arange(height) // side, np.arange(width) // side
    return np.asarray(np.add.outer(row * -(-width // side), col).ravel())


def _whole(only: int, number: int, window: Window, side: int) -> NDArray[np.int64]:
    """As `_tally`, of a window that is one class."""
    row = np.arange(window.row_off // side, -(-window.row_stop // side))
    col = np.arange(window.col_off // side, -(-window.col_stop // side))
    height = np.minimum((row + 1) * side, window.row_stop) - row * side
    width = np.minimum((col + 1) * side, window.col_stop) - col * side
    rows, cols = (part.ravel() for part in np.meshgrid(row, col, indexing="ij"))
    same = np.full(len(rows), 1)
    count = np.outer(height, width).ravel()
    return np.column_stack([same * number, rows, cols, same * only, count])


def _choose(
    tally: NDArray[np.int64], counts: NDArray[np.int64], max_cells: int, seed: int
) -> dict[int, NDArray[np.int64]]:
    """Scene -> (n, 2) rows and columns of the patches that are kept."""
    high, wide = int(tally[:, 1].max()) + 1, int(tally[:, 2].max()) + 1
    key = (tally[:, 0] * high + tally[:, 1]) * wide + tally[:, 2]
    keys, patch = np.unique(key, return_inverse=True)
    patch = patch.reshape(-1)
    # Of larger patches than there is room for, a part of the cells is kept.
    sizes = np.bincount(patch, tally[:, 4]).astype(np.int64)
    sizes = np.minimum(sizes, max(1, max_cells // _PATCHES))
    priority = np.random.default_rng(seed).permutation(len(keys))
    chosen = np.zeros(len(keys), np.bool_)
    kept = 0
    there = np.flatnonzero(counts)
    for number in there[np.argsort(counts[there], kind="stable")]:
        mine = tally[:, 3] == number
        rows = np.flatnonzero(mine)[np.argsort(priority[patch[mine]], kind="stable")]
        wanted = min(int(counts[number]), max(1, max_cells // (_RARE * len(there))))
        has = int(tally[rows[chosen[patch[rows]]], 4].sum())
        allowed = kept + max_cells // (2 * len(there))
        for row in rows.tolist():
            if has >= wanted or kept >= allowed:
                break
            one = patch[row]
            if not chosen[one] and kept + sizes[one] <= max_cells:
                chosen[one] = True
                kept += int(sizes[one])
                has += int(tally[row, 4])
    order = np.argsort(priority, kind="stable")
    order = order[~chosen[order]]
    room = np.cumsum(sizes[order]) <= max_cells - kept
    chosen[order[room]] = True
    scene, place = np.divmod(keys[chosen], high * wide)
    places = np.column_stack(np.divmod(place, wide))
    return {int(number): places[scene == number] for number in np.unique(scene)}


def _again(
    scenes: Sequence[CountedScene],
    chosen: dict[int, NDArray[np.int64]],
    side: int,
    valid: Valid | None,
    rarity: NDArray[np.intp],
    most: int,
) -> list[tuple[NDArray[Any], ...]]:
    """The cells of the patches, at most so many of each."""
    parts = []
    for number, patches in chosen.items():
        grid = scenes[number].grid
        step = WINDOW // side
        for window in lattice(grid):
            first_row, first_col = window.row_off // side, window.col_off // side
            here = patches - (first_row, first_col)
            here = here[((here >= 0) & (here < step)).all(axis=1)]
            if not len(here):
                continue
            block = scenes[number].read(window)
            keep = np.zeros((step, step), np.bool_)
            keep[here[:, 0], here[:, 1]] = True
            mask = keep.repeat(side, 0).repeat(side, 1)[: window.height, : window.width]
            labelled = _labelled(block, number, window, valid) & mask
            if most < side**2:
                labelled = _some(block, labelled, side, rarity, most)
            parts.append(_cells(block, labelled, number, window))
    return parts


def _some(
    block: Block,
    labelled: NDArray[np.bool_],
    side: int,
    rarity: NDArray[np.intp],
    most: int,
) -> NDArray[np.bool_]:
    """At most so many of the labelled cells of each patch, of all its classes in turn, the rarest
    first.
    """
    row, col = np.nonzero(labelled)
    across = -(-labelled.shape[1] // side)
    patch = row // side * across + col // side
    values = block.target[labelled]
    kind = np.zeros(len(row), np.intp) if values.dtype.kind == "f" else rarity[values]
    drawn = np.random.default_rng(0).permutation(len(row))
    turn = drawn[np.lexsort((kind[drawn], patch[drawn]))]
    turn = turn[np.lexsort((_rank(patch[turn] * (kind.max() + 1) + kind[turn]), patch[turn]))]
    kept = turn[_rank(patch[turn]) < most]
    some = np.zeros_like(labelled)
    some[row[kept], col[kept]] = True
    return some


def _rank(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how many equal ones stand before each, in an array in which equal ones are together."""
    begins = np.r_[True, np.diff(key) != 0]
    place = np.arange(len(key))
    return place - np.maximum.accumulate(np.where(begins, place, 0))
