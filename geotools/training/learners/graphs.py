"""Graphs of ONNX nodes from rows of features to one output, put together node by node.

Nothing is traced or converted here: what a node computes is said by the learner that adds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from geotools.training.landforms.export import OPSET

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INPUT", "Graph"]

INPUT = "features"
"""The graph input: (N, features) float32."""

_IR_VERSION = 8
"""Goes with opset 17: ONNX Runtime 1.12 and later read it."""

_ML_OPSET = 3
"""Of `ai.onnx.ml`, where the trees are; as old as the opset."""


class Graph:
    """Nodes and constants as they are added; every tensor is called by the name it was given."""

    def __init__(self, features: int) -> None:
        self.features = features
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """The name of a tensor with these values."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def scalar(self, value: float) -> str:
        """The name of a float32 number."""
        return self.constant(np.array(value, dtype=np.float32))

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the output of a new node of the main domain."""
        name = self._next()
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def add_ml(self, kind: str, source: str, attributes: Mapping[str, Any]) -> str:
        """The name of the output of a new node of `ai.onnx.ml`.

        Args:
            kind: of the node.
            source: its input.
            attributes: texts, or arrays: int64, float32 or bytes; millions of values are fine.
        """
        node = onnx.NodeProto(op_type=kind, domain="ai.onnx.ml")
        node.input.append(source)
        node.output.append(self._next())
        for name, value in attributes.items():
            if isinstance(value, str | int):
                node.attribute.append(helper.make_attribute(name, value))
                continue
            # helper.make_attribute looks at every value in turn, which takes a minute for a forest.
            one = node.attribute.add(name=name)
            if value.dtype.kind == "S":
                one.type = onnx.AttributeProto.STRINGS
                one.strings.extend(value.tolist())
            elif value.dtype.kind == "f":
                one.type = onnx.AttributeProto.FLOATS
                one.floats.extend(value.tolist())
            else:
                one.type = onnx.AttributeProto.INTS
                one.ints.extend(value.tolist())
        self._nodes.append(node)
        return str(node.output[0])

    def close(self, last: str, output: str, columns: int) -> onnx.ModelProto:
        """The model whose output, (N, columns) float32, is the tensor `last`."""
        nodes = [*self._nodes, helper.make_node("Identity", [last], [output])]
        graph = helper.make_graph(
            nodes,
            "learner",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", self.features])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", columns])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="geotools"
        )

    def _next(self) -> str:
        return f"t{len(self._nodes)}"
