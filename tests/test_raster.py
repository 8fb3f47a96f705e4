"""geotools.raster."""

import numpy as np
import pytest
from conftest import make_grid, make_raster

from geotools.errors import RasterError
from geotools.grid import Window
from geotools.raster import Raster


def test_raster_refuses_shapes_that_do_not_fit():
    """Data, valid and grid agree from birth."""
    grid = make_grid(4, 3)
    with pytest.raises(RasterError, match="band, row, col"):
        Raster(np.zeros((3, 4)), np.ones((3, 4), bool), grid, ("a",))
    with pytest.raises(RasterError, match="booleans"):
        Raster(np.zeros((1, 3, 4)), np.ones((3, 4)), grid, ("a",))


def test_read_beyond_the_raster_is_invalid():
    """Cells outside are invalid, cells inside are copies."""
    raster = make_raster(np.arange(12.0).reshape(3, 4))
    part = raster.read(Window(-1, 1, 3, 3))
    assert part.valid.tolist() == [[False, True, True], [False, True, True], [False] * 3]
    assert part.data[0, :2, 1:].tolist() == [[4, 5], [8, 9]]
    part.data[:] = 0
    assert raster.data[0, 1, 1] == 5
    assert part.grid.transform.c == raster.grid.transform.c - 30


def test_filled_marks_invalid_cells():
    """`filled` is float32 with NaN where invalid."""
    valid = np.array([[True, False]])
    filled = make_raster(np.array([[7, 9]], np.int16), valid=valid).filled()
    assert filled.dtype == np.float32
    assert filled[0, 0, 0] == 7
    assert np.isnan(filled[0, 0, 1])
