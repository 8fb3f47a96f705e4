"""The model file of a training, and the record that goes with it."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from training_scenes import SIZE, make_scene, settings, table_settings

from geotools import Raster, open_model
from geotools.errors import ModelError
from geotools.training.config import make_config

pytest.importorskip("torch")

import onnxruntime

from geotools.training.export.model_file import write_model
from geotools.training.job import learn
from geotools.training.prepare import prepare


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def learned(scene):
    """What a configuration names, and what was learned of it."""
    with ExitStack() as stack:

        def make(values: dict):
            config = make_config(values)
            prepared = prepare(
                config, data=scene, folder=Path(), stack=stack, warn=lambda text: None
            )
            return prepared, learn(prepared)

        yield make


def test_the_graph_of_rows_says_what_the_forest_says(learned, tmp_path):
    """With the temperature inside; the spec names classes, features and where it holds."""
    prepared, outcome = learned(settings())
    spec = write_model(outcome, prepared, tmp_path / "m.onnx", training={"score": 0.5})
    session = onnxruntime.InferenceSession((tmp_path / "m.onnx").read_bytes())
    index = np.arange(0, SIZE**2, 7)
    rows = prepared.material.rows(index)
    found = session.run(None, {session.get_inputs()[0].name: rows})[0]
    raw = outcome.fitted.predict(prepared.material, index).astype(float)
    expected = raw ** (1 / outcome.temperature)
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-4)
    assert open_model(tmp_path / "m.onnx").spec == spec
    assert spec.features == ("dem",)
    assert [info.name for info in spec.outputs[0].classes] == ["2", "4"]
    assert spec.cell_size_m == pytest.approx((24.0, 37.5), rel=2e-3)
    assert (spec.task, spec.halo) == ("semantic-segmentation", 0)
    assert spec.parity["max_difference"] < 1e-4
    assert "labelled cells" in spec.parity["on"]


def test_the_graph_of_tiles_is_proved_on_tiles_with_labels(learned, tmp_path):
    """A net's map at the labelled cells is what its framework says of them."""
    net = {"name": "unet", "width": 4, "depth": 2, "tile": 32, "epochs": 1}
    prepared, outcome = learned(settings(net))
    spec = write_model(outcome, prepared, tmp_path / "m.onnx", training={})
    assert spec.halo > 0
    assert spec.parity["on"].endswith("tiles")
    assert spec.parity["max_difference"] < 1e-3
    assert isinstance(prepared.material.tile(0, prepared.material.grids[0].window), Raster)


def test_values_and_tables(learned, tmp_path):
    """One output of values; a table holds at any cell size."""
    prepared, outcome = learned(table_settings("depth", "logistic", task="regression"))
    spec = write_model(outcome, prepared, tmp_path / "m.onnx", training={})
    assert (spec.task, spec.outputs[0].kind) == ("regression", "values")
    assert spec.parameters["table"] is True
    assert spec.cell_size_m[0] < 1 < 1e6 < spec.cell_size_m[1]
    session = onnxruntime.InferenceSession((tmp_path / "m.onnx").read_bytes())
    rows = prepared.material.rows(np.arange(50))
    found = session.run(None, {session.get_inputs()[0].name: rows})[0]
    np.testing.assert_allclose(
        found, outcome.fitted.predict(prepared.material, np.arange(50)), atol=1e-4
    )


def test_a_graph_that_says_otherwise_is_not_written(learned, tmp_path, monkeypatch):
    """The proof refuses."""
    prepared, outcome = learned(settings())
    honest = type(outcome.fitted).predict

    def lie(self, material, index):
        return honest(self, material, index)[:, ::-1]

    monkeypatch.setattr(type(outcome.fitted), "predict", lie)
    with pytest.raises(ModelError):
        write_model(outcome, prepared, tmp_path / "m.onnx", training={})
    assert not list(tmp_path.iterdir())


def test_the_spec_holds_the_range_of_each_feature(learned, tmp_path):
    """The percentiles 0.5 and 99.5 at the labelled cells, to six digits."""
    prepared, outcome = learned(settings())
    spec = write_model(outcome, prepared, tmp_path / "m.onnx", training={"score": 0.5})
    rows = prepared.material.rows(np.arange(len(prepared.material.cells)))
    expected = np.nanpercentile(rows[:, 0].astype(float), [0.5, 99.5])
    assert list(spec.training["ranges"]) == ["dem"]
    np.testing.assert_allclose(spec.training["ranges"]["dem"], expected, rtol=1e-5)
    assert open_model(tmp_path / "m.onnx").spec.training == spec.training
    assert spec.training["score"] == 0.5
