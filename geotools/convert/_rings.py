# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled walk around complete polygons: their rings as coordinates, shell first.

Where a polygon touches itself across a corner, its two visits of that corner are exchanged here:
each outline then turns towards the diagonal, so that no ring touches itself. Tables are laid out
in `_layout`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.convert._layout import (
    FIRST,
    FREE_NODE,
    FREE_PART,
    FREE_PARTS,
    HEAD,
    LINK,
    MARKED,
    N_CORNERS,
    N_RINGS,
    NEXT,
    PARENT,
    PINNED,
    REMOVED,
    TAKEN,
    TWIN,
    VISITED,
    X,
    Y,
)

__all__ = ["collect"]

Ints = NDArray[Any]
Floats = NDArray[Any]


@compiled()
def _split_at_twins(nodes: Ints, starts: Ints, head: int) -> None:
    """Exchanges what follows the two visits of a corner that one polygon touches twice."""
    node = head
    while node >= 0:
        link = nodes[node, LINK]
        if MARKED < link <= TWIN:
            nodes[node, LINK] = MARKED - (TWIN - link)
        node = starts[node]
    node = head
    while node >= 0:
        link = nodes[node, LINK]
        if REMOVED < link <= MARKED:
            other = MARKED - link
            if nodes[other, LINK] <= MARKED:
                nodes[node, NEXT], nodes[other, NEXT] = nodes[other, NEXT], nodes[node, NEXT]
            nodes[node, LINK] = PINNED
            nodes[other, LINK] = PINNED  # this polygon's corners are about to be given back
        node = starts[node]


@compiled()
def _ring(
    nodes: Ints, meta: Ints, start: int, xs: Floats, ys: Floats, coords: Floats, at: int
) -> int:
    """Where the next ring begins in `coords`; the corners of this one are given back."""
    begin = at
    node = start
    free = meta[FREE_NODE]
    while True:
        if nodes[node, LINK] != REMOVED:
            coords[at, 0] = xs[nodes[node, X]]
            coords[at, 1] = ys[nodes[node, Y]]
            at += 1
        nodes[node, LINK] = VISITED
        following = nodes[node, NEXT]
        nodes[node, NEXT] = free
        free = node
        node = following
        if node == start:
            break
    meta[FREE_NODE] = free
    coords[at, 0] = coords[begin, 0]
    coords[at, 1] = coords[begin, 1]
    return at + 1


@compiled()
def collect(
    done: Ints,
    meta: Ints,
    nodes: Ints,
    starts: Ints,
    parts: Ints,
    xs: Floats,
    ys: Floats,
    coords: Floats,
    ring_ends: Ints,
    part_ends: Ints,
    enough: int,
) -> None:
    """Takes polygons from `done`, which are then forgotten.

    Their number is `meta[TAKEN]`, those of their rings and coordinates `meta[N_RINGS]` and
    `meta[N_CORNERS]`.

    Args:
        done: the polygons, in the order in which they are wanted.
        meta: counters.
        nodes: corners.
        starts: corners where a walk around a polygon may start.
        parts: polygons under way.
        xs: (cols + 1,) float64, coordinate of the cell edges.
        ys: (rows + 1,) float64.
        coords: room for the (x, y) of all corners and once more the first of each ring.
        ring_ends: room for the end of each ring in `coords`.
        part_ends: (len(done),), the end of each polygon in `ring_ends`.
        enough: number of coordinates at which to stop.
    """
    at = 0
    rings = 0
    taken = 0
    while taken < done.size and at < enough:
        part = done[taken]
        _split_at_twins(nodes, starts, parts[part, HEAD])
        at = _ring(nodes, meta, parts[part, FIRST], xs, ys, coords, at)  # the shell
        ring_ends[rings] = at
        rings += 1
        node = parts[part, HEAD]
        while node >= 0:
            if nodes[node, LINK] != VISITED:
                at = _ring(nodes, meta, node, xs, ys, coords, at)
                ring_ends[rings] = at
                rings += 1
            node = starts[node]
        part_ends[taken] = rings
        taken += 1
        parts[part, PARENT] = meta[FREE_PART]
        meta[FREE_PART] = part
        meta[FREE_PARTS] += 1
    meta[TAKEN] = taken
    meta[N_RINGS] = rings
    meta[N_CORNERS] = at
