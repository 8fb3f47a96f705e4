"""block_statistics: operators of a graph that look at the whole of a block at once.

Such a net gives other numbers for a cell when its block is cut elsewhere, however wide a margin is
left out. The file is read as bytes; nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.inference.wire import GRAPH_NODE, MODEL_GRAPH, read_fields, read_numbers

__all__ = ["block_statistics"]

_WHOLE = {
    b"GlobalAveragePool", b"GlobalLpPool", b"GlobalMaxPool", b"GroupNorm", b"GroupNormalization",
    b"InstanceNormalization", b"MeanVarianceNormalization", b"QLinearGlobalAveragePool",
    b"SkipGroupNorm",
}  # fmt: skip
"""Operators that take a statistic over rows and columns."""

_REDUCING = {
    b"ReduceL1", b"ReduceL2", b"ReduceLogSum", b"ReduceLogSumExp", b"ReduceMax", b"ReduceMean",
    b"ReduceMin", b"ReduceProd", b"ReduceSum", b"ReduceSumSquare",
}  # fmt: skip
"""Operators that do so when their axes are rows and columns."""

# Field numbers of onnx.proto3 (ONNX 1.16).
_GRAPH_INITIALIZER = 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS, _ATTRIBUTE_GRAPHS = 1, 5, 8, (6, 11)
_TENSOR_INT64, _TENSOR_NAME, _TENSOR_RAW = 7, 8, 9

_MOST_AXES = 8


def block_statistics(model: bytes, *, last: bool = False) -> tuple[str, ...]:
    """Names of the operators, each once, sorted; none for most nets.

    A reduction counts when its axes are seen to be those of rows and columns; one whose axes are
    computed, or that has none, is not told from others and does not count.

    Args:
        model: bytes that `check_graph` has passed.
        last: the graph takes (N, H, W, bands), so that axes 1 and 2 may be rows and columns.
    """
    found: set[str] = set()
    for number, graph in read_fields(memoryview(model)):
        if number == MODEL_GRAPH:
            found |= _of_graph(graph, {}, last)
    return tuple(sorted(found))


def _of_graph(graph: memoryview, axes: dict[bytes, list[int]], last: bool) -> set[str]:
    axes = axes | dict(_constants(graph))
    found: set[str] = set()
    for number, node in read_fields(graph):
        if number != GRAPH_NODE:
            continue
        op, inputs, over = b"", [], None
        for field, value in read_fields(node):
            if field == _NODE_OP:
                op = bytes(value)
            elif field == _NODE_INPUT:
                inputs.append(bytes(value))
            elif field == _NODE_ATTRIBUTE:
                name = b""
                for inner, part in read_fields(value):
                    if inner == _ATTRIBUTE_NAME:
                        name = bytes(part)
                    elif inner in _ATTRIBUTE_GRAPHS:
                        found |= _of_graph(part, axes, last)
                if name == b"axes":
                    over = read_numbers(value, _ATTRIBUTE_INTS)
        if op in _REDUCING:
            if over is None and len(inputs) > 1:
                over = axes.get(inputs[1])
            if _are_both(over or [], last):
                found.add(op.decode())
        elif op in _WHOLE:
            found.add(op.decode())
    return found


def _are_both(axes: list[int], last: bool) -> bool:
    """True for rows and columns; a negative axis counts from the end of four."""
    over = {axis % 4 for axis in axes}
    return {2, 3} <= over or (last and {1, 2} <= over)


def _constants(graph: memoryview) -> Iterator[tuple[bytes, list[int]]]:
    """Name and numbers of the short whole-number tensors of a graph."""
    for number, value in read_fields(graph):
        if number == _GRAPH_INITIALIZER:
            name, numbers = _tensor(value)
            yield name, numbers
        elif number == GRAPH_NODE:
            op, output, tensor = b"", b"", None
            for field, part in read_fields(value):
                if field == _NODE_OP:
                    op = bytes(part)
                elif field == _NODE_OUTPUT:
                    output = bytes(part)
                elif field == _NODE_ATTRIBUTE:
                    inner = dict(read_fields(part))
                    tensor = inner.get(_ATTRIBUTE_TENSOR, tensor)
            if op == b"Constant" and tensor is not None:
                yield output, _tensor(tensor)[1]


def _tensor(tensor: memoryview) -> tuple[bytes, list[int]]:
    name, numbers = b"", []
    for field, value in read_fields(tensor):
        if field == _TENSOR_NAME:
            name = bytes(value)
        elif field == _TENSOR_RAW and len(value) <= 8 * _MOST_AXES and len(value) % 8 == 0:
            numbers = [int(one) for one in np.frombuffer(value, "<i8")]
        elif field == _TENSOR_INT64 and len(value) <= 10 * _MOST_AXES:
            numbers = read_numbers(tensor, _TENSOR_INT64)
    return name, numbers
