# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops over regions, the sets of equal cells that hang together by their edges.

A region has a number for each run of cells that begins it or a branch of it; the lowest is its
own. Numbers are given in reading order, so a second reading of the raster gives the same ones.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.convert._sweep import runs

__all__ = ["ABOVE", "COUNT", "PAIRS", "ROW", "RUNS", "flatten", "merge", "relabel", "survey"]

Ints = NDArray[Any]
Floats = NDArray[Any]

# Counters: array `meta`, int64.
ABOVE, RUNS, ROW = 0, 1, 2  # half of the run tables that is the row above, its runs, next row
COUNT, PAIRS = 3, 4  # numbers given, borders noted


@compiled()
def _find(parent: Ints, region: int) -> int:
    """The lowest number of the region."""
    while parent[region] != region:
        parent[region] = parent[parent[region]]
        region = parent[region]
    return region


@compiled()
def _number(row: Ints, meta: Ints, first: Ints, value: Ints, label: Ints, here: int) -> int:
    """Runs in the row; each gets the number of the first equal run that it touches above."""
    above, n_above = meta[ABOVE], meta[RUNS]
    n_here = runs(row, first[here], value[here])
    j = 0
    for i in range(n_here):
        start, stop, v = first[here, i], first[here, i + 1], value[here, i]
        while first[above, j + 1] <= start:
            j += 1
        if v == 0:
            continue
        k = j
        while k < n_above and first[above, k] < stop and value[above, k] != v:
            k += 1
        if k < n_above and first[above, k] < stop:
            label[here, i] = label[above, k]
        else:
            label[here, i] = meta[COUNT]
            meta[COUNT] += 1
    return n_here


@compiled()
def _note(
    parent: Ints, area: Floats, least: float, pairs: Ints, meta: Ints, one: int, two: int, long: int
) -> None:
    """Notes a border, unless both regions are known to be large enough."""
    one, two = _find(parent, one), _find(parent, two)
    if area[one] >= least and area[two] >= least:
        return
    n = meta[PAIRS]
    pairs[n, 0] = (min(one, two) << 32) | max(one, two)
    pairs[n, 1] = long
    meta[PAIRS] = n + 1


@compiled()
def survey(
    band: Ints,
    cell_area: Floats,
    across: Ints,
    upright: Ints,
    least: float,
    meta: Ints,
    first: Ints,
    value: Ints,
    label: Ints,
    parent: Ints,
    area: Floats,
    code: Ints,
    pairs: Ints,
) -> int:
    """How many rows of the band were taken; fewer than all when a table is full.

    Args:
        band: (rows, cols), 0 = no region.
        cell_area: (raster rows,) float64.
        across: (raster rows + 1,) int64, length of a cell's edge on each line.
        upright: (raster rows,) int64, length of a cell's edge in each row.
        least: area from which a region stays as it is.
        meta: counters.
        first: (2, cols + 2), first column of the runs of two rows.
        value: (2, cols + 2), value of the runs.
        label: (2, cols + 2), number of the runs.
        parent: for each number itself, or a lower one of the same region.
        area: area so far, at the lowest number.
        code: value of the cells.
        pairs: (capacity, 2) int64, two regions and the length of a piece of their border.
    """
    for r in range(band.shape[0]):
        y = meta[ROW]
        width = band.shape[1]
        if parent.size - meta[COUNT] < width or pairs.shape[0] - meta[PAIRS] < 3 * width:
            return r
        above = meta[ABOVE]
        here = 1 - above
        n_above = meta[RUNS]
        known = meta[COUNT]
        n_here = _number(band[r], meta, first, value, label, here)
        for i in range(n_here):
            if value[here, i] != 0 and label[here, i] >= known:
                region = label[here, i]
                parent[region] = region
                area[region] = 0.0
                code[region] = value[here, i]
        j = 0
        for i in range(n_here):
            start, stop, v = first[here, i], first[here, i + 1], value[here, i]
            while first[above, j + 1] <= start:
                j += 1
            if v == 0:
                continue
            region = _find(parent, label[here, i])
            k = j
            while k < n_above and first[above, k] < stop:
                if value[above, k] == v:
                    other = _find(parent, label[above, k])
                    if other != region:
                        low, high = min(region, other), max(region, other)
                        parent[high] = low
                        area[low] += area[high]
                        region = low
                k += 1
            area[region] += cell_area[y] * (stop - start)
        # Borders, now that the row's regions have their areas.
        j = 0
        for i in range(n_here):
            start, stop, v = first[here, i], first[here, i + 1], value[here, i]
            while first[above, j + 1] <= start:
                j += 1
            if v == 0:
                continue
            if i > 0 and value[here, i - 1] != 0:
                a, b = label[here, i - 1], label[here, i]
                _note(parent, area, least, pairs, meta, a, b, upright[y])
            k = j
            while k < n_above and first[above, k] < stop:
                if value[above, k] != v and value[above, k] != 0:
                    cells = min(stop, first[above, k + 1]) - max(start, first[above, k])
                    a, b = label[above, k], label[here, i]
                    _note(parent, area, least, pairs, meta, a, b, cells * across[y])
                k += 1
        meta[ABOVE] = here
        meta[RUNS] = n_here
        meta[ROW] = y + 1
    return band.shape[0]


@compiled()
def flatten(parent: Ints) -> None:
    """Makes every number point at the lowest of its region."""
    for region in range(parent.size):
        parent[region] = parent[parent[region]]  # lower numbers are flat already


@compiled()
def merge(
    parent: Ints, area: Floats, code: Ints, one: Ints, two: Ints, long: Ints, least: float
) -> None:
    """Joins regions smaller than `least` to a neighbour each, smallest first.

    Args:
        parent: flat; afterwards the lowest number of what a region was joined to (not flat).
        area: area at the lowest number.
        code: value at the lowest number; a joined region has its neighbour's.
        one: (borders,) int32, a region.
        two: (borders,) int32, another.
        long: (borders,) int64, length of their border.
        least: area from which a region is large enough.
    """
    borders = one.size
    # Borders of a region as a list: entry 2k belongs to one[k], entry 2k + 1 to two[k].
    head = np.full(parent.size, -1, np.int64)
    tail = np.full(parent.size, -1, np.int64)
    following = np.full(2 * borders, -1, np.int64)
    for entry in range(2 * borders - 1, -1, -1):
        region = one[entry >> 1] if entry & 1 == 0 else two[entry >> 1]
        following[entry] = head[region]
        if head[region] < 0:
            tail[region] = entry
        head[region] = entry
    shared = np.zeros(parent.size, np.int64)
    near = np.empty(16, np.int64)
    heap = [(area[r], r) for r in range(parent.size) if parent[r] == r and area[r] < least]
    heapq.heapify(heap)
    while len(heap) > 0:
        size, region = heapq.heappop(heap)
        if parent[region] != region or area[region] != size:
            continue  # joined, or grown, since
        n_near = 0
        entry = head[region]
        while entry >= 0:
            border = entry >> 1
            other = _find(parent, two[border] if entry & 1 == 0 else one[border])
            if other != region:
                if shared[other] == 0:
                    if n_near == near.size:
                        near = np.concatenate((near, near))
                    near[n_near] = other
                    n_near += 1
                shared[other] += long[border]
            entry = following[entry]
        if n_near == 0:
            continue  # surrounded by nothing
        best = near[0]
        for k in range(1, n_near):
            other = near[k]
            if (shared[other], area[other], -other) > (shared[best], area[best], -best):
                best = other
        value = code[best]
        for k in range(n_near):
            other = near[k]
            shared[other] = 0
            if other == best or code[other] == value:  # cells that are now of one value
                low, high = min(region, other), max(region, other)
                parent[high] = low
                area[low] += area[high]
                if head[high] >= 0:
                    if head[low] >= 0:
                        following[tail[low]] = head[high]
                    else:
                        head[low] = head[high]
                    tail[low] = tail[high]
                region = low
        code[region] = value
        if area[region] < least:
            heapq.heappush(heap, (area[region], region))


@compiled()
def relabel(
    band: Ints, meta: Ints, first: Ints, value: Ints, label: Ints, group: Ints, out: Ints
) -> None:
    """Fills `out` with the group of every cell's region, 0 where there is none."""
    for r in range(band.shape[0]):
        here = 1 - meta[ABOVE]
        n_here = _number(band[r], meta, first, value, label, here)
        for i in range(n_here):
            new = group[label[here, i]] if value[here, i] != 0 else 0
            for x in range(first[here, i], first[here, i + 1]):
                out[r, x] = new
        meta[ABOVE] = here
        meta[RUNS] = n_here
