"""Parts: pieces of a raster on the disk, each complete under its name or not there.

A part is a small GeoTIFF that is made in memory; the CRC-32 of its bytes is in its name, so that
what a crash has torn is told from what is whole without syncing every file.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.io import MemoryFile

from geotools.errors import FileError
from geotools.grid import Grid, Window
from geotools.io.crc import crc32
from geotools.io.gate import GDAL_ERRORS
from geotools.io.reading_back import rasterio_window
from geotools.raster import Layer, Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PartFile", "PartsSource", "find_parts", "is_part", "write_part"]

_NAME = re.compile(r"(\d+-\d+)\.(\d+)\.([0-9a-f]{8})\.tif")
_ENDING = ".writing"
"""Of files that are being written."""

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class PartFile:
    """A part that lies in a folder."""

    path: Path
    """The file."""
    crc: int
    """CRC-32 of its bytes, as its name says."""

    def content(self) -> bytes:
        """Its bytes.

        Raises:
            FileError: it cannot be read, or is not what was written.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise FileError(f"The part {self.path} cannot be read: {error.strerror}.") from None
        if crc32(content) != self.crc:
            raise FileError(
                f"The part {self.path} is damaged: delete it and run the same command again."
            )
        return content


def write_part(
    folder: Path, unit: str, layer_number: int, cells: NDArray[Any], grid: Grid, layer: Layer
) -> Path:
    """The file of one layer of a unit.

    Args:
        folder: where parts are.
        unit: name of the unit.
        layer_number: which layer, from 0.
        cells: (band, row, col).
        grid: where they are.
        layer: what they are.

    Raises:
        FileError: the disk refuses.
    """
    content = _encoded(cells, grid, layer)
    path = folder / f"{unit}.{layer_number}.{crc32(content):08x}.tif"
    temporary = folder / f"{unit}.{layer_number}.{secrets.token_hex(4)}{_ENDING}"
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise FileError(
                f"{path} could not be written ({error.strerror}): free some space on the disk, "
                "then run the same command again."
            ) from None
        raise
    return path


def _encoded(cells: NDArray[Any], grid: Grid, layer: Layer) -> bytes:
    """The bytes of a GeoTIFF; the same for the same cells."""
    options: dict[str, Any] = {"compress": "zstd", "zstd_level": 1}
    if cells.dtype.kind == "f":
        options["predictor"] = 3
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=len(cells), height=grid.height, width=grid.width,
            dtype=layer.dtype, nodata=layer.nodata, crs=grid.crs, transform=grid.transform,
            tiled=True, blockxsize=_BLOCK, blockysize=_BLOCK, interleave="band", **options,
        ) as dataset:  # fmt: skip
            dataset.write(cells)
        return bytes(memory.getbuffer())


def is_part(name: str) -> bool:
    """True for the file names of parts, complete or being written."""
    return name.endswith(_ENDING) or _NAME.fullmatch(name) is not None


def find_parts(
    folder: Path, layers: int, *, check: Collection[str] = ()
) -> dict[str, tuple[PartFile, ...]]:
    """The units of a folder that have all their parts, by name; a part for each layer.

    Args:
        folder: where parts are.
        layers: how many parts a unit has.
        check: units that nobody else is at: their parts are read and compared with their names;
            what is torn, and what was being written when a run was killed, is removed.

    Raises:
        FileError: the folder cannot be read.
    """
    found: dict[str, dict[int, list[PartFile]]] = {}
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = Path(entry.path)
            named = _NAME.fullmatch(entry.name)
            ours = entry.name.partition(".")[0] in check
            if named is None:
                if ours and entry.name.endswith(_ENDING):
                    path.unlink(missing_ok=True)
                continue
            if not entry.is_file(follow_symlinks=False):
                continue
            part = PartFile(path, int(named[3], 16))
            if ours and not _is_whole(part):
                path.unlink(missing_ok=True)
                continue
            found.setdefault(named[1], {}).setdefault(int(named[2]), []).append(part)
        wanted = set(range(layers))
        whole = {}
        for unit, parts in found.items():
            # Layers of one unit come from one attempt: what is half there, or there twice with
            # other bytes (as from another device), is no unit.
            if set(parts) == wanted and all(len(files) == 1 for files in parts.values()):
                whole[unit] = tuple(parts[number][0] for number in range(layers))
            elif unit in check:
                for files in parts.values():
                    for part in files:
                        part.path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    return whole


def _is_whole(part: PartFile) -> bool:
    try:
        part.content()
    except FileError:
        return False
    return True


class PartsSource:
    """The parts of one layer as a raster."""

    def __init__(self, grid: Grid, layer: Layer, parts: Mapping[Window, PartFile]) -> None:
        """
        Args:
            grid: of the whole.
            layer: what it holds.
            parts: by their windows in the whole, which do not overlap; elsewhere nothing is known.
        """
        self.grid = grid
        """Where the cells are."""
        self.bands = layer.bands
        """Name of each band."""
        self.layer = layer
        """What it holds."""
        self._bands_of_parts: dict[tuple[int, int], list[tuple[Window, PartFile]]] = {}
        for window, part in parts.items():
            key = window.row_off, window.row_stop
            self._bands_of_parts.setdefault(key, []).append((window, part))

    def is_absent(self, window: Window) -> bool:
        """True when no part has a cell of `window`."""
        return not any(True for _ in self._meeting(window))

    def _meeting(self, window: Window) -> Iterator[tuple[Window, Window, PartFile]]:
        """Place, common cells and file of the parts that have cells of a window."""
        for (first, stop), row in self._bands_of_parts.items():
            if stop <= window.row_off or first >= window.row_stop:
                continue
            for place, part in row:
                common = place.intersection(window)
                if common is not None:
                    yield place, common, part

    def read(self, window: Window) -> Raster:
        """The cells of `window`; nodata and not valid where there is no part.

        Raises:
            FileError: a part is damaged or gone.
        """
        cells = self.layer.empty(window.shape)
        valid = np.zeros(window.shape, np.bool_)
        for place, common, part in self._meeting(window):
            rows, cols = common.slices(window)
            cells[:, rows, cols] = _decoded(part, place, common)
            valid[rows, cols] = True
        return Raster(cells, valid, self.grid.cut(window), self.bands)


def _decoded(part: PartFile, place: Window, wanted: Window) -> NDArray[Any]:
    """(band, row, col) of the wanted cells of a part that lies at `place`."""
    inside = Window(
        wanted.col_off - place.col_off, wanted.row_off - place.row_off, *wanted.shape[::-1]
    )
    content = part.content()
    try:
        with MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
            if dataset.shape != place.shape:
                raise ValueError(dataset.shape)
            cells: NDArray[Any] = dataset.read(window=rasterio_window(inside))
    except (*GDAL_ERRORS, rasterio.errors.RasterioError, ValueError):
        raise FileError(
            f"The part {part.path} is damaged: delete it and run the same command again."
        ) from None
    return cells
