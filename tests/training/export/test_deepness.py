"""The variant for Deepness, run as the plugin runs it: bytes by 255, standardised, fixed tiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from learner_models import conv_traced, make_spec, predict, row_traced, softmax

from geotools.errors import FileError, ModelError
from geotools.inference.model import open_model
from geotools.io.geotiff import open_raster
from geotools.spec import METADATA_KEY, InputInfo, SourceInfo
from geotools.training.export.deepness import export_deepness
from geotools.training.export.writer import write_graph
from geotools.training.learners.backbone import shipped_model_path
from geotools.training.learners.protocol import Traced


class Plugin:
    """What the plugin does with a model file, from its description."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(path)
        (self.input,) = self.session.get_inputs()
        (self.output,) = self.session.get_outputs()
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.keys = {key: json.loads(value) for key, value in metadata.items()}
        self.mean = np.array(self.keys["standardization_mean"], np.float32)
        self.std = np.array(self.keys["standardization_std"], np.float32)
        self.tile = self.keys["tile_size"]

    def process(self, tile: np.ndarray) -> np.ndarray:
        """(H, W, C) of any dtype to (K, H, W)."""
        values = np.float32(tile[None] * 1.0 / 255.0)
        values = np.transpose((values - self.mean) / self.std, (0, 3, 1, 2))
        return self.session.run(None, {self.input.name: values})[0][0]

    def map(self, image: np.ndarray) -> np.ndarray:
        """Classes of an image of whole tiles, each but its middle thrown away."""
        overlap = int(self.tile * self.keys["tiles_overlap"] / 100 * 2) // 2
        step, half = self.tile - overlap, overlap // 2
        rows, cols = image.shape[:2]
        result = np.full((rows, cols), -1)
        tops = range(0, rows - self.tile + 1, step)
        lefts = range(0, cols - self.tile + 1, step)
        for top in tops:
            for left in lefts:
                tile = self.process(image[top : top + self.tile, left : left + self.tile])
                low = 0 if top == 0 else half
                near = 0 if left == 0 else half
                high = self.tile - (0 if top == tops[-1] else half)
                far = self.tile - (0 if left == lefts[-1] else half)
                result[top + low : top + high, left + near : left + far] = tile.argmax(0)[
                    low:high, near:far
                ]
        return result


def written(path: Path, traced, spec) -> Path:
    write_graph(traced.graph, path, {METADATA_KEY: spec.to_json()})
    return path


def image_of(bands: int, rows: int, cols: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    image = np.repeat(np.repeat(rng.integers(0, 256, (bands, rows // 4, cols // 4)), 4, 1), 4, 2)
    return image.astype(np.uint8)


def test_a_raster_model_gives_the_same_tile(tmp_path: Path):
    net, traced = conv_traced(sizes=True)
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, cell_size_m=(10.0, 40.0)))
    made = export_deepness(model, tmp_path / "d.onnx", tile=64, resolution_cm=2500)
    plugin = Plugin(made.path)
    image = image_of(2, 64, 64)
    sizes = np.full((1, 2, 64, 1), 25.0, np.float32)
    here = predict(net, image[None].astype(np.float32), sizes)[0]
    there = plugin.process(image.transpose(1, 2, 0))
    np.testing.assert_allclose(there, here, atol=1e-5)
    assert plugin.input.shape == [1, 2, 64, 64]
    assert plugin.output.shape == [1, 3, 64, 64]
    assert plugin.keys["resolution"] == 2500
    assert made.parity.max_difference < 1e-5


@pytest.mark.parametrize("length", [1, 2])
def test_a_model_of_cells_is_wrapped(tmp_path: Path, length: int):
    """Each cell of the map is the row's answer, channels in the order of the bands."""
    bands = ("s2.b1", "s2.b2", "s2.b3", "s2.b4")
    weights, traced = row_traced(bands, 4, length=length)
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, classes=4))
    made = export_deepness(model, tmp_path / "d.onnx", tile=32)
    image = image_of(4, 32, 32)
    there = Plugin(made.path).process(image.transpose(1, 2, 0))
    here = softmax(image.reshape(4, -1).T, weights).T.reshape(4, 32, 32)
    np.testing.assert_allclose(there, here, atol=1e-5)
    assert made.bands == bands


def test_overlapping_tiles_make_the_map_of_the_whole(tmp_path: Path):
    """The overlap holds the halo: no seam, wherever tiles end."""
    net, traced = conv_traced()
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, halo=traced.halo))
    made = export_deepness(model, tmp_path / "d.onnx", tile=32)
    plugin = Plugin(made.path)
    step = 32 - int(32 * made.overlap / 100 * 2) // 2
    image = image_of(2, 32 + 4 * step, 32 + 8 * step)
    here = predict(net, image[None].astype(np.float32))[0].argmax(0)
    np.testing.assert_array_equal(plugin.map(image.transpose(1, 2, 0)), here)


def test_keys_are_those_of_the_plugin(tmp_path: Path):
    _, traced = row_traced()
    model = written(tmp_path / "m.onnx", traced, make_spec(traced))
    export_deepness(model, tmp_path / "d.onnx", tile=64)
    keys = Plugin(tmp_path / "d.onnx").keys
    assert keys["model_type"] == "Segmentor"
    assert keys["class_names"] == {"0": "ice", "1": "rock", "2": "water"}
    assert keys["resolution"] == 1000
    assert keys["tile_size"] == keys["tiles_size"] == 64
    assert keys["tiles_overlap"] == 0
    assert keys["standardization_mean"] == [0.0, 0.0]
    assert keys["standardization_std"] == [1 / 255] * 2
    assert keys["geotools_source"]["name"] == "tiny"
    assert keys["geotools_source"]["bands"] == ["s2.red", "s2.nir"]
    assert METADATA_KEY not in keys


def test_values_become_a_regressor(tmp_path: Path):
    net, traced = conv_traced(classes=0)
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, classes=0))
    export_deepness(model, tmp_path / "d.onnx", tile=48)
    plugin = Plugin(tmp_path / "d.onnx")
    image = image_of(2, 48, 48)
    np.testing.assert_allclose(
        plugin.process(image.transpose(1, 2, 0)),
        predict(net, image[None].astype(np.float32))[0], atol=1e-4,
    )  # fmt: skip
    assert plugin.keys["model_type"] == "Regressor"
    assert plugin.keys["class_names"] == {"0": "values"}


def test_what_is_computed_outside_is_refused_by_name(tmp_path: Path):
    _, traced = row_traced(("dem", "terrain.slope", "imagery.ndvi"))
    model = written(tmp_path / "m.onnx", traced, make_spec(traced))
    with pytest.raises(ModelError, match=r"\(terrain\.slope, imagery\.ndvi\)"):
        export_deepness(model, tmp_path / "d.onnx")
    assert not (tmp_path / "d.onnx").exists()


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ((SourceInfo("a", ("1",), (1,), 1), SourceInfo("b", ("1",), (1,), 1)), r"\(a, b\)"),
        ((SourceInfo("a", ("1",), (1,), 1, dates=("1986", "1991")),), r"\(a@1986, a@1991\)"),
        ((SourceInfo("a", ("1",), (1,), 1, z_factor=0.3048),), "units of 0.3048 m"),
    ],
)
def test_rasters_that_the_plugin_cannot_give_are_refused(tmp_path: Path, sources, words):
    _, traced = row_traced(("a", "b"))
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, sources=sources))
    with pytest.raises(ModelError, match=words):
        export_deepness(model, tmp_path / "d.onnx")


def test_other_models_are_refused_in_one_sentence(tmp_path: Path):
    with pytest.raises(ModelError, match="Deepness gives one image"):
        export_deepness(shipped_model_path("seismicity-global-v1"), tmp_path / "d.onnx")
    with pytest.raises(FileError, match="does not exist"):
        export_deepness(tmp_path / "none.onnx", tmp_path / "d.onnx")
    (tmp_path / "rubbish.onnx").write_bytes(b"\xff" * 99)
    with pytest.raises(ModelError, match="not an ONNX model"):
        export_deepness(tmp_path / "rubbish.onnx", tmp_path / "d.onnx")
    _, traced = row_traced()
    onnx.save(traced.graph, tmp_path / "bare.onnx")
    with pytest.raises(ModelError, match="no geotools spec"):
        export_deepness(tmp_path / "bare.onnx", tmp_path / "d.onnx")


def test_settings_that_cannot_be_are_refused(tmp_path: Path):
    _, traced = conv_traced()
    spec = make_spec(traced, halo=40, stride_multiple=8)
    model = written(tmp_path / "m.onnx", traced, spec)
    for wrong, words in (
        ({"tile": 64}, "looks 40 cells around"),
        ({"tile": 100}, "a multiple of 8"),
        ({"tile": 10**6}, "16 to 8192"),
        ({"overlap": 95}, "overlap of 95 %"),
        ({"resolution_cm": 0}, "resolution of 0 cm"),
        ({"image": np.zeros((1, 5, 5), np.float32)}, "shape"),
    ):
        with pytest.raises(ModelError, match=words):
            export_deepness(model, tmp_path / "d.onnx", **{"tile": 256, **wrong})
    made = export_deepness(model, tmp_path / "d.onnx", tile=256)
    assert (256 - int(256 * made.overlap / 100 * 2) // 2) % 8 == 0
    with pytest.raises(FileError, match="overwrite"):
        export_deepness(model, tmp_path / "d.onnx", tile=256)


def test_a_second_input_is_refused(tmp_path: Path):
    _, traced = row_traced()
    inputs = (*traced.inputs, InputInfo("horizon", "horizon"))
    model = written(tmp_path / "m.onnx", traced, make_spec(traced, inputs=inputs))
    with pytest.raises(ModelError, match="features, horizon"):
        export_deepness(model, tmp_path / "d.onnx")


def test_a_real_DEM_by_the_plugin_is_the_map_of_the_model(tmp_path: Path, shared: Path):
    """Landforms of a real DEM in metres agree; the overlap holds the halo of 72 cells."""
    made = export_deepness(
        shipped_model_path("landforms-v1"), tmp_path / "d.onnx", tile=192, resolution_cm=3000
    )
    with open_raster(shared / "dem" / "bigtujunga.tif") as source:
        window = source.grid.window
        heights = source.read(type(window)(50, 50, 192, 192)).filled()[0]
    there = Plugin(made.path).process(heights[:, :, None])
    model = open_model(shipped_model_path("landforms-v1"))
    sizes = np.full((1, 2, 192, 1), 30.0, np.float32)
    here = model.run({"elevation": heights[None, None], "cell_size": sizes})[0][0]
    assert (there.argmax(0) == here.argmax(0)).mean() > 0.999
    assert made.overlap == 76


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_whole_numbers_arrive_as_they_are(tmp_path: Path, dtype: str):
    """The plugin's two divisions are undone to the last bit, so that no tree turns elsewhere."""
    node = onnx.helper.make_node("Identity", ["features"], ["values"])
    kinds = [
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 1])]
        for name in ("features", "values")
    ]
    graph = onnx.helper.make_graph([node], "same", *kinds)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    traced = Traced(model, (InputInfo("features", "features", ("dem",)),))
    path = written(tmp_path / "m.onnx", traced, make_spec(traced, classes=0))
    plugin = Plugin(export_deepness(path, tmp_path / "d.onnx", tile=256).path)
    info = np.iinfo(dtype)
    values = np.linspace(info.min, info.max, 65536).round().astype(dtype)
    there = plugin.process(values.reshape(256, 256, 1))
    np.testing.assert_array_equal(there[0].ravel(), values.astype(np.float32))
