# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled sweep down the rows: runs, parts, and the corners of every outline as linked circles.

Each line between two rows is walked once, from run break to run break. At a place where outlines
turn, every polygon that turns gets a corner of its own; outlines are linked so that the polygon
lies on the left hand (counter-clockwise shells). Tables are laid out in `_layout`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.convert._layout import (
    AREA,
    CELLS,
    CONFIDENCE,
    FREE_PART,
    FREE_PARTS,
    LAST,
    LINK,
    N_DONE,
    N_FRESH,
    N_NODES,
    N_PARTS,
    N_RUNS,
    NEXT,
    PARENT,
    SIDE,
    TAKEN,
    TWIN,
)
from geotools.convert._tables import add_start, find, join, new_node, new_part

__all__ = ["runs", "sweep"]

Ints = NDArray[Any]
Floats = NDArray[Any]


@compiled()
def runs(row: Ints, first: Ints, value: Ints) -> int:
    """The number of runs of equal cells in a row; their first columns and values are filled in."""
    width = row.size
    count = 0
    now = row[0]
    first[0] = 0
    value[0] = now
    for x in range(1, width):
        if row[x] != now:
            now = row[x]
            count += 1
            first[count] = x
            value[count] = now
    count += 1
    first[count] = width
    return count


@compiled()
def sweep(
    band: Ints,
    confidence: Floats,
    cell_area: Floats,
    row: int,
    seam: int,
    meta: Ints,
    first: Ints,
    value: Ints,
    label: Ints,
    up: Ints,
    down: Ints,
    dead: Ints,
    nodes: Ints,
    starts: Ints,
    parts: Ints,
    sums: Floats,
    done: Ints,
    fresh: Ints,
) -> None:
    """Takes rows of the band, `meta[TAKEN]`: fewer than all when a table is full and must grow.

    Args:
        band: (rows, cols), 0 = no polygon.
        confidence: (rows, cols) float32, NaN = none; of size 0 when there is none at all.
        cell_area: (raster rows,) float64.
        row: raster row of the band's first row.
        seam: raster row whose upper line pins every outline that crosses it, or -1.
        meta: counters.
        first: (2, cols + 2), first column of the runs of two rows.
        value: (2, cols + 2), value of the runs.
        label: (2, cols + 2), part of the runs.
        up: (cols + 1,), for the vertical edge at x its lower end seen from the left (it goes up).
        down: (cols + 1,), the same seen from the right (it goes down).
        dead: (cols + 1,), room for the parts joined to others.
        nodes: corners.
        starts: corners where a walk around a polygon may start.
        parts: polygons under way.
        sums: their sums.
        done: polygons that are complete, to be collected.
        fresh: every corner made since it was emptied; of size 0 when nobody asks.
    """
    width = band.shape[1]
    for r in range(band.shape[0]):
        y = row + r
        above = meta[SIDE]
        here = 1 - above
        n_above = meta[N_RUNS]
        n_here = runs(band[r], first[here], value[here])
        # At most four corners at each of the run breaks and the two ends.
        room = 4 * (n_above + n_here + 2)
        if (
            nodes.shape[0] - meta[N_NODES] < room
            or parts.shape[0] - meta[N_PARTS] + meta[FREE_PARTS] < n_here
            or done.size - meta[N_DONE] < n_above
            or (fresh.size and fresh.size - meta[N_FRESH] < room)
        ):
            meta[TAKEN] = r
            return

        # Parts: a run belongs to every equal run that it touches in the row above.
        n_dead = 0
        j = 0
        for i in range(n_here):
            start, stop, v = first[here, i], first[here, i + 1], value[here, i]
            while first[above, j + 1] <= start:
                j += 1
            if v == 0:
                continue
            part = -1
            k = j
            while k < n_above and first[above, k] < stop:
                if value[above, k] == v:
                    other = find(parts, label[above, k])
                    if part < 0:
                        part = other
                    elif part != other:
                        kept = join(parts, sums, nodes, starts, part, other)
                        dead[n_dead] = other if kept == part else part
                        n_dead += 1
                        part = kept
                k += 1
            if part < 0:
                part = new_part(parts, sums, meta, v)
            label[here, i] = part
            parts[part, LAST] = y
            sums[part, AREA] += cell_area[y] * (stop - start)
            if confidence.size:
                for x in range(start, stop):
                    c = confidence[r, x]
                    if c == c:  # not NaN
                        sums[part, CONFIDENCE] += c
                        sums[part, CELLS] += 1.0

        # Corners. Around a place: a b above the line, c d below it. Half edges end in it from
        # the left (seen from above: it arrives, from below: it leaves) and from above.
        #     a | b
        #     --+--
        #     c | d
        pinned = y == seam
        i = j = x = 0
        a = c = 0
        b, d = value[above, 0], value[here, 0]
        left_above = left_below = -1
        while True:
            alone_a = alone_b = alone_c = alone_d = rest = -1
            right_above = right_below = down_left = down_right = -1
            if a != b:
                if a != c:  # a alone, or with d across
                    if a:
                        alone_a = new_node(nodes, meta, fresh, x, y)
                        nodes[left_above, NEXT] = alone_a
                        nodes[alone_a, NEXT] = up[x]
                elif c != d:  # a over c; a corner only where the other side changes
                    down_left = up[x]
                    if a and (b != d or pinned):
                        node = new_node(nodes, meta, fresh, x, y)
                        nodes[node, NEXT] = down_left
                        down_left = node
                elif a:  # all but b
                    rest = new_node(nodes, meta, fresh, x, y)
                    nodes[rest, NEXT] = up[x]
                    right_below = rest
                if b != d:  # b alone, or with c across
                    if b:
                        alone_b = new_node(nodes, meta, fresh, x, y)
                        nodes[down[x], NEXT] = alone_b
                        right_above = alone_b
                elif c != d:  # b over d
                    down_right = down[x]
                    if b and (a != c or pinned):
                        node = new_node(nodes, meta, fresh, x, y)
                        nodes[down_right, NEXT] = node
                        down_right = node
                elif b:  # all but a
                    rest = new_node(nodes, meta, fresh, x, y)
                    nodes[down[x], NEXT] = rest
                    nodes[rest, NEXT] = left_below
            elif a != c:
                if a != d:  # a beside b
                    right_above = left_above
                    if a and c != d:
                        node = new_node(nodes, meta, fresh, x, y)
                        nodes[left_above, NEXT] = node
                        right_above = node
                elif a:  # all but c
                    rest = new_node(nodes, meta, fresh, x, y)
                    nodes[left_above, NEXT] = rest
                    down_right = rest
            elif a != d and a:  # all but d: the top of a hole
                rest = new_node(nodes, meta, fresh, x, y)
                down_left = right_above = rest
                add_start(parts, starts, label[here, j - 1], rest)
            if c != a and c != d:  # c alone, or with b across
                if c:
                    alone_c = new_node(nodes, meta, fresh, x, y)
                    nodes[alone_c, NEXT] = left_below
                    down_left = alone_c
            elif c == d and c != a and c != b:  # c beside d
                right_below = left_below
                if c and a != b:
                    node = new_node(nodes, meta, fresh, x, y)
                    nodes[node, NEXT] = left_below
                    right_below = node
            if d and d != b and d != c:  # d alone: the top of an outline
                alone_d = new_node(nodes, meta, fresh, x, y)
                right_below = down_right = alone_d
                add_start(parts, starts, label[here, j], alone_d)

            if alone_a >= 0 and a == d:
                nodes[alone_a, LINK] = TWIN - alone_d
                nodes[alone_d, LINK] = TWIN - alone_a
                add_start(parts, starts, label[above, i - 1], alone_a)
            if alone_b >= 0 and b == c:
                nodes[alone_b, LINK] = TWIN - alone_c
                nodes[alone_c, LINK] = TWIN - alone_b
                add_start(parts, starts, label[above, i], alone_b)
                add_start(parts, starts, label[here, j - 1], alone_c)
            if rest >= 0 and not pinned:  # two polygons and nothing else meet here
                alone = max(max(alone_a, alone_b), max(alone_c, alone_d))
                if alone >= 0:
                    nodes[alone, LINK] = rest
                    nodes[rest, LINK] = alone
            up[x] = down_left
            down[x] = down_right
            left_above, left_below = right_above, right_below

            if x == width:
                break
            a, c = b, d
            next_above, next_here = first[above, i + 1], first[here, j + 1]
            x = min(next_above, next_here)
            if next_above == x:
                i += 1
                b = value[above, i] if i < n_above else 0
            if next_here == x:
                j += 1
                d = value[here, j] if j < n_here else 0

        # Parts with no cell in this row are complete.
        for i in range(n_above):
            if value[above, i] != 0:
                part = find(parts, label[above, i])
                if parts[part, LAST] < y:
                    parts[part, LAST] = 2**31 - 1
                    done[meta[N_DONE]] = part
                    meta[N_DONE] += 1
        for i in range(n_here):
            if value[here, i] != 0:
                label[here, i] = find(parts, label[here, i])
        for i in range(n_dead):  # nothing names them any more
            parts[dead[i], PARENT] = meta[FREE_PART]
            meta[FREE_PART] = dead[i]
            meta[FREE_PARTS] += 1
        meta[SIDE] = here
        meta[N_RUNS] = n_here
    meta[TAKEN] = band.shape[0]
