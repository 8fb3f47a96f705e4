"""geotools.inference.standardising: blocks by their own mean and deviation."""

import numpy as np

from geotools.inference.standardising import standardise_tile


def test_mean_and_deviation_of_valid_cells():
    """Every band gets mean 0 and deviation 1; invalid cells stay, and count for nothing."""
    rng = np.random.default_rng(1)
    block = (rng.random((2, 30, 40)) * [[[3]], [[900]]] + [[[50]], [[-7]]]).astype(np.float32)
    block[1, 4:9, 5:20] = np.nan
    valid = ~np.isnan(block[1])
    found = standardise_tile(block)
    assert found.dtype == np.float32
    assert np.isnan(found[:, ~valid]).all()
    assert np.abs(found[:, valid].mean(axis=1)).max() < 1e-5
    assert np.abs(found[:, valid].std(axis=1) - 1).max() < 1e-5
    scaled = standardise_tile(block * 4 - 3)
    assert np.allclose(scaled[:, valid], found[:, valid], atol=1e-4)


def test_one_value_is_nothing():
    """A band of one value is 0, whatever the value."""
    for value in (0.1, 1e-30, 3e6):
        assert not standardise_tile(np.full((1, 7, 9), value, np.float32)).any()
