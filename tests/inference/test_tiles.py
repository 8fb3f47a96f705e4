"""geotools.inference.tiles and filling: blocks of one size."""

import numpy as np
import pytest
from conftest import make_grid

from geotools.errors import GridError
from geotools.grid import Window
from geotools.inference.filling import fill_nearest
from geotools.inference.tiles import FixedTiles


@pytest.mark.parametrize("seed", range(20))
def test_middles_cover_the_grid_once(seed):
    """All blocks have one size, their middles cover every cell once, inside their margin."""
    rng = np.random.default_rng(seed)
    rows, cols, margin = (int(n) for n in rng.integers([16, 16, 0], [60, 60, 5]))
    multiple = int(rng.choice([1, 4, 8]))
    width, height, left, top = (int(n) for n in rng.integers([1, 1, 0, 0], [150, 150, 99, 99]))
    grid = make_grid(width, height, cell=1.0, left=left, top=top)
    scheme = FixedTiles(rows, cols, margin, multiple)
    times = np.zeros(grid.shape, int)
    tiles = list(scheme.tiles(grid))
    for tile in tiles:
        assert tile.read.shape == (rows, cols)
        assert (left + tile.read.col_off) % multiple == 0
        assert (tile.read.row_off - top) % multiple == 0
        times[tile.write.slices()] += 1
        middle = Window(
            tile.read.col_off + margin, tile.read.row_off + margin,
            cols - 2 * margin, rows - 2 * margin,
        )  # fmt: skip
        assert tile.write.intersection(middle) == tile.write
    assert (times == 1).all()
    assert len(tiles) == scheme.count(grid)


def test_the_last_block_slides_back():
    """It reads the raster and its margin, and no more emptiness than that."""
    tiles = list(FixedTiles(64, 64, 8).tiles(make_grid(90, 40)))
    assert [tile.read.col_off for tile in tiles] == [-8, 34]
    assert tiles[1].read.col_stop == 90 + 8
    assert tiles[0].read.row_off == -8


def test_a_block_needs_a_middle():
    """A margin that leaves nothing is refused."""
    with pytest.raises(GridError, match="smaller overlap"):
        FixedTiles(16, 64, 8)


@pytest.mark.parametrize("seed", range(20))
def test_coarser_cells_are_made_of_whole_blocks(seed):
    """Blocks and what is written of them begin on whole output cells, from the grid's first on."""
    rng = np.random.default_rng(seed)
    coarser, cells = (int(n) for n in rng.integers([2, 3], [9, 12]))
    side, margin = coarser * cells, coarser * int(rng.integers(0, (cells - 1) // 2 + 1))
    width, height, left, top = (int(n) for n in rng.integers([1, 1, 0, 0], [150, 150, 99, 99]))
    grid = make_grid(width, height, cell=1.0, left=left, top=top)
    times = np.zeros((-(-height // coarser), -(-width // coarser)), int)
    for tile in FixedTiles.over((side, side), margin, coarser).tiles(grid):
        for window in (tile.read, tile.write):
            assert window.row_off % coarser == window.col_off % coarser == 0
        write = tile.write
        times[
            write.row_off // coarser : -(-write.row_stop // coarser),
            write.col_off // coarser : -(-write.col_stop // coarser),
        ] += 1
    assert (times == 1).all()


def test_a_block_that_is_one_cell_does_not_slide():
    """Tiles of one result lie side by side from the grid's first cell, wherever that is."""
    for left in (500_000.0, 500_010.0):
        tiles = list(FixedTiles.over((64, 64), 0, 64).tiles(make_grid(150, 60, left=left)))
        assert [tile.read.col_off for tile in tiles] == [0, 64, 128]
        assert tiles[-1].write == Window(128, 0, 22, 60)


def test_ordinary_blocks_begin_on_multiples_of_the_crs():
    """As many cells as halvings allow, whatever the raster's first cell is."""
    assert FixedTiles.over((512, 512), 38) == FixedTiles(512, 512, 38, 32)
    assert FixedTiles.over((32, 64), 5) == FixedTiles(32, 64, 5, 8)
    assert FixedTiles.over((16, 16), 7) == FixedTiles(16, 16, 7, 1)


def test_the_nearest_valid_cell_fills():
    """Every invalid cell has the values of a valid one at the smallest distance, in all bands."""
    rng = np.random.default_rng(0)
    block = rng.normal(0, 1, (2, 12, 15)).astype(np.float32)
    missing = rng.random((12, 15)) < 0.7
    block[:, missing] = np.nan
    block[1, 2, 3] = np.nan  # in one band is in all
    missing[2, 3] = True
    filled = fill_nearest(block)
    known = np.argwhere(~missing)
    for row, col in np.argwhere(missing):
        distance = ((known - [row, col]) ** 2).sum(axis=1)
        nearest = known[distance == distance.min()]
        assert any((filled[:, row, col] == block[:, r, c]).all() for r, c in nearest)
    assert np.array_equal(filled[:, ~missing], block[:, ~missing])
    whole = np.ones((1, 4, 4), np.float32)
    assert fill_nearest(whole) is whole
