"""copy_as_cog: a finished GeoTIFF once more, laid out for reading parts of it over a network.

A COG has its directories first and its overviews before its cells, which a file that is written by
windows cannot have. GDAL's COG driver copies; whether it did is for `geotools.io.writer` to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
import rasterio.shutil

from geotools.io.blocks import BLOCK

__all__ = ["cache_bytes", "cog_options", "copy_as_cog", "is_cog", "same_overviews"]

_CACHE_BLOCKS = 4
"""Blocks of all bands in GDAL's cache: it gathers the bands of a block there, in two files."""

_EXTRA_SAMPLES = 338
"""Tag of a TIFF: what bands are that have no colour."""

_PREDICTORS = {1: "NO", 3: "FLOATING_POINT"}
"""What the COG driver calls GDAL's numbers of predictors."""


def cog_options(
    compress: str, *, level: int | None, predictor: int, bits: int | None, threads: int
) -> dict[str, Any]:
    """Options of GDAL's COG driver for cells that are stored as in the file that is copied.

    Args:
        compress: one of `geotools.io.compression.COMPRESSIONS`.
        level: of the codec, where it has levels.
        predictor: GDAL's number.
        bits: 16 for float32 cells that are stored as halves.
        threads: that compress.
    """
    options: dict[str, Any] = {
        "compress": compress,
        "blocksize": BLOCK,
        "overviews": "FORCE_USE_EXISTING",
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
        "num_threads": threads,
    }
    if compress != "none":
        options |= dict.fromkeys(("predictor", "overview_predictor"), _PREDICTORS[predictor])
    if level is not None:
        options["level"] = level
    if bits is not None:
        options["nbits"] = bits
    return options


def cache_bytes(bands: int, dtype: str) -> int:
    """What GDAL's cache has to hold so that no block is compressed, or decoded, twice."""
    return _CACHE_BLOCKS * BLOCK * BLOCK * bands * np.dtype(dtype).itemsize


def copy_as_cog(path: Path, copy: Path, options: Mapping[str, Any]) -> None:
    """Writes the closed GeoTIFF `path`, its overviews and all that it says of itself, to `copy`.

    Raises:
        rasterio's errors: the disk refuses; GDAL does not tell of every refusal.
    """
    # Where GDAL cannot keep something in a TIFF it writes a file beside it, which is not asked.
    with rasterio.Env(GDAL_PAM_ENABLED=False):
        rasterio.shutil.copy(path, copy, driver="COG", **options)
    _tell_no_alpha(copy)


def is_cog(path: Path) -> bool:
    """True when the file says that it is laid out as a COG, and nobody has changed it since."""
    with rasterio.open(path, driver="GTiff", sharing=False) as dataset:
        return bool(dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG")


def same_overviews(first: Path, second: Path, levels: int) -> bool:
    """True when the overviews of two GeoTIFFs of one grid have the same cells, bit for bit.

    Raises:
        rasterio's errors: a file cannot be read.
    """
    for level in range(levels):
        with (
            rasterio.open(first, driver="GTiff", sharing=False, OVERVIEW_LEVEL=level) as one,
            rasterio.open(second, driver="GTiff", sharing=False, OVERVIEW_LEVEL=level) as other,
        ):
            if one.shape != other.shape:
                return False
            for _, window in one.block_windows(1):
                mine, its = one.read(window=window), other.read(window=window)
                if not np.array_equal(mine.view(np.uint8), its.view(np.uint8)):  # NaN is itself
                    return False
    return True


def _tell_no_alpha(path: Path) -> None:
    """Says of the second of two bands that it is one of values.

    GDAL declares it to be opacity where the first has a colour table, whatever it was before.

    Raises:
        OSError: the disk refuses.
        ValueError: the file is no TIFF.
    """
    with open(path, "r+b") as file:
        head = file.read(8)
        order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"

        def number(place: int, size: int) -> int:
            file.seek(place)
            data = file.read(size)
            if len(data) < size:
                raise ValueError("the file ends too early")
            return int.from_bytes(data, order)

        is_big = int.from_bytes(head[2:4], order) == 43
        first, word, count_size = (8, 8, 8) if is_big else (4, 4, 2)
        place = number(first, word)
        while place:
            count = number(place, count_size)
            place += count_size
            for _ in range(count):
                if number(place, 2) == _EXTRA_SAMPLES and number(place + 4, word) == 1:
                    file.seek(place + 4 + word)
                    file.write(b"\0\0")  # a SHORT that lies in the entry: unspecified
                place += 4 + 2 * word
            place = number(place, word)
