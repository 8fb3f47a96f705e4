"""Which layers of a graph may be narrowed, and the graph with these in int8 or float16.

Only inner layers are: those whose answer goes into other layers alone. What is measured, decided
or normalised stays float32: the geometry of terrain, the standardisation of features, the last
layer and the softmax after it. Which models can be had so, and the proof, are in `quantize`.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from geotools.errors import ModelError

__all__ = ["inner_layers", "named", "to_float16", "to_int8"]

_DENSE = {"Conv", "Gemm", "MatMul"}
"""Layers with weights, most of a net's work."""

_BETWEEN = {"Relu", "MaxPool", "Concat", "Resize", "Add"}
"""What passes values on between layers and loses nothing in few bits."""

_LARGEST_HALF = 65504.0
"""The largest float16."""

_PREPARED = ("onnx.quant.pre_process", "onnxruntime.quant")
"""The mark by which ONNX Runtime's tool knows a prepared graph; without it, it prints advice."""


def named(original: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with a name for every node, without what was said of inner shapes."""
    model = onnx.ModelProto()
    model.CopyFrom(original)
    taken = {node.name for node in model.graph.node}
    for number, node in enumerate(model.graph.node):
        if not node.name:
            node.name = f"node_{number}"
            while node.name in taken:
                node.name += "_"
            taken.add(node.name)
    del model.graph.value_info[:]
    return model


def inner_layers(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that may be narrowed, in their order; empty when there are none.

    A layer with weights is one when its answer goes into layers with weights alone, if by way of
    nodes that pass values on; these nodes are when all that they pass on comes from such layers.
    Depthwise convolutions are none: they hold kernels of few numbers, such as the pyramids of
    terrain.

    Args:
        graph: with a name for every node.
    """
    weights = {item.name for item in graph.initializer if item.data_type == TensorProto.FLOAT}
    given = {item.name for item in graph.output}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    leading: set[str] = set()  # nodes that lead into layers with weights, and nowhere else
    ending: set[str] = set()  # nodes whose answer goes into such nodes alone
    for node in reversed(graph.node):
        after = [user.name for name in node.output for user in users.get(name, [])]
        ends = bool(after) and leading.issuperset(after) and given.isdisjoint(node.output)
        if ends:
            ending.add(node.name)
        passes = node.op_type == "Shape" or (ends and node.op_type in _BETWEEN)
        if passes or _is_dense(node, weights):
            leading.add(node.name)
    chosen: list[str] = []
    made = set(weights)  # and by chosen nodes
    for node in graph.node:
        passes = node.op_type in _BETWEEN and made.issuperset(_data(node))
        if node.name in ending and (passes or _is_dense(node, weights)):
            chosen.append(node.name)
            made.update(node.output)
    return chosen


def to_int8(
    model: onnx.ModelProto, nodes: Sequence[str], blocks: Sequence[Mapping[str, NDArray[Any]]]
) -> onnx.ModelProto:
    """The graph with nodes in int8: activations unsigned, weights signed and by channel.

    Weights keep 7 of their 8 bits: without VNNI two products in 8 bits overflow the 16 bits that
    they are added in.

    Args:
        model: with a name for every node.
        nodes: from `inner_layers`.
        blocks: inputs of the graph, on which the ranges of activations are measured.
    """
    from onnxruntime import quantization

    class Blocks(quantization.CalibrationDataReader):  # type: ignore[misc]
        """The blocks, one after the other."""

        def __init__(self) -> None:
            self._left: Iterator[Mapping[str, NDArray[Any]]] = iter(blocks)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            block = next(self._left, None)
            return None if block is None else dict(block)

    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    helper.set_model_props(prepared, dict([_PREPARED]))
    kinds = sorted({node.op_type for node in model.graph.node if node.name in set(nodes)})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own deprecations
        path = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            prepared, path, Blocks(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=kinds, nodes_to_quantize=list(nodes),
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True, reduce_range=True,
        )  # fmt: skip
        return onnx.load(path)


def to_float16(model: onnx.ModelProto, nodes: Sequence[str]) -> onnx.ModelProto:
    """The graph with nodes in float16; values are cast where these begin and end.

    Args:
        model: with a name for every node.
        nodes: from `inner_layers`.

    Raises:
        ModelError: a weight is too large for float16.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    inside = {node.name for node in graph.node if node.name in set(nodes)}
    weights = {item.name: item for item in graph.initializer}
    produced = {name for node in graph.node if node.name in inside for name in node.output}
    outside = {name for node in graph.node if node.name not in inside for name in node.input}
    halves: set[str] = set()  # tensors that there are in float16 already
    ordered: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.name not in inside:
            ordered.append(node)
            continue
        first = len(node.input) if node.op_type != "Resize" else 1  # then come its scales
        for place, name in enumerate(node.input[:first]):
            if not name:
                continue
            half = f"{name}_float16"
            if name in weights and half not in halves:
                graph.initializer.append(_halved(weights[name], half))
            elif name not in produced and half not in halves:
                ordered.append(helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16))
            halves.add(half)
            node.input[place] = half
        ordered.append(node)
        for place, name in enumerate(node.output):
            node.output[place] = f"{name}_float16"
            if name in outside:
                cast = helper.make_node("Cast", [node.output[place]], [name], to=TensorProto.FLOAT)
                ordered.append(cast)
    used = {name for node in ordered for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(ordered)
    graph.initializer.extend(kept)
    return made


def _is_dense(node: onnx.NodeProto, weights: set[str]) -> bool:
    """True for a layer whose weights the file holds, and that mixes channels."""
    if node.op_type not in _DENSE or node.input[1] not in weights:
        return False
    groups = [item.i for item in node.attribute if item.name == "group"]
    return groups in ([], [1])


def _data(node: onnx.NodeProto) -> list[str]:
    """The inputs that values come from."""
    return list(node.input) if node.op_type in ("Concat", "Add") else [node.input[0]]


def _halved(weight: onnx.TensorProto, name: str) -> onnx.TensorProto:
    values = numpy_helper.to_array(weight)
    if np.abs(values).max(initial=0.0) > _LARGEST_HALF:
        raise ModelError(
            f"The weights {weight.name} reach {np.abs(values).max():g}, and float16 ends at "
            f"{_LARGEST_HALF:g}: use int8."
        )
    return numpy_helper.from_array(values.astype(np.float16), name)
