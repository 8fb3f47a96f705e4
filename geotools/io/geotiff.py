"""open_raster: any raster that GDAL reads, as a north-up `Source` of valid and invalid cells.

Scale and offset are applied; nodata, NaN, mask bands, alpha and `.msk` files become `valid`.
Writing is in `geotools.io.writing`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import product
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import rasterio
import rasterio.windows
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import CRSError
from rasterio.vrt import WarpedVRT

from geotools.errors import FileError, GridError, RasterError
from geotools.grid import Grid, Window
from geotools.io.gate import (
    GDAL_ERRORS,
    archive_of,
    check_layout,
    local_raster,
    open_dataset,
    reason,
)
from geotools.io.handles import Handles
from geotools.io.placing import check_cells, check_latitude, needs_warp, north_up, numpy_name
from geotools.raster import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RasterFile", "open_raster", "parse_crs"]


_CACHE_BYTES, _MAX_CACHE_BYTES = 48 * 2**20, 512 * 2**20


def open_raster(
    path: str | os.PathLike[str],
    *,
    crs: str | None = None,
    bands: Sequence[int] | None = None,
    nodata: float | None = None,
) -> RasterFile:
    """An open raster file, to be used in a `with` statement.

    South-up rasters are turned, rotated ones and those placed by ground control points are
    warped (bilinear) to a north-up grid in the same CRS while they are read.

    Args:
        path: a file, a `.zip` with one raster in it, or a `/vsizip/` path.
        crs: the CRS to assume, instead of the file's own, for example "EPSG:32633".
        bands: band numbers from 1; all but alpha when None.
        nodata: the value to take as invalid, instead of the file's own.

    Raises:
        FileError: the path cannot be opened as a raster.
        GridError: it has no CRS, or no place at all.
        RasterError: its pixels are complex numbers, or it lacks a band.
    """
    return RasterFile(os.fspath(path), crs=crs, bands=bands, nodata=nodata)


def parse_crs(text: str) -> CRS:
    """The CRS that `text` names.

    Raises:
        GridError: it names none.
    """
    try:
        crs = CRS.from_user_input(text)
    except (CRSError, ValueError):
        raise GridError(
            f"{text!r} is not a CRS: give an authority code such as EPSG:4326."
        ) from None
    return crs


class RasterFile:
    """A raster file as a `Source`, for any number of threads."""

    def __init__(
        self,
        name: str,
        *,
        crs: str | None,
        bands: Sequence[int] | None,
        nodata: float | None,
    ) -> None:
        self.name = name
        self._target, self._drivers = local_raster(name)
        self._handles = Handles(self._open)
        self._has_mask = self._says_valid = False
        self._nodata = nodata
        self._assumed = parse_crs(crs) if crs else None
        try:
            with self._handles.lent() as dataset:
                self._describe(dataset, bands)
        except BaseException:
            self.close()
            raise
        if self._in_strips:  # which serve several tiles, and are decoded once
            self._handles.only_one()

    def _open(self) -> tuple[Any, ...]:
        """The file, and the view of it on a north-up grid when it needs one."""
        plain = open_dataset(self.name, self._target, self._drivers)
        try:
            check_layout(
                self.name,
                plain.block_shapes,
                max(np.dtype(numpy_name(dtype)).itemsize for dtype in plain.dtypes),
                plain.count,
            )
            check_cells(plain.transform, self.name)
            if needs_warp(plain):
                return plain, north_up(plain, self.name, crs=self._assumed, nodata=self._nodata)
        except BaseException:
            plain.close()
            raise
        return (plain,)

    def _describe(self, dataset: Any, bands: Sequence[int] | None) -> None:
        self._warped = isinstance(dataset, WarpedVRT)
        plain = dataset.src_dataset if self._warped else dataset
        self.driver: str = plain.driver
        crs = self._assumed or dataset.crs
        if crs is None:
            raise GridError(
                f"{self.name} has no CRS: name one with --crs, for example --crs EPSG:32633."
            )
        transform = dataset.transform
        if transform.is_identity and not self._warped:
            raise GridError(
                f"{self.name} has no georeference, only a CRS: give it one first "
                "(gdal_translate -a_ullr)."
            )
        self._flip_rows, self._flip_cols = transform.e > 0, transform.a < 0
        if self._flip_rows:
            transform = transform @ transform.translation(0, dataset.height)
            transform = transform @ transform.scale(1, -1)
        if self._flip_cols:
            transform = transform @ transform.translation(dataset.width, 0)
            transform = transform @ transform.scale(-1, 1)
        try:
            self.grid = Grid(crs, transform, dataset.width, dataset.height)
        except GridError as error:
            raise GridError(f"{self.name}: {error}") from None
        check_latitude(self.grid, self.name)
        self.band_numbers = self._choose(dataset, bands)
        self.bands = tuple(
            dataset.descriptions[number - 1] or f"band {number}" for number in self.band_numbers
        )
        self._scaling = [
            (dataset.scales[number - 1], dataset.offsets[number - 1])
            for number in self.band_numbers
        ]
        self.dtype = self._result_dtype(dataset)
        self.nodata: float | None = self._nodata if self._nodata is not None else dataset.nodata
        self.has_palette = plain.colorinterp[self.band_numbers[0] - 1] == ColorInterp.palette
        self.units = tuple(dataset.units[number - 1] or "" for number in self.band_numbers)
        self.block_shape: tuple[int, int] = plain.block_shapes[0]
        masks = [dataset.mask_flag_enums[number - 1] for number in self.band_numbers]
        self._says_valid = all(flags == [MaskFlags.all_valid] for flags in masks)
        flags = masks[0]
        # A warped raster's mask is ours; other masks hold whatever value stands for missing.
        self._has_mask = self._warped or MaskFlags.per_dataset in flags or MaskFlags.alpha in flags
        self._in_strips: bool = self.block_shape[1] >= self.grid.width
        self._sparse = self._can_be_sparse(plain)

    def _choose(self, dataset: Any, bands: Sequence[int] | None) -> tuple[int, ...]:
        if bands is None:
            colors = dataset.colorinterp
            chosen = tuple(n for n in dataset.indexes if colors[n - 1] != ColorInterp.alpha)
            bands = chosen or tuple(dataset.indexes)
        for number in bands:
            if not 1 <= number <= dataset.count:
                raise RasterError(f"{self.name} has {dataset.count} bands, not a band {number}.")
        return tuple(bands)

    def _result_dtype(self, dataset: Any) -> np.dtype[Any]:
        dtypes = [numpy_name(dataset.dtypes[number - 1]) for number in self.band_numbers]
        if any(np.dtype(dtype).kind == "c" for dtype in dtypes):
            raise RasterError(
                f"{self.name} holds complex numbers: make it real first, for example the "
                "magnitude with gdal_calc."
            )
        dtype = np.result_type(*dtypes)
        if any(scaling != (1.0, 0.0) for scaling in self._scaling):
            dtype = np.result_type(dtype, np.float32)
        return dtype

    def _can_be_sparse(self, plain: Any) -> bool:
        """True when blocks that are not in the file are known to be nodata."""
        return (
            plain.driver == "GTiff"
            and not self._warped
            and plain.nodata is not None
            and self._nodata is None
            and MaskFlags.per_dataset not in plain.mask_flag_enums[0]
        )

    @property
    def is_in_strips(self) -> bool:
        """True when its blocks are whole rows: a window costs as much as all that is beside it."""
        return self._in_strips

    @property
    def files(self) -> tuple[str, ...]:
        """The files that hold it: itself, its archive, what a VRT names, masks beside it."""
        with self._handles.lent() as dataset:
            return (archive_of(self._target), *dataset.files)

    def read(self, window: Window) -> Raster:
        """The cells of `window`; those beyond the raster are invalid and 0.

        Returns:
            Raster with data of shape (band, row, col): the file's dtype, or float32 / float64
            when a scale or offset applies.

        Raises:
            FileError: the file is damaged or gone.
        """
        inside = window.intersection(self.grid.window)
        present = inside is not None and not self._is_absent(inside)
        if present and inside == window:
            data, valid = self._read(window)
            return Raster(data, valid, self.grid.cut(window), self.bands)
        data = np.zeros((len(self.bands), *window.shape), self.dtype)  # (band, row, col)
        valid = np.zeros(window.shape, np.bool_)
        if present and inside is not None:
            rows, cols = inside.slices(window)
            data[:, rows, cols], valid[rows, cols] = self._read(inside)
        return Raster(data, valid, self.grid.cut(window), self.bands)

    def is_absent(self, window: Window) -> bool:
        """True when it is known without reading that no cell of `window` is valid."""
        inside = window.intersection(self.grid.window)
        return inside is None or self._is_absent(inside)

    def _read(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Data (band, row, col) and valid (row, col) of a window inside the raster."""
        numbers = list(self.band_numbers)
        stored = self._stored(window)
        masks = None
        try:
            with self._handles.lent() as dataset:
                pixels = dataset.read(numbers, window=stored)  # (band, row, col)
                if self._has_mask or (self._nodata is None and not self._says_valid):
                    masks = dataset.read_masks(numbers, window=stored)  # (band, row, col)
        except GDAL_ERRORS as error:
            raise FileError(
                f"{self.name} cannot be read at columns {window.col_off} to {window.col_stop}, "
                f"rows {window.row_off} to {window.row_stop} ({reason(error)}): the file is "
                "damaged or incomplete."
            ) from None
        tests = [] if masks is None else [_all(masks > 0)]  # (row, col) each
        if self._nodata is not None:
            tests.append(_all(pixels != _as_stored(self._nodata, pixels.dtype)))
        if pixels.dtype.kind == "f":
            tests.append(_all(np.isfinite(pixels)))
        valid = tests.pop() if tests else np.ones(pixels.shape[1:], np.bool_)
        for test in tests:
            valid &= test
        pixels = pixels.astype(self.dtype, copy=False)
        for band, (scale, offset) in enumerate(self._scaling):
            if (scale, offset) != (1.0, 0.0):
                pixels[band] *= scale
                pixels[band] += offset
        rows = slice(None, None, -1 if self._flip_rows else 1)
        cols = slice(None, None, -1 if self._flip_cols else 1)
        return pixels[:, rows, cols], valid[rows, cols]

    def _stored(self, window: Window) -> rasterio.windows.Window:
        """The window in the file's own rows and columns."""
        row, col = window.row_off, window.col_off
        if self._flip_rows:
            row = self.grid.height - window.row_stop
        if self._flip_cols:
            col = self.grid.width - window.col_stop
        return rasterio.windows.Window(col, row, window.width, window.height)

    def _is_absent(self, window: Window) -> bool:
        """True when none of the window's blocks is in the file, so that all of it is nodata."""
        if not self._sparse:
            return False
        stored = self._stored(window)
        height, width = self.block_shape
        rows = range(stored.row_off // height, -(-(stored.row_off + stored.height) // height))
        cols = range(stored.col_off // width, -(-(stored.col_off + stored.width) // width))
        with self._handles.lent() as dataset:
            for number, row, col in product(self.band_numbers, rows, cols):
                if dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=number):
                    return False
        return True

    @contextlib.contextmanager
    def block_cache(self, rows: int, most: int | None = None) -> Iterator[None]:
        """GDAL's block cache of the size that reading bands of so many rows needs.

        In a file of strips a tile reads whole rows; if they are not kept until the last tile of
        the band has been read, every tile decodes them again. At most 512 MB.

        Args:
            rows: of a band.
            most: bytes, where it is to be less than that.
        """
        itemsize = self.dtype.itemsize * len(self.bands)
        band = (rows + 2 * self.block_shape[0]) * self.grid.width * itemsize
        # A little too small is as bad as none: the oldest strip goes before it is asked for again.
        needed = band + band // 2 if self._in_strips else 0
        size = min(max(needed, _CACHE_BYTES), _MAX_CACHE_BYTES if most is None else most)
        with rasterio.Env(GDAL_CACHEMAX=size):  # in bytes, here
            yield

    def close(self) -> None:
        """Closes every handle; reading afterwards opens the file anew."""
        self._handles.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _as_stored(value: float, dtype: np.dtype[Any]) -> Any:
    """The value as cells of this dtype hold it; NaN, which equals none, when they cannot."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = np.isfinite(value) and limits.min <= value <= limits.max and value == int(value)
        return dtype.type(int(value)) if fits else np.nan
    with np.errstate(over="ignore"):
        return dtype.type(value)


def _all(bands: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(row, col): True where all of (band, row, col) are."""
    return bands[0] if len(bands) == 1 else np.asarray(bands.all(axis=0))
