"""geotools.io.cog: cloud-optimised GeoTIFFs by create_geotiff."""

import os
import shutil

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_terrain

from geotools.errors import FileError
from geotools.grid import TileScheme, Window
from geotools.io import writer as writer_module
from geotools.io.cog import is_cog
from geotools.io.writing import COMPRESSIONS, create_geotiff
from geotools.spec import ClassInfo
from geotools.verification import verify

CLASSES = (ClassInfo(1, "flat", "#dcdcdc"), ClassInfo(3, "ridge", "#c80000"))
WIDTH, HEIGHT = 1100, 600


def make_cells(dtype, bands):
    cells = np.stack([make_terrain(HEIGHT, WIDTH, seed=seed) / 8 for seed in range(bands)])
    return cells.astype(dtype)


CASES = {
    "classes": (
        np.where(make_cells(np.uint8, 1) % 2, 3, 1).astype(np.uint8),
        {"classes": CLASSES, "nodata": 0},
    ),
    "classes and confidence": (
        np.where(make_cells(np.uint8, 2) % 2, 3, 1).astype(np.uint8),
        {"classes": CLASSES, "nodata": 0, "units": ["", "%"]},
    ),
    "probabilities as halves": (
        make_cells(np.float16, 3).astype(np.float32),
        {"bits": 16, "nodata": float("nan"), "gray": (0, 1)},
    ),
    "probabilities as bytes": (
        make_cells(np.uint8, 4),
        {"scale": 1 / 250, "nodata": 255, "gray": (0, 250)},
    ),
    "values": (
        np.where(make_cells(np.uint8, 2) % 5, make_cells(np.float32, 2), np.float32("nan")),
        {"units": ["m", "degrees"], "nodata": float("nan"), "gray": (0, 1)},
    ),
}


def write(path, data, *, tile=512, **options):
    grid = make_grid(WIDTH, HEIGHT)
    options = {"nodata": None, "tags": {"model": "x 1"}, **options}
    bands = [f"band {number}" for number in range(len(data))]
    with create_geotiff(path, grid, bands=bands, dtype=data.dtype.name, **options) as writer:
        for part in TileScheme(tile).tiles(grid):
            writer.write(data[:, *part.write.slices()], part.write)


def described(path):
    """What a GeoTIFF says of itself and holds, overviews included, but for the layout."""
    with rasterio.open(path) as dataset:
        numbers = dataset.indexes
        body = {
            "crs": dataset.crs, "transform": dataset.transform, "nodata": str(dataset.nodata),
            "names": dataset.descriptions, "units": dataset.units, "scales": dataset.scales,
            "tags": dataset.tags(), "types": dataset.dtypes, "blocks": dataset.block_shapes,
            "colours": dataset.colormap(1) if dataset.colorinterp[0].name == "palette" else None,
            "meanings": dataset.colorinterp, "compression": dataset.compression,
            "bits": [dataset.tags(n, ns="IMAGE_STRUCTURE").get("NBITS") for n in numbers],
            "predictor": dataset.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR"),
            "overviews": [dataset.overviews(number) for number in numbers],
            "band tags": [dataset.tags(number) for number in numbers],
            "cells": dataset.read().tobytes(),
        }  # fmt: skip
        levels = range(len(dataset.overviews(1)))
    for level in levels:
        with rasterio.open(path, OVERVIEW_LEVEL=level) as dataset:
            body[f"overview {level}"] = dataset.read().tobytes()
    return body


@pytest.mark.parametrize(
    ("case", "compress"),
    [*((case, "deflate") for case in CASES), *(("values", one) for one in COMPRESSIONS[::-1])],
)
def test_a_cog_says_and_holds_what_the_plain_file_does(tmp_path, case, compress):
    """Cells, overviews, names, units, scales, tags, colours and the files beside are the same."""
    data, options = CASES[case]
    for name, cog in (("plain", False), ("cog", True)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.tif", data, compress=compress, cog=cog, **options)
    plain, cog = tmp_path / "plain", tmp_path / "cog"
    assert is_cog(cog / "a.tif")
    assert not is_cog(plain / "a.tif")
    expected, found = described(plain / "a.tif"), described(cog / "a.tif")
    assert expected["overviews"][0] == [2, 4]
    assert [key for key in expected if found[key] != expected[key]] == []
    names = sorted(os.listdir(plain))
    assert sorted(os.listdir(cog)) == names
    for name in names:
        if name.endswith((".qml", ".xml")):
            assert (cog / name).read_bytes() == (plain / name).read_bytes()
    assert verify(cog / "a.tif").whole


def test_directories_and_overviews_come_before_the_cells(tmp_path):
    """Who reads from the front finds every directory, the smallest overview, then the raster."""
    write(tmp_path / "a.tif", CASES["values"][0], cog=True)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        first = [
            int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1, ovr=level))
            for level in (1, 0)
        ]
        first.append(int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1)))
        directories = [
            int(dataset.get_tag_item("IFD_OFFSET", "TIFF", bidx=1, ovr=level)) for level in (0, 1)
        ]
    assert first == sorted(first)
    assert max(directories) < first[0]


def test_the_same_cells_give_the_same_bytes(tmp_path):
    """Neither threads nor the order in which tiles are written show."""
    data, options = CASES["values"]
    for name, tile in (("a.tif", 512), ("b.tif", 2048), ("c.tif", 512)):
        write(tmp_path / name, data, tile=tile, cog=True, **options)
    files = [(tmp_path / name).read_bytes() for name in ("a.tif", "b.tif", "c.tif")]
    assert files[0] == files[1] == files[2]


def test_a_sparse_cog_stays_sparse(tmp_path):
    """Blocks that nobody wrote take no room, and are nodata."""
    data = np.ones((1, 512, 512), np.uint8)
    with create_geotiff(
        tmp_path / "a.tif", make_grid(5000, 4000), bands=["a"], dtype="uint8", nodata=0,
        compress="none", cog=True,
    ) as writer:  # fmt: skip
        writer.write(data, Window(1024, 2048, 512, 512))
    assert (tmp_path / "a.tif").stat().st_size < 6 * 512 * 512
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.read(1).sum() == 512 * 512


def test_a_raster_of_one_block_has_no_overviews(tmp_path):
    """A small COG is one directory and its block."""
    with create_geotiff(
        tmp_path / "a.tif", make_grid(60, 50), bands=["a"], dtype="uint8", nodata=0, cog=True
    ) as writer:
        writer.write(np.ones((1, 50, 60), np.uint8), Window(0, 0, 60, 50))
    assert is_cog(tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.overviews(1) == []
        assert (dataset.read() == 1).all()


def _zeros(path, copy, options):
    """A copy with 64 bytes of its cells lost."""
    COPY(path, copy, options)
    with open(copy, "r+b") as file:
        file.seek(-100_000, os.SEEK_END)
        file.write(b"\0" * 64)


def _other_overview(path, copy, options):
    """A copy whose overview has other cells."""
    with rasterio.open(path, "r+", OVERVIEW_LEVEL=1) as dataset:
        was = dataset.read(window=((0, 1), (0, 1)))
        dataset.write(was + 1, window=((0, 1), (0, 1)))
    COPY(path, copy, options)
    with rasterio.open(path, "r+", OVERVIEW_LEVEL=1) as dataset:
        dataset.write(was, window=((0, 1), (0, 1)))


def _plain(path, copy, options):
    """A copy in the layout that it had."""
    shutil.copy(path, copy)


def _full(path, copy, options):
    """A disk that takes no more."""
    copy.write_bytes(b"II")
    raise OSError(28, "No space left on device")


COPY = writer_module.copy_as_cog


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (_zeros, "does not hold what was written"),
        (_other_overview, "does not hold what was written"),
        (_plain, "does not hold what was written"),
        (_full, "No space left"),
    ],
)
def test_a_copy_that_is_not_right_is_not_kept(tmp_path, monkeypatch, fault, told):
    """The old file stays as it was, and nothing is left beside it."""
    (tmp_path / "a.tif").write_text("old")
    monkeypatch.setattr(writer_module, "copy_as_cog", fault)
    data = np.random.default_rng(0).integers(1, 200, (1, HEIGHT, WIDTH), np.uint8)
    with pytest.raises(FileError, match=told):
        write(tmp_path / "a.tif", data, compress="lzw", cog=True, overwrite=True)
    assert os.listdir(tmp_path) == ["a.tif"]
    assert (tmp_path / "a.tif").read_text() == "old"
