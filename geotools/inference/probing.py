"""measure: where the map of a graph lies on a block, and whether the seams of blocks show.

Nothing is known of what is inside; a cell is changed and looked for, and blocks are cut elsewhere
and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geotools.inference.footprint import Footprint
from geotools.inference.tiles import FixedTiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measured", "Run", "measure"]

Run = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]
"""From (bands, rows, cols) float32 as the graph takes them to (channels, rows, cols)."""

_SAME = 1e-6
"""Share of the range of an output that two runs may differ by and be called equal. Nets without
seams were measured at 0, U-Nets with a margin of less than their reach at 2e-6 and more."""

_LOUD = 1000.0
"""What makes a change that is felt far away: nets weigh distant cells little. 255 for bytes."""

_MOST_CELLS = 2**21
"""Cells of a batch that is run to be measured; larger ones take minutes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a graph after some runs."""

    footprint: Footprint
    """Where its map lies."""
    scheme: FixedTiles
    """How a grid is cut for it."""
    is_placed: bool
    """Whether the place of a map that lacks a border was seen."""
    is_seamless: bool
    """Whether cells come out the same from two blocks that are cut a step apart."""


def measure(
    run: Run,
    footprint: Footprint,
    *,
    bands: int,
    batch: int,
    whole_numbers: bool,
    margin_of: Callable[[Footprint], int],
    has_statistics: bool,
) -> Measured:
    """Where the map of a graph lies, and whether its seams show.

    Args:
        run: the graph.
        footprint: as the sizes have it.
        bands: that it takes.
        batch: blocks of a call.
        whole_numbers: it takes 0 to 255.
        margin_of: cells on every side of a block that are not written.
        has_statistics: it is known to look at whole blocks, so that seams show.
    """
    rows, cols = footprint.side
    is_small = rows * cols * batch <= _MOST_CELLS
    is_placed = footprint.missing == (0, 0) and footprint.coarser == 1
    if is_small and not is_placed and not footprint.is_tile:
        noise = _noise(bands, rows, cols, 0, whole_numbers)
        loud = (0.0, 255.0) if whole_numbers else (-_LOUD, _LOUD)
        footprint, is_placed = _locate(run, noise, footprint, loud)
    scheme = FixedTiles.over(footprint.side, margin_of(footprint), footprint.coarser)
    seamless = False
    if is_small and not footprint.is_tile and not has_statistics:
        step = scheme.multiple
        noise = _noise(bands, rows + step, cols + step, step, whole_numbers)
        seamless = _is_seamless(run, noise, footprint, scheme)
    return Measured(footprint, scheme, is_placed or footprint.is_tile, seamless)


def _noise(bands: int, rows: int, cols: int, step: int, whole_numbers: bool) -> NDArray[np.float32]:
    """(bands, rows, cols) float32 from 0 to 1, or 0 to 127; loud along edges of `step` cells.

    Of two blocks that are a step apart, each has an edge that the other has not.
    """
    noise = np.random.default_rng(0).random((bands, rows, cols), np.float32)
    if whole_numbers:
        noise = np.floor(noise * 128)
    if step:
        edge = np.ones((rows, cols), bool)
        edge[step:-step, step:-step] = False
        noise[:, edge] *= 2 if whole_numbers else _LOUD
    return np.asarray(noise, np.float32)


def _locate(
    run: Run, noise: NDArray[np.float32], footprint: Footprint, loud: tuple[float, float]
) -> tuple[Footprint, bool]:
    """The footprint with the place where a changed cell is seen, and whether one was seen.

    A change is seen over the reach of the net around its cell; the middle of what changed is where
    the cell lies. Halving and dead units blur it, so what is near the centre is the centre.

    Args:
        run: the graph.
        noise: (bands, rows, cols) of the block's size.
        footprint: as the sizes have it.
        loud: two values that a cell gets, one after the other.
    """
    before = run(noise)
    seen: list[list[tuple[int, float]]] = [[], []]  # by axis: input cell, middle of its change
    for share in (0.375, 0.5, 0.66):
        point = tuple(int(size * share) for size in footprint.side)
        where = np.zeros(before.shape[1:], bool)
        for value in loud:
            changed = noise.copy()
            changed[:, point[0], point[1]] = value
            where |= (run(changed) != before).any(axis=0)  # (rows, cols)
        for axis in (0, 1):
            places = np.flatnonzero(where.any(axis=1 - axis))
            if places.size and (places[0] > 0 or places[-1] < where.shape[axis] - 1):
                seen[axis].append((point[axis], (places[0] + places[-1]) / 2))
    if min(map(len, seen)) < 2:
        return footprint, False
    if footprint.coarser > 1:
        steps = [(last[1] - first[1]) / (last[0] - first[0]) for first, *_, last in seen]
        if min(steps) < (1 + 1 / footprint.coarser) / 2:
            return footprint, True
        footprint = replace(footprint, coarser=1)  # it is as fine as its block, and much smaller
    offset = tuple(_offset(seen[axis], footprint.finer, footprint.missing[axis]) for axis in (0, 1))
    return replace(footprint, offset=(offset[0], offset[1])), True


def _offset(seen: list[tuple[int, float]], finer: int, missing: int) -> int:
    """Output cells before the map along one axis: half of what is missing, none, or all of it.

    Something else where the change is clearly seen elsewhere.
    """
    found = [cell * finer + (finer - 1) / 2 - middle for cell, middle in seen]
    offset, blur = float(np.median(found)), max(1.0, float(np.ptp(found)), missing / 8)
    for usual in (missing // 2, 0, missing):
        if abs(offset - usual) <= blur:
            return usual
    return int(np.clip(round(offset), 0, missing))


def _is_seamless(
    run: Run, noise: NDArray[np.float32], footprint: Footprint, scheme: FixedTiles
) -> bool:
    """True when cells come out the same from two blocks that are cut a step apart.

    Args:
        run: the graph; its planes are placed here.
        noise: (bands, rows, cols), larger than a block by `scheme.multiple` along both sides.
        footprint: where its map lies.
        scheme: how blocks are cut, with the margin that is left out.
    """
    (rows, cols), step, margin = footprint.side, scheme.multiple, scheme.margin

    def cells(block: NDArray[np.float32], before: int, after: int) -> NDArray[np.float32]:
        placed = footprint.place(run(np.ascontiguousarray(block)), (rows, cols))
        low, high = (
            size * footprint.finer // footprint.coarser
            for size in (margin + before, margin + after)
        )
        return placed[:, low : placed.shape[1] - high, low : placed.shape[2] - high]

    first = cells(noise[:, :rows, :cols], step, 0)
    second = cells(noise[:, step:, step:], 0, step)
    if not first.size or not np.isfinite(first).all() or not np.isfinite(second).all():
        return False
    spread = float(np.ptp(first))
    # A map of one value says nothing of where it comes from.
    return spread > 0 and float(np.abs(first - second).max()) <= _SAME * spread
