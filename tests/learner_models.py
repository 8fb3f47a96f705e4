"""Tiny learners as graphs: a convolution over a raster, and a softmax of rows."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo, SourceInfo
from geotools.training.learners.protocol import Traced

NAMES = ("ice", "rock", "water", "forest")
COLORS = ("#a0c8ff", "#8c7853", "#0000ff", "#006400")


def make_spec(
    traced: Traced,
    *,
    classes: int = 3,
    features: tuple[str, ...] = (),
    sources: tuple[SourceInfo, ...] | None = None,
    **changes: object,
) -> ModelSpec:
    """A spec around a traced learner; of values when there are no classes."""
    bands = next(item.bands for item in traced.inputs if item.kind != "cell_size")
    if sources is None:
        names = tuple(band.partition(".")[2] or band for band in bands)
        sources = (SourceInfo("s2", names, tuple(range(1, len(names) + 1)), len(names)),)
    infos = tuple(ClassInfo(k + 1, NAMES[k], COLORS[k]) for k in range(classes))
    output = (
        OutputInfo("probabilities", "probabilities", infos)
        if classes
        else OutputInfo("values", "values", (), "m")
    )
    known = {
        "name": "tiny", "version": "1",
        "task": "semantic-segmentation" if classes else "regression",
        "description": "A model for tests.", "inputs": traced.inputs, "outputs": (output,),
        "cell_size_m": (10.0, 10.0), "sources": sources, "features": features or bands,
        "licence": "CC-BY-4.0",
    }  # fmt: skip
    return ModelSpec(**{**known, **changes})


class Conv(nn.Module):
    """Two 3 x 3 layers, NaN as 0, and slopes by cell size when asked for."""

    def __init__(self, bands: int, classes: int, *, sizes: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.sizes = sizes
        self.first = nn.Conv2d(bands, 8, 3, padding=1)
        self.second = nn.Conv2d(8, max(classes, 1), 3, padding=1)
        self.classes = classes

    def forward(self, raster, cell_size=None):
        x = torch.nan_to_num(raster) / 100.0
        if self.sizes:
            x = x * 30.0 / cell_size[:, :1]
        x = self.second(torch.relu(self.first(x)))
        return torch.softmax(x, 1) if self.classes else x


def conv_traced(
    bands=("s2.red", "s2.nir"), classes: int = 3, *, sizes: bool = False, halo: int = 2
) -> tuple[Conv, Traced]:
    """The net and its graph."""
    net = Conv(len(bands), classes, sizes=sizes).eval()
    output = "probabilities" if classes else "values"
    names = ["raster", "cell_size"] if sizes else ["raster"]
    example = (torch.zeros(1, len(bands), 16, 20), torch.full((1, 2, 16, 1), 30.0))
    axes = {"raster": {0: "N", 2: "H", 3: "W"}, output: {0: "N", 2: "H", 3: "W"}}
    if sizes:
        axes["cell_size"] = {0: "N", 2: "H"}
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, example[: len(names)], stream, dynamo=False, opset_version=17,
            input_names=names, output_names=[output], dynamic_axes=axes,
        )  # fmt: skip
    inputs = [InputInfo("raster", "raster", bands)]
    if sizes:
        inputs.append(InputInfo("cell_size", "cell_size", ("x", "y"), "m"))
    graph = onnx.load_from_string(stream.getvalue())
    return net, Traced(graph, tuple(inputs), halo=halo, tile=256)


def predict(net: Conv, raster: np.ndarray, cell_size: np.ndarray | None = None) -> np.ndarray:
    """What PyTorch says."""
    sizes = None if cell_size is None else torch.from_numpy(cell_size)
    with torch.no_grad():
        return net(torch.from_numpy(raster), sizes).numpy()


def row_traced(bands=("s2.red", "s2.nir"), classes: int = 3, *, length: int = 1):
    """Weights of a softmax regression, and its graph over rows, or over dates when `length` > 1."""
    weights = np.random.default_rng(1).normal(0, 0.02, (len(bands), classes)).astype(np.float32)
    kind = "sequence" if length > 1 else "features"
    shape = ["N", length, len(bands) // length] if length > 1 else ["N", len(bands)]
    nodes = [
        helper.make_node("Flatten", [kind], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "rows",
        [helper.make_tensor_value_info(kind, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(weights, "weights")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return weights, Traced(model, (InputInfo(kind, kind, tuple(bands), length=length),))


def softmax(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What the rows' model says, by numpy."""
    logits = rows.astype(np.float64) @ weights
    exp = np.exp(logits - logits.max(1, keepdims=True))
    return (exp / exp.sum(1, keepdims=True)).astype(np.float32)
