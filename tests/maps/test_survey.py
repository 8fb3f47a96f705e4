"""geotools.maps.survey: what a prediction's tiles hold, seen before any is run."""

import numpy as np
import pytest
import rasterio
from conftest import make_grid
from onnx_bytes import neighbourhood_model
from rasterio.windows import Window

from geotools.engine.units import units_of
from geotools.inference.model import open_model
from geotools.inference.prediction import Prediction
from geotools.io.geotiff import open_raster
from geotools.maps import survey
from geotools.maps.survey import look_at, sampled

BLOCKS = [(0, 0), (3, 5), (3, 6), (7, 7)]
"""Rows and columns of the blocks of 128 cells that are in the file."""


@pytest.fixture
def work(tmp_path):
    """A model on a sparse raster of 8 x 8 blocks, whose block (3, 6) is there and holds nothing."""
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    grid = make_grid(1024, 1024)
    with rasterio.open(
        tmp_path / "dem.tif", "w", driver="GTiff", width=1024, height=1024, count=1,
        dtype="float32", crs=grid.crs, transform=grid.transform, nodata=-1.0, tiled=True,
        blockxsize=128, blockysize=128, sparse_ok=True, compress="deflate",
    ) as dataset:  # fmt: skip
        for row, col in BLOCKS:
            cells = np.full((128, 128), np.nan if (row, col) == (3, 6) else 5.0, np.float32)
            dataset.write(cells, 1, window=Window(128 * col, 128 * row, 128, 128))
    with open_raster(tmp_path / "dem.tif") as source:
        yield Prediction(open_model(tmp_path / "m.onnx"), source, tile=128)


@pytest.mark.parametrize("cells", [128, 256, 512])
def test_tiles_are_counted_whatever_the_units(work, cells):
    """All of them, those in the file, and those of units that are not done."""
    first = next(iter(units_of(work, cells)))
    found = look_at(work, cells, [first.name])
    assert (found.units, found.tiles) == ((1024 // cells) ** 2, 64)
    assert found.left == 64 - len(first.tiles)
    assert {(one.write.row_off // 128, one.write.col_off // 128) for one in found.some} == {*BLOCKS}
    assert found.there == len(BLOCKS)


def test_tiles_that_hold_valid_cells_are_found(work):
    """A block of NaN is in the file and holds none."""
    share, valid = sampled(work, look_at(work, 256, ()))
    assert share == pytest.approx(3 / 64)
    assert [(one.write.row_off, one.write.col_off) for one in valid] == [(0, 0), (384, 640)]


def test_few_of_many_tiles_are_remembered(work, monkeypatch):
    """Evenly; the count is of all."""
    monkeypatch.setattr(survey, "_KEPT", 2)
    found = look_at(work, 256, ())
    assert found.there == 4
    assert 1 <= len(found.some) <= 2
