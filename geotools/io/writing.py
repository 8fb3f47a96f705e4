"""create_geotiff: a tiled, compressed GeoTIFF, written by windows and read back before it exists.

Every written window is checksummed; after closing, the file is opened again and every window
compared, because GDAL's errors at close do not reach rasterio. Overviews are internal and take
the nearest cell, which keeps classes classes and angles angles.
"""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.windows
from rasterio.enums import ColorInterp, Resampling

from geotools.errors import FileError, RasterError
from geotools.grid import Grid, Window
from geotools.io.atomic import check_output, write_atomic
from geotools.io.gate import GDAL_ERRORS
from geotools.io.legend import aux_xml, class_qml, ramp_qml
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COMPRESSIONS", "GeotiffWriter", "create_geotiff", "create_scratch", "write_texts"]

COMPRESSIONS = ("zstd", "deflate", "lzw", "none")
"""Compressions that every current GDAL reads."""

_BLOCK = 512
"""Cells on a side of a block in the file."""


@contextmanager
def create_geotiff(
    path: str | os.PathLike[str],
    grid: Grid,
    *,
    bands: Sequence[str],
    dtype: str,
    nodata: float | None,
    units: Sequence[str] = (),
    classes: Sequence[ClassInfo] = (),
    gray: tuple[float, float] | None = None,
    tags: Mapping[str, str] | None = None,
    compress: str = "deflate",
    overwrite: bool = False,
) -> Iterator[GeotiffWriter]:
    """A `Sink` whose file appears under `path` when the `with` block ends without an error.

    Beside a raster with `classes` appear `.aux.xml` (names, attribute table with the area per
    class) and `.qml` (QGIS's style); beside one with `gray`, a `.qml` alone.

    Args:
        path: the GeoTIFF.
        grid: where its cells are.
        bands: name of each band.
        dtype: numpy name of the cells' type.
        nodata: value of invalid cells, declared in the file; cells never written get it.
        units: unit of each band.
        classes: classes of band 1, for a colour table and names.
        gray: lowest and highest value to draw, when there are no classes.
        tags: provenance, as `GEOTOOLS_*` metadata of the file.
        compress: one of COMPRESSIONS.
        overwrite: replace an existing file.

    Raises:
        FileError: the output cannot be written, or does not hold what was written.
        RasterError: an unknown compression.
    """
    if compress not in COMPRESSIONS:
        raise RasterError(
            f"Compression {compress!r} is not known: use one of {', '.join(COMPRESSIONS)}."
        )
    target = check_output(path, overwrite=overwrite)
    with write_atomic(target, overwrite=overwrite) as temporary:
        writer = GeotiffWriter(
            temporary,
            target,
            grid,
            bands,
            dtype,
            nodata,
            units,
            classes,
            dict(tags or {}),
            compress,
        )
        writer.gray = gray
        try:
            yield writer
            writer.complete()
        except BaseException:
            writer.abandon()
            raise
        sidecars: dict[Path, str] = {}
        if classes:
            sidecars[Path(f"{target}.aux.xml")] = aux_xml(classes, writer.area_m2())
            sidecars[target.with_suffix(".qml")] = class_qml(classes)
        elif writer.gray is not None:
            sidecars[target.with_suffix(".qml")] = ramp_qml(*writer.gray)
        write_texts(sidecars)
        for ending in (".aux.xml", ".ovr", ".msk"):  # they belonged to the file that was replaced
            if (stale := Path(f"{target}{ending}")) not in sidecars:
                stale.unlink(missing_ok=True)


@contextmanager
def create_scratch(
    beside: str | os.PathLike[str], grid: Grid, *, bands: Sequence[str], dtype: str, nodata: float
) -> Iterator[GeotiffWriter]:
    """A `Sink` for intermediate results, in a file beside an output, gone after the `with` block.

    Raises:
        FileError: the disk refuses.
    """
    target = Path(beside)
    scratch = target.with_name(f".{target.stem[:100]}.{secrets.token_hex(6)}.scratch.tif")
    writer = GeotiffWriter(scratch, scratch, grid, bands, dtype, nodata, (), (), {}, "zstd")
    try:
        yield writer
    finally:
        writer.abandon()
        scratch.unlink(missing_ok=True)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Writes small text files, replacing what was there; none appears before all are complete.

    Raises:
        FileError: one cannot be written, or does not hold what was written.
    """
    with ExitStack() as outputs:
        for path, text in texts.items():
            part = outputs.enter_context(write_atomic(path, overwrite=True))
            part.write_text(text, encoding="utf-8", newline="\n")
            if part.read_text(encoding="utf-8") != text:
                raise FileError(f"{path} does not hold what was written: is the disk full?")


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
        dataset.update_tags(
            TIFFTAG_SOFTWARE="geotools",
            **{f"GEOTOOLS_{key.upper()}": value for key, value in tags.items()},
        )
        if self._classes:
            colors = {0: (0, 0, 0, 0), **{info.code: (*info.rgb, 255) for info in self._classes}}
            dataset.write_colormap(1, colors)
            dataset.colorinterp = [ColorInterp.palette, *dataset.colorinterp[1:]]

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
                    rasterio.Env(SPARSE_OK_OVERVIEW=True),
                    rasterio.open(self.path, "r+", driver="GTiff") as dataset,
                ):
                    dataset.build_overviews(factors, Resampling.nearest)
        except GDAL_ERRORS as error:
            raise FileError(f"{self._target} could not be written: {error}.") from None
        self._verify()

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
                for window, checksum in self._checksums:
                    if zlib.crc32(dataset.read(window=_rasterio(window))) != checksum:
                        raise broken
                factors = dataset.overviews(1)
            for level, factor in enumerate(factors):
                self._read_overview(level, factor)
        except FileError:
            raise
        except GDAL_ERRORS:
            raise broken from None

    def _read_overview(self, level: int, factor: int) -> None:
        """Reads what an overview holds of the written windows, for the errors this would raise."""
        with rasterio.open(self.path, driver="GTiff", OVERVIEW_LEVEL=level) as dataset:
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
    options: dict[str, Any] = {"compress": compress, "predictor": 3 if floating else 1}
    if compress == "zstd":
        options["zstd_level"] = 1  # 5 times the speed of level 9 at the same size on DEMs
    if compress == "deflate":
        options["zlevel"] = 1 if floating else 6
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
