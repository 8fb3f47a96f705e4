"""standardise_tile: a block less its own mean over its own standard deviation, band by band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["standardise_tile"]


def standardise_tile(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """(bands, rows, cols) float32 of mean 0 and deviation 1; 0 in a band of one value.

    Only valid cells are counted, so that what lies beyond the raster changes nothing; two blocks
    that overlap get different numbers where they do.

    Args:
        block: (bands, rows, cols) float32, NaN where invalid, with at least one valid cell; a cell
            that is NaN in any band is invalid, and NaN in what is returned.
    """
    valid = ~np.isnan(block).any(axis=0)
    cells = block[:, valid].astype(np.float64)  # (bands, cells)
    mean, deviation = cells.mean(axis=1), cells.std(axis=1)
    # Equal values have a mean that rounding puts beside them.
    equal = cells.min(axis=1) == cells.max(axis=1)
    deviation[equal], mean[equal] = 1, cells[equal, 0]
    scaled = (block - mean[:, None, None]) / deviation[:, None, None]
    return np.where(valid, scaled, np.nan).astype(np.float32)
