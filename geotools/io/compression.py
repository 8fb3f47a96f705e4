"""How the cells of our GeoTIFFs are compressed: codecs, levels, predictors, as GDAL's options."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.io.cog import cog_options

__all__ = [
    "COMPRESSIONS",
    "LEVELS",
    "THREADS",
    "cog_compression",
    "compression_options",
    "predictor_of",
]

COMPRESSIONS = ("zstd", "deflate", "lzw", "none")
"""Compressions that every current GDAL reads."""

LEVELS = {
    "zstd": ("ZSTD_LEVEL", 1),  # 5 times the speed of level 9 at the same size on DEMs
    "deflate": ("ZLEVEL", 1),  # 10 times the speed of level 6 on classes, 13 % larger
}
"""GDAL's option and the fastest level of the codecs that have levels."""

THREADS = 2
"""Threads that compress, and that read a finished file back."""


def compression_options(compress: str, dtype: str, bits: int | None) -> dict[str, Any]:
    """GDAL's creation options: a predictor for floats, and the fastest level of each codec.

    Args:
        compress: one of COMPRESSIONS.
        dtype: numpy name of the cells' type.
        bits: of a cell, where fewer are kept than the type has.
    """
    if compress == "none":
        return {}
    # GDAL compresses in threads; its silence about their errors is why files are read back.
    options: dict[str, Any] = {
        "compress": compress,
        "predictor": 1 if bits else predictor_of(dtype),
        "num_threads": THREADS,
    }
    if compress in LEVELS:
        key, level = LEVELS[compress]
        options[key] = level
    return options


def cog_compression(compress: str, dtype: str, bits: int | None) -> dict[str, Any]:
    """Options of GDAL's COG driver for the same compression; see `compression_options`."""
    _, level = LEVELS.get(compress, ("", None))
    predictor = 1 if bits else predictor_of(dtype)
    return cog_options(compress, level=level, predictor=predictor, bits=bits, threads=THREADS)


def predictor_of(dtype: str) -> int:
    """GDAL's number of what makes such cells easier to compress."""
    return 3 if np.dtype(dtype).kind == "f" else 1
