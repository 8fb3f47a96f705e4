"""static_variant: a graph that takes one image of one size, made around the graph of a model.

Which models can be had so, and the proof, are in `deepness`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from geotools.spec import InputInfo, ModelSpec

__all__ = ["IMAGE", "row_shape", "size_inputs", "static_variant"]

IMAGE = "image"
"""Name of the input."""

_VALUES = "geotools_values"

_NEAR_WHOLE = 2.4e-7
"""Two steps of float32: values as near to a whole number were one, in rasters of whole numbers."""


def static_variant(
    original: onnx.ModelProto, spec: ModelSpec, info: InputInfo, tile: int, cell_m: float
) -> onnx.ModelProto:
    """The graph with a fixed image, the cell size a constant, and rows of cells made of the image
    and a map of them again.
    """
    model = onnx.ModelProto()
    model.CopyFrom(original)
    graph = model.graph
    for name in size_inputs(spec):
        sizes = np.full((1, 2, tile, 1), cell_m, np.float32)
        graph.initializer.append(numpy_helper.from_array(sizes, name))
    output = spec.outputs[0].name
    count = len(spec.outputs[0].classes) or 1
    image = [1, len(info.bands or spec.features), tile, tile]
    _rename(graph, info.name, _VALUES if info.kind == "raster" else "geotools_rows")
    if info.kind != "raster":
        _rename(graph, output, "geotools_row_output")
        _wrap(graph, row_shape(info, image[1]), [1, tile, tile, -1], output)
    _restore(graph)
    del graph.input[:], graph.output[:], graph.value_info[:], model.metadata_props[:]
    graph.input.append(helper.make_tensor_value_info(IMAGE, onnx.TensorProto.FLOAT, image))
    shape = [1, count, tile, tile]
    graph.output.append(helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape))
    return model


def row_shape(info: InputInfo, bands: int) -> list[int]:
    """Shape of the rows that a model of single cells takes."""
    return [-1, bands] if info.kind == "features" else [-1, info.length, bands // info.length]


def _wrap(graph: onnx.GraphProto, rows: Sequence[int], grid: Sequence[int], output: str) -> None:
    """Puts nodes around a graph of single cells: an image to rows, and rows to a map."""
    for name, shape in (("geotools_to_rows", rows), ("geotools_to_grid", grid)):
        graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
    before = [
        helper.make_node("Transpose", [_VALUES], ["geotools_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["geotools_last", "geotools_to_rows"], ["geotools_rows"]),
    ]
    after = [
        helper.make_node("Reshape", ["geotools_row_output", "geotools_to_grid"], ["geotools_grid"]),
        helper.make_node("Transpose", ["geotools_grid"], [output], perm=[0, 3, 1, 2]),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)


def _restore(graph: onnx.GraphProto) -> None:
    """Puts nodes before the graph that undo the rounding of the plugin's two divisions.

    A value divided by 255 and by 1/255 comes back as it was in a quarter of all cases. Undoing the
    second division and multiplying by 255 gives the value in 99 of 100, and what is within two
    steps of a whole number becomes one: rasters of 8 and 16 bits arrive as they are.
    """
    numbers = {"std": 1 / 255, "255": 255.0, "near": _NEAR_WHOLE}
    for name, number in numbers.items():
        constant = numpy_helper.from_array(np.array(number, np.float32), f"geotools_{name}")
        graph.initializer.append(constant)
    steps = (
        ("Mul", [IMAGE, "geotools_std"], "geotools_by_255"),
        ("Mul", ["geotools_by_255", "geotools_255"], "geotools_exact"),
        ("Round", ["geotools_exact"], "geotools_whole"),
        ("Sub", ["geotools_exact", "geotools_whole"], "geotools_off"),
        ("Abs", ["geotools_off"], "geotools_distance"),
        ("Abs", ["geotools_exact"], "geotools_size"),
        ("Mul", ["geotools_size", "geotools_near"], "geotools_step"),
        ("LessOrEqual", ["geotools_distance", "geotools_step"], "geotools_is_whole"),
        ("Where", ["geotools_is_whole", "geotools_whole", "geotools_exact"], _VALUES),
    )
    nodes = [helper.make_node(kind, inputs, [name]) for kind, inputs, name in steps]
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Gives a tensor of the outermost graph another name."""
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def size_inputs(spec: ModelSpec) -> list[str]:
    """Names of the inputs that take cell sizes."""
    return [item.name for item in spec.inputs if item.kind == "cell_size"]
