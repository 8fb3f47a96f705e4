"""Near: which polygons lie nearer to another than they are wide, and what they are joined to.

Labels are alike over short ways: polygons beside each other are as good as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.training.splits.ground import places_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.labels.cells import Cells
    from geotools.training.splits.units import Ground

__all__ = ["Near", "near_polygons"]

_OUTLINE = 400
"""Cells of its outline that a large polygon's distances are taken from."""
_BESIDE = 1.01
"""Cells between the centres of two that share a side, and a little."""


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Pairs of units that are near to each other."""

    units: int
    """Units in all: numbers from 0 to one less."""
    one: NDArray[np.int64]
    """(pairs,) the smaller unit of a pair."""
    other: NDArray[np.int64]
    """(pairs,) the larger one."""
    gap: NDArray[np.float64]
    """(pairs,) ground between them, in widths of the smaller one, below 1; 0 where they touch."""

    def count(self) -> int:
        """Units that are nearer to another than the smaller of both is wide."""
        return len(np.unique(np.concatenate([self.one, self.other])))

    def joined(self, widths: float) -> NDArray[np.int64]:
        """(units,) what each unit is joined to when those with less than so many widths between
        them are one: the lowest number of these.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        kept = self.gap <= widths
        ends = (self.one[kept], self.other[kept])
        graph = coo_array((np.ones(len(ends[0])), ends), shape=(self.units, self.units))
        count, label = connected_components(graph, directed=False)
        lowest = np.full(count, self.units)
        np.minimum.at(lowest, label, np.arange(self.units))
        return np.asarray(lowest[label], np.int64)


def near_polygons(cells: Cells, unit: NDArray[np.int64], ground: Ground) -> Near:
    """The pairs of polygons with less ground between them than the smaller one is wide.

    The width of a polygon is the diameter of the circle of its area.

    Args:
        cells: cells of rasters, in order of scene, row and column.
        unit: (n,) polygon of each, from 0; -1 for cells that are in none.
        ground: where they are.
    """
    units = int(unit.max(initial=-1)) + 1
    nothing = np.empty(0, np.int64)
    outline = np.flatnonzero(_outline(cells, unit) & (unit >= 0))
    if ground.crs is None or not ground.on_grid or not len(outline):
        return Near(units, nothing, nothing, np.empty(0))
    from scipy.spatial import cKDTree

    width = 2 * np.sqrt(_areas(cells, unit, units) / np.pi) * ground.cell_m  # (units,) metres
    outline = outline[np.argsort(unit[outline], kind="stable")]
    places, owner = places_m(ground.crs, cells.x[outline], cells.y[outline]), unit[outline]
    tree = cKDTree(places)
    numbers, start = np.unique(owner, return_index=True)
    ends = [*start[1:].tolist(), len(owner)]
    ones, others, gaps = [nothing], [nothing], [np.empty(0)]
    for number, first, last in zip(numbers.tolist(), start.tolist(), ends, strict=True):
        own = places[first:last]
        own = own[:: len(own) // _OUTLINE + 1]
        middle = (own.min(axis=0) + own.max(axis=0)) / 2
        reach = float(width[number]) + _BESIDE * ground.cell_m
        radius = float(np.linalg.norm(own - middle, axis=1).max())
        around = np.array(tree.query_ball_point(middle, radius + reach), np.int64)
        # Of two that are near each other the smaller one says so.
        larger = (width[owner[around]], owner[around])
        around = around[
            (larger[0] > width[number]) | ((larger[0] == width[number]) & (larger[1] > number))
        ]
        if not len(around):
            continue
        distance, _ = cKDTree(own).query(places[around], distance_upper_bound=reach)
        near = np.isfinite(distance)
        found, place = np.unique(owner[around[near]], return_inverse=True)
        nearest = np.full(len(found), np.inf)
        np.minimum.at(nearest, place.reshape(-1), distance[near])
        ones.append(np.full(len(found), number))
        others.append(found)
        between = np.maximum(nearest - _BESIDE * ground.cell_m, 0.0)
        gaps.append(between / max(float(width[number]), 1e-9))
    return Near(units, np.concatenate(ones), np.concatenate(others), np.concatenate(gaps))


def _outline(cells: Cells, unit: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) True for cells with a neighbour that is not of their unit."""
    width, height = int(cells.col.max()) + 2, int(cells.row.max()) + 2
    key = (cells.scene.astype(np.int64) * height + cells.row) * width + cells.col
    inner: NDArray[np.bool_] = np.ones(len(key), np.bool_)
    for step in (1, -1, width, -width):
        place = np.minimum(np.searchsorted(key, key + step), len(key) - 1)
        inner &= (key[place] == key + step) & (unit[place] == unit)
    return ~inner


def _areas(cells: Cells, unit: NDArray[np.int64], units: int) -> NDArray[np.int64]:
    """(units,) cells of each, in the scene where it has the most."""
    used = unit >= 0
    scenes = int(cells.scene.max()) + 1
    key, count = np.unique(unit[used] * scenes + cells.scene[used], return_counts=True)
    area = np.zeros(units, np.int64)
    np.maximum.at(area, key // scenes, count)
    return area
