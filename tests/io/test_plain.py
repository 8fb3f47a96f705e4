"""geotools.io.plain and tiff: uncompressed GeoTIFFs, their blocks written by us."""

import errno
import os
import sys
import zlib

import numpy as np
import pytest
import rasterio
from conftest import make_grid

from geotools.errors import FileError
from geotools.grid import TileScheme, Window
from geotools.io import plain, records, tiff, writer
from geotools.io.plain import PlainCells
from geotools.io.records import read_record
from geotools.io.writing import create_geotiff
from geotools.spec import ClassInfo

pytestmark = pytest.mark.skipif(
    not plain.can_write_plain(), reason="files are written by GDAL alone on this system"
)


def write(path, data, *, tile, skipped=(), **options):
    grid = make_grid(data.shape[2], data.shape[1])
    options = {"nodata": 7.0, "tags": {"model": "x"}, **options}
    bands = [f"b{n}" for n in range(len(data))]
    with create_geotiff(
        path, grid, bands=bands, dtype=data.dtype.name, compress="none", **options
    ) as made:
        for number, part in enumerate(TileScheme(tile).tiles(grid)):
            if number not in skipped:
                made.write(data[:, *part.write.slices()], part.write)
        made.tag({"source": "later"})


def numbers(height, width, bands=1):
    return np.arange(bands * height * width).reshape(bands, height, width) % 251


def levels(path):
    with rasterio.open(path) as dataset:
        count = len(dataset.overviews(1))
        tags = {k: v for k, v in dataset.tags().items() if k != "AREA_OR_POINT"}
        found = [(dataset.read(), dataset.nodata, dataset.profile, tags)]
    for number in range(count):
        with rasterio.open(path, OVERVIEW_LEVEL=number) as dataset:
            found.append((dataset.read(), dataset.nodata, dataset.profile, None))
    return found


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize(
    ("side", "tile"), [((1301, 1700), 512), ((1024, 700), 333), ((90, 40), 64)]
)
def test_the_file_is_what_gdal_would_have_written(tmp_path, monkeypatch, dtype, side, tile):
    """Cells, overviews, nodata, metadata, missing blocks: all as in a file of GDAL's own writer."""
    width, height = side
    data = numbers(height, width, bands=2).astype(dtype)
    write(tmp_path / "ours.tif", data, tile=tile, skipped=[1])
    monkeypatch.setattr(writer, "can_write_plain", lambda: False)
    write(tmp_path / "gdal.tif", data, tile=tile, skipped=[1])
    ours, theirs = levels(tmp_path / "ours.tif"), levels(tmp_path / "gdal.tif")
    assert len(ours) == len(theirs)
    for (cells, *rest), (expected, *others) in zip(ours, theirs, strict=True):
        assert np.array_equal(cells, expected)
        assert rest == others


@pytest.mark.parametrize("bigtiff", ["NO", "YES"])
def test_classic_and_big_files_alike(tmp_path, monkeypatch, bigtiff):
    """Places of blocks have 32 bits in classic TIFFs and 64 in BigTIFFs."""
    create = rasterio.open

    def opened(path, mode="r", **options):
        if mode == "w":
            options["bigtiff"] = bigtiff
        return create(path, mode, **options)

    monkeypatch.setattr(writer.rasterio, "open", opened)
    data = numbers(1100, 1300).astype(np.float32)
    write(tmp_path / "a.tif", data, tile=512)
    assert (tmp_path / "a.tif").read_bytes()[:4] == (b"II*\0" if bigtiff == "NO" else b"II+\0")
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(), data)
        assert np.array_equal(dataset.read(1, out_shape=(275, 325)), data[0, ::4, ::4])


def test_overviews_have_the_colours_of_the_classes(tmp_path):
    """A class raster is drawn alike at every scale."""
    data = np.ones((1, 1000, 1000), np.uint8)
    classes = (ClassInfo(1, "flat", "#dc0a0a"),)
    write(tmp_path / "a.tif", data, tile=512, nodata=0, classes=classes)
    with rasterio.open(tmp_path / "a.tif", OVERVIEW_LEVEL=0) as dataset:
        assert dataset.colormap(1)[1] == (0xDC, 10, 10, 255)


@pytest.mark.parametrize("tile", [512, 300])
@pytest.mark.parametrize("harm", ["swap", "zero", "lose", "overview"])
def test_lost_swapped_and_zeroed_blocks_are_found(tmp_path, monkeypatch, harm, tile):
    """A block that is elsewhere, empty, not written or not as it was halved is told."""
    data = numbers(1024, 1024).astype(np.float32)
    start, size = 4096, 512 * 512 * 4
    place, write_block = PlainCells.place, PlainCells._write
    blocks = []

    def place_and_harm(cells):
        place(cells)
        if harm == "swap":
            first, second = (os.pread(cells._file, size, start + n * size) for n in (0, 1))
            os.pwrite(cells._file, second + first, start)
        elif harm == "zero":
            os.pwrite(cells._file, bytes(4096), start + 2 * size + 8192)

    def write_or_lose(cells, room, start):
        blocks.append(start)
        if not (harm == "lose" and len(blocks) == 2):
            if harm == "overview" and sys._getframe(1).f_code.co_name == "_halve":
                room = np.zeros_like(room)
            write_block(cells, room, start)

    monkeypatch.setattr(PlainCells, "place", place_and_harm)
    monkeypatch.setattr(PlainCells, "_write", write_or_lose)
    with pytest.raises(FileError, match="does not hold what was written"):
        write(tmp_path / "a.tif", data, tile=tile)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_refuses_later_is_told(tmp_path, monkeypatch):
    """Where the disk takes the cells and loses them, its error is told, and only once by it."""
    monkeypatch.setattr(plain, "_UNSYNCED_BYTES", 2**20)
    sync, refused = os.fsync, []

    def refuse_once(descriptor):
        if not refused:
            refused.append(descriptor)
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_once)
    data = numbers(1024, 1024).astype(np.float32)
    with pytest.raises(FileError, match="No space left"):
        write(tmp_path / "a.tif", data, tile=512)
    assert os.listdir(tmp_path) == []


def test_blocks_lie_in_the_order_of_writing(tmp_path):
    """The bytes do not depend on threads: those that read back fill places given beforehand."""
    data = numbers(1500, 1500).astype(np.float32)
    for name in ("a.tif", "b.tif"):
        write(tmp_path / name, data, tile=512)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_other_files_are_refused(tmp_path):
    """Only a little-endian TIFF of one directory with as many blocks takes places of blocks."""
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "width": 600, "height": 600, "count": 1, "dtype": "uint8"}
    profile |= {"transform": make_grid(600, 600).transform}
    table = tiff.BlockTable((600, 600), np.zeros((1, 2, 2), np.int64))

    def place(given):
        with open(path, "r+b") as file:
            tiff.place_blocks(file.fileno(), [given], 512 * 512)

    path.write_bytes(b"MM\0*" + bytes(30))
    with pytest.raises(ValueError, match="begins with"):
        place(table)
    with rasterio.open(path, "w", tiled=True, blockxsize=512, blockysize=512, **profile) as made:
        made.write(np.ones((1, 600, 600), np.uint8))
    with pytest.raises(ValueError, match="has 4 values"):
        place(tiff.BlockTable((600, 600), np.zeros((1, 1, 2), np.int64)))
    with rasterio.open(path, "r+") as made:
        made.build_overviews([2])
    with pytest.raises(ValueError, match="second directory"):
        place(table)


def test_a_window_of_one_row_changes_that_row_alone(tmp_path):
    """Blocks can be filled piece by piece, in any order."""
    data = numbers(600, 700).astype(np.float32)
    with create_geotiff(
        tmp_path / "a.tif", make_grid(700, 600), bands=["a"], dtype="float32", nodata=None,
        compress="none",
    ) as made:  # fmt: skip
        for row in np.random.default_rng(0).permutation(600).tolist():
            made.write(data[:, row : row + 1], Window(0, row, 700, 1))
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(), data)


@pytest.mark.parametrize(
    ("tile", "skipped", "tags"),
    [(512, (), {"model": "x"}), (512, (), {}), (512, (3,), {"model": "x"}), (300, (), {}),
     (1024, (), {"model": "x"}), (2000, (), {"model": "x"})],
)  # fmt: skip
@pytest.mark.parametrize("side", [(1536, 1024), (300, 200)])
def test_the_record_has_the_crc32_of_the_file(tmp_path, monkeypatch, tile, skipped, tags, side):
    """That of blocks and of what lies between them, in any order, is that of the file."""
    monkeypatch.setattr(records, "sha256", lambda path: pytest.fail("the file was read again"))
    path = tmp_path / "a.tif"
    write(path, numbers(*side).astype(np.float32), tile=tile, skipped=skipped, tags=tags)
    assert read_record(path).crc32 == f"{zlib.crc32(path.read_bytes()):08x}"
