"""geotools.inference.foreign: the models of Deepness, each as it is and on real bands."""

import numpy as np
import pytest
from conftest import make_grid
from foreign_maps import mapped

from geotools.grid import Window
from geotools.inference.foreign import ForeignSettings
from geotools.inference.opening import open_any
from geotools.io.geotiff import open_raster
from geotools.raster import Raster

VALUES = ForeignSettings(scale=1 / 255, values=True)

CELLS = {"recognition": (1, 224), "superresolution": (2, 1)}
"""Output cells along an input cell, and the reverse, by a word of the file's name."""


@pytest.fixture
def files(shared):
    """The 17 models."""
    found = sorted((shared / "onnx_deepness_dummies").glob("*.onnx"))
    if len(found) != 17:
        pytest.skip("the 17 models are not there")
    return found


@pytest.mark.parametrize("number", range(17))
def test_a_constant_raster_and_other_peoples_models(files, number):
    """Each gives a map, and one number for a raster of one colour, to the last cell."""
    model = open_any(files[number], VALUES)
    word = next((word for word in CELLS if word in files[number].name), None)
    assert (model.finer, model.coarser) == CELLS.get(word, (1, 1))
    grid = make_grid(600, 130, cell=0.02)
    data = np.broadcast_to(np.array([90, 140, 60], np.float32)[:, None, None], (3, *grid.shape))
    valid = np.ones(grid.shape, bool)
    valid[40:50, 100:130] = False
    found = mapped(model, Raster(data, valid, grid, ("r", "g", "b")))
    assert found.shape[0] == model.channels
    for plane in found:
        assert np.isfinite(plane).all()
        assert np.ptp(plane) <= 1e-6 * np.abs(plane).max()


def test_heads_of_other_peoples_models(files):
    """The second of two outputs is run when it is asked for, and has the same cells."""
    double = [file for file in files if "two_outputs" in file.name]
    assert len(double) == 5
    for file in double:
        first = open_any(file, VALUES)
        second = open_any(file, ForeignSettings(1 / 255, values=True, head=2))
        assert "--head" in first.notes[0]
        assert not second.notes
        assert second.spec.outputs[0].name != first.spec.outputs[0].name
        assert (second.side, second.channels) == (first.side, first.channels)


def test_valid_convolutions_lie_in_the_middle(files):
    """512 to 484: a cell is seen 14 cells from the corner, and tiles then join exactly."""
    file = next(file for file in files if "512_to_484" in file.name)
    model = open_any(file, ForeignSettings(1 / 255, values=True, overlap_percent=0))
    assert model.spec.parameters["crop"] == "14 14"
    assert model.spec.halo == 14
    assert model.spec.parameters["seams"] == "exact"
    assert not model.notes


def test_a_finer_map_lies_on_the_photo(files, shared):
    """64 to 128: what one cell changes lies around it, less than a cell off, in any tile."""
    file = next(file for file in files if "superresolution" in file.name)
    model = open_any(file, VALUES)
    photo = shared / "onnx_deepness_dummies" / "dummy_fotomap_small.tif"
    with open_raster(photo, bands=(1, 2, 3)) as source:
        image = source.read(Window(100, 100, 170, 150))
    before = mapped(model, image)
    for row, col in [(20, 30), (75, 85), (120, 57), (58, 140)]:
        data = image.data.copy()
        data[:, row, col] = 255 - data[:, row, col]
        after = mapped(model, Raster(data, image.valid, image.grid, image.bands))
        rows, cols = np.nonzero((after != before).any(axis=0))
        assert abs((rows.min() + rows.max()) / 4 - 0.25 - row) < 0.75
        assert abs((cols.min() + cols.max()) / 4 - 0.25 - col) < 0.75
