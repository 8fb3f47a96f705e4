"""geotools.inference.block_statistics: operators that look at a whole block."""

import numpy as np
import pytest
from onnx_bytes import field, image_model, integers, model, node, tensor

from geotools.inference.block_statistics import block_statistics

ALL = [1, 3, 64, 64]


def graph(*nodes: bytes, tensors: tuple[bytes, ...] = ()) -> bytes:
    return model(list(nodes), list(tensors), {"image": ALL}, {"y": ALL}, {})


SCALES = tensor("ones", np.ones(3)), tensor("zeros", np.zeros(3))
INSIDE = field(5, field(1, "then_branch") + field(6, field(1, node("GlobalMaxPool", ["a"], ["b"]))))
CONSTANT = node("Constant", [], ["axes"]) + field(
    5, field(1, "value") + field(5, integers("v", [-1, -2])) + field(20, 4)
)

GRAPHS = {
    "convolutions": (image_model(radius=2), ()),
    "instance norm": (
        graph(node("InstanceNormalization", ["image", "ones", "zeros"], ["y"]), tensors=SCALES),
        ("InstanceNormalization",),
    ),
    "squeeze and excite": (
        graph(
            node("GlobalAveragePool", ["image"], ["m"]),
            node("Mul", ["image", "m"], ["n"]),
            node("GlobalAveragePool", ["n"], ["o"]),
            node("GlobalMaxPool", ["n"], ["p"]),
        ),
        ("GlobalAveragePool", "GlobalMaxPool"),
    ),
    "a mean over rows and columns": (
        graph(node("ReduceMean", ["image"], ["y"], axes=[2, 3])), ("ReduceMean",),
    ),
    "a mean over bands": (graph(node("ReduceMean", ["image"], ["y"], axes=[1])), ()),
    "a mean over rows": (graph(node("ReduceMean", ["image"], ["y"], axes=[2])), ()),
    "axes of a tensor": (
        graph(node("ReduceMax", ["image", "axes"], ["y"]), tensors=(integers("axes", [3, 2]),)),
        ("ReduceMax",),
    ),
    "axes of a constant": (
        graph(CONSTANT, node("ReduceSum", ["image", "axes"], ["y"])), ("ReduceSum",),
    ),
    "axes that are computed": (graph(node("ReduceSum", ["image", "axes"], ["y"])), ()),
    "inside of a branch": (graph(node("If", ["image"], ["y"]) + INSIDE), ("GlobalMaxPool",)),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_what_looks_at_whole_blocks_is_found(name):
    """By name, each once; reductions by their axes."""
    content, operators = GRAPHS[name]
    assert block_statistics(content) == operators


def test_rows_and_columns_of_bands_last():
    """Axes 1 and 2 are rows and columns where the graph takes its bands last."""
    content = graph(node("ReduceMean", ["image"], ["y"], axes=[1, 2]))
    assert block_statistics(content) == ()
    assert block_statistics(content, last=True) == ("ReduceMean",)
