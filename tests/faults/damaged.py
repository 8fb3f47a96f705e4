"""Procedures of damage: files that were cut, zeroed or flipped, and whether that is found.

Run by test_damaged.py, and by benchmarks/faults.py.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import rasterio
from conftest import make_grid, make_terrain

from faults.full_disk import LAYOUTS
from geotools.errors import FileError
from geotools.grid import TileScheme
from geotools.io.geotiff import open_raster
from geotools.io.writing import create_geotiff
from geotools.verification import verify

SIDE = 700
_FULL = 1024
"""Cells on a side of outputs: their blocks are full, so that every damage changes something."""

INPUT_LAYOUTS = {
    "strips": {},
    "strips, deflate": {"compress": "deflate", "predictor": 2},
    "tiles": {"tiled": True, "blockxsize": 256, "blockysize": 256},
    "tiles, deflate": {"tiled": True, "compress": "deflate"},
    "tiles, lzw": {"tiled": True, "compress": "lzw", "interleave": "band"},
    "tiles, zstd": {"tiled": True, "compress": "zstd"},
    "COG": {"driver": "COG", "compress": "deflate"},
}
"""GeoTIFFs as others write them, by rasterio's creation options."""

KEPT = (0.999, 0.5, 0.01)
"""Shares of a file that are left when it is cut."""


def cut_input(folder: Path, layout: str, kept: float) -> str:
    """What is said of an input that was cut: named, or what is wrong with it.

    `named` is a FileError of one sentence with the file, and the window where it was opened at all.
    """
    path = folder / "dem.tif"
    rng = np.random.default_rng(1)
    data = np.stack([make_terrain(SIDE, SIDE, seed=seed) for seed in (1, 2)])
    data += rng.normal(0, 1, data.shape).astype(np.float32)
    grid = make_grid(SIDE, SIDE)
    values = np.round(data).astype(np.int16)
    options = {"driver": "GTiff", **INPUT_LAYOUTS[layout]}
    with rasterio.open(
        path, "w", count=2, height=SIDE, width=SIDE, dtype="int16", crs=grid.crs,
        transform=grid.transform, **options,
    ) as dataset:  # fmt: skip
        dataset.write(values)
    os.truncate(path, int(path.stat().st_size * kept))
    try:
        with open_raster(path) as source:
            for tile in TileScheme(256).tiles(source.grid):
                source.read(tile.read)
    except FileError as error:
        text = str(error)
        placed = "columns" in text or "cannot be opened" in text
        one = "\n" not in text and text.startswith(str(path))
        return "named" if placed and one else f"unclear: {text}"
    finally:
        path.unlink()
    return "silent"


def damage_output(folder: Path, dtype: str, compress: str, kind: str) -> str:
    """What `verify` says of a file of ours with 64 KiB zeroed, or one bit flipped, in its middle.

    Returns:
        The state, `whole` when nothing was found; with `, read` when every cell reads all the same.
    """
    path, grid = folder / "a.tif", make_grid(_FULL, _FULL)
    noise = np.random.default_rng(2).integers(1, 255, (1, _FULL, _FULL))
    data = noise.astype(dtype) if dtype == "uint8" else noise.astype(dtype) * np.float32(np.pi)
    with create_geotiff(
        path, grid, bands=["a"], dtype=dtype, nodata=None, compress=compress, overwrite=True
    ) as writer:
        for tile in TileScheme(512).tiles(grid):
            writer.write(data[:, *tile.write.slices()], tile.write)
    if not verify(path).whole:
        return "not whole before"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if kind == "zeroed":
        content[middle - 2**15 : middle + 2**15] = bytes(2**16)
    else:
        content[middle] ^= 1
    path.write_bytes(content)
    found = verify(path)
    silent = found.state == "changed"  # everything reads: only the record tells
    return f"{found.state}, read" if silent else found.state


DAMAGES = [(*layout, kind) for layout in LAYOUTS for kind in ("zeroed", "flipped")]
CUTS = [(layout, kept) for layout in INPUT_LAYOUTS for kept in KEPT]
