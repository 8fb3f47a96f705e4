"""What may be opened as a raster: which paths, which formats, which layouts.

Files from others are untrusted: a format is never guessed beyond this list, nothing is fetched
over a network, a VRT may name local files alone, and a block that would not fit in memory is
refused before it is read.
"""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError  # rasterio lets these through, but has no public name
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from geotools.errors import FileError, RasterError

__all__ = [
    "DRIVERS",
    "GDAL_ERRORS",
    "VRT_DRIVERS",
    "archive_of",
    "check_layout",
    "local_raster",
    "no_word_of_missing_places",
    "open_dataset",
    "reason",
]

DRIVERS = (
    "GTiff", "SRTMHGT", "AAIGrid", "GRASSASCIIGrid", "HFA", "AIG", "EHdr", "ENVI", "ERS", "BIL",
    "USGSDEM", "DTED", "SDTS", "GSAG", "GSBG", "GS7BG", "SAGA", "RST", "PCRaster", "ILWIS", "BT",
    "Terragen", "Leveller", "HF2", "NWT_GRD", "GXF", "XYZ", "ZMap", "RRASTER", "R", "PNG", "JPEG",
    "BMP", "GIF", "WEBP", "JP2OpenJPEG", "GPKG", "MBTiles", "netCDF", "HDF5", "HDF5Image", "GRIB",
    "BAG", "PDS", "PDS4", "ISIS2", "ISIS3", "VICAR", "MRF", "NITF", "PCIDSK", "KRO", "MFF", "BYN",
    "ACE2", "SIGDEM", "Zarr", "SGI", "PNM", "TGA", "BIGGIF", "NGSGEOID", "SNODAS", "FIT", "PAux",
)  # fmt: skip
"""GDAL's raster formats that hold pixels in local files; no service, no script, no container."""

VRT_DRIVERS = ("VRT",)

GDAL_ERRORS: tuple[type[BaseException], ...] = (
    RasterioError,
    CPLE_BaseError,
    OSError,
    MemoryError,
    ValueError,
    TypeError,
)
"""What rasterio raises when GDAL fails, or when the file says what cannot be."""

_SUFFIXES = {
    ".tif", ".tiff", ".hgt", ".asc", ".img", ".dem", ".bil", ".flt", ".adf", ".dt0", ".dt1",
    ".dt2", ".grd", ".sdat", ".rst", ".map", ".nc", ".jp2", ".png", ".jpg", ".xyz", ".gpkg",
}  # fmt: skip
"""Endings that a raster inside an archive may have."""

_MAX_BLOCK_BYTES = 256 * 2**20
_MAX_BANDS = 1024

_PICTURES = (".png", ".jpg")


def local_raster(path: str | os.PathLike[str]) -> tuple[str, tuple[str, ...]]:
    """What GDAL is to open for `path`, and the formats it may be.

    A `.zip` stands for the one raster in it; `/vsizip/` paths are taken as they are.

    Raises:
        FileError: no such file, a folder, a remote path, an archive without exactly one raster,
            a VRT that names anything but local rasters.
    """
    name = os.fspath(path)
    if "\0" in name or not name:
        raise FileError(f"{name!r} is not a file name: name a raster.")
    if name.startswith("/vsizip/"):
        if not Path(archive_of(name)).is_file():
            raise FileError(f"{name} does not name a local .zip file: check the path.")
        return name, DRIVERS
    if name.startswith("/vsi") or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name):
        raise FileError(f"{name} is not a local file: download it first and give its path.")
    file = Path(name)
    if file.is_dir() and not _is_grid_folder(file):
        raise FileError(f"{name} is a folder: name one raster in it.")
    if not file.exists():
        raise FileError(f"{name} does not exist: check the path.")
    if not os.access(file, os.R_OK):
        raise FileError(f"{name} cannot be read: check its permissions.")
    if file.is_file() and file.suffix.lower() == ".zip":
        return _in_archive(file), DRIVERS
    if file.is_file() and _starts_as_vrt(file):
        _check_vrt(file)
        return name, VRT_DRIVERS
    return name, DRIVERS


def archive_of(target: str) -> str:
    """The archive in a `/vsizip/` path; other paths as they are."""
    found = re.match(r"/vsizip/\{?(.+?\.(?:zip|kmz))\}?(/|$)", target, re.IGNORECASE)
    return found[1] if found else target


def check_layout(
    name: str, block_shapes: Sequence[tuple[int, int]], itemsize: int, bands: int
) -> None:
    """Nothing, when single blocks of the file fit in memory.

    Raises:
        RasterError: more bands or larger blocks than are read.
    """
    if bands > _MAX_BANDS:
        raise RasterError(f"{name} has {bands} bands: at most {_MAX_BANDS} are read.")
    rows, cols = max(block_shapes, key=lambda shape: shape[0] * shape[1])
    if rows * cols * itemsize > _MAX_BLOCK_BYTES:
        raise RasterError(
            f"{name} is stored in blocks of {rows} x {cols} cells, too large to read one by one: "
            "store it in tiles first (gdal_translate -co TILED=YES)."
        )


def open_dataset(name: str, target: str, drivers: Sequence[str]) -> Any:
    """A GDAL dataset that is one of these formats and nothing else.

    Args:
        name: what messages call it.
        target: what GDAL is to open.
        drivers: as from `local_raster`.

    Raises:
        FileError: GDAL cannot open it, or it holds no bands.
    """
    try:
        # rasterio.open takes a list of formats by its documentation, not by its code (1.4.4).
        with rasterio.Env(), no_word_of_missing_places():
            dataset = DatasetReader(target, driver=list(drivers), sharing=False)
    except GDAL_ERRORS as error:
        raise FileError(
            f"{name} cannot be opened as a raster ({reason(error)}): give a GeoTIFF or another "
            "format that GDAL reads."
        ) from None
    if dataset.count == 0:
        dataset.close()
        raise FileError(
            f"{name} holds no bands, but perhaps subdatasets: convert the one you want with "
            "gdal_translate."
        )
    return dataset


@contextmanager
def no_word_of_missing_places() -> Iterator[None]:
    """Without rasterio's warning of datasets that lie nowhere, such as those it makes in memory.

    Python's filters are one list for all threads, and each that sets it back sets back what it
    found: what is to hold in a pool's threads is set around the pool.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def reason(error: BaseException) -> str:
    """The first line of what GDAL said, without a full stop."""
    cause = error.__cause__ or error
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _is_grid_folder(folder: Path) -> bool:
    """True for an Esri grid, which is a folder."""
    return (folder / "hdr.adf").is_file()


def _in_archive(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [
                entry.filename
                for entry in archive.infolist()
                if Path(entry.filename).suffix.lower() in _SUFFIXES
                and not Path(entry.filename).name.startswith(".")
            ]
            # A picture beside an elevation model is a preview.
            names = [name for name in names if not name.lower().endswith(_PICTURES)] or names
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise FileError(f"{file} is not a readable .zip file ({error}): unpack it first.") from None
    if len(names) != 1:
        found = "no raster" if not names else f"{len(names)} rasters ({', '.join(names[:3])}, …)"
        raise FileError(
            f"{file} holds {found}, needed is one: give /vsizip/{file}/NAME to choose one."
        )
    return f"/vsizip/{{{file.absolute()}}}/{names[0]}"


def _starts_as_vrt(file: Path) -> bool:
    with file.open("rb") as stream:
        return b"<VRTDataset" in stream.read(4096)


def _check_vrt(file: Path) -> None:
    """Refuses what a VRT can do beyond naming local rasters; read as text, never as XML."""
    if file.stat().st_size > 64 * 2**20:
        raise FileError(f"{file} is a VRT of more than 64 MB: build it anew over fewer files.")
    text = file.read_text(encoding="utf-8", errors="replace")
    risky = ("<!DOCTYPE", "<!ENTITY", "PixelFunction", "VRTRawRasterBand", "OpenOptions", "&#")
    for word in risky:
        if word.lower() in text.lower():
            raise FileError(
                f"{file} is a VRT with {word.strip('<!&#') or 'escapes'}, which is not read from "
                "files of others: make it a GeoTIFF with gdal_translate first."
            )
    sources = re.findall(
        r"<Source(?:Filename|Dataset|Band)?\b([^>]*)>([^<]*)</Source(?:Filename|Dataset)", text
    )
    for attributes, source in sources:
        relative = re.search(r"""relativeToVRT\s*=\s*['"]1""", attributes)
        target = file.parent / source if relative else Path(source)
        if source.startswith("/vsi") or ":" in source or not target.is_file():
            raise FileError(f"{file} names {source}, which is not a local file: build it anew.")
        if _starts_as_vrt(target):
            raise FileError(f"{file} names another VRT, {source}: build it over the rasters.")
