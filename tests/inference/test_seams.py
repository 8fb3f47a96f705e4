"""geotools.inference.seams: what is measured where tiles meet."""

import numpy as np
import pytest
from conftest import make_grid, make_raster, make_terrain
from onnx_bytes import grid_model, image_model, neighbourhood_model

from geotools.grid import Window
from geotools.inference.model import Model
from geotools.inference.opening import open_any
from geotools.inference.prediction import Prediction
from geotools.inference.seams import measure_seams
from geotools.inference.terms import ForeignSettings


@pytest.fixture
def source():
    return make_raster(make_terrain(500, 600), make_grid(600, 500))


def test_an_exact_model_has_none(source):
    """All classes agree, to the last digit of a probability."""
    prediction = Prediction(Model("m", neighbourhood_model()), source, tile=128)
    found = measure_seams(prediction)
    assert (found.agreement_percent, found.largest_difference) == (100, 0)
    assert (found.against, found.places) == ("one pass", 4)
    assert 3 * 256**2 < found.cells <= 4 * 256**2
    assert "100 % of the classes agree" in found.sentence


def test_a_halo_that_lies_is_given_away(source):
    """A net that sees farther than its spec says differs along the edges of tiles."""
    prediction = Prediction(Model("m", neighbourhood_model(9, halo=1)), source, tile=128)
    found = measure_seams(prediction)
    assert 20 < found.agreement_percent < 99.9
    assert found.largest_difference > 0.5


def test_only_what_is_mapped_is_compared(source):
    """Within the window; nothing where there is one tile, or nothing valid at its edges."""
    model = Model("m", neighbourhood_model())
    window = Window(10, 20, 150, 140)
    found = measure_seams(Prediction(model, source, tile=100, window=window))
    assert found.cells <= found.places * 150 * 140
    assert measure_seams(Prediction(model, source, tile=1000)) is None
    valid = np.zeros(source.grid.shape, bool)
    empty = make_raster(source.data, source.grid, valid)
    assert measure_seams(Prediction(model, empty, tile=100)) is None


def opened(path, content, **settings):
    path.write_bytes(content)
    return open_any(path, ForeignSettings(scale=1.0, values=True, **settings))


def test_blocks_of_one_size_are_laid_elsewhere(tmp_path):
    """A net that is cut short at the edges of its blocks differs; with overlap it does not."""
    rng = np.random.default_rng(0)
    source = make_raster(rng.random((3, 300, 320)).astype(np.float32))
    content = image_model(channels=1, side=64, radius=9)
    bad = measure_seams(Prediction(opened(tmp_path / "a.onnx", content, overlap_percent=0), source))
    assert bad.against == "blocks half a block further"
    assert bad.agreement_percent is None
    assert bad.largest_difference > 0.05
    good = measure_seams(
        Prediction(opened(tmp_path / "a.onnx", content, overlap_percent=40), source)
    )
    assert good.largest_difference < 1e-6
    finer = opened(tmp_path / "b.onnx", grid_model("finer", side=64, radius=4))
    assert measure_seams(Prediction(finer, source)).largest_difference < 1e-6
    coarser = opened(tmp_path / "c.onnx", grid_model("coarser", side=64, factor=4))
    assert measure_seams(Prediction(coarser, source)).largest_difference < 1e-6
    whole = opened(tmp_path / "d.onnx", grid_model("tile", side=64))
    assert measure_seams(Prediction(whole, source)) is None
