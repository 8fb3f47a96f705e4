"""create_geotiff: a tiled, compressed GeoTIFF, written by windows and read back before it exists.

Overviews are internal and take the nearest cell, which keeps classes classes and angles angles.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import FileError, RasterError
from geotools.grid import Grid
from geotools.io.atomic import check_output, write_atomic
from geotools.io.compression import COMPRESSIONS
from geotools.io.legend import aux_xml, class_qml, ramp_qml
from geotools.io.records import Recorder, check_record, made_from
from geotools.io.writer import GeotiffWriter

if TYPE_CHECKING:
    from geotools.spec import ClassInfo

__all__ = ["COMPRESSIONS", "GeotiffWriter", "create_geotiff"]


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
    style: str | None = None,
    tags: Mapping[str, str] | None = None,
    compress: str = "deflate",
    method: str = "",
    scale: float = 1.0,
    bits: int | None = None,
    cog: bool = False,
    overwrite: bool = False,
) -> Iterator[GeotiffWriter]:
    """A `Sink` whose file appears under `path` when the `with` block ends without an error.

    All files of the output are complete before the first gets its name.
    Beside a raster with `classes` appear `.aux.xml` (names, attribute table with the area per
    class) and `.qml` (QGIS's style); beside one with `gray` or `style`, a `.qml` alone. Beside
    every one appears its record (`.tif.json`), by which `geotools.verify` tells it from others.

    Args:
        path: the GeoTIFF.
        grid: where its cells are.
        bands: name of each band.
        dtype: numpy name of the cells' type.
        nodata: value of invalid cells, declared in the file; cells never written get it.
        units: unit of each band.
        classes: classes of band 1, for a colour table and names.
        gray: lowest and highest value to draw, when there are no classes.
        style: QGIS's QML, instead of grey values.
        tags: provenance, as `GEOTOOLS_*` metadata of the file.
        compress: one of COMPRESSIONS.
        method: what made it, for the record, where no tag says so.
        scale: what a cell is multiplied by to give the quantity, declared in the file.
        bits: 16 stores float32 cells as halves; they must be such already.
        cog: lay it out as a cloud-optimised GeoTIFF, which takes the room of two meanwhile.
        overwrite: replace an existing file.

    Raises:
        FileError: the output cannot be written, or does not hold what was written.
        RasterError: an unknown compression, or a nodata value that the dtype cannot hold.
    """
    if compress not in COMPRESSIONS:
        raise RasterError(
            f"Compression {compress!r} is not known: use one of {', '.join(COMPRESSIONS)}."
        )
    _check_nodata(nodata, dtype)
    target = check_output(path, overwrite=overwrite)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise FileError(f"{target} is no name of a GeoTIFF: give one that ends in .tif.")
    legend, qml = Path(f"{target}.aux.xml"), target.with_suffix(".qml")
    beside = [legend, qml] if classes else [qml] if gray is not None or style else []
    for path_beside in beside:
        check_output(path_beside, overwrite=overwrite)
    check_record(target, overwrite=overwrite)
    with ExitStack() as outputs:
        record = outputs.enter_context(Recorder(target))
        temporary = outputs.enter_context(write_atomic(target, overwrite=overwrite))
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
            scale,
            bits,
            cog,
        )
        writer.gray = gray

        def write_beside() -> None:
            texts: dict[Path, str] = {}
            if classes:
                texts[legend] = aux_xml(classes, writer.area_m2())
                texts[qml] = class_qml(classes)
            elif style is not None:
                texts[qml] = style
            elif writer.gray is not None:
                texts[qml] = ramp_qml(*writer.gray)
            for file, text in texts.items():
                outputs.enter_context(_text(file, text, overwrite=overwrite))
            made = made_from(writer.tags, method=method, bands=writer.bands)
            record.write(temporary, made=made, crc32=writer.crc32)

        writer.when_complete = write_beside
        try:
            yield writer
            writer.complete()
        except BaseException:
            writer.abandon()
            raise
        record.put_aside()
    for ending in (".aux.xml", ".ovr", ".msk"):  # they belonged to the file that was replaced
        if not (classes and ending == ".aux.xml"):
            Path(f"{target}{ending}").unlink(missing_ok=True)


def _check_nodata(nodata: float | None, dtype: str) -> None:
    """Refuses a value that no cell could have."""
    if nodata is None or np.dtype(dtype).kind not in "iu":
        return
    limits = np.iinfo(dtype)
    if not (limits.min <= nodata <= limits.max and nodata == int(nodata)):
        raise RasterError(
            f"The nodata value {nodata:g} cannot be stored as {dtype}: give a whole number from "
            f"{limits.min} to {limits.max}, or None."
        )


@contextmanager
def _text(path: Path, text: str, *, overwrite: bool) -> Iterator[None]:
    """A small text file that is complete on entering, and gets its name on leaving."""
    with write_atomic(path, overwrite=overwrite) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
        if part.read_text(encoding="utf-8") != text:
            raise FileError(f"{path} does not hold what was written: is the disk full?")
        yield
