"""read_thinned: a finished raster with fewer cells, for pictures; read from its overviews."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from rasterio.enums import Resampling

from geotools.errors import FileError, GridError
from geotools.grid import Grid
from geotools.io.gate import GDAL_ERRORS, local_raster, open_dataset, reason
from geotools.raster import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_thinned"]


def read_thinned(path: str | os.PathLike[str], side: int) -> Raster:
    """Band 1 with at most `side` rows and columns, each cell one of the raster's own.

    Only for rasters that were made here: overviews of others need not show what they hold.

    Raises:
        FileError: it cannot be read.
        GridError: it is not north-up, or has no CRS.
    """
    name = os.fspath(path)
    with open_dataset(name, *local_raster(name)) as dataset:
        if dataset.crs is None:
            raise GridError(f"{name} has no CRS.")
        scale = max(1.0, max(dataset.shape) / side)
        rows, cols = (max(1, round(cells / scale)) for cells in dataset.shape)
        try:
            data: NDArray[Any] = dataset.read(
                1, out_shape=(rows, cols), resampling=Resampling.nearest
            )  # (rows, cols)
        except GDAL_ERRORS as error:
            raise FileError(f"{name} cannot be read ({reason(error)}): it is damaged.") from None
        step = Affine.scale(dataset.width / cols, dataset.height / rows)
        grid = Grid(dataset.crs, dataset.transform @ step, cols, rows)
        valid = np.isfinite(data) if data.dtype.kind == "f" else np.ones(data.shape, np.bool_)
        if dataset.nodata is not None and np.isfinite(dataset.nodata):
            valid &= data != dataset.nodata
        return Raster(data[None], valid, grid, (dataset.descriptions[0] or "band 1",))
