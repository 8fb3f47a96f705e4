"""GeotiffWriter: a GeoTIFF that is written by windows, closed, and compared with what was written.

A CRC-32 of all that is written is kept; once closed, the file is opened again and compared, because
GDAL's errors at close do not reach rasterio. Compressed cells go through GDAL (`reading_back`),
others straight into the file (`plain`); a COG is a copy (`cog`). Names are given in
`geotools.io.writing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Resampling

from geotools.errors import FileError, RasterError
from geotools.grid import Grid, Window
from geotools.io.atomic import temporary_beside
from geotools.io.blocks import BLOCK
from geotools.io.cog import cache_bytes, copy_as_cog, is_cog, same_overviews
from geotools.io.compression import (
    LEVELS,
    THREADS,
    cog_compression,
    compression_options,
    predictor_of,
)
from geotools.io.crc import crc32
from geotools.io.gate import GDAL_ERRORS
from geotools.io.plain import PlainCells, can_write_plain
from geotools.io.reading_back import Written, rasterio_window, read_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.spec import ClassInfo

__all__ = ["GeotiffWriter"]

_CACHE_BYTES = 32 * 2**20
"""GDAL's block cache while a file is read back: every block is read once."""


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
        scale: float = 1.0,
        bits: int | None = None,
        cog: bool = False,
    ) -> None:
        self.grid = grid
        self.bands = tuple(bands)
        self.path = temporary
        """Where the file is until it is complete."""
        self.gray: tuple[float, float] | None = None
        """Lowest and highest value to draw; may be set once they are known."""
        self.when_complete: Callable[[], None] = lambda: None
        """Called when the file is complete and before it gets its name."""
        self.tags: dict[str, str] = dict(tags)
        """Provenance that the file has been given."""
        self.is_empty = True
        """True while nothing has been written."""
        self.crc32: str | None = None
        """Of the complete file, as 8 hexadecimal digits, where reading back has told it."""
        self._target = target
        self._classes = tuple(classes)
        self._written: list[Written] = []
        self._foreseen: dict[Window, Any] = {}  # CRCs of what is not yet written
        self._cell_area_m2 = grid.cell_area_m2() if classes else None  # (rows,)
        self._area_m2 = np.zeros(256)
        self._open = True
        self._factors = _overview_factors(grid)
        # GDAL forgets a codec's level when it opens a file, and then compresses at ten times the
        # cost: where there is a level, it has to fill the overviews as it makes them.
        self._gdal_fills = compress in LEVELS
        self._cog = cog_compression(compress, dtype, bits) if cog else None
        # GDAL keeps bands apart that were where nothing is compressed, and makes no COG of them.
        interleave = "pixel" if cog and compress == "none" else "band"
        # What GDAL says from 3.11 on of numbers of 32 bits that are kept in 16.
        self._narrow = "float16" if bits == 16 and dtype == "float32" else None
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
                blockxsize=BLOCK,
                blockysize=BLOCK,
                interleave=interleave,
                photometric="minisblack",  # or GDAL takes three bands of bytes for a picture
                sparse_ok=True,
                bigtiff="IF_SAFER",
                **({"nbits": bits} if bits else {}),
                **compression_options(compress, dtype, bits),
                **self._profile,
            )
        except GDAL_ERRORS as error:
            raise FileError(f"{target} could not be created: {error}.") from None
        self._plain: PlainCells | None = None
        try:
            self._describe(units)
            if scale != 1:
                self._dataset.scales = (scale,) * len(self.bands)
            if compress == "none" and not bits and not cog and can_write_plain():
                self._dataset.close()
                self._plain = PlainCells(
                    temporary, grid.shape, len(self.bands), dtype, nodata, len(self._factors)
                )
            elif not self._gdal_fills:
                self._build_overviews(self._dataset)  # empty, and filled while it is read back
        except GDAL_ERRORS as error:
            raise FileError(f"{target} could not be created: {error}.") from None

    def _describe(self, units: Sequence[str]) -> None:
        dataset = self._dataset
        for number, name in enumerate(self.bands, start=1):
            dataset.set_band_description(number, name)
        for number, unit in enumerate(units, start=1):
            dataset.set_band_unit(number, unit)
        dataset.update_tags(TIFFTAG_SOFTWARE="geotools", **_tags(self.tags))
        if self._classes:
            colors = {0: (0, 0, 0, 0), **{info.code: (*info.rgb, 255) for info in self._classes}}
            dataset.write_colormap(1, colors)
            dataset.colorinterp = [ColorInterp.palette, *dataset.colorinterp[1:]]

    def tag(self, tags: Mapping[str, str]) -> None:
        """Adds provenance, as `GEOTOOLS_*` metadata, before the file is complete."""
        self.tags |= tags

    def foresee(self, data: NDArray[Any], window: Window) -> None:
        """Takes the CRC-32 of what will be written; see `geotools.raster.foresee`."""
        self._foreseen[window] = self._crcs(data, window)

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
        crcs = self._foreseen.pop(window, None)
        crcs = self._crcs(data, window) if crcs is None else crcs
        try:
            if self._plain is not None:
                self._plain.write(data, window, crcs)
            else:
                self._dataset.write(np.ascontiguousarray(data), window=rasterio_window(window))
                self._written.append((window, crcs))
        except GDAL_ERRORS as error:
            raise FileError(f"{self._target} could not be written: {error}.") from None
        self.is_empty = False
        if self._cell_area_m2 is not None:
            self._measure(data[0], self._cell_area_m2[window.row_off : window.row_stop])

    def _crcs(self, data: NDArray[Any], window: Window) -> Any:
        """What tells these cells from others once they are read back."""
        if self._plain is not None:
            return self._plain.crcs(data, window)
        return crc32(np.ascontiguousarray(data))

    def _measure(self, codes: NDArray[np.uint8], area: NDArray[np.float64]) -> None:
        """Adds the area of each class, from the area of a cell of every row."""
        if np.all(area == area[0]):
            for info in self._classes:
                self._area_m2[info.code] += area[0] * np.count_nonzero(codes == info.code)
        else:
            counts = np.stack([np.bincount(row, minlength=256) for row in codes])  # (rows, 256)
            self._area_m2 += area @ counts

    def area_m2(self) -> dict[int, float]:
        """Area in square metres by class code, of what has been written."""
        return {info.code: float(self._area_m2[info.code]) for info in self._classes}

    def complete(self) -> None:
        """Closes the file and reads it back; then it can be read at `path`.

        Raises:
            FileError: the disk refuses, or the file does not hold what was written.
        """
        if not self._open:
            return
        self._open = False
        broken = FileError(
            f"{self._target} does not hold what was written, so it was not kept: free some space "
            "on the disk and try again."
        )
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):
            try:
                self._close()
            except GDAL_ERRORS as error:
                raise FileError(f"{self._target} could not be written: {error}.") from None
            try:
                if not self._holds_what_was_written():
                    raise broken
            except GDAL_ERRORS:
                raise broken from None
        if self._cog is not None:
            self._become_cog(self._cog, broken)
        self.when_complete()

    def abandon(self) -> None:
        """Closes the file as it is."""
        with suppress(*GDAL_ERRORS):
            self._dataset.close()
        if self._plain is not None:
            with suppress(*GDAL_ERRORS):
                self._plain.close()

    def _close(self) -> None:
        """Closes the file with all that it says of itself; its overviews are there."""
        if self._plain is not None:
            self._plain.close()
            if self.tags:
                with rasterio.open(self.path, "r+", driver="GTiff") as dataset:
                    dataset.update_tags(**_tags(self.tags))
            self._plain.place()
            return
        self._dataset.update_tags(**_tags(self.tags))
        self._dataset.close()
        if self._gdal_fills:
            with rasterio.open(self.path, "r+", driver="GTiff") as dataset:
                self._build_overviews(dataset)

    def _holds_what_was_written(self) -> bool:
        """True when the closed file is as it should be; its overviews are filled on the way."""
        if not self._is_as_described():
            return False
        if self._plain is not None:
            same = self._plain.read_back(THREADS)
            self.crc32 = f"{self._plain.crc32():08x}" if same else None
            self._plain.close()
        else:
            same = read_back(
                self.path,
                self._written,
                len(self._factors),
                dtype=self._profile["dtype"],
                fill=not self._gdal_fills,
                threads=THREADS,
            )
        return same and self._is_as_described()  # still, with its overviews

    def _become_cog(self, options: Mapping[str, Any], broken: FileError) -> None:
        """Puts a COG of the same cells in the place of the complete file."""
        copy = temporary_beside(self._target)
        room = max(_CACHE_BYTES, cache_bytes(len(self.bands), self._profile["dtype"]))
        try:
            with rasterio.Env(GDAL_CACHEMAX=room):
                try:
                    copy_as_cog(self.path, copy, options)
                except GDAL_ERRORS as error:
                    raise FileError(f"{self._target} could not be written: {error}.") from None
                try:
                    dtype = self._profile["dtype"]
                    same = read_back(
                        copy, self._written, 0, dtype=dtype, fill=False, threads=THREADS
                    )
                    if not (same and same_overviews(self.path, copy, len(self._factors))):
                        raise broken
                    os.replace(copy, self.path)
                    if not (is_cog(self.path) and self._is_as_described()):
                        raise broken
                except GDAL_ERRORS:
                    raise broken from None
        finally:
            with suppress(OSError):
                copy.unlink()

    def _build_overviews(self, dataset: Any) -> None:
        """Adds overviews, at the speed of the file's own blocks; empty ones where it is empty."""
        if not self._factors:
            return
        options: dict[str, Any] = {f"{key}_OVERVIEW": level for key, level in LEVELS.values()}
        with rasterio.Env(
            SPARSE_OK_OVERVIEW=True,
            PREDICTOR_OVERVIEW=predictor_of(self._profile["dtype"]),
            GDAL_TIFF_OVRBLOCKSIZE=BLOCK,
            GDAL_NUM_THREADS=THREADS,
            **options,
        ):
            dataset.build_overviews(self._factors, Resampling.nearest)

    def _is_as_described(self) -> bool:
        """True when the closed file has the place, bands and overviews that it should have."""
        with rasterio.open(self.path, driver="GTiff", sharing=False) as dataset:
            return bool(
                dataset.count == self._profile["count"]
                and dataset.dtypes[0] in (self._profile["dtype"], self._narrow)
                and dataset.shape == self.grid.shape
                and dataset.transform.almost_equals(self.grid.transform)
                and _same_value(dataset.nodata, self._profile["nodata"])
                and dataset.overviews(1) == self._factors
                and _tags(self.tags).keys() <= dataset.tags().keys()
                and (self._plain is None or self._plain.is_placed(dataset))
            )


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Provenance under the names that it has in the file, as far as there is any."""
    return {f"GEOTOOLS_{key.upper()}": value for key, value in tags.items() if value.strip()}


def _overview_factors(grid: Grid) -> list[int]:
    """2, 4, 8, … until the smallest overview is one block."""
    longest, factors = max(grid.shape), [2]
    while longest > BLOCK * factors[-1]:
        factors.append(factors[-1] * 2)
    return factors if longest > BLOCK else []


def _same_value(first: float | None, second: float | None) -> bool:
    return first == second or (first is not None and second is not None and first != first)
