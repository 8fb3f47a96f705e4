"""Intervals by units: figures again and again, each time from units drawn with replacement.

Neighbouring cells are alike, so what is drawn is never a cell but its block, polygon or group.
Every figure here is taken from sums over cells, which add up over units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import RasterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["pair_sums", "percentiles", "resampled", "unit_places", "unit_sums"]

_BATCH = 4_000_000
"""Numbers that are held at once while units are drawn."""

_MOST_UNITS = 20_000
"""More units than these are drawn in bundles: independent units stay so in any bundles, and an
interval of so many has its width."""


def unit_places(unit: ArrayLike, cells: int) -> tuple[NDArray[np.intp], int]:
    """The place of each cell's unit among the units that occur, (n,), and their number.

    Args:
        unit: (n,) any whole numbers.
        cells: what n must be.

    Raises:
        RasterError: another number of units than of cells.
    """
    given = np.asarray(unit)
    if given.shape != (cells,):
        raise RasterError(f"{cells:,} cells with units of shape {given.shape}: give one of each.")
    labels, place = np.unique(given, return_inverse=True)
    return place.reshape(cells), len(labels)


def unit_sums(place: NDArray[np.intp], units: int, *columns: ArrayLike) -> NDArray[np.float64]:
    """(units, columns) the sum of each column, (n,), over the cells of each unit."""
    return np.stack([np.bincount(place, column, units) for column in columns], axis=1)


def pair_sums(place: NDArray[np.intp], units: int, pair: NDArray[np.intp], pairs: int) -> Any:
    """(units, pairs) how often each unit has each pair; sparse, as most units have few.

    Args:
        place: (n,) as from `unit_places`.
        units: how many there are.
        pair: (n,) from 0 to `pairs` - 1, such as true class x classes + predicted class.
        pairs: number of columns.
    """
    from scipy.sparse import coo_array

    ones = np.ones(len(place))
    return coo_array((ones, (place, pair)), shape=(units, pairs)).tocsr()


def resampled(
    sums: Any,
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """A figure of each of many resamples of the units, (draws, ...).

    The same number of units and the same seed draw the same units, whatever the sums.

    Args:
        sums: (units, columns) as from `unit_sums` or `pair_sums`.
        figure: from (draws, columns) sums over units to (draws, ...) figures.
        draws: how many resamples.
        seed: fixes them.
    """
    rng = np.random.default_rng(seed)
    if sums.shape[0] > _MOST_UNITS:
        sums = _bundled(sums)
    units, columns = sums.shape
    batch = max(1, min(draws, _BATCH // max(units, columns, 1)))
    found = []
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        drawn = rng.integers(0, units, (size, units))
        drawn += np.arange(size)[:, None] * units
        times = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
        found.append(figure(times.astype(np.float64) @ sums))
    return np.concatenate(found)


def percentiles(figures: NDArray[np.float64], level: float = 0.95) -> NDArray[np.float64]:
    """(..., 2) the ends that hold a share `level` of the figures, (draws, ...); NaN are left out.

    NaN where no draw has a figure.
    """
    ends = np.full((*figures.shape[1:], 2), np.nan)
    some = np.isfinite(figures).any(axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if some.any():
        ends[some] = np.moveaxis(np.nanquantile(figures[:, some], tails, axis=0), 0, -1)
    return ends


def _bundled(sums: Any) -> Any:
    """(`_MOST_UNITS`, columns) sums of bundles of units."""
    from scipy.sparse import coo_array

    unit = np.arange(sums.shape[0])
    shape = (_MOST_UNITS, len(unit))
    return coo_array((np.ones(len(unit)), (unit % _MOST_UNITS, unit)), shape=shape).tocsr() @ sums
