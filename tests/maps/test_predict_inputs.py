"""geotools.maps.predict_inputs: what models of others are given, whatever their map is like."""

from contextlib import ExitStack

import numpy as np
import pytest
from conftest import make_grid, write_tif
from onnx_bytes import grid_model

from geotools.errors import RasterError
from geotools.inference.foreign import ForeignSettings
from geotools.inference.opening import open_any
from geotools.maps.predict_inputs import RasterOptions, check_cells, open_input, rasters_needed

KINDS = ("finer", "coarser", "tile")


@pytest.fixture(params=KINDS)
def model(request, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(grid_model(request.param))
    return open_any(path, ForeignSettings(1.0, values=True, resolution_cm=10))


@pytest.fixture
def raster(tmp_path):
    data = np.random.default_rng(0).random((4, 50, 70)).astype(np.float32)
    return write_tif(tmp_path / "image.tif", data, make_grid(70, 50, cell=0.1), nodata=-1.0)


def opened(model, raster, reading):
    with ExitStack() as stack:
        source, _ = open_input(model, [raster], [], reading, stack, max(model.side))
        return source.grid, source.read(source.grid.window)


def test_the_raster_keeps_its_cells(model, raster):
    """What is read has the grid of the file, and the bands in the order that is asked for."""
    assert rasters_needed(model.spec) == ["a raster of 3 bands"]
    grid, found = opened(model, raster, RasterOptions(bands=(3, 1, 2)))
    assert grid.shape == (50, 70)
    _, plain = opened(model, raster, RasterOptions(bands=(1, 2, 3)))
    assert np.array_equal(found.data, plain.data[[2, 0, 1]])
    with pytest.raises(RasterError, match=r"has 4 bands, the model .* takes 3"):
        opened(model, raster, RasterOptions())


def test_cells_are_those_of_the_raster_not_of_the_map(model, raster):
    """What the model was made for is compared with the cells that it is given."""
    told = []
    grid, _ = opened(model, raster, RasterOptions(bands=(1, 2, 3)))
    check_cells(model, grid, "image.tif", told.append)
    assert not told
    check_cells(model, make_grid(70, 50, cell=0.4), "image.tif", told.append)
    assert "made for 0.05 to 0.2 m" in told[0]
