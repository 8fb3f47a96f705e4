"""Sizes of cells as the loops over them take them: one of every row, and the unit of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["per_row", "search_unit"]


def per_row(size: ArrayLike, rows: int, name: str) -> NDArray[np.float64]:
    """Cell size of every row: (rows,) float64, metres."""
    values = np.asarray(size, dtype=np.float64)
    if values.ndim > 1 or (values.ndim == 1 and values.shape[0] != rows):
        raise RasterError(
            f"{name} has shape {values.shape}, but the elevation has {rows} rows: give a number "
            "or one value per row."
        )
    if not (np.all(np.isfinite(values)) and np.all(values > 0)):
        raise RasterError(
            f"{name} holds {float(np.min(values))}: cell sizes must be positive metres."
        )
    return np.array(np.broadcast_to(values, (rows,)))  # a copy: compiled code wants it writable


def search_unit(x_m: ArrayLike, y_m: ArrayLike) -> float:
    """The length in metres of one cell of `search` and `flat_distance`, as r.geomorphon takes it.

    That is the north-south size of a cell, on a geographic grid the one of the first row. For a
    piece of a larger geographic grid give the function of the whole grid to `geomorphons` as
    `unit_m`, or the pieces differ.

    Args:
        x_m, y_m: cell size in metres, a number or one value per row.
    """
    return float(np.asarray(y_m, dtype=np.float64).flat[0])
