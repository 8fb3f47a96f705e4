"""geotools.inference.model."""

import os

import numpy as np
import pytest
from onnx_bytes import neighbourhood_model

from geotools.errors import FileError, ModelError
from geotools.inference.model import open_model, shipped_model, shipped_models


def save(path, content):
    path.write_bytes(content)
    return path


def test_a_model_knows_itself(tmp_path):
    """Spec, classes and hash come out of the one file."""
    model = open_model(save(tmp_path / "m.onnx", neighbourhood_model()))
    assert model.spec.name == "neighbourhood"
    assert [info.code for info in model.spec.classes] == [3, 7]
    assert len(model.sha256) == 64


def test_run_gives_the_outputs_of_the_spec(tmp_path):
    """Arrays in, arrays out; a flat surface is neither high nor low."""
    model = open_model(save(tmp_path / "m.onnx", neighbourhood_model()))
    (p,) = model.run({"elevation": np.zeros((2, 1, 9, 12), np.float32)})
    assert p.shape == (2, 2, 9, 12)
    assert np.allclose(p, 0.5)
    with pytest.raises(ModelError, match="could not run"):
        model.run({"elevation": np.zeros((9, 12), np.float32)})


def test_files_that_are_no_models(tmp_path):
    """Missing, unreadable, without spec, spec of another graph: one sentence each."""
    with pytest.raises(FileError, match="does not exist"):
        open_model(tmp_path / "no.onnx")
    with pytest.raises(FileError, match="cannot be read"):
        open_model(tmp_path)
    content = neighbourhood_model()
    for old, new, words in (
        (b"\x08geotools", b"\x08geotoolz", "no geotools spec"),
        (b'"name": "elevation"', b'"name": "elevatioN"', "its spec says"),
        (b'"name": "p"', b'"name": "q"', "no output q"),
        (b'"schema_version": 1', b'"schema_version": 9', "schema_version 9"),
    ):
        assert old in content
        with pytest.raises(ModelError, match=words):
            open_model(save(tmp_path / "m.onnx", content.replace(old, new)))


def test_a_spec_that_asks_for_gigabytes(tmp_path):
    """A halo or a step of thousands of cells is refused before anything is read."""
    content = neighbourhood_model(halo=9000)
    with pytest.raises(ModelError, match="a halo of 9000"):
        open_model(save(tmp_path / "m.onnx", content))
    old, new = b'"stride_multiple": 1,', b'"stride_multiple": 9,'
    big = content.replace(b'"halo": 9000', b'"halo": 0   ').replace(old, new)
    assert open_model(save(tmp_path / "m.onnx", big)).spec.stride_multiple == 9


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_model(tmp_path):
    """What would be waited for for ever is refused."""
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="is no file"):
        open_model(tmp_path / "m.onnx")


def test_shipped_models_open():
    """Every model that is shipped opens, has a card, and says where it comes from."""
    assert "landforms-v1" in shipped_models()
    for name, path in shipped_models().items():
        model = shipped_model(name)
        assert model.spec.name == name
        assert model.spec.licence
        assert model.spec.training
        assert model.spec.parity
        assert path.with_suffix(".md").exists()
    with pytest.raises(ModelError, match="landforms-v1"):
        shipped_model("nothing")
