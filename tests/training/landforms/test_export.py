"""The exported file: proven, self-describing, free in size, and refused when it is wrong."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnx
import torch
from training.landforms.conftest import make_dem, make_net

from geotools.errors import ModelError
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.landforms import export
from geotools.training.landforms.__main__ import model_spec


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A tiny net, its file and the spec that went in."""
    net = make_net()
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    dems = [make_dem(190, 190), make_dem(150, 170, seed=1)]
    return net, path, export.export_model(net, path, model_spec(0, 0), dems)


def test_the_spec_comes_back(exported):
    _, path, spec = exported
    values = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert ModelSpec.from_json(values[METADATA_KEY]).to_json() == spec.to_json()
    assert json.loads(values["model_type"]) == "Segmentor"
    assert json.loads(values["class_names"])["9"] == "pit"
    assert spec.parity["max_difference"] <= 2e-3
    assert 10 < spec.halo < 60


def test_sizes_are_free_and_answers_are_the_nets(exported):
    net, path, _ = exported
    session = export.open_session(path)
    for rows, cols in ((1, 1), (5, 60), (70, 33)):
        elevation = make_dem().elevation[:rows, :cols].copy()
        elevation[rows // 2, :] = np.nan
        cells = np.full((2, rows), 20.0, dtype=np.float32)
        there = export.run_dem(session, elevation, cells)
        with torch.no_grad():
            here = net(
                torch.from_numpy(elevation)[None, None],
                torch.from_numpy(cells)[None, :, :, None],
            )[0]
        np.testing.assert_allclose(there, here, atol=2e-3)


def test_the_graph_keeps_to_the_standard(exported):
    graph = onnx.load(exported[1])
    assert [(item.domain, item.version) for item in graph.opset_import] == [("", export.OPSET)]
    kinds = {node.op_type for node in graph.graph.node}
    assert not kinds & {"Loop", "If", "Scan", "InstanceNormalization"}


def test_a_change_beyond_the_halo_is_not_felt(exported):
    """The measured halo holds for another DEM and another change."""
    _, path, spec = exported
    session = export.open_session(path)
    elevation = make_dem(200, 200, seed=3).elevation
    cells = np.full((2, 200), 30.0, dtype=np.float32)
    before = export.run_dem(session, elevation, cells)
    other = elevation.copy()
    other[100, 100] = np.nan
    moved = (export.run_dem(session, other, cells) != before).any(0)
    away = np.abs(np.argwhere(moved) - 100).max()
    assert 0 < away <= spec.halo


def test_an_export_that_differs_is_refused(monkeypatch, tmp_path):
    def differ(*_):
        return export.Parity(0.01, 1.0, 100, "one tile")

    monkeypatch.setattr(export, "_compare", differ)
    with pytest.raises(ModelError, match="refused"):
        export.export_model(make_net(), tmp_path / "x.onnx", model_spec(0, 0), [make_dem(40, 40)])
    assert not list(tmp_path.iterdir())
