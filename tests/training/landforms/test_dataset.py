"""Training tiles: seeded, labelled on the clean piece, whatever is done to it."""

import numpy as np
import pytest

pytest.importorskip("torch")

from conftest import make_grid, make_terrain, write_tif
from training.landforms.conftest import make_dem

from geotools.errors import FileError
from geotools.terrain.geomorphons import geomorphons
from geotools.training.landforms.dataset import TileSampler, find_dem, label_forms, open_dem


def sampler(seed: int) -> TileSampler:
    return TileSampler([make_dem(seed=1), make_dem(seed=2)], size=32, batch=3, seed=seed)


def test_batches_are_seeded():
    one, same, other = sampler(4).next(), sampler(4).next(), sampler(5).next()
    np.testing.assert_array_equal(one.elevation, same.elevation)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert not np.array_equal(one.elevation, other.elevation)


def test_labels_are_the_forms_of_the_clean_tile():
    source = sampler(0)
    for _ in range(6):
        batch = source.next()
        for tile in range(3):
            x_m, y_m = batch.cell_size[tile, :, :, 0].astype(np.float64)
            forms = label_forms(batch.clean[tile, 0], x_m, y_m).astype(np.int64) - 1
            known = batch.labels[tile] >= 0
            assert (
                forms[known] == batch.labels[tile][known]
            ).mean() > 0.98  # cell sizes come back as float32
            assert np.isfinite(batch.elevation[tile, 0][known]).all()


def test_labels_on_square_cells_are_r_geomorphons():
    dem = make_dem(x_m=30.0)
    expected = geomorphons(dem.elevation, 30.0, 30.0, search=10)
    np.testing.assert_array_equal(label_forms(dem.elevation, dem.x_m, dem.y_m), expected)


def test_a_dem_is_found_and_opened(tmp_path):
    terrain = make_terrain(40, 60)
    write_tif(tmp_path / "hill.tif", terrain, make_grid())
    dem = open_dem(find_dem(tmp_path, "hill"))
    assert dem.name == "hill"
    np.testing.assert_array_equal(dem.elevation, terrain)
    np.testing.assert_allclose(dem.x_m, 30.0, rtol=1e-3)
    with pytest.raises(FileError, match="0 files named dale"):
        find_dem(tmp_path, "dale")
