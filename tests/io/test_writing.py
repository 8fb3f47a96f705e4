"""geotools.io.writing and legend."""

import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_lonlat_grid, make_terrain

from geotools.errors import FileError, RasterError
from geotools.grid import TileScheme, Window
from geotools.io import reading_back
from geotools.io.writing import COMPRESSIONS, GeotiffWriter, create_geotiff
from geotools.spec import ClassInfo

CLASSES = tuple(
    ClassInfo(code, name, color)
    for code, name, color in [(1, "flat & <low>", "#dcdcdc"), (3, "ridge", "#c80000")]
)


def write_all(path, data, grid, *, tile=64, **options):
    options = {"bands": [f"b{n}" for n in range(len(data))], "nodata": None, **options}
    with create_geotiff(path, grid, dtype=data.dtype.name, **options) as writer:
        for part in TileScheme(tile).tiles(grid):
            writer.write(data[:, *part.write.slices()], part.write)
    return writer


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("tile", [64, 100, 2048])
def test_round_trip(tmp_path, dtype, compress, tile):
    """What is written in tiles of any size is what rasterio reads, with overviews and names."""
    grid = make_grid(700, 530)
    data = np.stack([make_terrain(530, 700, seed=seed) / 8 for seed in (1, 2)]).astype(dtype)
    write_all(
        tmp_path / "a.tif", data, grid, tile=tile, compress=compress, nodata=7.0,
        bands=["one", "two"], units=["m", "degrees"], tags={"model": "x 1"},
    )  # fmt: skip
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(), data)
        assert dataset.crs == grid.crs
        assert dataset.transform == grid.transform
        assert dataset.nodata == 7
        assert dataset.descriptions == ("one", "two")
        assert dataset.units == ("m", "degrees")
        assert dataset.tags()["GEOTOOLS_MODEL"] == "x 1"
        assert dataset.overviews(1) == [2]
        assert dataset.block_shapes[0] == (512, 512)
        assert dataset.interleaving.name == "band"
        overview = dataset.read(1, out_shape=(265, 350))
        assert np.isin(overview, data[0]).all()
    assert sorted(os.listdir(tmp_path)) == ["a.tif", "a.tif.json"]


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize(("side", "tile"), [((2000, 1301), 512), ((1537, 2048), 333)])
def test_overviews_hold_cells_of_the_raster(tmp_path, compress, side, tile):
    """Each overview takes cells of the level below, in their order, to the last row and column."""
    width, height = side
    row, col = np.mgrid[:height, :width]
    data = np.stack([row, col]).astype(np.float32)
    write_all(tmp_path / "a.tif", data, make_grid(width, height), tile=tile, compress=compress)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        factors = dataset.overviews(1)
    assert factors == [2, 4]
    for level, factor in enumerate(factors):
        with rasterio.open(tmp_path / "a.tif", OVERVIEW_LEVEL=level) as dataset:
            rows, cols = dataset.read()
        assert rows.shape == (-(-height // factor), -(-width // factor))
        expected = np.arange(rows.shape[0]) * factor
        assert np.abs(rows - expected[:, None]).max() < factor
        assert np.abs(cols - np.arange(rows.shape[1]) * factor).max() < factor


@pytest.mark.parametrize("compress", ["none", "zstd"])
def test_overviews_are_empty_where_nothing_was_written(tmp_path, compress):
    data = np.ones((1, 512, 512), np.uint8)
    with create_geotiff(
        tmp_path / "a.tif", make_grid(5000, 4000), bands=["a"], dtype="uint8", nodata=0,
        compress=compress,
    ) as writer:  # fmt: skip
        writer.write(data, Window(1024, 2048, 512, 512))
    assert (tmp_path / "a.tif").stat().st_size < 6 * 512 * 512
    with rasterio.open(tmp_path / "a.tif", OVERVIEW_LEVEL=1) as dataset:
        overview = dataset.read(1)
    assert overview.sum() == 128 * 128
    assert overview[512:640, 256:384].all()


def test_cells_never_written_are_nodata(tmp_path):
    """Windows that nobody wrote read as nodata."""
    grid = make_grid(700, 600)
    with create_geotiff(
        tmp_path / "a.tif", grid, bands=["a"], dtype="float32", nodata=float("nan")
    ) as writer:
        assert writer.is_empty
        writer.write(np.ones((1, 10, 10), np.float32), Window(600, 500, 10, 10))
        assert not writer.is_empty
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.nansum(dataset.read(1)) == 100
        assert np.isnan(dataset.read(1)).sum() == 700 * 600 - 100


def test_classes_have_names_colours_and_areas(tmp_path):
    """A class raster carries a colour table, an .aux.xml that GDAL reads and a .qml."""
    grid = make_lonlat_grid(70, 50)
    data = np.where(np.arange(50 * 70).reshape(1, 50, 70) % 5 == 0, 3, 1).astype(np.uint8)
    data[:, :10] = 0
    writer = write_all(tmp_path / "a.tif", data, grid, classes=CLASSES, nodata=0)
    area = grid.cell_area_m2()
    expected = {code: (area[:, None] * (data[0] == code)).sum() for code in (1, 3)}
    assert writer.area_m2() == pytest.approx(expected)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.colormap(1)[3] == (200, 0, 0, 255)
        assert dataset.colorinterp[0].name == "palette"
    tree = ET.parse(tmp_path / "a.tif.aux.xml")
    names = [item.text or "" for item in tree.iter("Category")]
    assert names == ["", "flat & <low>", "", "ridge"]
    rows = [[cell.text for cell in row] for row in tree.iter("Row")]
    assert rows[1][:5] == ["3", "ridge", "200", "0", "0"]
    assert float(rows[1][5]) == pytest.approx(expected[3], abs=0.01)
    entries = list(ET.parse(tmp_path / "a.qml").iter("paletteEntry"))
    assert [entry.get("label") for entry in entries] == ["flat & <low>", "ridge"]
    assert [entry.get("color") for entry in entries] == ["#dcdcdc", "#c80000"]


def test_gdal_reads_the_legend(tmp_path):
    """gdalinfo, an independent reader, finds the categories and the attribute table."""
    gdalinfo = "/usr/bin/gdalinfo"
    if not Path(gdalinfo).exists():
        pytest.skip("gdalinfo is not installed")
    grid = make_grid(20, 20)
    write_all(tmp_path / "a.tif", np.ones((1, 20, 20), np.uint8), grid, classes=CLASSES, nodata=0)
    text = subprocess.run(
        [gdalinfo, tmp_path / "a.tif"], capture_output=True, text=True, check=True
    ).stdout
    assert "flat & <low>" in text
    assert "GDALRasterAttributeTable" in text
    assert "<F>360000" in text


def test_the_writer_refuses_what_does_not_fit(tmp_path):
    """Wrong shapes, dtypes and places are errors, and leave nothing."""
    for data, window in (
        (np.zeros((1, 5, 5), np.float64), Window(0, 0, 5, 5)),
        (np.zeros((2, 5, 5), np.uint8), Window(0, 0, 5, 5)),
        (np.zeros((1, 5, 5), np.uint8), Window(18, 0, 5, 5)),
    ):
        with (
            pytest.raises(RasterError),
            create_geotiff(
                tmp_path / "a.tif", make_grid(20, 20), bands=["a"], dtype="uint8", nodata=0
            ) as writer,
        ):
            writer.write(data, window)
    with (
        pytest.raises(RasterError, match="zstd"),
        create_geotiff(
            tmp_path / "a.tif", make_grid(), bands=["a"], dtype="uint8", nodata=0, compress="rar"
        ),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_overwriting_leaves_no_sidecar_of_the_old_file(tmp_path):
    """Masks, overviews and metadata of the replaced file go with it."""
    grid, data = make_grid(20, 20), np.ones((1, 20, 20), np.uint8)
    write_all(tmp_path / "a.tif", data, grid, classes=CLASSES, nodata=0)
    (tmp_path / "a.tif.msk").write_text("old")
    write_all(tmp_path / "a.tif", data, grid, gray=(0, 1), overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["a.qml", "a.tif", "a.tif.json"]
    assert "singlebandgray" in (tmp_path / "a.qml").read_text()


@pytest.mark.parametrize("compress", ["none", "lzw", "zstd"])
def test_damage_is_found_before_the_name_is_given(tmp_path, monkeypatch, compress):
    """A file that changes between writing and reading back is not kept."""
    data = np.random.default_rng(0).integers(1, 200, (1, 600, 600), np.uint8)
    close = GeotiffWriter._close

    def close_and_damage(writer):
        close(writer)
        with open(writer.path, "r+b") as file:
            file.seek(100_000)
            file.write(b"\0" * 64)

    monkeypatch.setattr(GeotiffWriter, "_close", close_and_damage)
    with pytest.raises(FileError, match="does not hold what was written"):
        write_all(tmp_path / "a.tif", data, make_grid(600, 600), compress=compress)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("compress", ["none", "zstd"])
@pytest.mark.parametrize("tile", [512, 300])
def test_cells_are_compared_with_what_was_foreseen(tmp_path, compress, tile):
    """What was looked at beforehand is what the file must hold; changed since, it is refused."""
    path, grid = tmp_path / "a.tif", make_grid(700, 600)
    data = np.arange(420_000, dtype=np.float32).reshape(1, 600, 700)
    windows = [part.write for part in TileScheme(tile).tiles(grid)]

    def write(changed):
        with create_geotiff(
            path, grid, bands=["a"], dtype="float32", nodata=None, compress=compress
        ) as writer:
            for window in windows:
                writer.foresee(data[:, *window.slices()], window)
            for number, window in enumerate(windows):
                cells = data[:, *window.slices()].copy()
                cells[0, -1, -1] += number == changed
                writer.write(cells, window)

    for changed in (0, len(windows) - 1):
        with pytest.raises(FileError, match="does not hold what was written"):
            write(changed)
    write(None)
    with rasterio.open(path) as dataset:
        assert np.array_equal(dataset.read(), data)


def test_a_damaged_overview_is_found(tmp_path, monkeypatch):
    """What an overview was given is compared with what it holds."""

    class Forgetful:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def write(self, cells, window):
            pass

    monkeypatch.setattr(reading_back, "_overview", lambda *args: Forgetful())
    with pytest.raises(FileError, match="does not hold what was written"):
        write_all(
            tmp_path / "a.tif", np.ones((1, 600, 600), np.uint8), make_grid(600, 600),
            compress="lzw",
        )  # fmt: skip
    assert os.listdir(tmp_path) == []
