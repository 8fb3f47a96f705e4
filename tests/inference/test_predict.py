"""geotools.inference.predict: tiles do not change the answer."""

import numpy as np
import pytest
from conftest import make_grid, make_lonlat_grid, make_raster, make_terrain
from onnx_bytes import neighbourhood_model

from geotools.errors import ModelError
from geotools.grid import Window
from geotools.inference.model import Model, shipped_model
from geotools.inference.predict import decide, predict
from geotools.inference.prediction import _stored
from geotools.terrain.geomorphons import geomorphons


class Memory:
    """A sink in memory."""

    def __init__(self, grid, bands=1):
        self.data = np.zeros((bands, *grid.shape), np.uint8)

    def write(self, data, window):
        self.data[:, *window.slices()] = data


def classify(model, source, **options):
    sink = Memory(source.grid, 2 if options.get("confidence") else 1)
    predict(model, source, sink, **options)
    return sink.data


def make_source(rows=150, cols=230, *, seed=0, lonlat=False):
    elevation = make_terrain(rows, cols, seed=seed)
    elevation += np.random.default_rng(seed).normal(0, 2, elevation.shape).astype(np.float32)
    valid = np.random.default_rng(seed).random((rows, cols)) > 0.01
    valid[30:70, 100:160] = False
    grid = make_lonlat_grid(cols, rows) if lonlat else make_grid(cols, rows)
    return make_raster(elevation, grid, valid)


@pytest.fixture(scope="module")
def small() -> Model:
    return Model("small.onnx", neighbourhood_model())


def test_decide_is_argmax():
    """Index and value of the highest, the first at ties."""
    p = np.random.default_rng(0).integers(0, 5, (7, 40, 50)).astype(np.float32)
    index, highest = decide(p)
    assert np.array_equal(index, p.argmax(axis=0))
    assert np.array_equal(highest, p.max(axis=0))


def test_invalid_cells_are_nothing(small):
    """Invalid in, 0 out; all other cells have a class."""
    source = make_source()
    codes = classify(small, source)[0]
    assert np.array_equal(codes == 0, ~source.valid)
    assert set(np.unique(codes)) == {0, 3, 7}


def test_confidence_is_per_cent(small):
    """Band 2 is the probability of the written class in per cent, 0 where invalid."""
    source = make_source()
    codes, sure = classify(small, source, confidence=True)
    assert np.array_equal(sure == 0, codes == 0)
    assert sure[source.valid].min() >= 50
    assert sure.max() <= 100


@pytest.mark.parametrize("tile", [64, 100, 149, 256, 2048])
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_do_not_change_the_answer(small, tile, threads):
    """Any tile size and number of threads, cell for cell."""
    source = make_source()
    whole = classify(small, source, tile=4096)
    assert np.array_equal(classify(small, source, tile=tile, threads=threads), whole)


def test_a_halo_too_small_shows():
    """The comparison can fail: a spec that lies about its halo gives seams."""
    model = Model("liar.onnx", neighbourhood_model(radius=6, halo=0))
    source = make_source()
    assert not np.array_equal(classify(model, source, tile=64), classify(model, source, tile=4096))


@pytest.mark.parametrize("lonlat", [False, True])
@pytest.mark.parametrize("tile", [64, 200, 333])
def test_tiles_do_not_change_the_landforms(tile, lonlat):
    """The shipped model on odd sizes, with voids, projected and geographic."""
    model, source = shipped_model("landforms-v1"), make_source(301, 407, lonlat=lonlat)
    whole = classify(model, source, tile=1024, confidence=True)
    assert np.array_equal(classify(model, source, tile=tile, threads=2, confidence=True), whole)


@pytest.mark.parametrize("lonlat", [False, True])
def test_an_extent_does_not_change_the_landforms(lonlat):
    """Cut out of a bigger raster, the same classes away from the cut by the halo."""
    model, source = shipped_model("landforms-v1"), make_source(260, 300, lonlat=lonlat)
    whole = classify(model, source)[0]
    halo = model.spec.halo
    for window in (Window(13, 7, 200, 190), Window(101, 55, 199, 205)):
        part = classify(model, source.read(window))[0]
        assert np.array_equal(
            part[halo:-halo, halo:-halo], whole[window.slices()][halo:-halo, halo:-halo]
        )


def test_rasters_smaller_than_everything(small):
    """One cell, one row, one column have a class each."""
    for rows, cols in ((1, 1), (1, 50), (50, 1), (3, 3)):
        source = make_raster(make_terrain(rows, cols), make_grid(cols, rows))
        assert (classify(small, source) > 0).all()
        assert (classify(shipped_model("landforms-v1"), source) > 0).all()


def test_bands_that_are_not_there():
    """A model of three bands refuses a raster of one, naming them."""
    model = Model("three.onnx", neighbourhood_model(bands=3))
    with pytest.raises(ModelError, match="b0, b1, b2"):
        classify(model, make_source())


def test_level_ground_is_flat():
    """At cell sizes from 5 to 100 m, and at any height."""
    model = shipped_model("landforms-v1")
    for cell, height in ((5.0, 0.0), (30.0, 700.0), (100.0, 8000.0)):
        grid = make_grid(60, 60, cell=cell)
        level = make_raster(np.full((60, 60), height, np.float32), grid)
        assert (classify(model, level) == 1).all()


@pytest.mark.parametrize("cell", [10.0, 30.0, 90.0])
def test_clean_terrain_gets_the_exact_forms(cell):
    """Without noise the model agrees with the algorithm that taught it, away from the edges."""
    elevation = make_terrain(300, 300, relief_m=10 * cell)
    source = make_raster(elevation, make_grid(300, 300, cell=cell))
    codes = classify(shipped_model("landforms-v1"), source)[0]
    inner = (slice(20, -20), slice(20, -20))
    assert (codes == geomorphons(elevation, cell, cell))[inner].mean() > 0.95


def test_probabilities_beyond_one_are_one():
    """Rounding carries some a little beyond; as bytes they must not become small or nothing."""
    shares = np.array([-0.01, 0.0, 0.5, 1.0, 1.03], np.float32)[None, None]
    stored = _stored(shares, np.ones((1, 5), bool), "uint8")
    assert stored.ravel().tolist() == [0, 0, 125, 250, 250]
