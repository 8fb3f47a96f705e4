"""Nets that start from a terrain backbone, or from the weights of an earlier training."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import make_lonlat_grid, make_terrain
from net_materials import fitted_net, make_cells, make_scene, make_table

from geotools.errors import ConfigError, FileError, ModelError
from geotools.grid import Window
from geotools.raster import Raster
from geotools.training.learners.start import WEIGHTS_FILE
from geotools.training.material import RasterMaterial, raster_material


def make_hills(rows: int = 48, cols: int = 56) -> RasterMaterial:
    """Elevation and noise; what is high is a class."""
    elevation = make_terrain(rows, cols)
    noise = np.random.default_rng(0).normal(0, 1, elevation.shape).astype(np.float32)
    grid = make_lonlat_grid(cols, rows)
    source = Raster(
        np.stack([noise, elevation]), np.ones((rows, cols), np.bool_), grid, ("noise", "dem")
    )
    labels = (elevation > np.median(elevation)).astype(np.int16)
    labels[:, ::3] = -1
    return raster_material([source], make_cells(grid, labels), classes=("low", "high"), elevation=1)


@pytest.fixture(scope="module")
def hills() -> RasterMaterial:
    return make_hills()


@pytest.mark.parametrize("freeze", [True, False])
def test_a_backbone_sees_elevation_and_cell_size_and_its_graph_says_the_same(hills, freeze):
    net = fitted_net("unet", hills, init="landforms-v1", freeze=freeze, epochs=1)
    index = np.arange(0, len(hills.cells), 7)
    here = net.predict(hills, index)
    traced = net.trace()
    assert [item.kind for item in traced.inputs] == ["raster", "cell_size"]
    assert traced.halo > net.nets[0].terrain.halo
    halo, multiple = traced.halo, traced.stride_multiple
    col, row = hills.grids[0].phase(multiple)
    col, row = col - halo - multiple, row - halo - multiple
    size = 2 * (halo + multiple) + 64
    window = Window(col, row, size, size)
    sizes = np.stack(hills.grids[0].cell_size_m(window)).astype(np.float32)[None, :, :, None]
    session = onnxruntime.InferenceSession(traced.graph.SerializeToString())
    feeds = {"raster": hills.tile(0, window).data[None], "cell_size": sizes}
    there = session.run(None, feeds)[0][0][
        :, hills.cells.row[index] - row, hills.cells.col[index] - col
    ].T
    np.testing.assert_allclose(there, here, atol=2e-3)


def test_a_frozen_backbone_stays_and_another_learns_slowly(hills):
    shipped = fitted_net("unet", hills, init="landforms-v1", freeze=True, epochs=1)
    tuned = fitted_net("unet", hills, init="landforms-v1", epochs=1)
    other = fitted_net("unet", hills, init="landforms-v1", freeze=True, epochs=1, seed=1)
    name = "terrain.mixed.weight"
    states = [net.nets[0].state_dict() for net in (shipped, tuned, other)]
    assert torch.equal(states[0][name], states[2][name])
    assert 0 < float((states[0][name] - states[1][name]).abs().max()) < 0.05


def test_a_backbone_without_elevation_is_refused():
    with pytest.raises(ConfigError, match="add the name of the elevation input to features"):
        fitted_net("unet", make_scene(), init="landforms-v1")


def test_a_backbone_for_a_net_without_surroundings_is_refused():
    with pytest.raises(ConfigError, match="is for unet"):
        fitted_net("dense", make_table(), init="landforms-v1")


def test_an_init_that_does_not_exist_is_refused(hills, tmp_path):
    with pytest.raises(ModelError, match="landforms-v1"):
        fitted_net("unet", hills, init="landform-v9")
    with pytest.raises(FileError, match="give the run folder of a net"):
        fitted_net("unet", hills, init=str(tmp_path))


def test_own_weights_are_taken_over(tmp_path):
    """With a rate of nearly 0 the second net is the first."""
    material = make_table()
    first = fitted_net("dense", material, epochs=8)
    first.write(tmp_path / WEIGHTS_FILE)
    second = fitted_net("dense", material, init=str(tmp_path), epochs=1, learning_rate=1e-9, seed=9)
    index = np.arange(50)
    np.testing.assert_allclose(
        second.predict(material, index), first.predict(material, index), atol=1e-4
    )
    assert second.facts["notes"] == [f"6 of 6 arrays of weights were taken from {tmp_path.name}."]


def test_own_weights_go_without_what_other_features_change(tmp_path):
    """Three layers fit; the first belongs to other features, and so does the normalisation."""
    fitted_net("dense", make_table()).write(tmp_path / WEIGHTS_FILE)
    material = make_table(dates=2)
    net = fitted_net("dense", material, init=str(tmp_path), freeze=True)
    assert net.facts["notes"] == [f"5 of 6 arrays of weights were taken from {tmp_path.name}."]


@pytest.mark.parametrize("kind", ["net", "shape", "text", "content"])
def test_weights_that_do_not_fit_are_refused(tmp_path, kind):
    path = tmp_path / WEIGHTS_FILE
    options = {}
    if kind == "net":
        fitted_net("gru", make_table(dates=3)).write(path)
    elif kind == "shape":
        torch.save({"net": "dense", "features": [], "weights": {"a": torch.zeros(2)}}, path)
    elif kind == "text":
        path.write_text("weights")
    else:
        torch.save({"weights": 3}, path)
    with pytest.raises(ConfigError, match="init = "):
        fitted_net("dense", make_table(), init=str(tmp_path), **options)


def test_freezing_all_is_refused(tmp_path):
    fitted_net("dense", make_table()).write(tmp_path / WEIGHTS_FILE)
    with pytest.raises(ConfigError, match="nothing to learn"):
        fitted_net("dense", make_table(), init=str(tmp_path), freeze=True)
