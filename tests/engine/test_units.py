"""geotools.engine.units: a grid in blocks of whole tiles."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import make_grid

from geotools.engine.units import cells_of_unit, units_of
from geotools.grid import TileScheme, Window
from geotools.inference.output_cells import OutputCells
from geotools.inference.tiles import FixedTiles
from geotools.raster import Layer


def make_work(grid, tiling, *, finer=1, coarser=1):
    cells = OutputCells(finer, coarser, grid)
    return SimpleNamespace(
        source=SimpleNamespace(grid=grid), tiling=tiling, grid=cells.grid, placed=cells.window
    )


@pytest.mark.parametrize("seed", range(12))
def test_units_cover_the_result_once(seed):
    """Whatever the tiles; tiles are whole, and a unit's window is that of its tiles."""
    rng = np.random.default_rng(seed)
    width, height = (int(n) for n in rng.integers(1, 700, 2))
    grid = make_grid(width, height)
    tiling = TileScheme(int(rng.integers(16, 200)), margin=7, stride_multiple=4)
    if seed % 3 == 1:
        tiling = FixedTiles(64, 64, int(rng.integers(0, 20)), 4)
    work = make_work(grid, tiling)
    if seed % 3 == 2:
        work = make_work(grid, FixedTiles(32, 32, 0, 32, anchored=True), coarser=32)
    times = np.zeros(work.grid.shape, int)
    cells = int(rng.integers(16, 400))
    names, tiles = set(), []
    for unit in units_of(work, cells):
        times[unit.window.slices()] += 1
        names.add(unit.name)
        tiles.extend(unit.tiles)
        inside = np.zeros(unit.window.shape, int)
        for tile in unit.tiles:
            inside[work.placed(tile.write).slices(unit.window)] += 1
        assert (inside == 1).all()
        assert len(unit.tiles) == 1 or max(unit.window.shape) <= cells
    assert (times == 1).all()
    assert len(names) == len(list(units_of(work, cells)))
    tiles.sort(key=lambda tile: (tile.write.row_off, tile.write.col_off))
    assert tiles == list(work.tiling.tiles(grid))


def test_finer_cells_have_larger_units():
    """Windows are counted in cells of the result."""
    work = make_work(make_grid(100, 50), TileScheme(32), finer=2)
    units = list(units_of(work, 128))
    assert units[0].window == Window(0, 0, 128, 100)
    assert units[-1].window.col_stop == 200


def test_units_of_strips_are_low_and_wide():
    """One row of tiles after the other, so that strips are decoded once; as many cells."""
    grid = make_grid(1000, 500)
    work = make_work(grid, TileScheme(50))
    work.source.is_in_strips = True
    units = list(units_of(work, 200))
    assert units[0].window == Window(0, 0, 800, 50)
    tiles = [tile for unit in units for tile in unit.tiles]
    assert tiles == list(work.tiling.tiles(grid))


def test_many_bands_make_small_units():
    """What a unit holds stays within 64 MB."""
    classes = Layer("classes", ("class",), "uint8", 0)
    shares = Layer("probabilities", tuple("abcdefghij"), "float32", float("nan"))
    assert cells_of_unit((classes,)) == 2048
    assert cells_of_unit((classes, shares)) == 1024
