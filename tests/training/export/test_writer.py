"""A traced learner as one file: proven, refused, described."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from learner_models import conv_traced, make_spec, predict, row_traced, softmax

from geotools.errors import ModelError
from geotools.inference.model import open_model
from geotools.spec import InputInfo
from geotools.training.export.parity import compare, measure_reach, open_session
from geotools.training.export.writer import deepness_keys, export_model


def real_raster(bands: int = 2, size: int = 40) -> np.ndarray:
    raster = np.random.default_rng(5).normal(100, 30, (1, bands, size, size)).astype(np.float32)
    raster[0, 0, 3:6, 3:9] = np.nan
    return raster


def test_rows_come_out_as_they_went_in(tmp_path: Path):
    """The file opens by itself and gives the framework's probabilities."""
    weights, traced = row_traced()
    rows = np.random.default_rng(0).normal(100, 50, (300, 2)).astype(np.float32)
    here = softmax(rows, weights)
    path = tmp_path / "model.onnx"
    spec = export_model(
        traced, make_spec(traced), path, here=here, feeds={"features": rows}, on="300 cells"
    )
    model = open_model(path)
    assert model.spec == spec
    assert spec.parity["cells"] == 300
    assert spec.parity["max_difference"] < 1e-5
    assert spec.parity["class_agreement"] == 1.0
    assert spec.parity["on"] == "300 cells"
    np.testing.assert_allclose(model.run({"features": rows})[0], here, atol=1e-5)


def test_rasters_carry_halo_tile_and_inputs(tmp_path: Path):
    net, traced = conv_traced(sizes=True)
    raster, sizes = real_raster(), np.full((1, 2, 40, 1), 25.0, np.float32)
    spec = export_model(
        traced, make_spec(traced), tmp_path / "model.onnx",
        here=predict(net, raster, sizes), feeds={"raster": raster, "cell_size": sizes},
    )  # fmt: skip
    assert (spec.halo, spec.tile, spec.stride_multiple) == (2, 256, 1)
    assert spec.inputs == traced.inputs
    assert open_model(tmp_path / "model.onnx").spec == spec


def test_cells_of_tiles_may_be_the_proof(tmp_path: Path):
    """A function that is given the graph tiles as it likes."""
    net, traced = conv_traced()
    raster = real_raster()
    cells = np.array([[4, 5], [20, 30], [39, 0]])

    def of_cells(run):
        return run({"raster": raster})[0][:, cells[:, 0], cells[:, 1]].T

    here = predict(net, raster)[0][:, cells[:, 0], cells[:, 1]].T
    spec = export_model(traced, make_spec(traced), tmp_path / "m.onnx", here=here, feeds=of_cells)
    assert spec.parity["cells"] == 3


def test_values_are_compared_in_shares_of_the_largest(tmp_path: Path):
    net, traced = conv_traced(classes=0)
    raster = real_raster()
    spec = export_model(
        traced, make_spec(traced, classes=0), tmp_path / "m.onnx",
        here=predict(net, raster), feeds={"raster": raster},
    )  # fmt: skip
    assert "class_agreement" not in spec.parity
    here = np.array([[1000.0], [1.0]])
    assert compare(here, here + 0.05, kind="values", on="").max_difference == pytest.approx(5e-5)


def test_a_graph_that_differs_is_refused_and_nothing_is_written(tmp_path: Path):
    weights, traced = row_traced()
    rows = np.random.default_rng(0).normal(100, 50, (50, 2)).astype(np.float32)
    here = softmax(rows, weights * 1.01)
    with pytest.raises(ModelError, match=r"differ by .*; at most 0\.0001"):
        export_model(
            traced, make_spec(traced), tmp_path / "m.onnx", here=here, feeds={"features": rows}
        )
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_sees_beyond_its_halo_is_refused(tmp_path: Path):
    net, traced = conv_traced(halo=1)
    raster = real_raster()
    with pytest.raises(ModelError, match="felt 2 cells away, its halo is 1"):
        export_model(
            traced, make_spec(traced), tmp_path / "m.onnx",
            here=predict(net, raster), feeds={"raster": raster},
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        (np.ones((3, 2)) / 2, np.ones((3, 3)) / 3, "cannot be compared"),
        (np.full((3, 2), np.nan), np.ones((3, 2)) / 2, "framework lets NaN out"),
        (np.ones((3, 2)) / 2, np.full((3, 2), np.nan), "exported graph lets NaN out"),
        (np.ones((3, 2)) / 2, np.ones((3, 2)), "add up to 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(here, there, words):
    with pytest.raises(ModelError, match=words):
        compare(here, there, kind="probabilities", on="")


def test_inputs_that_are_not_those_of_the_graph_are_refused(tmp_path: Path):
    _, traced = row_traced()
    other = dataclasses.replace(traced, inputs=(InputInfo("rows", "features", ("a", "b")),))
    with pytest.raises(ModelError, match="takes features, it is said to take rows"):
        export_model(other, make_spec(other), tmp_path / "m.onnx", here=np.ones((1, 3)), feeds={})


def test_the_reach_of_a_graph_is_measured():
    """Two layers of 3 x 3 see two cells far; a tile that is too small says so."""
    _, traced = conv_traced()
    session = open_session(traced.graph.SerializeToString())

    def run(inputs):
        return session.run(["probabilities"], dict(inputs))[0]

    assert measure_reach(run, {"raster": real_raster(size=31)}, "raster") == 2
    with pytest.raises(ModelError, match="larger"):
        measure_reach(run, {"raster": real_raster(size=12)}, "raster")


def test_files_are_readable_by_older_runtimes(tmp_path: Path):
    weights, traced = row_traced()
    rows = np.ones((4, 2), np.float32)
    path = tmp_path / "m.onnx"
    export_model(
        traced, make_spec(traced), path, here=softmax(rows, weights), feeds={"features": rows}
    )
    model = onnx.load(path)
    assert model.ir_version <= 8
    assert model.opset_import[0].version == 17


def test_Deepness_keys_are_JSON_in_its_words(tmp_path: Path):
    _, traced = conv_traced()
    spec = dataclasses.replace(make_spec(traced), halo=20, tile=256, cell_size_m=(5.0, 20.0))
    keys = {key: json.loads(value) for key, value in deepness_keys(spec).items()}
    assert keys == {
        "model_type": "Segmentor", "class_names": {"0": "ice", "1": "rock", "2": "water"},
        "resolution": 1000, "tile_size": 256, "tiles_size": 256, "tiles_overlap": 16,
        "seg_thresh": 0.0, "seg_small_segment": 0,
    }  # fmt: skip
    _, traced = conv_traced(classes=0)
    keys = deepness_keys(make_spec(traced, classes=0), bands=2)
    assert json.loads(keys["model_type"]) == "Regressor"
    assert json.loads(keys["reg_output_scaling"]) == 1.0
    assert json.loads(keys["standardization_std"]) == [1 / 255, 1 / 255]
