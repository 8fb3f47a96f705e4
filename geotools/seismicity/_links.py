# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loop of Reasenberg's declustering: events linked one by one, in the order of time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

__all__ = ["link"]

Array = NDArray[Any]


@compiled()
def _root(cluster: Array, event: int) -> int:
    """The event that names the cluster of `event`; the way there is made shorter."""
    root = event
    while cluster[root] != root:
        root = cluster[root]
    while cluster[event] != root:
        above = cluster[event]
        cluster[event] = root
        event = above
    return root


@compiled()
def link(
    time: Array,
    magnitude: Array,
    vectors: Array,
    near2: Array,
    source2: Array,
    tau_least: float,
    tau_most: float,
    confidence: float,
    lift: float,
    mc: float,
) -> Array:
    """(events,) name of each event's cluster; events lie in the order of time."""
    count = time.size
    cluster = np.arange(count)
    largest = np.arange(count)  # of the cluster, so far; at its name
    linked = np.zeros(count, np.bool_)
    scale = -math.log(1.0 - confidence)
    for event in range(count):
        tau = tau_least
        main = event
        if linked[event]:
            root = _root(cluster, event)
            main = largest[root]
            if magnitude[event] >= magnitude[main]:
                largest[root] = event
                main = event
            else:
                rise = max((1.0 - lift) * magnitude[main] - mc, 0.0)
                since = time[event] - time[main]
                tau = scale * since / 10.0 ** ((rise - 1.0) * 2.0 / 3.0)
                tau = min(max(tau, tau_least), tau_most)
        for other in range(event + 1, count):
            if time[other] - time[event] > tau:
                break
            close = _chord2(vectors, event, other) <= near2[event]
            if not close and main != event:
                close = _chord2(vectors, main, other) <= source2[main]
            if not close:
                continue
            first, second = _root(cluster, event), _root(cluster, other)
            linked[event] = True
            linked[other] = True
            if first == second:
                continue
            main_here, main_there = largest[first], largest[second]
            # a later event becomes the largest when its own turn comes
            if main_there <= event and magnitude[main_there] > magnitude[main_here]:
                main_here = main_there
            name = min(first, second)
            cluster[max(first, second)] = name
            largest[name] = main_here
    for event in range(count):
        cluster[event] = _root(cluster, event)
    return cluster


@compiled()
def _chord2(vectors: Array, first: int, second: int) -> float:
    dx = vectors[first, 0] - vectors[second, 0]
    dy = vectors[first, 1] - vectors[second, 1]
    dz = vectors[first, 2] - vectors[second, 2]
    return dx * dx + dy * dy + dz * dz
