"""geotools.training.export.quantize: inner layers in fewer bits, proven or refused."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from learner_models import conv_traced, make_spec, row_traced  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from geotools.errors import ModelError  # noqa: E402
from geotools.inference.model import open_model, shipped_models  # noqa: E402
from geotools.spec import METADATA_KEY  # noqa: E402
from geotools.training.export.parity import open_session  # noqa: E402
from geotools.training.export.quantize import quantize_model  # noqa: E402
from geotools.training.export.quantize_graph import inner_layers, named, to_float16  # noqa: E402


def chain(*kinds: str, branch: str = "") -> onnx.ModelProto:
    """Nodes one after the other, `x` to `y`; `branch` gives the answer of that node away too."""
    nodes, weights, taken = [], [], "x"
    for number, kind in enumerate(kinds):
        made = "y" if number == len(kinds) - 1 else f"t{number}"
        inputs, more = [taken], {}
        if kind in ("Conv", "Depthwise"):
            groups = 4 if kind == "Depthwise" else 1
            values = np.random.default_rng(number).normal(0, 0.2, (4, 4 // groups, 3, 3))
            weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{number}"))
            inputs.append(f"w{number}")
            more = {"pads": [1] * 4, "group": groups}
        elif kind == "Add":
            inputs.append("t0")
        elif kind == "Bias":
            weights.append(numpy_helper.from_array(np.ones((1, 4, 1, 1), np.float32), f"w{number}"))
            inputs.append(f"w{number}")
        elif kind == "Softmax":
            more = {"axis": 1}
        op = {"Depthwise": "Conv", "Bias": "Add"}.get(kind, kind)
        nodes.append(helper.make_node(op, inputs, [made], name=f"{kind}{number}", **more))
        taken = made
    shape = ["N", 4, "H", "W"]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    if branch:
        outputs.append(helper.make_tensor_value_info(branch, TensorProto.FLOAT, shape))
    graph = helper.make_graph(
        nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)], outputs,
        weights,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    return named(helper.make_model(graph, opset_imports=opsets, ir_version=8))


@pytest.mark.parametrize(
    ("kinds", "branch", "inner"),
    [
        (("Conv", "Relu", "Conv", "Softmax"), "", ["Conv0", "Relu1"]),
        (("Conv", "Relu", "Conv", "Add", "Conv", "Softmax"), "",
         ["Conv0", "Relu1", "Conv2", "Add3"]),
        (("Conv", "Bias", "Relu", "Conv", "Bias", "Softmax"), "", ["Conv0", "Bias1", "Relu2"]),
        (("Conv", "Sigmoid", "Conv", "Relu", "Conv", "Softmax"), "", ["Conv2", "Relu3"]),
        (("Depthwise", "Relu", "Conv", "Relu", "Conv"), "", ["Conv2", "Relu3"]),
        (("Relu", "Conv", "Relu", "Conv"), "", ["Conv1", "Relu2"]),
        (("Conv", "Relu", "Conv", "Relu", "Conv"), "t1", ["Conv2", "Relu3"]),
        (("Conv", "Softmax"), "", []),
        (("Relu", "Relu"), "", []),
    ],
)  # fmt: skip
def test_inner_layers_answer_to_layers_alone(kinds, branch, inner):
    """First to last but one; not what goes to a sigmoid, to an output, or comes from depthwise."""
    assert inner_layers(chain(*kinds, branch=branch).graph) == inner


def test_the_geometry_of_the_landform_net_stays():
    """Its pyramid, correction, doubt and last layer are no inner layers; its blocks are."""
    model = named(onnx.load(shipped_models()["landforms-v1"]))
    inner = inner_layers(model.graph)
    weights = {
        node.input[1] for node in model.graph.node if node.op_type == "Conv" and node.name in inner
    }
    assert {"kernel", "correction.weight", "doubt.weight", "output.weight"}.isdisjoint(weights)
    assert {"stem.weight", "blocks.0.first.weight", "hidden.weight"} <= weights


def blocks(count: int, *, seed: int = 0, scale: float = 1.0, bands: int = 2):
    """Tiles of smooth reflectances with a hole, of 40 x 44 cells."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        image = rng.normal(0, 1, (1, bands, 40, 44)).cumsum(2).cumsum(3)
        image = (50 + image / np.abs(image).max() * 100 * scale).astype(np.float32)
        image[:, :, 10:14, 20:23] = np.nan
        found.append({"raster": image})
    return found


def content_of(traced, spec) -> bytes:
    model = onnx.ModelProto()
    model.CopyFrom(traced.graph)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json(), "other": "kept"})
    return model.SerializeToString()


def quantized(tmp_path, kind="int8", *, classes=3, ranges=None, proof=None, **more):
    _, traced = conv_traced(classes=classes)
    spec = make_spec(traced, classes=classes, halo=traced.halo)
    return quantize_model(
        content_of(traced, spec), spec, tmp_path / "q.onnx", kind,
        calibration=blocks(4) if ranges is None else ranges,
        held_out=blocks(4, seed=9) if proof is None else proof, on="made up", **more,
    )  # fmt: skip


@pytest.mark.parametrize("classes", [3, 0])
@pytest.mark.parametrize("kind", ["int8", "fp16"])
def test_a_variant_is_nearly_the_model(tmp_path, kind, classes):
    """It opens and runs as a model, says what it costs, and the record is what is found again."""
    spec = quantized(tmp_path, kind, classes=classes, floor=0.9)
    model = open_model(tmp_path / "q.onnx")
    assert model.spec == spec
    assert spec.name == f"tiny-{kind}"
    record = spec.parity["quantization"]
    _, traced = conv_traced(classes=classes)
    session = open_session(traced.graph.SerializeToString())
    apart = []
    for block in blocks(4, seed=9):
        here, there = session.run(None, dict(block))[0], model.run(block)[0]
        assert there.dtype == np.float32
        known = np.isfinite(block["raster"]).any(1)[:, 2:-2, 2:-2]
        apart.append(np.moveaxis(np.abs(here - there), 1, -1)[:, 2:-2, 2:-2][known])
    span = 1.0 if classes else None
    apart = np.concatenate(apart)
    assert record["cells"] == len(apart) == 4 * (36 * 40 - 12)
    assert record["agreement"] >= 0.9
    assert 0 < apart.max() < (0.1 if classes else np.inf)
    if span:
        assert record["max_difference"] == pytest.approx(apart.max(), rel=0.01)
        assert record["mean_difference"] == pytest.approx(apart.mean(), rel=0.01)
    assert record["speed"] > 0


def test_int8_is_in_the_graph_and_the_last_layer_is_not(tmp_path):
    """Weights of inner layers are int8, those of the last float32; other metadata is kept."""
    quantized(tmp_path, floor=0.0)
    model = onnx.load(tmp_path / "q.onnx")
    assert "QuantizeLinear" in {node.op_type for node in model.graph.node}
    kinds = [item.data_type for item in model.graph.initializer if len(item.dims) == 4]
    assert sorted(kinds) == sorted([TensorProto.INT8, TensorProto.FLOAT])
    assert {entry.key: entry.value for entry in model.metadata_props}["other"] == "kept"
    assert "onnx.quant.pre_process" not in {entry.key for entry in model.metadata_props}


def test_float16_halves_the_weights_of_inner_layers(tmp_path):
    """Inputs, outputs and the last layer are float32."""
    quantized(tmp_path, "fp16")
    model = onnx.load(tmp_path / "q.onnx")
    kinds = [item.data_type for item in model.graph.initializer if len(item.dims) == 4]
    assert sorted(kinds) == sorted([TensorProto.FLOAT16, TensorProto.FLOAT])
    ends = [*model.graph.input, *model.graph.output]
    assert {item.type.tensor_type.elem_type for item in ends} == {TensorProto.FLOAT}


def test_a_chain_with_a_shortcut_in_float16():
    """Values are cast once where they enter, and back where a layer outside takes them."""
    model = chain("Conv", "Relu", "Conv", "Add", "Conv", "Softmax")
    made = to_float16(model, inner_layers(model.graph))
    onnx.checker.check_model(made, full_check=True)
    assert [node.op_type for node in made.graph.node].count("Cast") == 2
    x = np.random.default_rng(0).normal(0, 1, (1, 4, 9, 9)).astype(np.float32)
    here, there = (
        open_session(one.SerializeToString()).run(None, {"x": x})[0] for one in (model, made)
    )
    assert 0 < np.abs(here - there).max() < 0.01


def test_weights_beyond_float16_are_refused():
    """In one sentence."""
    model = chain("Conv", "Relu", "Conv")
    large = np.full((4, 4, 3, 3), 1e6, np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(large, "w0"))
    with pytest.raises(ModelError, match=r"w0 reach 1e\+06, and float16 ends at 65504"):
        to_float16(model, ["Conv0", "Relu1"])


def test_ranges_that_do_not_fit_are_refused(tmp_path):
    """Measured on dim tiles and proven on bright ones: below the floor, and nothing is written."""
    dim = blocks(3, scale=0.001)
    with pytest.raises(ModelError, match=r"tiny in int8 is refused: .*at least 99\.00%"):
        quantized(tmp_path, ranges=dim, proof=blocks(3, seed=9, scale=20))
    assert not list(tmp_path.iterdir())


def test_what_has_no_layers_to_narrow(tmp_path):
    """Trees, one layer alone, and what is narrow already: one sentence each."""
    rows, traced = row_traced()
    spec = make_spec(traced)
    with pytest.raises(ModelError, match="no layers between its first and its last"):
        quantize_model(
            content_of(traced, spec), spec, tmp_path / "q.onnx", "int8", calibration=[], held_out=[]
        )
    tree = helper.make_node("TreeEnsembleClassifier", ["x"], ["y"], domain="ai.onnx.ml")
    trees = helper.make_model(helper.make_graph([tree], "trees", [], []))
    with pytest.raises(ModelError, match=r"tiny is no net \(TreeEnsembleClassifier\)"):
        quantize_model(
            trees.SerializeToString(), spec, tmp_path / "q.onnx", "fp16", calibration=[],
            held_out=[],
        )  # fmt: skip
    for kind in ("int8", "fp16"):
        again = quantized(tmp_path, kind, floor=0.0)
        with pytest.raises(ModelError, match="narrowed already"):
            quantize_model(
                (tmp_path / "q.onnx").read_bytes(), again, tmp_path / "r.onnx", "int8",
                calibration=blocks(1), held_out=blocks(1),
            )  # fmt: skip
    assert rows.size


def test_rows_have_no_halo(tmp_path):
    """A dense net of single cells is compared on all its rows."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.5, shape).astype(np.float32) for shape in ((2, 16), (16, 3))]
    nodes = [
        helper.make_node("MatMul", ["features", "w0"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w1"], ["c"]),
        helper.make_node("Softmax", ["c"], ["probabilities"], axis=1),
    ]
    _, traced = row_traced()
    graph = traced.graph.graph
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(one, f"w{number}") for number, one in enumerate(weights)
    )
    spec = make_spec(traced)
    given = [{"features": rng.normal(0, 1, (500, 2)).astype(np.float32)} for _ in range(2)]
    made = quantize_model(
        content_of(traced, spec), spec, tmp_path / "q.onnx", "int8", calibration=given[:1],
        held_out=given[1:],
    )  # fmt: skip
    assert made.parity["quantization"]["cells"] == 500
