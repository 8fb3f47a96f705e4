# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled thinning of borders: corners are dropped where that changes little and breaks nothing.

The rule and its guarantee are told in `simplify`; tables are laid out in `_layout`.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.convert._layout import LINK, NEXT, PINNED, REMOVED, X, Y

__all__ = ["thin"]

Ints = NDArray[Any]
Floats = NDArray[Any]


@compiled()
def _slot(edges: Ints, key: int) -> int:
    """Where an edge is in the hash table, or would be."""
    mask = edges.size - 1
    at = (key * 0x9E3779B97F4A7C1 >> 20) & mask
    while edges[at] != -1 and edges[at] != key:
        at = (at + 1) & mask
    return at


@compiled()
def _edge(width: int, top: int, x1: int, y1: int, x2: int, y2: int) -> int:
    """One number for the edge between two corners, either way round."""
    one = (y1 - top) * (width + 1) + x1
    two = (y2 - top) * (width + 1) + x2
    return (min(one, two) << 32) | max(one, two)


@compiled()
def _twice_area(x: Ints, y: Ints, a: int, b: int, c: int) -> int:
    return abs((x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a]))


@compiled()
def _is_empty(corners: Ints, top: int, x: Ints, y: Ints, a: int, b: int, c: int) -> bool:
    """True when no other corner lies in the triangle or on its edges."""
    ends = (a, b, c)
    for line in range(min(y[a], y[b], y[c]), max(y[a], y[b], y[c]) + 1):
        left, right = np.int64(2**62), np.int64(-(2**62))
        for k in range(3):
            p, q = ends[k], ends[(k + 1) % 3]
            if y[p] > y[q]:
                p, q = q, p
            if line < y[p] or line > y[q]:
                continue
            if y[p] == y[q]:
                left, right = min(left, x[p], x[q]), max(right, x[p], x[q])
                continue
            run, rise = (x[q] - x[p]) * (line - y[p]), y[q] - y[p]
            left = min(left, x[p] - (-run // rise))  # rounded up
            right = max(right, x[p] + run // rise)  # rounded down
        for column in range(left, right + 1):
            if corners[line - top, column]:
                own = False
                for k in range(3):
                    own = own or (x[ends[k]] == column and y[ends[k]] == line)
                if not own:
                    return False
    return True


@compiled()
def _thin_line(
    count: int,
    x: Ints,
    y: Ints,
    before: Ints,
    after: Ints,
    gone: Ints,
    limit: Floats,
    corners: Ints,
    edges: Ints,
    width: int,
    top: int,
    bottom: int,
) -> None:
    """Marks in `gone` which of the corners 1 to count - 2 of a line are dropped."""
    closed = x[0] == x[count - 1] and y[0] == y[count - 1]
    left = count - 2  # corners between the ends
    heap = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    for i in range(count):
        before[i], after[i], gone[i] = i - 1, i + 1, 0
    for i in range(1, count - 1):
        area = _twice_area(x, y, i - 1, i, i + 1)
        if area <= limit[y[i]]:
            heap.append((np.int64(area), np.int64(y[i] * (width + 1) + x[i]), np.int64(i)))
    heapq.heapify(heap)
    while len(heap) > 0:
        smallest, _, corner = heapq.heappop(heap)
        i = int(corner)
        a, c = before[i], after[i]
        if gone[i] or smallest != _twice_area(x, y, a, i, c):
            continue  # out of date
        if closed and left <= 3:
            return
        if y[a] == y[c] and (y[a] == top or y[a] == bottom):
            continue  # the strip beyond might choose the same edge
        if not _is_empty(corners, top, x, y, a, i, c):
            continue
        if a == 0 and c == count - 1:
            key = _edge(width, top, x[a], y[a], x[c], y[c])
            slot = _slot(edges, key)
            if edges[slot] == key:
                continue  # another line runs there
            edges[slot] = key
        gone[i] = 1
        left -= 1
        corners[y[i] - top, x[i]] = 0
        after[a], before[c] = c, a
        for k in (a, c):
            if 0 < k < count - 1:
                area = _twice_area(x, y, before[k], k, after[k])
                if area <= limit[y[k]]:
                    heapq.heappush(
                        heap, (np.int64(area), np.int64(y[k] * (width + 1) + x[k]), np.int64(k))
                    )


@compiled()
def thin(
    nodes: Ints, fresh: Ints, limit: Floats, corners: Ints, width: int, top: int, bottom: int
) -> None:
    """Flags corners between the lines `top` and `bottom` as removed.

    Args:
        nodes: corners.
        fresh: those made in this strip, and those on its upper line.
        limit: (raster rows + 1,) float64, twice the largest area in cells of a corner that may go.
        corners: (bottom - top + 1, cols + 1) uint8, all 0: room to mark where corners are.
        width: columns of the raster.
        top: first line of the strip.
        bottom: last line.
    """
    slots = 16
    while slots < 4 * fresh.size:
        slots *= 2
    edges = np.full(slots, -1, np.int64)
    for node in fresh:
        corners[nodes[node, Y] - top, nodes[node, X]] = 1
        following = nodes[node, NEXT]
        if following >= 0 and nodes[node, LINK] < 0 and nodes[following, LINK] < 0:
            x1, y1 = int(nodes[node, X]), int(nodes[node, Y])
            x2, y2 = int(nodes[following, X]), int(nodes[following, Y])
            if top <= y2 <= bottom:
                key = _edge(width, top, x1, y1, x2, y2)
                edges[_slot(edges, key)] = key

    size = fresh.size + 2
    x, y = np.empty(size, np.int64), np.empty(size, np.int64)
    before, after = np.empty(size, np.int64), np.empty(size, np.int64)
    gone, line = np.empty(size, np.uint8), np.empty(size, np.int64)
    for turn in range(2):  # lines between corners that stay, then circles that have none
        for node in fresh:
            if turn == 0:
                if nodes[node, LINK] >= 0 or nodes[node, LINK] == REMOVED:
                    continue
                start = np.int64(node)
                ahead = nodes[start, NEXT]
                if ahead < 0 or nodes[ahead, LINK] < 0:
                    continue  # open, nothing between, or done from the other side
                if nodes[ahead, Y] < top:
                    continue
            else:
                if nodes[node, LINK] < 0:
                    continue
                start = np.int64(node)  # the first of the circle in reading order
                ahead = nodes[start, NEXT]
                while ahead != node:
                    upper = nodes[ahead, Y] < nodes[start, Y]
                    level = nodes[ahead, Y] == nodes[start, Y]
                    if upper or (level and nodes[ahead, X] < nodes[start, X]):
                        start = np.int64(ahead)
                    ahead = nodes[ahead, NEXT]
            line[0] = start
            count = 1
            while True:
                ahead = nodes[line[count - 1], NEXT]
                line[count] = ahead
                count += 1
                if nodes[ahead, LINK] < 0 or ahead == start:
                    break
            for i in range(count):
                x[i], y[i] = nodes[line[i], X], nodes[line[i], Y]
            _thin_line(count, x, y, before, after, gone, limit, corners, edges, width, top, bottom)
            for i in range(count):
                other = nodes[line[i], LINK]
                if other >= 0:
                    nodes[line[i], LINK] = REMOVED if gone[i] else PINNED
                    nodes[other, LINK] = nodes[line[i], LINK]
