"""geotools.batch.mosaic: VRT and merged GeoTIFF of one cell grid, the same cell for cell."""

import shutil

import numpy as np
import pytest
import rasterio
from conftest import make_grid

from geotools.batch.mosaic import Piece, write_mosaic
from geotools.errors import GridError, RasterError
from geotools.grid import Window
from geotools.io.categories import read_categories
from geotools.io.geotiff import open_raster
from geotools.io.writing import create_geotiff
from geotools.spec import ClassInfo

CLASSES = (ClassInfo(1, "ice", "#a0c8ff"), ClassInfo(3, "rock & co", "#8c7853"))


def write(path, window, values, *, classes=(), **grid):
    """A piece of one big grid, of as many bands as there are values of cells."""
    place = make_grid(100, 100, **grid).cut(window)
    dtype = "uint8" if classes else "float32"
    with create_geotiff(
        path, place, bands=[f"b{n}" for n in range(len(values))], units=["m"] * len(values),
        dtype=dtype, nodata=0 if classes else float("nan"), classes=classes, gray=(0, 1),
    ) as writer:  # fmt: skip
        data = np.stack([np.broadcast_to(one, place.shape) for one in values]).astype(dtype)
        writer.write(data, place.window)
    return Piece(path, tuple(classes))


def both(folder):
    with (
        rasterio.open(folder / "mosaic.tif") as merged,
        rasterio.open(folder / "mosaic.vrt") as vrt,
    ):
        assert merged.transform.almost_equals(vrt.transform)
        assert (merged.crs, merged.shape, merged.descriptions, merged.units, merged.dtypes) == (
            vrt.crs, vrt.shape, vrt.descriptions, vrt.units, vrt.dtypes,
        )  # fmt: skip
        assert np.array_equal(merged.nodata, vrt.nodata, equal_nan=True)
        first, second = merged.read(), vrt.read()
    assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return first


def test_the_first_shows_where_it_is_valid(tmp_path):
    """Classes of both, holes of the first filled from the second; legend in both files."""
    hole = np.ones((30, 40))
    hole[10:20, 30:36] = 0
    pieces = [
        write(tmp_path / "a.tif", Window(0, 0, 40, 30), [hole], classes=CLASSES),
        write(tmp_path / "b.tif", Window(25, 5, 60, 40), [3], classes=CLASSES),
    ]
    assert write_mosaic(pieces, tmp_path) == ("mosaic.tif", "mosaic.vrt")
    (cells,) = both(tmp_path)
    assert cells.shape == (45, 85)
    assert (cells[5:30, 25:30] == 1).all()
    assert (cells[10:20, 30:36] == 3).all()
    assert (cells[31:, :25] == 0).all()
    for name in ("mosaic.tif", "mosaic.vrt"):
        with rasterio.open(tmp_path / name) as dataset:
            assert dataset.colormap(1)[3] == (0x8C, 0x78, 0x53, 255)
    assert read_categories(tmp_path / "mosaic.tif")[0][3] == "rock & co"
    assert "<Category>rock &amp; co</Category>" in (tmp_path / "mosaic.vrt").read_text()
    write_mosaic(pieces[::-1], tmp_path, overwrite=True)
    assert (both(tmp_path)[0][5:30, 25:30] == 3).all()


def test_bands_are_put_together_one_by_one(tmp_path):
    """A band that holds nothing in a cell lets the other piece through, in this band alone."""
    odd = np.where(np.indices((20, 20)).sum(0) % 2, 7.0, np.nan)
    pieces = [
        write(tmp_path / "a.tif", Window(0, 0, 20, 20), [1.5, odd]),
        write(tmp_path / "b.tif", Window(0, 0, 20, 20), [2.5, 9]),
    ]
    write_mosaic(pieces, tmp_path)
    first, second = both(tmp_path)
    assert (first == 1.5).all()
    assert set(np.unique(second)) == {7.0, 9.0}
    assert (tmp_path / "mosaic.qml").read_text() == (tmp_path / "a.qml").read_text()


def test_a_folder_can_be_moved(tmp_path):
    """Paths in the VRT are relative, and it is read like any raster of ours."""
    (tmp_path / "here").mkdir()
    pieces = [
        write(tmp_path / "here" / f"{n}.tif", Window(20 * n, 0, 20, 20), [n + 1]) for n in range(2)
    ]
    write_mosaic(pieces, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    with open_raster(tmp_path / "there" / "mosaic.vrt") as file:
        assert set(np.unique(file.read(file.grid.window).data)) == {1.0, 2.0}


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        ({"crs": "EPSG:32634"}, GridError, r"b\.tif is in EPSG:32634"),
        ({"left": 500_010.0}, GridError, r"cells of b\.tif do not lie on those of a\.tif"),
        ({"cell": 30.1}, GridError, "do not lie"),
        ({"left": 500_000.0 + 30 * 2_000_000}, GridError, "so far apart that 2,000,0"),
        ({"values": [1, 2]}, RasterError, "other bands or classes"),
        ({"classes": CLASSES}, RasterError, "other bands or classes"),
    ],
)
def test_results_that_do_not_go_together(tmp_path, other, error, words):
    """One sentence that names the first of them, and no file."""
    pieces = [
        write(tmp_path / "a.tif", Window(0, 0, 20, 20), [1]),
        write(tmp_path / "b.tif", Window(0, 0, 20, 20), **{"values": [1], **other}),
    ]
    with pytest.raises(error, match=f"There is no mosaic: .*{words}"):
        write_mosaic(pieces, tmp_path)
    assert not list(tmp_path.glob("mosaic*"))


def test_one_result_is_no_mosaic(tmp_path):
    """Two are needed."""
    with pytest.raises(RasterError, match="two are needed"):
        write_mosaic([write(tmp_path / "a.tif", Window(0, 0, 20, 20), [1])], tmp_path)
