"""Rasters opened as the features of a model."""

import numpy as np
import pytest
import rasterio
from conftest import make_grid, write_tif

from geotools.errors import RasterError
from geotools.features.opening import find_bands, open_stack
from geotools.spec import SourceInfo


def test_missing_cells_are_those_that_the_training_stated(tmp_path):
    """A value that stood for missing cells in training stands for them afterwards."""
    data = np.array([[[1, 2], [-9999, 4]]], np.int16)
    path = write_tif(tmp_path / "plain.tif", data, make_grid(2, 2))
    info = SourceInfo("a", ("1",), (1,), 1, nodata=-9999.0)
    with open_stack([[path]], [info], ["a"]) as stack:
        block = stack.read(stack.grid.window)
    assert block.valid.tolist() == [[True, True], [False, True]]


def described(path, names):
    """A raster whose band k holds k, with these descriptions."""
    data = np.stack([np.full((2, 2), k, np.float32) for k in range(1, len(names) + 1)])
    write_tif(path, data, make_grid(2, 2))
    with rasterio.open(path, "r+") as dataset:
        for number, name in enumerate(names, 1):
            if name:
                dataset.set_band_description(number, name)
    return path


INFO = SourceInfo("s2", ("red", "nir", "swir"), (1, 2, 3), 3)


def test_bands_are_found_by_name(tmp_path):
    """In any order; by numbers and silently where nothing is described."""
    told = []
    path = described(tmp_path / "a.tif", ["swir", "red", "nir"])
    assert find_bands(INFO, path, None, warn=told.append) == (2, 3, 1)
    path = described(tmp_path / "b.tif", ["", "", ""])
    assert find_bands(INFO, path, None, warn=told.append) == (1, 2, 3)
    assert told == []


def test_a_band_in_another_place_is_refused(tmp_path):
    """Not all names are found, and one that is stands where another is expected."""
    path = described(tmp_path / "a.tif", ["swir1", "red", "nir"])
    with pytest.raises(RasterError, match=r"a\.tif has red in band 2, nir in band 3.*--bands"):
        find_bands(INFO, path, None)
    with open_stack([[path]], [INFO], ["s2"], bands=(2, 3, 1)) as stack:
        assert stack.read(stack.grid.window).data[:, 0, 0].tolist() == [2, 3, 1]


def test_a_raster_of_just_the_bands_in_order_is_taken(tmp_path):
    """One name is missing, the others stand in the order that is needed."""
    info = SourceInfo("s2", ("red", "nir"), (3, 4), 4)
    path = described(tmp_path / "a.tif", ["red", ""])
    assert find_bands(info, path, None) == (1, 2)


def test_bands_that_are_described_otherwise_are_named(tmp_path):
    """They are taken by number, and a sentence says which as what."""
    told = []
    path = described(tmp_path / "a.tif", ["B4", "nir", "B11"])
    assert find_bands(INFO, path, None, warn=told.append) == (1, 2, 3)
    (sentence,) = told
    assert "band 1 (b4) as red, band 3 (b11) as swir was taken by number" in sentence


def test_numbers_of_bands_are_for_one_source(tmp_path):
    """As many as it needs."""
    path = described(tmp_path / "a.tif", ["", "", ""])
    with pytest.raises(RasterError, match="needs 3"):
        open_stack([[path]], [INFO], ["s2"], bands=(1, 2))
    two = [INFO, SourceInfo("dem", ("1",), (1,), 1)]
    with pytest.raises(RasterError, match="leave --bands out"):
        open_stack([[path], [path]], two, ["s2", "dem"], bands=(1, 2, 3))
