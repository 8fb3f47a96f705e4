"""GeotiffWriter: a GeoTIFF that is written by windows, closed, and compared with what was written.

Every written window is checksummed; after closing, the file is opened again and every window
compared, because GDAL's errors at close do not reach rasterio. Names are given in
`geotools.io.writing`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.windows
from rasterio.enums import ColorInterp, Resampling

from geotools.errors import FileError, RasterError
from geotools.grid import Grid, Window
from geotools.io.gate import GDAL_ERRORS
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COMPRESSIONS", "GeotiffWriter"]

COMPRESSIONS = ("zstd", "deflate", "lzw", "none")
"""Compressions that every current GDAL reads."""

_BLOCK = 512
"""Cells on a side of a block in the file."""

_THREADS = 2
"""Threads that compress, build overviews, and read a finished file back."""


class GeotiffWriter:
    """A `Sink` into a GeoTIFF that is not there yet; made by `create_geotiff`."""

    def __init__(
        self,
        temporary: Path,
        target: Path,
        grid: Grid,
        bands: Sequence[str],
        dtype: str,
        nodata: float | None,
        units: Sequence[str],
        classes: Sequence[ClassInfo],
        tags: Mapping[str, str],
        compress: str,
    ) -> None:
        self.grid = grid
        self.bands = tuple(bands)
        self.path = temporary
        """Where the file is until it is complete."""
        self.gray: tuple[float, float] | None = None
        """Lowest and highest value to draw; may be set once they are known."""
        self.when_complete: Callable[[], None] = lambda: None
        """Called when the file is complete and before it gets its name."""
        self._target = target
        self._classes = tuple(classes)
        self._checksums: list[tuple[Window, int]] = []
        self._cell_area_m2 = grid.cell_area_m2() if classes else None  # (rows,)
        self._area_m2 = np.zeros(256)
        self._open = True
        self._profile: dict[str, Any] = {"dtype": dtype, "nodata": nodata, "count": len(self.bands)}
        try:
            self._dataset = rasterio.open(
                temporary,
                "w",
                driver="GTiff",
                crs=grid.crs,
                transform=grid.transform,
                width=grid.width,
                height=grid.height,
                tiled=True,
                blockxsize=_BLOCK,
                blockysize=_BLOCK,
                interleave="band",
                sparse_ok=True,
                bigtiff="IF_SAFER",
                **_compression(compress, dtype),
                **self._profile,
            )
        except GDAL_ERRORS as error:
            raise FileError(f"{target} could not be created: {error}.") from None
        self._describe(units, tags)

    def _describe(self, units: Sequence[str], tags: Mapping[str, str]) -> None:
        dataset = self._dataset
        for number, name in enumerate(self.bands, start=1):
            dataset.set_band_description(number, name)
        for number, unit in enumerate(units, start=1):
            dataset.set_band_unit(number, unit)
        dataset.update_tags(TIFFTAG_SOFTWARE="geotools")
        self.tag(tags)
        if self._classes:
            colors = {0: (0, 0, 0, 0), **{info.code: (*info.rgb, 255) for info in self._classes}}
            dataset.write_colormap(1, colors)
            dataset.colorinterp = [ColorInterp.palette, *dataset.colorinterp[1:]]

    def tag(self, tags: Mapping[str, str]) -> None:
        """Adds provenance, as `GEOTOOLS_*` metadata, before the file is complete."""
        self._dataset.update_tags(
            **{f"GEOTOOLS_{key.upper()}": value for key, value in tags.items()}
        )

    def write(self, data: NDArray[Any], window: Window) -> None:
        """Writes `data` of shape (band, row, col) to the cells of `window`, each cell once.

        Raises:
            RasterError: another shape or dtype than the file's, or cells outside it.
        """
        if data.shape != (len(self.bands), *window.shape) or data.dtype != self._profile["dtype"]:
            raise RasterError(
                f"{self._target} takes {len(self.bands)} bands of {self._profile['dtype']} on "
                f"{window.shape} cells, not {data.dtype} of shape {data.shape}."
            )
        if window.intersection(self.grid.window) != window:
            raise RasterError(f"{self._target} has {self.grid.shape} cells, {window} is outside.")
        data = np.ascontiguousarray(data)
        try:
            self._dataset.write(data, window=_rasterio(window))
        except GDAL_ERRORS as error:
            raise FileError(f"{self._target} could not be written: {error}.") from None
        self._checksums.append((window, zlib.crc32(data.data)))
        if self._cell_area_m2 is not None:
            rows = np.arange(window.height, dtype=np.int64)[:, None] << 8
            counts = np.bincount((rows | data[0]).ravel(), minlength=window.height << 8)
            area = self._cell_area_m2[window.row_off : window.row_stop]  # (rows,)
            self._area_m2 += area @ counts.reshape(-1, 256)

    def area_m2(self) -> dict[int, float]:
        """Area in square metres by class code, of what has been written."""
        return {info.code: float(self._area_m2[info.code]) for info in self._classes}

    @property
    def is_empty(self) -> bool:
        """True while nothing has been written."""
        return not self._checksums

    def complete(self) -> None:
        """Closes the file, adds its overviews and reads it back; then it can be read at `path`.

        Raises:
            FileError: the disk refuses, or the file does not hold what was written.
        """
        if not self._open:
            return
        self._open = False
        try:
            self._dataset.close()
            factors = _overview_factors(self.grid)
            if factors:
                # Empty blocks stay empty: half the time on sparse rasters.
                with (
                    rasterio.Env(SPARSE_OK_OVERVIEW=True, GDAL_NUM_THREADS=_THREADS),
                    rasterio.open(self.path, "r+", driver="GTiff") as dataset,
                ):
                    dataset.build_overviews(factors, Resampling.nearest)
        except GDAL_ERRORS as error:
            raise FileError(f"{self._target} could not be written: {error}.") from None
        self._verify()
        self.when_complete()

    def abandon(self) -> None:
        """Closes the file as it is."""
        try:
            self._dataset.close()
        except GDAL_ERRORS:
            return

    def _verify(self) -> None:
        """Reads the closed file back and compares it with what was written.

        Raises:
            FileError: it cannot be read, or differs.
        """
        broken = FileError(
            f"{self._target} does not hold what was written, so it was not kept: free some space "
            "on the disk and try again."
        )
        try:
            with rasterio.open(self.path, driver="GTiff") as dataset:
                same = (
                    dataset.count == self._profile["count"]
                    and dataset.dtypes[0] == self._profile["dtype"]
                    and dataset.shape == self.grid.shape
                    and dataset.transform.almost_equals(self.grid.transform)
                    and _same_value(dataset.nodata, self._profile["nodata"])
                )
                if not same:
                    raise broken
                factors = dataset.overviews(1)
            with ThreadPoolExecutor(_THREADS) as pool:
                parts = [self._checksums[start::_THREADS] for start in range(_THREADS)]
                if not all(pool.map(self._holds, parts)):
                    raise broken
                for _ in pool.map(self._read_overview, range(len(factors)), factors):
                    pass
        except FileError:
            raise
        except GDAL_ERRORS:
            raise broken from None

    def _holds(self, written: Sequence[tuple[Window, int]]) -> bool:
        """True when the file holds these windows, read through a handle of its own."""
        with rasterio.open(self.path, driver="GTiff", sharing=False) as dataset:
            return all(
                zlib.crc32(dataset.read(window=_rasterio(window))) == checksum
                for window, checksum in written
            )

    def _read_overview(self, level: int, factor: int) -> None:
        """Reads what an overview holds of the written windows, for the errors this would raise."""
        with rasterio.open(
            self.path, driver="GTiff", sharing=False, OVERVIEW_LEVEL=level
        ) as dataset:
            whole = Window(0, 0, dataset.width, dataset.height)
            for window, _ in self._checksums:
                col, row = window.col_off // factor, window.row_off // factor
                part = Window(
                    col,
                    row,
                    -(-window.col_stop // factor) - col,
                    -(-window.row_stop // factor) - row,
                ).intersection(whole)
                if part is not None:
                    dataset.read(window=_rasterio(part))


def _compression(compress: str, dtype: str) -> dict[str, Any]:
    """GDAL's creation options: a predictor for floats, and the fastest level of each codec."""
    if compress == "none":
        return {}
    floating = np.dtype(dtype).kind == "f"
    # GDAL compresses in threads; its silence about their errors is why files are read back.
    options: dict[str, Any] = {
        "compress": compress,
        "predictor": 3 if floating else 1,
        "num_threads": _THREADS,
    }
    if compress == "zstd":
        options["zstd_level"] = 1  # 5 times the speed of level 9 at the same size on DEMs
    if compress == "deflate":
        options["zlevel"] = 1  # 10 times the speed of level 6 on classes, 13 % larger
    return options


def _overview_factors(grid: Grid) -> list[int]:
    """2, 4, 8, … until the smallest overview is one block."""
    longest, factors = max(grid.shape), [2]
    while longest > _BLOCK * factors[-1]:
        factors.append(factors[-1] * 2)
    return factors if longest > _BLOCK else []


def _rasterio(window: Window) -> rasterio.windows.Window:
    return rasterio.windows.Window(window.col_off, window.row_off, window.width, window.height)


def _same_value(first: float | None, second: float | None) -> bool:
    return first == second or (first is not None and second is not None and first != first)
