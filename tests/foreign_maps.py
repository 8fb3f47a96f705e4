"""Maps of other people's models in memory, by nothing but the model and its tiles."""

from __future__ import annotations

import numpy as np

from geotools.inference.tiles import FixedTiles


def mapped(model, source) -> np.ndarray:
    """(channels, rows, cols) on the model's own grid, every cell of which is written once."""
    finer, coarser = model.finer, model.coarser
    shape = [-(-size * finer // coarser) for size in source.grid.shape]
    data, times = np.full((model.channels, *shape), np.nan, np.float32), np.zeros(shape, int)
    for tile in FixedTiles.over(model.side, model.spec.halo, coarser).tiles(source.grid):
        block = source.read(tile.read)
        found = model.run({"raster": block.filled()[None]})[0][0]
        assert found.shape[1:] == tuple(n * finer // coarser for n in tile.read.shape)
        rows, cols = (
            (first * finer // coarser, -(-(first + size) * finer // coarser))
            for first, size in (
                (tile.write.row_off, tile.write.height),
                (tile.write.col_off, tile.write.width),
            )
        )
        row, col = tile.read.row_off * finer // coarser, tile.read.col_off * finer // coarser
        taken = found[:, rows[0] - row : rows[1] - row, cols[0] - col : cols[1] - col]
        data[:, rows[0] : rows[1], cols[0] : cols[1]] = taken
        times[rows[0] : rows[1], cols[0] : cols[1]] += 1
    assert (times == 1).all()
    return data
