"""Procedures of a full disk: writes to a small file system, and what became of each.

Run over a slice by test_full_disk.py, in full by benchmarks/faults.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pyogrio
import rasterio
import shapely
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import neighbourhood_model

from geotools.errors import GeotoolsError
from geotools.grid import TileScheme
from geotools.io.atomic import write_atomic
from geotools.io.geopackage import write_layer
from geotools.io.records import Recorder, record_path
from geotools.io.writing import create_geotiff
from geotools.maps.predict import map_predictions
from geotools.verification import verify

DISK_BYTES = 3 * 2**20
_PAGE = 4096

LAYOUTS = [
    ("uint8", "none"), ("uint8", "deflate"), ("uint8", "zstd"), ("uint8", "lzw"),
    ("float32", "none"), ("float32", "deflate"), ("float32", "zstd"),
]  # fmt: skip


class RasterCase(NamedTuple):
    """One write of a GeoTIFF that does not compress."""

    dtype: str
    compress: str
    tile: int
    """512, aligned with the blocks of the file, or 500."""
    step: int
    """0 to 8: room for 0.1 to 1.46 times the cells."""


RASTER_CASES = [
    RasterCase(dtype, compress, tile, step)
    for dtype, compress in LAYOUTS
    for tile in (512, 500)
    for step in range(9)
]

LAYER_CASES = [
    (state, kilobytes)
    for state in ("new", "replaced", "beside another layer")
    for kilobytes in (0, 60, 400, 1200, 2300, 2700)
]
"""What is there, and how much of the disk is taken."""


class NoMountError(Exception):
    """A file system cannot be mounted: this needs root, and Linux."""


@contextmanager
def small_disk(folder: Path, size: int = DISK_BYTES) -> Iterator[Path]:
    """The folder as a file system of so many bytes."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        refused = os.geteuid() or subprocess.run(command, capture_output=True).returncode
    except (AttributeError, OSError):  # not on POSIX, or no mount
        refused = True
    if refused:
        raise NoMountError("a small file system can be mounted by root alone, on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def write_raster(disk: Path, case: RasterCase) -> str:
    """What became of a write over an old file: told, right, or what is wrong with it."""
    rng = np.random.default_rng(3)
    side = 1536 if case.dtype == "uint8" else 768
    data = rng.integers(1, 255, (1, side, side)).astype(case.dtype)  # does not compress
    grid = make_grid(side, side)
    before = _leave_old(disk / "a.tif", b"old")
    _fill(disk, int(data.nbytes * (0.1 + 0.17 * case.step)))
    try:
        with create_geotiff(
            disk / "a.tif", grid, bands=["a"], dtype=case.dtype, nodata=None,
            compress=case.compress, overwrite=True,
        ) as writer:  # fmt: skip
            for part in TileScheme(case.tile).tiles(grid):
                writer.write(data[:, *part.write.slices()], part.write)
    except GeotoolsError:
        return _clean(disk, _as_before(disk, before))
    with rasterio.open(disk / "a.tif") as dataset:
        same = np.array_equal(dataset.read(), data)
    found = "right" if same and verify(disk / "a.tif").whole else "silent: wrong pixels"
    return _clean(disk, found if _names(disk) == {"a.tif", "a.tif.json"} else "something is left")


def predict(disk: Path, inputs: Path, step: int, *, probabilities: bool) -> str:
    """The same for a whole prediction, with legend, polygons and probabilities.

    Args:
        disk: the small disk.
        inputs: a folder for what is read.
        step: 0 to 8, from no room to more than enough.
        probabilities: as a second raster.
    """
    dem, model = inputs / "dem.tif", inputs / "model.onnx"
    if not dem.exists():
        noise = np.random.default_rng(0).normal(0, 50, (500, 500)).astype(np.float32)
        write_tif(dem, make_terrain(500, 500) + noise)
        model.write_bytes(neighbourhood_model())
    before = _leave_old(disk / "a.tif", b"old")
    _fill(disk, int(DISK_BYTES * 0.1 * step))
    outputs = {"a.tif", "a.tif.json", "a.tif.aux.xml", "a.qml"}
    if probabilities:
        outputs |= {"a_probabilities.tif", "a_probabilities.tif.json", "a_probabilities.qml"}
    try:
        map_predictions(model, dem, disk / "a.tif", probabilities=probabilities, overwrite=True)
    except GeotoolsError:
        return _clean(disk, _as_before(disk, before))
    whole = all(verify(disk / name).whole for name in outputs if name.endswith(".tif"))
    with rasterio.open(disk / "a.tif") as dataset:
        whole &= bool((dataset.read(1) > 0).all())
    found = "right" if whole else "silent: wrong pixels"
    return _clean(disk, found if _names(disk) == outputs else "something is left")


def write_geopackage(disk: Path, state: str, kilobytes: int) -> str:
    """What became of writing 8,000 features: told, right, or what is wrong."""
    path = disk / "a.gpkg"
    if state != "new":
        write_layer(path, _boxes(3), layer="forms" if state == "replaced" else "mine")
    before = {name: (disk / name).read_bytes() for name in _names(disk)}
    (disk / "ballast").write_bytes(bytes(kilobytes * 1024))
    batches = (_boxes(2000, first) for first in range(0, 8_000, 2000))
    try:
        write_layer(path, batches, layer="forms", overwrite=True, metadata={"a": "b"})
    except GeotoolsError as error:
        told = "\n" not in str(error) and str(disk / "a.gpkg") in str(error)
        return _clean(disk, _as_before(disk, before) if told else "an error that says nothing")
    kept = state == "beside another layer"
    layers = {"forms": 8_000, **({"mine": 3} if kept else {})}
    read = {
        name: len(pyogrio.read_dataframe(path, layer=name))
        for name, _ in pyogrio.list_layers(path)
        if name != "layer_styles"
    }
    right = read == layers and verify(path).whole
    found = "right" if right else "silent: wrong layers"
    return _clean(disk, found if _names(disk) == {"a.gpkg", "a.gpkg.json"} else "something is left")


def _boxes(count: int, first: int = 0) -> geopandas.GeoDataFrame:
    at = np.arange(first, first + count, dtype=float)
    columns = {"class": np.ones(count, np.int32), "name": [f"box {n}" for n in range(count)]}
    return geopandas.GeoDataFrame(columns, geometry=shapely.box(at, 0, at + 1, 1), crs=32633)


def _leave_old(path: Path, content: bytes) -> dict[str, bytes]:
    """An old output with its record."""
    with Recorder(path) as recorder, write_atomic(path) as part:
        part.write_bytes(content)
        recorder.write(part)
    return {file.name: file.read_bytes() for file in (path, record_path(path))}


def _fill(disk: Path, free: int) -> None:
    """Takes all but so many bytes, beside an old file and its record."""
    (disk / "ballast").write_bytes(bytes(max(0, DISK_BYTES - 3 * _PAGE - free)))


def _names(disk: Path) -> set[str]:
    return set(os.listdir(disk)) - {"ballast"}


def _as_before(disk: Path, before: dict[str, bytes]) -> str:
    now = {name: (disk / name).read_bytes() for name in _names(disk)}
    return "told" if now == before else f"told, but there is {sorted(now)}"


def _clean(disk: Path, outcome: str) -> str:
    for file in disk.iterdir():
        file.unlink()
    return outcome
