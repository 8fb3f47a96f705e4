# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled small steps on the tables of a sweep: corners and parts made, joined and listed.

Tables are laid out in `_layout`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.convert._layout import (
    AREA,
    CELLS,
    CONFIDENCE,
    FIRST,
    FREE_NODE,
    FREE_PART,
    FREE_PARTS,
    HEAD,
    LINK,
    N_FRESH,
    N_NODES,
    N_PARTS,
    NEXT,
    PARENT,
    PINNED,
    TAIL,
    VALUE,
    X,
    Y,
)

__all__ = ["add_start", "find", "join", "new_node", "new_part"]

Ints = NDArray[Any]
Floats = NDArray[Any]


@compiled()
def find(parts: Ints, part: int) -> int:
    """The part that this one was joined to in the end."""
    while parts[part, PARENT] != part:
        parts[part, PARENT] = parts[parts[part, PARENT], PARENT]
        part = parts[part, PARENT]
    return part


@compiled()
def new_part(parts: Ints, sums: Floats, meta: Ints, value: int) -> int:
    """A part without cells or corners."""
    part = meta[FREE_PART]
    if part >= 0:
        meta[FREE_PART] = parts[part, PARENT]
        meta[FREE_PARTS] -= 1
    else:
        part = meta[N_PARTS]
        meta[N_PARTS] += 1
    parts[part, PARENT] = part
    parts[part, HEAD] = -1
    parts[part, TAIL] = -1
    parts[part, VALUE] = value
    parts[part, FIRST] = -1
    sums[part, AREA] = 0.0
    sums[part, CONFIDENCE] = 0.0
    sums[part, CELLS] = 0.0
    return part


@compiled()
def join(parts: Ints, sums: Floats, nodes: Ints, starts: Ints, one: int, other: int) -> int:
    """The part, of two, whose first cell comes first; it takes all of the other."""
    p, q = parts[one, FIRST], parts[other, FIRST]
    if nodes[q, Y] < nodes[p, Y] or (nodes[q, Y] == nodes[p, Y] and nodes[q, X] < nodes[p, X]):
        one, other = other, one
    parts[other, PARENT] = one
    starts[parts[one, TAIL]] = parts[other, HEAD]  # neither list is empty: FIRST is in it
    parts[one, TAIL] = parts[other, TAIL]
    for column in range(3):
        sums[one, column] += sums[other, column]
    return one


@compiled()
def new_node(nodes: Ints, meta: Ints, fresh: Ints, x: int, y: int) -> int:
    """A corner that stays, linked to nothing."""
    node = meta[FREE_NODE]
    if node >= 0:
        meta[FREE_NODE] = nodes[node, NEXT]
    else:
        node = meta[N_NODES]
        meta[N_NODES] += 1
    nodes[node, X] = x
    nodes[node, Y] = y
    nodes[node, NEXT] = -1
    nodes[node, LINK] = PINNED
    if fresh.size:
        fresh[meta[N_FRESH]] = node
        meta[N_FRESH] += 1
    return node


@compiled()
def add_start(parts: Ints, starts: Ints, part: int, node: int) -> None:
    """Notes a corner from which an outline of the part can be walked."""
    part = find(parts, part)
    starts[node] = parts[part, HEAD]
    parts[part, HEAD] = node
    if parts[part, TAIL] < 0:
        parts[part, TAIL] = node
        parts[part, FIRST] = node
