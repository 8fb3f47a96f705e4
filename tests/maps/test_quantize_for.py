"""geotools.maps.quantize: what a variant is measured on, and what it is proven on."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from conftest import make_grid, write_tif  # noqa: E402
from learner_models import conv_traced, make_spec, row_traced  # noqa: E402
from onnx import helper  # noqa: E402

from geotools.errors import ConfigError, FileError, ModelError, RasterError  # noqa: E402
from geotools.inference.model import Model, open_model  # noqa: E402
from geotools.io.geotiff import open_raster  # noqa: E402
from geotools.maps import quantize  # noqa: E402
from geotools.maps.quantize import quantize_for  # noqa: E402
from geotools.spec import METADATA_KEY  # noqa: E402


def write_model(path, traced, **changes):
    model = onnx.ModelProto()
    model.CopyFrom(traced.graph)
    spec = make_spec(traced, halo=traced.halo, cell_size_m=(10.0, 40.0), **changes)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("net") / "net.onnx", conv_traced()[1])


def scene(path, rows=200, cols=230, *, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 1, (2, rows, cols)).cumsum(1).cumsum(2)
    image = (50 + image / np.abs(image).max() * 100).astype(np.float32)
    image[:, 20:40, 60:90] = -9999
    return write_tif(path, image, make_grid(cols, rows), nodata=-9999.0)


def test_a_variant_is_made_of_a_scene(net, tmp_path):
    """It maps, says where it comes from, and leaves the model as it was."""
    before = net.read_bytes()
    steps = []
    made = quantize_for(
        net, tmp_path / "q.onnx", [scene(tmp_path / "a.tif"), scene(tmp_path / "b.tif", seed=1)],
        floor=0.9, progress=steps.append,
    )  # fmt: skip
    spec = open_model(made.path).spec
    assert spec.name == "tiny-int8"
    assert made.parity == spec.parity["quantization"]
    assert made.parity["on"] == "a.tif, b.tif"
    assert made.parity["of"] == Model("net", before).sha256
    assert made.parity["calibration_tiles"] == made.parity["test_tiles"] == 6
    assert [step.done for step in steps] == [1, 2]
    assert "tiny in int8, 9" in made.sentence
    assert net.read_bytes() == before


def test_the_proof_shares_no_cell_with_the_ranges(net, tmp_path, monkeypatch):
    """Neither the windows nor their surroundings; both hold what a map is made of."""
    found = {}

    def caught(content, spec, output, kind, **more):
        found.update(more)
        raise ModelError("Enough.")

    monkeypatch.setattr("geotools.training.export.quantize.quantize_model", caught)
    image = np.arange(200 * 230, dtype=np.float32).reshape(200, 230)
    source = write_tif(tmp_path / "n.tif", np.stack([image, image]), make_grid(230, 200))
    with pytest.raises(ModelError, match="Enough"):
        quantize_for(net, tmp_path / "q.onnx", [source])
    sets = [
        {int(value) for block in found[name] for value in block["raster"].ravel() if value == value}
        for name in ("calibration", "held_out")
    ]
    assert sets[0].isdisjoint(sets[1])
    assert min(map(len, sets)) > 2 * 64 * 64


@pytest.mark.parametrize("halo", [0, 2, 40])
@pytest.mark.parametrize(("rows", "cols"), [(80, 200), (300, 90), (700, 1300), (31, 500)])
def test_windows_lie_apart(rows, cols, halo):
    """Inside the grid, as far from each other as two halos, both colours where there is room."""
    side, apart = 32, 32 + 2 * halo
    found = list(quantize._spread(make_grid(cols, rows), side, apart))
    for number, (one, colour) in enumerate(found):
        assert 0 <= one.col_off <= cols - side
        assert 0 <= one.row_off <= rows - side
        for other, _ in found[:number]:
            away = max(abs(one.col_off - other.col_off), abs(one.row_off - other.row_off))
            assert away >= apart
        assert colour in (False, True)
    room = max(rows, cols) >= side + apart and min(rows, cols) >= side
    assert (len({colour for _, colour in found}) == 2) == room


def test_what_cannot_be_done_is_one_sentence(net, tmp_path):
    """A small raster, none, other words, another suffix, a file that is there, a model of rows."""
    small = scene(tmp_path / "small.tif", 40, 44)
    for arguments, error, words in (
        ((net, "q.onnx", [small]), RasterError, "fewer than two windows of 32 x 32"),
        ((net, "q.tif", [small]), FileError, "no name of a model"),
        ((net, "q.onnx", [tmp_path / "none.tif"]), FileError, "does not exist"),
    ):
        with pytest.raises(error, match=words):
            quantize_for(arguments[0], tmp_path / arguments[1], arguments[2])
    with pytest.raises(ConfigError, match="'int4': give int8 or fp16"):
        quantize_for(net, tmp_path / "q.onnx", [small], kind="int4")
    with pytest.raises(ConfigError, match=r"A floor of 99 cannot be"):
        quantize_for(net, tmp_path / "q.onnx", [small], floor=99)
    (tmp_path / "there.onnx").write_text("mine")
    with pytest.raises(FileError, match="exists"):
        quantize_for(net, tmp_path / "there.onnx", [small])
    rows = write_model(tmp_path / "rows.onnx", row_traced()[1])
    with pytest.raises(ModelError, match="no layers between"):
        quantize_for(rows, tmp_path / "q.onnx", ["not looked at.tif"])
    assert not (tmp_path / "q.onnx").exists()


def test_the_windows_hold_valid_cells(net, tmp_path):
    """Where most of a raster is missing, only what is there is looked at."""
    image = np.full((2, 200, 230), -9999, np.float32)
    image[:, :100, :] = np.random.default_rng(0).normal(50, 20, (2, 100, 230))
    path = write_tif(tmp_path / "half.tif", image, make_grid(230, 200), nodata=-9999.0)
    with open_raster(path) as source:
        found = list(quantize._windows(source, open_model(net)))
    assert len(found) >= 2
    assert all(window.row_off < 100 for window, _ in found)
