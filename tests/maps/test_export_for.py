"""A trained model for other programs."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from training_scenes import make_scene, settings, table_settings

from geotools import export_for
from geotools.errors import ConfigError, FileError, GeotoolsError, ModelError
from geotools.maps.train import train

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Run folders of a forest and of a table."""
    scene = make_scene(tmp_path_factory.mktemp("scene"))
    folder = tmp_path_factory.mktemp("runs")
    train(settings(), folder / "forest", data=scene, threads=1)
    train(table_settings("kind", "logistic"), folder / "table", data=scene, threads=1)
    return folder


def test_a_run_folder_is_exported(runs, tmp_path):
    """Its model, in images of one size, says what the model itself says."""
    made = export_for(runs / "forest", tmp_path / "q.onnx", tile=64)
    assert made.path == tmp_path / "q.onnx"
    assert "images of 64 x 64 cells of 3000 cm" in made.sentence
    assert made.parity["max_difference"] < 1e-4
    graph = onnx.load(made.path)
    shape = [item.dim_value for item in graph.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, 1, 64, 64]
    keys = {item.key: json.loads(item.value) for item in graph.metadata_props}
    assert keys["resolution"] == 3000
    assert keys["class_names"] == {"0": "2", "1": "4"}
    session = onnxruntime.InferenceSession(made.path.read_bytes())
    heights = np.linspace(500, 1100, 64 * 64, dtype=np.float32).reshape(1, 1, 64, 64)
    found = session.run(None, {session.get_inputs()[0].name: heights})[0]
    rows = onnxruntime.InferenceSession((runs / "forest" / "model.onnx").read_bytes())
    expected = rows.run(None, {rows.get_inputs()[0].name: heights.reshape(-1, 1)})[0]
    own = found[0].reshape(2, -1).T
    np.testing.assert_allclose(own, expected, atol=1e-4)


def test_a_file_is_exported_as_its_folder_is(runs, tmp_path):
    export_for(runs / "forest", tmp_path / "one.onnx")
    export_for(runs / "forest" / "model.onnx", tmp_path / "two.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


CASES = {
    # name: (error, words, model, output, options)
    "another program": (ConfigError, "no export for 'arcgis'", "forest", "q.onnx",
                        {"target": "arcgis"}),
    "no model": (GeotoolsError, "does not exist", "none", "q.onnx", {}),
    "a folder without": (GeotoolsError, "does not exist", ".", "q.onnx", {}),
    "no name of a model": (FileError, "end it in .onnx", "forest", "q.txt", {}),
    "an output that exists": (FileError, "give --overwrite", "forest", "old.onnx", {}),
    "the model itself": (FileError, "is the input itself", "forest", "forest/model.onnx",
                         {"overwrite": True}),
    "no tile": (ModelError, "cannot be", "forest", "q.onnx", {"tile": 3}),
    "no resolution": (ModelError, "cannot be", "forest", "q.onnx", {"resolution_cm": -1.0}),
    "another resolution": (ModelError, "cells of 2400 to 3750 cm, not of 100", "forest", "q.onnx",
                           {"resolution_cm": 100.0}),
    "a table": (ModelError, "takes the columns of a table", "table", "q.onnx", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said(name, runs, tmp_path):
    kind, words, model, output, options = CASES[name]
    (tmp_path / "old.onnx").write_text("mine")
    target = runs / output if "/" in output else tmp_path / output
    with pytest.raises(kind) as raised:
        export_for(runs / model, target, **options)
    assert words in str(raised.value)
    assert str(raised.value).endswith(".")
    assert [path.name for path in tmp_path.iterdir()] == ["old.onnx"]
    assert (tmp_path / "old.onnx").read_text() == "mine"
