"""Units: what a split may not tear apart, for each kind of split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import LabelsError
from geotools.training.blocks import Blocks, fitting_blocks, lay_blocks
from geotools.training.ground import places_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid
    from geotools.training.cells import Cells

__all__ = ["Ground", "block_units", "finer_units", "in_words", "polygon_units"]

_CELLS = 2
"""Cells on a side of a block at the least."""
_POINTS = 500
"""Where there are no cells: a block is this part of the extent at the least."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where the cells are on the ground."""

    crs: Any
    """rasterio.crs.CRS of the places; None when they have none."""
    smallest_m: float
    """Least side of a block."""
    half: tuple[float, float] = (0.0, 0.0)
    """Half a cell along x and y in units of the CRS: blocks end between cells."""

    @classmethod
    def of(cls, cells: Cells, grids: Sequence[Grid], crs: Any) -> Ground:
        """The ground of cells of these grids, or of rows with places in this CRS."""
        crs = grids[0].crs if grids else crs
        if crs is None or not len(cells) or not np.isfinite(cells.x).all():
            return cls(None, 0.0)
        if grids:
            x_m, y_m = grids[0].cell_size_m()
            middle = grids[0].height // 2
            t = grids[0].transform
            return cls(crs, _CELLS * float(max(x_m[middle], y_m[middle])), (t.a / 2, -t.e / 2))
        places = places_m(crs, cells.x, cells.y)
        return cls(crs, max(float(np.linalg.norm(np.ptp(places, axis=0))) / _POINTS, 1e-3))


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


def polygon_units(cells: Cells, blocks: Blocks | None) -> NDArray[np.int64]:
    """(n,) the polygon of each cell; polygons of several scenes that share a place are one unit,
    cells outside of any belong to their block.
    """
    unit = cells.group.astype(np.int64)
    if len(unit) and cells.scene.max() > 0:
        unit = _joined(unit, cells)
    outside = cells.group < 0
    if outside.any() and blocks is not None:
        first = int(unit.max()) + 1
        unit[outside] = first + blocks.locate(cells.x[outside], cells.y[outside])
    return unit


def _joined(unit: NDArray[np.int64], cells: Cells) -> NDArray[np.int64]:
    """Units with those that share a place made one, by the lowest number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    has = np.flatnonzero(unit >= 0)
    order = has[np.lexsort((cells.x[has], cells.y[has]))]
    same = (np.diff(cells.x[order]) == 0) & (np.diff(cells.y[order]) == 0)
    one, other = unit[order[:-1][same]], unit[order[1:][same]]
    count = int(unit.max()) + 1
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    lowest = np.full(int(label.max()) + 1, count)
    np.minimum.at(lowest, label, np.arange(count))
    joined = unit.copy()
    joined[has] = lowest[label[unit[has]]]
    return joined


def finer_units(
    cells: Cells, strata: NDArray[np.int64], ground: Ground, *, seed: int
) -> NDArray[np.int64]:
    """(n,) blocks, or rows where there is no place: what a large unit may be divided by."""
    if ground.crs is not None:
        blocks = block_units(cells, strata, ground, folds=5, size_m=None, seed=seed)
        if blocks is not None:
            return blocks.locate(cells.x, cells.y)
    return np.arange(len(cells), dtype=np.int64)


def in_words(metres: float) -> str:
    """A length for people, of three digits."""
    if metres >= 10_000:
        return f"{metres / 1000:.3g} km" if metres < 1e6 else f"{metres / 1000:,.0f} km"
    return f"{metres:,.0f} m" if metres >= 100 else f"{metres:.3g} m"
