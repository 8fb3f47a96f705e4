"""geotools.stream."""

import threading

import numpy as np
import pytest
from conftest import make_raster

from geotools.grid import TileScheme, Window
from geotools.raster import Shifted
from geotools.stream import Step, map_tiles


class Keeper:
    """A sink in memory that counts how often a cell is written."""

    def __init__(self, shape):
        self.data, self.count, self.order = np.zeros(shape), np.zeros(shape, int), []

    def write(self, data, window):
        self.data[window.slices()] = data[0]
        self.count[window.slices()] += 1
        self.order.append((window.row_off, window.col_off))


@pytest.mark.parametrize("threads", [1, 3])
def test_every_cell_is_written_once_in_order(threads):
    """Tiles come back in their order, whatever the threads, and progress counts them."""
    source = make_raster(np.random.default_rng(1).normal(size=(50, 70)))
    sink, steps = Keeper((50, 70)), []
    map_tiles(
        source, (sink,), TileScheme(16, margin=3),
        lambda block, tile: (block.data[:, *tile.inner] * 2,),
        threads=threads, stage="doubling", progress=steps.append,
    )  # fmt: skip
    assert (sink.count == 1).all()
    assert np.array_equal(sink.data, source.data[0] * 2)
    assert sink.order == sorted(sink.order)
    assert steps == [Step("doubling", n, 20) for n in range(1, 21)]


class Foreseer(Keeper):
    """A sink that looks at cells beforehand."""

    def __init__(self, shape):
        super().__init__(shape)
        self.foreseen = {}

    def foresee(self, data, window):
        self.foreseen[window] = data.sum(), threading.current_thread()

    def write(self, data, window):
        super().write(data, window)
        assert self.foreseen[window][0] == data.sum()


def test_a_sink_may_look_at_cells_in_the_thread_that_made_them():
    """Each tile before it is written, also of a window of a sink; others are not asked."""
    source = make_raster(np.arange(300.0).reshape(20, 15))
    sink, plain, makers = Foreseer((22, 18)), Keeper((20, 15)), {}

    def compute(block, tile):
        row, col = tile.write.row_off + 2, tile.write.col_off + 3
        makers[Window(col, row, *reversed(tile.write.shape))] = threading.current_thread()
        cells = block.data[:, *tile.inner]
        return cells, cells

    shifted = Shifted(sink, Window(-3, -2, 18, 22))
    map_tiles(source, (shifted, plain), TileScheme(8), compute, threads=2)
    assert np.array_equal(sink.data[2:, 3:], plain.data)
    assert {window: maker for window, (_, maker) in sink.foreseen.items()} == makers
    assert threading.current_thread() not in makers.values()


def test_none_writes_nothing():
    """A tile without a result leaves its cells alone."""
    sink = Keeper((20, 20))
    map_tiles(make_raster(np.zeros((20, 20))), (sink,), TileScheme(10), lambda block, tile: None)
    assert not sink.order


def test_an_error_stops_the_work():
    """What `compute` or `progress` raises reaches the caller."""

    def fail(block, tile):
        raise ValueError("no")

    source = make_raster(np.zeros((20, 20)))
    with pytest.raises(ValueError, match="no"):
        map_tiles(source, (Keeper((20, 20)),), TileScheme(5), fail, threads=2)

    def cancel(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_tiles(
            source, (Keeper((20, 20)),), TileScheme(5), lambda b, t: (b.data,), progress=cancel
        )
