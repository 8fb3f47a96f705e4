"""Blocks: squares on the ground that keep training and test apart, and how large they should be.

Rows of blocks have one height; on a geographic grid each row has its own width in degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geotools.grid import Grid
from geotools.training.splits.ground import metres_a_unit, places_m
from geotools.training.splits.variogram import range_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Blocks", "Fit", "fitting_blocks", "lay_blocks"]

_A_FOLD = 4
"""Blocks that a fold should have, so that the next draw of folds would score about the same."""
_SPREAD = 3.0
"""Blocks that a class should be spread over, counted as the inverse of Simpson's index (1949), so
that one large and many tiny shares count as one."""
_LEAST = 0.25
"""Blocks are made this part of the range at the least, for the sake of these two."""
_RANGES = 2.0
"""Ranges on a side: then a block has a place that is a whole range away from all others."""
_WIDE = 5
"""Smallest sides on a side where the range is shorter: features see their surroundings too."""
_WISHES = 2
"""The first of the demands on blocks that are given up rather than met by small blocks."""
_STEP = 0.8
_MEASURED = 200_000
"""Cells that the spread of classes over blocks is measured with; more are thinned."""
_MAX_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Fit:
    """Why fitted blocks have the side that they have."""

    range_m: float
    """Range of the labels' semivariogram; 0 where it cannot be told."""
    wanted_m: float
    """The side that was wished for."""
    blocks: int
    """Blocks that there would be of that side."""
    stratum: int | None = None
    """The class, or bin of the value, for whose sake they are smaller; None where it is for the
    number of blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """A lattice of blocks; a block is a number, row by row."""

    size_m: float
    """Side in metres."""
    crs: Any
    """rasterio.crs.CRS of the places."""
    left: float
    """Where the columns begin."""
    top: float
    """Where the rows begin, downwards."""
    height: float
    """Height of a row in units of the CRS."""
    widths: NDArray[np.float64]
    """(rows,) width of a block of each row in units of the CRS."""
    columns: int
    """Blocks in the row that has the most."""
    fit: Fit | None = None
    """Why they have this side; None where it was stated."""

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) the block of each place, on the lattice or at its edge."""
        row = np.floor((self.top - y) / self.height).astype(np.int64)
        row = np.clip(row, 0, len(self.widths) - 1)
        col = np.floor((x - self.left) / self.widths[row]).astype(np.int64)
        return row * self.columns + np.clip(col, 0, self.columns - 1)

    def bounds(self, block: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, 4) left, bottom, right, top of blocks in units of the CRS."""
        row, col = np.divmod(block, self.columns)
        left = self.left + col * self.widths[row]
        top = self.top - row * self.height
        return np.column_stack([left, top - self.height, left + self.widths[row], top])


def lay_blocks(
    crs: Any,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    size_m: float,
    *,
    half: tuple[float, float] = (0.0, 0.0),
) -> Blocks:
    """Blocks of a side in metres that cover all places.

    Args:
        crs: rasterio.crs.CRS of the places.
        x, y: (n,) places.
        size_m: side of a block.
        half: how far from the outermost places the first blocks begin, in units of the CRS.
    """
    left, right = x.min() - half[0], x.max() + half[0]
    bottom, top = y.min() - half[1], y.max() + half[1]
    height = size_m / metres_a_unit(crs, float(bottom + top) / 2)[1]
    height = max(height, (top - bottom) / _MAX_ROWS)
    rows = max(1, int(np.floor((top - bottom) / height)) + 1)
    squares = Grid(crs, Affine(height, 0, 0, 0, -height, top), 1, rows)
    widths = size_m / squares.cell_size_m()[0] * height  # (rows,)
    if not crs.is_geographic:
        widths = np.full(rows, widths[rows // 2])
    widths = np.minimum(widths, max(right - left, height) * 1.000001)
    columns = int(np.floor((right - left) / widths.min())) + 1
    return Blocks(float(size_m), crs, float(left), float(top), float(height), widths, columns)


def fitting_blocks(
    crs: Any,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    target: NDArray[np.int16] | NDArray[np.float32],
    strata: NDArray[np.int64],
    *,
    folds: int,
    smallest_m: float,
    half: tuple[float, float],
    seed: int,
) -> Blocks | None:
    """Blocks of twice the range of the targets' semivariogram, or as large as leaves enough of
    them; None when some class is in one block of even the smallest.

    Args:
        crs: rasterio.crs.CRS of the places.
        x, y: (n,) places.
        target: (n,) classes or values.
        strata: (n,) class, or bin of the value, from 0.
        folds: how many folds will be made of them.
        smallest_m: least side.
        half: as for `lay_blocks`.
        seed: of the sample that the semivariogram is taken from.
    """
    places = places_m(crs, x, y)
    extent = max(float(np.linalg.norm(np.ptp(places, axis=0))), smallest_m)
    reach = range_m(places, target, seed=seed)
    side = _RANGES * reach
    sides = [min(max(side, _WIDE * smallest_m), extent)]
    while sides[-1] * _STEP >= smallest_m:
        sides.append(sides[-1] * _STEP)
    some = _thinned(strata, seed)
    found: dict[float, _Measures] = {}

    def measured(one: float) -> _Measures:
        if one not in found:
            lattice = lay_blocks(crs, x, y, one, half=half)
            found[one] = _measures(lattice.locate(x[some], y[some]), strata[some])
        return found[one]

    for number, (blocks, spread, fewest) in enumerate(_enough(folds)):
        for one in sides:
            if number < _WISHES and one < _LEAST * sides[0]:
                break
            here = measured(one)
            if here.blocks >= blocks and here.spread >= spread and here.fewest >= fewest:
                wide = measured(sides[0])
                rare = wide.spread < spread or wide.fewest < fewest
                stratum = wide.rarest if rare else None
                fit = Fit(reach, sides[0], wide.blocks, stratum)
                return replace(lay_blocks(crs, x, y, one, half=half), fit=fit)
    return None


def _enough(folds: int) -> tuple[tuple[int, float, int], ...]:
    """Blocks, spread and blocks of the class with the fewest: from what is wished for to what is
    needed.
    """
    return (
        (_A_FOLD * folds, _SPREAD, 2),
        (_A_FOLD * folds, 0.0, 3),
        (2 * folds, 0.0, 3),
        (folds, 0.0, 2),
        (2, 0.0, 2),
    )


def _thinned(strata: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Some of the cells, of each stratum alike many where there are more than can be taken."""
    if len(strata) <= _MEASURED:
        return np.arange(len(strata))
    shuffled = np.random.default_rng(seed).permutation(len(strata))
    most = _MEASURED // (int(strata.max()) + 1)
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    sizes = np.bincount(strata)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[rank < most])


@dataclass(frozen=True, slots=True)
class _Measures:
    """What blocks of a side hold."""

    blocks: int
    """Blocks in all."""
    spread: float
    """Blocks by Simpson's index of the stratum that is worst off."""
    fewest: int
    """Blocks of the stratum that has the fewest."""
    rarest: int
    """The stratum with the fewest blocks; of several, with the least spread."""


def _measures(block: NDArray[np.int64], strata: NDArray[np.int64]) -> _Measures:
    """What blocks hold of each stratum."""
    _, number = np.unique(block, return_inverse=True)
    blocks, classes = int(number.max()) + 1, int(strata.max()) + 1
    key, count = np.unique(number.reshape(-1) * classes + strata, return_counts=True)
    stratum = key % classes
    total = np.bincount(stratum, count, classes)
    squares = np.bincount(stratum, count.astype(np.float64) ** 2, classes)
    there = total > 0
    spread = total[there] ** 2 / squares[there]
    fewest = np.bincount(stratum, minlength=classes)[there]
    rarest = int(np.flatnonzero(there)[np.lexsort((spread, fewest))[0]])
    return _Measures(blocks, float(spread.min()), int(fewest.min()), rarest)
