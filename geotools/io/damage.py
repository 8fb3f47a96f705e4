"""What of a file cannot be read: blocks of a raster, pages of a GeoPackage; nothing is changed.

Bytes that were changed into others that read as well are found by the record alone (`records`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.io import DatasetReader

from geotools.errors import FileError
from geotools.grid import Window
from geotools.io.gate import GDAL_ERRORS, check_layout, local_raster, open_dataset, reason
from geotools.io.layers import check_geopackage
from geotools.io.placing import numpy_name
from geotools.io.reading_back import rasterio_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Damage", "Reading", "read_all", "read_pages"]

_READ_BYTES = 32 * 2**20
"""Of a band that are read at once while nothing is wrong."""

_TOLD = 20
"""Damaged blocks that are told one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One block that cannot be read."""

    band: int
    """Number of the band, from 1."""
    overview: int
    """0 for the raster itself, otherwise the number of the overview, from 1."""
    window: Window
    """The cells of the block, of the raster or of the overview."""
    reason: str
    """What GDAL said."""

    def __str__(self) -> str:
        window = self.window
        where = f"overview {self.overview}, " if self.overview else ""
        return (
            f"{where}band {self.band}, columns {window.col_off} to {window.col_stop}, rows "
            f"{window.row_off} to {window.row_stop}"
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a raster to its last cell."""

    what: str
    """Its size, in words."""
    count: int
    """Blocks that could not be read."""
    damaged: tuple[Damage, ...]
    """The first of them."""


def read_all(path: str | os.PathLike[str]) -> Reading:
    """What came of reading every cell of a raster, and of its overviews.

    Raises:
        FileError: it cannot be opened as a raster at all.
        RasterError: its blocks are larger than what is read.
    """
    name = os.fspath(path)
    target, drivers = local_raster(name)
    count, damaged = 0, list[Damage]()
    with open_dataset(name, target, drivers) as dataset:
        what = f"{dataset.width:,} x {dataset.height:,} cells of " + (
            "1 band" if dataset.count == 1 else f"{dataset.count} bands"
        )
        levels = len(dataset.overviews(1)) if dataset.driver == "GTiff" else 0
        sizes = [np.dtype(numpy_name(dtype)).itemsize for dtype in dataset.dtypes]
        check_layout(name, dataset.block_shapes, max(sizes), dataset.count)
        for found in _unreadable(dataset, 0):
            count += 1
            damaged += [found] if len(damaged) < _TOLD else []
    for level in range(levels):
        try:
            overview = DatasetReader(target, driver=["GTiff"], sharing=False, OVERVIEW_LEVEL=level)
        except GDAL_ERRORS as error:
            raise FileError(
                f"overview {level + 1} of {name} cannot be opened ({reason(error)})"
            ) from None
        with overview:
            for found in _unreadable(overview, level + 1):
                count += 1
                damaged += [found] if len(damaged) < _TOLD else []
    return Reading(what, count, tuple(damaged))


def _unreadable(dataset: Any, overview: int) -> Iterator[Damage]:
    """The blocks of one level that cannot be read; many are read at once until one fails."""
    for band, (rows, cols) in enumerate(dataset.block_shapes, start=1):
        itemsize = np.dtype(numpy_name(dataset.dtypes[band - 1])).itemsize
        blocks = max(1, _READ_BYTES // (rows * cols * itemsize))
        across = min(blocks, -(-dataset.width // cols))
        down = max(1, blocks // across)
        room: dict[tuple[int, int], NDArray[Any]] = {}
        for window in _windows(
            Window(0, 0, dataset.width, dataset.height), rows * down, cols * across
        ):
            if _error(dataset, band, window, room) is None:
                continue
            for block in _windows(window, rows, cols):
                error = _error(dataset, band, block, room)
                if error is not None:
                    yield Damage(band, overview, block, error)


def _windows(whole: Window, rows: int, cols: int) -> Iterator[Window]:
    """Pieces of so many rows and columns, from the first corner on."""
    for row in range(whole.row_off, whole.row_stop, rows):
        for col in range(whole.col_off, whole.col_stop, cols):
            yield Window(col, row, min(cols, whole.col_stop - col), min(rows, whole.row_stop - row))


def _error(
    dataset: Any, band: int, window: Window, room: dict[tuple[int, int], NDArray[Any]]
) -> str | None:
    """What GDAL says against reading the window; None: it can be read."""
    dtype = numpy_name(dataset.dtypes[band - 1])
    cells = room.setdefault(window.shape, np.empty(window.shape, dtype))
    try:
        dataset.read(band, window=rasterio_window(window), out=cells)
    except GDAL_ERRORS as error:
        return reason(error)
    return None


def read_pages(path: str | os.PathLike[str]) -> str:
    """What SQLite finds wrong with a GeoPackage whose pages it has all read; empty: nothing.

    Raises:
        FileError: it is no GeoPackage, or in use by another program.
    """
    file = Path(path)
    for ending in ("-wal", "-journal"):
        if Path(f"{file}{ending}").exists():
            raise FileError(
                f"{file} is open in another program, or was left unfinished by one (there is a "
                f"{file.name}{ending}): close it there, then try again."
            )
    check_geopackage(file)
    # Immutable: a file that was left in WAL mode would get new files beside it.
    address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            answer = [str(row[0]) for row in database.execute("PRAGMA integrity_check(1)")]
    except sqlite3.Error as error:
        return str(error).rstrip(".")
    return "" if answer == ["ok"] else " ".join(answer[0].split())
