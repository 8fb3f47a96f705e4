"""geotools.inference.rows and predict: models of single cells, of dates, and of values."""

import numpy as np
import pytest
from conftest import make_grid
from onnx_bytes import CLASSES, row_model

from geotools.errors import ModelError
from geotools.grid import Window
from geotools.inference.model import Model
from geotools.inference.predict import predict, predict_window
from geotools.inference.rows import run_rows
from geotools.raster import Raster


class Memory:
    """A sink in memory."""

    def __init__(self, grid, bands=1, dtype=np.uint8, empty=0):
        self.data = np.full((bands, *grid.shape), empty, dtype)

    def write(self, data, window):
        assert data.dtype == self.data.dtype
        self.data[:, *window.slices()] = data


def make_stack(rows=70, cols=90, *, features=("a", "b")):
    rng = np.random.default_rng(0)
    data = rng.normal(0, 1, (len(features), rows, cols)).astype(np.float32)
    valid = rng.random((rows, cols)) > 0.05
    valid[20:50, 30:60] = False
    return Raster(data, valid, make_grid(cols, rows), tuple(features))


def model_of(kind="features", **options):
    return Model("rows.onnx", row_model(kind, **options))


def test_a_row_is_a_cell():
    """The class of each valid cell follows from its own features; invalid cells are 0."""
    source = make_stack()
    sink, every = Memory(source.grid, 2), Memory(source.grid, 2, np.float32, np.nan)
    predict(model_of(), source, sink, confidence=True, probabilities=every, tile=32)
    score = source.data[0] + 2 * source.data[1]
    expected = np.where(score > 0, CLASSES[1].code, CLASSES[0].code)
    assert np.array_equal(sink.data[0], np.where(source.valid, expected, 0))
    p = 1 / (1 + np.exp(-2 * np.abs(score)))
    assert np.allclose(sink.data[1][source.valid], np.rint(p * 100)[source.valid], atol=1)
    assert np.array_equal(np.isnan(every.data[0]), ~source.valid)
    assert np.allclose(every.data.sum(axis=0)[source.valid], 1)


@pytest.mark.parametrize("tile", [16, 33, 64, 4096])
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_do_not_change_the_answer(tile, threads):
    """Any tile size and number of threads gives the same probabilities, to the last bit."""
    source = make_stack()
    found = []
    for size in (4096, tile):
        sink, every = Memory(source.grid), Memory(source.grid, 2, np.float32, np.nan)
        predict(model_of(), source, sink, probabilities=every, tile=size, threads=threads)
        found.append((sink.data, every.data))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1], equal_nan=True)


def test_dates_come_one_after_the_other():
    """All bands of the first date, then all of the second: (cells, dates, bands) in the graph."""
    source = make_stack(features=("x.1@2000", "x.2@2000", "x.1@2010", "x.2@2010"))
    sink = Memory(source.grid, 1, np.float32, np.nan)
    predict(model_of("sequence"), source, sink)
    first = source.data[0] + 2 * source.data[1]
    assert np.allclose(sink.data[0][source.valid], first[source.valid], atol=1e-5)
    assert np.isnan(sink.data[0][~source.valid]).all()


def test_features_are_found_by_name():
    """A source that has the model's features in another order gives the same map."""
    source = make_stack()
    turned = Raster(source.data[::-1], source.valid, source.grid, source.bands[::-1])
    found = []
    for one in (source, turned):
        sink = Memory(one.grid)
        predict(model_of(), one, sink)
        found.append(sink.data)
    assert np.array_equal(*found)


def test_a_window_is_a_piece_of_the_map():
    """Index and probability of a window are those of the whole; -1 and NaN where invalid."""
    source = make_stack()
    window = Window(20, 15, 40, 30)
    sink, every = Memory(source.grid), Memory(source.grid, 2, np.float32, np.nan)
    predict(model_of(), source, sink, probabilities=every)
    index, highest = predict_window(model_of(), source, window)
    codes = np.array([CLASSES[0].code, CLASSES[1].code, 0])[index]
    assert np.array_equal(codes, sink.data[0][window.slices()])
    assert np.array_equal(highest, every.data.max(axis=0)[window.slices()], equal_nan=True)


def test_rows_of_a_table():
    """Many batches give what one gives; no rows give no lines."""
    rows = np.random.default_rng(1).normal(0, 1, (40_000, 2)).astype(np.float32)
    found = run_rows(model_of(), rows)
    assert found.shape == (40_000, 2)
    assert np.array_equal(found[16_000:17_000], run_rows(model_of(), rows[16_000:17_000]))
    assert run_rows(model_of(), rows[:0]).shape == (0, 2)


def test_what_a_model_cannot_do():
    """Values have no confidence; other features than the model's are refused."""
    source = make_stack(features=("x.1@2000", "x.2@2000", "x.1@2010", "x.2@2010"))
    with pytest.raises(ModelError, match="no confidence"):
        predict(model_of("sequence"), source, Memory(source.grid), confidence=True)
    with pytest.raises(ModelError, match="takes 2 bands"):
        predict(model_of(), source, Memory(source.grid))
