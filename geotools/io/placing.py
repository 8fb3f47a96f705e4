"""north_up: rasters that lie askew, warped to a north-up grid while they are read.

What a raster needs to have a place, and how it gets it; the cells themselves are read elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT

from geotools.errors import GridError
from geotools.grid import Grid
from geotools.io.gate import GDAL_ERRORS, reason

__all__ = ["check_cells", "check_latitude", "needs_warp", "north_up", "numpy_name"]

_MIN_POINTS = 2
"""Ground control points from which GDAL makes a place."""


def needs_warp(dataset: Any) -> bool:
    """True when rows and columns do not run along the axes of the CRS."""
    if dataset.transform.is_identity and dataset.gcps[0]:
        return True
    return bool(dataset.transform.b or dataset.transform.d)


def north_up(plain: Any, name: str, *, crs: CRS | None, nodata: float | None) -> Any:
    """A view of the dataset on a north-up grid in the same CRS, by bilinear sampling.

    Args:
        plain: an open dataset that is rotated, or placed by ground control points.
        name: what messages call it.
        crs: its CRS, instead of its own.
        nodata: its value for missing cells, instead of its own.

    Raises:
        GridError: it has no CRS, or GDAL cannot warp it.
    """
    gcp_crs = plain.gcps[1] if plain.gcps[0] else None
    crs = crs or plain.crs or gcp_crs
    if crs is None:
        raise GridError(
            f"{name} is rotated, or placed by points, and has no CRS: name one with --crs."
        )
    points = len(plain.gcps[0])
    if plain.transform.is_identity and points < _MIN_POINTS:
        raise GridError(
            f"{name} is placed by {points} ground control point(s), at least {_MIN_POINTS} are "
            "needed: give it a georeference (gdal_translate -a_ullr)."
        )
    # What lies outside the turned raster must be told from what lies inside: by the nodata
    # value, by one that is made up, or by an alpha band where every value may be real.
    dtype = np.dtype(numpy_name(plain.dtypes[0]))
    source_nodata = plain.nodata if nodata is None else nodata
    outside, alpha = source_nodata, False
    if outside is None and dtype.kind == "f":
        outside = float("nan")
    elif outside is None and dtype.kind == "i":
        outside = int(np.iinfo(dtype).min)
    elif outside is None:
        alpha = ColorInterp.alpha not in plain.colorinterp
    try:
        return WarpedVRT(
            plain, src_crs=crs, crs=crs, resampling=Resampling.bilinear,
            src_nodata=source_nodata, nodata=outside, add_alpha=alpha,
            # Exact and without smoothing: GDAL's approximations depend on the window.
            tolerance=0, XSCALE="1", YSCALE="1",
        )  # fmt: skip
    except GDAL_ERRORS as error:
        raise GridError(
            f"{name} cannot be warped to a north-up grid ({reason(error)}): warp it first with "
            "gdalwarp."
        ) from None


def check_cells(transform: Affine, name: str) -> None:
    """Refuses cells without width or height, and places that are no numbers."""
    size = transform.determinant
    if not size or not np.isfinite([size, transform.c, transform.f]).all():
        numbers = ", ".join(f"{number:g}" for number in transform.to_gdal())
        raise GridError(
            f"{name} has cells without width or height, or in no place (its transform is "
            f"{numbers}): give it a georeference (gdal_translate -a_ullr)."
        )


def check_latitude(grid: Grid, name: str) -> None:
    """Refuses degrees that are none: a raster in metres that was given a geographic CRS."""
    if not grid.is_geographic:
        return
    to_degrees = float(grid.crs.units_factor[1]) * 180 / np.pi
    _, bottom, _, top = (bound * to_degrees for bound in grid.bounds)
    slack = -grid.transform.e * to_degrees
    if top > 90 + slack or bottom < -90 - slack:
        raise GridError(
            f"{name} reaches from latitude {bottom:.6g} to {top:.6g}, beyond the poles: name the "
            "CRS that its coordinates are in with --crs."
        )


def numpy_name(dtype: str) -> str:
    """The numpy name of a rasterio dtype, which knows complex integers."""
    return "complex64" if dtype.startswith("complex_int") else dtype
