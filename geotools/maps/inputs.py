"""What every map of an elevation model begins with: its options, its checks, its provenance."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geotools.dem import Dem, vertical_unit_m
from geotools.errors import FileError, RasterError
from geotools.hashing import hash_file
from geotools.io.atomic import check_output
from geotools.io.geotiff import RasterFile, open_raster
from geotools.schema import any_number

__all__ = [
    "DemOptions",
    "FilePath",
    "as_text",
    "check_apart",
    "check_paths",
    "elevation",
    "open_dem",
    "provenances",
]

FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class DemOptions:
    """How an elevation model is to be read where its file does not say, or says it wrongly."""

    crs: str | None = None
    """CRS to assume, such as "EPSG:32633"."""
    band: int | None = None
    """Band number from 1."""
    nodata: float | None = field(default=None, metadata=any_number())
    """Value that stands for missing cells."""
    z_factor: float | None = None
    """Metres in one unit of the values; from the vertical CRS or the band's unit when None."""


def open_dem(dem: FilePath, reading: DemOptions) -> RasterFile:
    """The open file of an elevation model.

    Raises:
        FileError: it cannot be opened.
        GridError: it has no CRS or place.
        RasterError: it has a colour table, or lacks the band.
    """
    bands = None if reading.band is None else [reading.band]
    file = open_raster(dem, crs=reading.crs, bands=bands, nodata=reading.nodata)
    if file.has_palette:
        file.close()
        raise RasterError(
            f"{file.name} has a colour table, so its values are classes and not elevations: give "
            "an elevation model."
        )
    return file


def elevation(file: RasterFile, reading: DemOptions) -> Dem:
    """The file as elevation in metres."""
    factor = reading.z_factor
    if factor is None:
        factor = vertical_unit_m(file.grid.crs.wkt, file.units[0])
    return Dem(file, name=file.name, z_factor=factor, says_nodata=file.nodata is not None)


def check_paths(source: FilePath, outputs: Sequence[FilePath], overwrite: bool) -> list[Path]:
    """The outputs, which may be written and are neither the input nor one another."""
    targets = [check_output(output, overwrite=overwrite) for output in outputs]
    origin = Path(os.fspath(source))
    for number, target in enumerate(targets):
        if target.exists() and origin.exists() and target.samefile(origin):
            raise FileError(f"{target} is the input itself: name another output.")
        if target.absolute() in [other.absolute() for other in targets[:number]]:
            raise FileError(f"{target} is named for two outputs: name another for one.")
    return targets


def check_apart(file: RasterFile, outputs: Sequence[Path]) -> None:
    """Nothing, when no output would replace a file that the input is read from.

    Raises:
        FileError: one would.
    """
    for target in outputs:
        for origin in map(Path, file.files):
            if target.exists() and origin.exists() and target.samefile(origin):
                raise FileError(f"{target} belongs to the input {file.name}: name another output.")


@contextmanager
def provenances(rasters: Sequence[FilePath]) -> Iterator[Callable[[], dict[str, str]]]:
    """A function that gives names and SHA-256 of inputs, which are hashed meanwhile.

    Of files as they lie on the disk; of the archive when one is in it. An error or Ctrl-C does not
    wait for what is left to hash.
    """
    stopped = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="geotools-hash") as pool:
        try:
            yield pool.submit(_identify, [Path(raster) for raster in rasters], stopped).result
        finally:
            stopped.set()


def _identify(files: Sequence[Path], stopped: threading.Event) -> dict[str, str]:
    found = {"source": ", ".join(file.name for file in files)}
    sums = []
    for file in files:
        if not file.is_file():
            return found
        try:
            sums.append(hash_file(file, stopped))
        except OSError as error:
            raise FileError(f"{file} cannot be read: {error.strerror}.") from None
    return found | {"source_sha256": ", ".join(sums)}


def as_text(parameters: Mapping[str, Any]) -> str:
    """Parameters as one line of metadata."""
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
