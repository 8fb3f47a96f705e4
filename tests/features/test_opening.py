"""Rasters opened as the features of a model."""

import numpy as np
from conftest import make_grid, write_tif

from geotools.features.opening import open_stack
from geotools.spec import SourceInfo


def test_missing_cells_are_those_that_the_training_stated(tmp_path):
    """A value that stood for missing cells in training stands for them afterwards."""
    data = np.array([[[1, 2], [-9999, 4]]], np.int16)
    path = write_tif(tmp_path / "plain.tif", data, make_grid(2, 2))
    info = SourceInfo("a", ("1",), (1,), 1, nodata=-9999.0)
    with open_stack([[path]], [info], ["a"]) as stack:
        block = stack.read(stack.grid.window)
    assert block.valid.tolist() == [[True, True], [False, True]]
