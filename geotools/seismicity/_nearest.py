# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled search for the nearest earlier neighbour in the metric of Zaliapin and Ben-Zion.

Events lie in the leaves of a tree that is cut in space and time. They come to life in the order
of time, and each node knows its latest and its largest event that lives; what a node can offer at
best tells whether it is looked into.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

__all__ = ["nearest_earlier"]

Array = NDArray[Any]


@compiled()
def nearest_earlier(
    by_time: Array,
    time: Array,
    weight: Array,
    vectors: Array,
    leaf: Array,
    begin: Array,
    end: Array,
    child: Array,
    parent_node: Array,
    center: Array,
    radius: Array,
    dimension: float,
    least_km: float,
    earth_km: float,
) -> tuple[Array, Array]:
    """(events,) nearest earlier event, -1 for none, and ln of the distance to it, inf for none.

    All arrays of events lie in the order of the tree's leaves; `weight` is b ln(10) m, and times
    are years. `child` is the first of two children that lie side by side, -1 for a leaf.
    """
    count = time.size
    nearest = np.full(count, -1, np.int64)
    distance = np.full(count, np.inf)
    latest = np.full(begin.size, -np.inf)
    heaviest = np.full(begin.size, -np.inf)
    stack = np.empty(200, np.int64)
    bounds = np.empty(200, np.float64)
    alive = 0
    for place in range(count):
        event = by_time[place]
        while time[by_time[alive]] < time[event]:
            born = by_time[alive]
            node = leaf[born]
            while node >= 0:
                latest[node] = max(latest[node], time[born])
                heaviest[node] = max(heaviest[node], weight[born])
                node = parent_node[node]
            alive += 1
        if alive == 0:
            continue
        best, found = np.inf, -1
        stack[0], bounds[0], top = 0, -np.inf, 1
        while top > 0:
            top -= 1
            node = stack[top]
            if bounds[top] > best:
                continue
            first = child[node]
            if first < 0:
                for other in range(begin[node], end[node]):
                    if time[other] >= time[event]:
                        continue
                    value = math.log(time[event] - time[other]) - weight[other]
                    # even from the least distance there is
                    if value + dimension * math.log(least_km) > best:
                        continue
                    km = _km(_chord(vectors, other, vectors, event), earth_km)
                    value += dimension * math.log(max(km, least_km))
                    if value < best or (value == best and _before(time, other, found)):
                        best, found = value, other
                continue
            near, near_bound = first, np.inf
            far, far_bound = first + 1, np.inf
            for number in range(first, first + 2):
                if latest[number] == -np.inf:
                    bound = np.inf
                else:
                    gap = max(_chord(center, number, vectors, event) - radius[number], 0.0)
                    bound = (
                        math.log(time[event] - latest[number])
                        + dimension * math.log(max(_km(gap, earth_km), least_km))
                        - heaviest[number]
                    )
                if number == first:
                    near_bound = bound
                else:
                    far_bound = bound
            if far_bound < near_bound:
                near, far = far, near
                near_bound, far_bound = far_bound, near_bound
            if far_bound <= best and far_bound < np.inf:
                stack[top], bounds[top] = far, far_bound
                top += 1
            if near_bound <= best and near_bound < np.inf:
                stack[top], bounds[top] = near, near_bound
                top += 1
        nearest[event], distance[event] = found, best
    return nearest, distance


@compiled()
def _before(time: Array, event: int, other: int) -> bool:
    """Of two neighbours that are as near, the later one is taken, whatever the tree."""
    return other < 0 or time[event] > time[other]


@compiled()
def _chord(first: Array, one: int, second: Array, other: int) -> float:
    dx = first[one, 0] - second[other, 0]
    dy = first[one, 1] - second[other, 1]
    dz = first[one, 2] - second[other, 2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


@compiled()
def _km(chord: float, earth_km: float) -> float:
    return 2.0 * earth_km * math.asin(min(chord / 2.0, 1.0))
