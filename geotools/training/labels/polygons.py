"""PolygonScene: polygons and lines as labels of cells, with a rule for where they overlap.

A polygon wholly inside another has its own cells; where two of different classes overlap
otherwise, the rule says whose the cells are.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Grid, Window
from geotools.io.burning import Burner
from geotools.training.labels.scenes import Block
from geotools.training.labels.shapes import repaired

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PolygonScene"]

_INSIDE = 0.99
"""A polygon with this share of its area inside a larger one is inside it: outlines that were drawn
by hand cross where they should touch."""


class PolygonScene:
    """Shapes in cells of a grid, each with a class or a value."""

    def __init__(
        self,
        grid: Grid,
        shapes: NDArray[np.object_],
        target: NDArray[np.int32] | NDArray[np.float32],
        feature: NDArray[np.int32],
        *,
        overlap: str,
        all_touched: bool = False,
        round_: bool = False,
    ) -> None:
        """
        Args:
            grid: the cells.
            shapes: (n,) as from `shapes.on_grid`; empty ones are left out.
            target: (n,) class, -2 for none; or value, NaN for none.
            feature: (n,) number of the feature.
            overlap: `drop`, `first`, `last` or `smallest`.
            all_touched: see `Burner`.
            round_: the shapes are circles around points.
        """
        import shapely

        self.grid = grid
        self.round = round_
        """True for circles around points."""
        # Corners that nearly touch may do so in cells, where they are rounded otherwise.
        shapes, _ = repaired(shapes)
        there = np.flatnonzero(~shapely.is_empty(shapes))
        shapes, target, feature = shapes[there], target[there], feature[there]
        inside, across = _relations(shapes, target)
        order = _order(shapes, inside, overlap)
        rank = np.empty(len(order), np.intp)
        rank[order] = np.arange(len(order))
        self._target, self._feature = target[order], feature[order]
        self._burner = Burner(shapes[order], all_touched=all_touched)
        edge = 1 if all_touched else 0
        self._bounds = shapely.bounds(shapes[order]) + np.array([-edge, -edge, edge, edge])
        self._across = np.sort(rank[across], axis=1) if overlap == "drop" else across[:0]
        self._crossing = np.unique(self._across)
        self.overlaps = len(across)
        """Pairs of different classes that overlap."""
        self.dropped = 0
        """Cells that were dropped for it, in the windows read so far."""
        self._hold = np.zeros(len(order), np.bool_)

    @property
    def number(self) -> int:
        """Shapes on the grid."""
        return len(self._target)

    @property
    def idle(self) -> int:
        """Shapes with a class or value that hold no cell, once all windows have been read."""
        values = self._target.dtype.kind == "f"
        named = np.isfinite(self._target) if values else self._target >= 0
        return int(np.count_nonzero(named & ~self._hold))

    def may_hold(self, window: Window) -> bool:
        """See `LabelScene`."""
        return len(self._burner.touching(window)) > 0

    def read(self, window: Window) -> Block:
        """See `LabelScene`."""
        burnt = self._burner.read(window)  # (rows, cols)
        self._hold[burnt[burnt >= 0]] = True
        if len(self._across):
            self._drop(burnt, window)
        values = self._target.dtype.kind == "f"
        target: NDArray[Any] = np.full(window.shape, np.nan if values else -1, self._target.dtype)
        feature = np.full(window.shape, -1, np.int32)
        there = np.flatnonzero(burnt >= 0)  # few, mostly
        shapes = burnt.ravel()[there]
        target.ravel()[there] = self._target[shapes]
        feature.ravel()[there] = self._feature[shapes]
        if not values:
            target[burnt == -2] = -2
        return Block(target, feature)

    def _drop(self, burnt: NDArray[np.int32], window: Window) -> None:
        """Sets to -2 the cells that two shapes claim which are not inside one another."""
        near = np.intersect1d(self._burner.touching(window), self._crossing)
        pairs = self._across[np.isin(self._across, near).all(axis=1)]
        before = burnt.copy()
        for first, second in pairs:
            shared = self._shared(first, second, window)
            if shared is None:
                continue
            both = [self._burner.read(shared, only=np.array([one])) >= 0 for one in (first, second)]
            place = shared.slices(window)
            # A third one inside both keeps its cells.
            top = (before[place] == first) | (before[place] == second)
            burnt[place][both[0] & both[1] & top] = -2
        self.dropped += int(np.count_nonzero(burnt == -2))

    def _shared(self, first: int, second: int, window: Window) -> Window | None:
        """The cells of a window that both shapes may hold."""
        left, top = np.maximum(self._bounds[first, :2], self._bounds[second, :2])
        right, bottom = np.minimum(self._bounds[first, 2:], self._bounds[second, 2:])
        col, row = int(np.floor(left)), int(np.floor(top))
        width, height = int(np.ceil(right)) - col, int(np.ceil(bottom)) - row
        if width < 1 or height < 1:
            return None
        return Window(col, row, width, height).intersection(window)


def _relations(
    shapes: NDArray[np.object_], target: NDArray[np.int32] | NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (n, 2) of different classes: (outer, inner), and those that overlap otherwise."""
    import shapely

    none = np.empty((0, 2), np.intp)
    if len(np.unique(target)) < 2:
        return none, none
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T  # (pairs, 2)
    pairs = pairs[(pairs[:, 0] < pairs[:, 1]) & (target[pairs[:, 0]] != target[pairs[:, 1]])]
    first, second = shapes[pairs[:, 0]], shapes[pairs[:, 1]]
    areas = np.stack([shapely.area(first), shapely.area(second)])  # (2, pairs)
    shared = shapely.area(shapely.intersection(first, second))
    smaller, larger = areas.min(axis=0), areas.max(axis=0)
    inside = (shared >= _INSIDE * smaller) & (shared < _INSIDE * larger) & (shared > 0)
    across = (shared > 0) & ~inside
    swapped = areas[0] < areas[1]
    nested = np.where(swapped[:, None], pairs[:, ::-1], pairs)[inside]
    return nested, pairs[across]


def _order(shapes: NDArray[np.object_], inside: NDArray[np.intp], overlap: str) -> NDArray[np.intp]:
    """(n,) the shapes as they are burnt, the last on top."""
    import shapely

    if overlap in ("drop", "smallest"):
        return np.argsort(-shapely.area(shapes), kind="stable")
    # The order of the file, or its reverse, but what is outside before what is inside of it.
    sign = -1 if overlap == "first" else 1
    waiting = np.bincount(inside[:, 1], minlength=len(shapes))
    within: dict[int, list[int]] = {}
    for outer, inner in inside.tolist():
        within.setdefault(outer, []).append(inner)
    ready = [sign * number for number in np.flatnonzero(waiting == 0).tolist()]
    heapq.heapify(ready)
    order = []
    while ready:
        number = sign * heapq.heappop(ready)
        order.append(number)
        for inner in within.get(number, ()):
            waiting[inner] -= 1
            if waiting[inner] == 0:
                heapq.heappush(ready, sign * inner)
    return np.array(order, np.intp)
