"""The shipped landform net as a terrain backbone."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from conftest import make_terrain

from geotools.errors import FileError, ModelError
from geotools.grid import Window
from geotools.io.geotiff import open_raster
from geotools.training.landforms.export import open_session, run_dem
from geotools.training.learners.backbone import landform_backbone, shipped_model_path


@pytest.fixture(scope="module")
def backbone():
    return landform_backbone("landforms-v1").eval()


def maps_of(backbone, elevation, cells) -> np.ndarray:
    with torch.no_grad():
        maps = backbone(
            torch.from_numpy(elevation)[None, None], torch.from_numpy(cells)[None, :, :, None]
        )
    return maps[0].numpy()


def forms_of(maps) -> np.ndarray:
    return np.exp(4.0 * maps[-10:])


def test_it_is_the_shipped_net(backbone, shared: Path):
    """On a real DEM its probabilities are those that ONNX Runtime gives for the shipped file."""
    with open_raster(shared / "dem" / "N46E008.tif") as source:
        window = Window(300, 500, 160, 140)
        elevation = source.read(window).filled()[0]
        cells = np.stack(source.grid.cell_size_m(window)).astype(np.float32)
    there = run_dem(open_session(shipped_model_path("landforms-v1")), elevation, cells)
    here = forms_of(maps_of(backbone, elevation, cells))
    assert np.abs(here - there).max() < 1e-3
    assert (here.argmax(0) == there.argmax(0)).all()


def test_maps_are_finite_whatever_the_dem(backbone):
    cells = np.full((2, 60), 30.0, np.float32)
    hole = make_terrain(60, 50)
    hole[10:40, 5:30] = np.nan
    for elevation in (hole, np.full((60, 50), np.nan, np.float32), np.zeros((60, 50), np.float32)):
        maps = maps_of(backbone, elevation, cells)
        assert maps.shape == (backbone.channels, 60, 50)
        assert np.isfinite(maps).all()
        assert np.abs(maps).max() < 20


def test_maps_depend_on_nothing_beyond_the_halo(backbone):
    elevation = make_terrain(180, 180, seed=3)
    cells = np.full((2, 180), 30.0, np.float32)
    other = elevation.copy()
    other[:, : 90 - backbone.halo] += 500.0
    before, after = (maps_of(backbone, one, cells) for one in (elevation, other))
    np.testing.assert_array_equal(before[:, :, 90:], after[:, :, 90:])
    assert (before[:, :, : 90 - backbone.halo] != after[:, :, : 90 - backbone.halo]).any()


def test_it_exports_and_ONNX_Runtime_agrees(backbone):
    stream = io.BytesIO()
    example = (torch.zeros(1, 1, 40, 44), torch.full((1, 2, 40, 1), 30.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            backbone, example, stream, dynamo=False, opset_version=17,
            input_names=["elevation", "cell_size"], output_names=["maps"],
            dynamic_axes={"elevation": {0: "N", 2: "H", 3: "W"}, "cell_size": {0: "N", 2: "H"}},
        )  # fmt: skip
    elevation = make_terrain(70, 66, seed=5)
    elevation[20:24, 30:33] = np.nan
    cells = np.full((2, 70), 25.0, np.float32)
    feed = {"elevation": elevation[None, None], "cell_size": cells[None, :, :, None]}
    there = open_session(stream.getvalue()).run(["maps"], feed)[0][0]
    here = maps_of(backbone, elevation, cells)
    assert np.abs(forms_of(here) - forms_of(there)).max() < 1e-3
    assert np.abs(here - there).max() < 2e-2  # digits are steep where a direction is at a threshold


def test_gradients_reach_every_layer(backbone):
    elevation = torch.from_numpy(make_terrain(40, 40))[None, None]
    backbone(elevation, torch.full((1, 2, 40, 1), 30.0)).square().sum().backward()
    for name, weight in backbone.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
    backbone.zero_grad()


def test_a_path_of_the_same_net_is_taken_too(backbone):
    again = landform_backbone(shipped_model_path("landforms-v1"))
    for name, weight in backbone.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert dataclasses.asdict(again.config) == dataclasses.asdict(backbone.config)
    assert again.halo == 72


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("landforms-v9", ModelError, "there are landforms-v1, "),
        ("none.onnx", FileError, "does not exist"),
        ("seismicity-global-v1", ModelError, "cannot be started from"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(name, error, words):
    with pytest.raises(error, match=words):
        landform_backbone(name)


def test_a_file_that_is_no_landform_net_is_refused(tmp_path: Path):
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"\x00\xff" * 100)
    with pytest.raises(ModelError, match=r"rubbish\.onnx"):
        landform_backbone(rubbish)
    graph = onnx.load_from_string(shipped_model_path("landforms-v1").read_bytes())
    for tensor in graph.graph.initializer:
        if tensor.name == "stem.weight":
            tensor.CopyFrom(
                onnx.numpy_helper.from_array(np.zeros((16, 3, 3, 3), np.float32), "stem.weight")
            )
    (tmp_path / "other.onnx").write_bytes(graph.SerializeToString())
    with pytest.raises(ModelError, match=r"stem.weight is \(16, 3, 3, 3\)"):
        landform_backbone(tmp_path / "other.onnx")
