"""fill: what graphs that know no missing values are given for invalid cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FILLS", "fill_nearest", "fill_with"]

FILLS = ("nearest", "mean", "zero")
"""The nearest valid cell; what the model's scaling makes 0, its mean; 0 in the raster."""


def fill_with(block: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(bands, rows, cols) without NaN: invalid cells hold one value, the same in every block.

    Args:
        block: (bands, rows, cols) float32; a cell that is NaN in any band is invalid.
        values: (bands, 1, 1) float32.
    """
    missing = np.isnan(block).any(axis=0)
    return np.where(missing, values, block) if missing.any() else block


def fill_nearest(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """(bands, rows, cols) without NaN: for graphs that know no missing values.

    Beyond the edge of the raster this repeats its outermost cells, so that a raster of one value
    is one to the net wherever its blocks lie.

    Args:
        block: (bands, rows, cols) float32 with at least one valid cell; a cell that is NaN in any
            band is invalid.
    """
    missing = np.isnan(block).any(axis=0)
    if not missing.any():
        return block
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.ascontiguousarray(block[:, nearest[0], nearest[1]])
