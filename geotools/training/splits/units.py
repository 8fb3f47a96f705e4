"""Units: what a split may not tear apart, for each kind of split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import LabelsError
from geotools.training.splits.blocks import Blocks, fitting_blocks, lay_blocks
from geotools.training.splits.ground import metres_a_unit, places_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid
    from geotools.training.labels.cells import Cells

__all__ = [
    "Ground",
    "block_units",
    "finer_units",
    "in_words",
    "joined_units",
    "polygon_units",
    "shared_ground",
]

_CELLS = 2
"""Cells on a side of a block at the least."""
_POINTS = 500
"""Where there are no cells: a block is this part of the extent at the least."""
_SAME = 0.99
"""Part of a cell below which two centres are on the same ground; a neighbour is a whole one off."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where the cells are on the ground."""

    crs: Any
    """rasterio.crs.CRS of the places; None when they have none."""
    smallest_m: float
    """Least side of a block."""
    half: tuple[float, float] = (0.0, 0.0)
    """Half a cell along x and y in units of the CRS: blocks end between cells."""
    cell: tuple[float, float] = (0.0, 0.0)
    """The largest cell of all scenes along x and y in units of the CRS; zeros for rows."""

    @property
    def on_grid(self) -> bool:
        """True for cells of rasters that have a place."""
        return self.cell != (0.0, 0.0)

    @property
    def cell_m(self) -> float:
        """Side of a cell in metres; for rows of a table, half of the least block."""
        return self.smallest_m / _CELLS

    @property
    def single(self) -> str:
        """What single cells are called."""
        return "cells" if self.on_grid else "rows"

    @classmethod
    def of(cls, cells: Cells, grids: Sequence[Grid], crs: Any) -> Ground:
        """The ground of cells of these grids, or of rows with places in this CRS."""
        crs = grids[0].crs if grids else crs
        if crs is None or not len(cells) or not np.isfinite(cells.x).all():
            return cls(None, 0.0)
        if grids:
            cell = _largest_cell(grids, crs, float(np.median(cells.y)))
            x_m, y_m = grids[0].cell_size_m()
            middle = grids[0].height // 2
            t = grids[0].transform
            smallest_m = _CELLS * float(max(x_m[middle], y_m[middle]))
            return cls(crs, smallest_m, (t.a / 2, -t.e / 2), cell)
        places = places_m(crs, cells.x, cells.y)
        return cls(crs, max(float(np.linalg.norm(np.ptp(places, axis=0))) / _POINTS, 1e-3))


def _largest_cell(grids: Sequence[Grid], crs: Any, y: float) -> tuple[float, float]:
    """The largest cell along x and y in units of the CRS at this northing."""
    sizes = []
    for grid in grids:
        if grid.crs == crs:
            sizes.append((grid.transform.a, -grid.transform.e))
            continue
        x_m, y_m = grid.cell_size_m()
        along_x, along_y = metres_a_unit(crs, y)
        middle = grid.height // 2
        sizes.append((float(x_m[middle]) / along_x, float(y_m[middle]) / along_y))
    return max(x for x, _ in sizes), max(y for _, y in sizes)


def block_units(
    cells: Cells,
    strata: NDArray[np.int64],
    ground: Ground,
    *,
    folds: int,
    size_m: float | None,
    seed: int,
) -> Blocks | None:
    """The lattice of blocks, of the stated side or of one that fits; None when none does.

    Raises:
        LabelsError: the cells have no place, or a stated side is less than two of them.
    """
    if ground.crs is None:
        raise LabelsError(
            'split.kind = "blocks" needs places, which these rows do not have: name the columns '
            "with table.x and table.y, or take another kind."
        )
    if size_m is not None:
        on_grid = ground.half != (0.0, 0.0)
        if on_grid and size_m < 0.999 * ground.smallest_m:
            raise LabelsError(
                f"split.size_m is {in_words(size_m)}, less than two cells, which keeps nothing "
                f"apart: give {in_words(ground.smallest_m)} or more."
            )
        return lay_blocks(ground.crs, cells.x, cells.y, size_m, half=ground.half)
    return fitting_blocks(
        ground.crs, cells.x, cells.y, cells.target, strata,
        folds=folds, smallest_m=ground.smallest_m, half=ground.half, seed=seed,
    )  # fmt: skip


def polygon_units(cells: Cells, blocks: Blocks | None, ground: Ground) -> NDArray[np.int64]:
    """(n,) the polygon of each cell; polygons of several scenes that share ground are one unit,
    cells outside of any belong to their block.
    """
    unit = joined_units(cells.group.astype(np.int64), cells, ground)
    outside = cells.group < 0
    if outside.any() and blocks is not None:
        first = int(unit.max()) + 1
        unit[outside] = first + blocks.locate(cells.x[outside], cells.y[outside])
    return unit


def joined_units(unit: NDArray[np.int64], cells: Cells, ground: Ground) -> NDArray[np.int64]:
    """(n,) the units, those of several scenes that share ground made one, by the lowest number.

    Args:
        unit: (n,) unit of each cell, -1 for none.
        cells: the cells.
        ground: where they are.
    """
    has = np.flatnonzero(unit >= 0)
    one, other = shared_ground(cells.take(has), ground)
    if not len(one):
        return unit
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = unit[has[one]], unit[has[other]]
    count = int(unit.max()) + 1
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    lowest = np.full(int(label.max()) + 1, count)
    np.minimum.at(lowest, label, np.arange(count))
    joined = unit.copy()
    joined[has] = lowest[label[unit[has]]]
    return joined


def shared_ground(cells: Cells, ground: Ground) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(pairs,) and (pairs,): cells of different scenes that lie on each other, if only in part.

    Each cell comes with the nearest of the scenes that it is compared with: the first half of all
    with the second, then within each half alike.
    """
    nothing = np.empty(0, np.intp)
    if not len(cells) or min(ground.cell) <= 0:
        return nothing, nothing
    places = np.column_stack([cells.x / ground.cell[0], cells.y / ground.cell[1]])
    order = np.argsort(cells.scene, kind="stable")
    scenes, start = np.unique(cells.scene[order], return_index=True)
    ends = [*start.tolist(), len(order)]
    found = [(nothing, nothing)]
    halves = [(0, len(scenes))]
    while halves:
        first, last = halves.pop()
        if last - first < 2:
            continue
        middle = (first + last) // 2
        halves += [(first, middle), (middle, last)]
        one, other = order[ends[first] : ends[middle]], order[ends[middle] : ends[last]]
        # Both ways, because cells of one scene may be smaller than those of another.
        found += [_nearest(places, one, other), _nearest(places, other, one)]
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])


def _nearest(
    places: NDArray[np.float64], one: NDArray[np.intp], other: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cells of `one` that share ground with some of `other`, and the nearest of these."""
    from scipy.spatial import cKDTree

    one, other = _around(places, one, other), _around(places, other, one)
    if not len(one) or not len(other):
        return one[:0], other[:0]
    tree = cKDTree(places[other], balanced_tree=False, compact_nodes=False)
    distance, index = tree.query(places[one], p=np.inf, distance_upper_bound=_SAME)
    near = np.isfinite(distance)
    return one[near], other[index[near]]


def _around(
    places: NDArray[np.float64], one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Those of `one` in the rectangle around `other`."""
    if not len(other):
        return one[:0]
    low, high = places[other].min(axis=0) - 1, places[other].max(axis=0) + 1
    inside: NDArray[np.bool_] = ((places[one] >= low) & (places[one] <= high)).all(axis=1)
    return np.asarray(one[inside], np.intp)


def finer_units(
    cells: Cells, strata: NDArray[np.int64], ground: Ground, *, seed: int
) -> tuple[NDArray[np.int64], str]:
    """(n,) blocks, or single cells where none fit or there is no place, and what they are called:
    what a large unit may be divided by.
    """
    if ground.crs is not None:
        blocks = block_units(cells, strata, ground, folds=5, size_m=None, seed=seed)
        if blocks is not None:
            return blocks.locate(cells.x, cells.y), "blocks"
    return np.arange(len(cells), dtype=np.int64), ground.single


def in_words(metres: float) -> str:
    """A length for people, of three digits."""
    if metres >= 10_000:
        return f"{metres / 1000:.3g} km" if metres < 1e6 else f"{metres / 1000:,.0f} km"
    return f"{metres:,.0f} m" if metres >= 100 else f"{metres:.3g} m"
