"""check_graph: refuses model files that reach outside themselves, before anything runs them.

A reader of protobuf's wire format that is just large enough to walk an ONNX model; the onnx
package is not needed to run models. What the tensors hold is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from geotools.errors import ModelError

__all__ = ["check_graph", "read_metadata"]

_DOMAINS = {b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"}
"""Operators that ONNX Runtime brings along; others would be code from elsewhere."""

_ENDLESS = {b"Loop", b"Scan"}
"""Operators that may never end."""

# Field numbers of onnx.proto3 (ONNX 1.16).
_MODEL_GRAPH, _MODEL_METADATA, _MODEL_FUNCTIONS = 7, 14, 25
_METADATA_KEY, _METADATA_VALUE = 1, 2
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_FUNCTION_NODE = 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_SPARSE_TENSORS = (1, 2)
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14

_DEPTH = 16
"""Graphs inside graphs, at most."""


def check_graph(model: bytes) -> None:
    """Nothing, when the model keeps to itself.

    Raises:
        ModelError: not an ONNX model; data in other files; operators of unknown origin, or ones
            that may run for ever.
    """
    try:
        graphs = [bytes_ for number, bytes_ in _fields(memoryview(model)) if number == _MODEL_GRAPH]
        if len(graphs) != 1:
            raise ValueError("no graph")
        _check_graph(graphs[0], 0)
        for number, value in _fields(memoryview(model)):
            if number == _MODEL_FUNCTIONS:
                for inner, node in _fields(value):
                    if inner == _FUNCTION_NODE:
                        _check_node(node, 1)
    except (ValueError, IndexError, TypeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError("it is not an ONNX model: give a .onnx file") from None


def read_metadata(model: bytes) -> dict[str, str]:
    """The metadata of a model that `check_graph` has passed."""
    found: dict[str, str] = {}
    for number, entry in _fields(memoryview(model)):
        if number != _MODEL_METADATA:
            continue
        texts = {field: bytes(text).decode("utf-8", "replace") for field, text in _fields(entry)}
        found[texts.get(_METADATA_KEY, "")] = texts.get(_METADATA_VALUE, "")
    return found


def _check_graph(graph: memoryview, depth: int) -> None:
    if depth > _DEPTH:
        raise ModelError("its graphs are nested too deeply: export it again")
    for number, value in _fields(graph):
        if number == _GRAPH_NODE:
            _check_node(value, depth)
        elif number == _GRAPH_INITIALIZER:
            _check_tensor(value)
        elif number == _GRAPH_SPARSE:
            _check_sparse(value)


def _check_node(node: memoryview, depth: int) -> None:
    for number, value in _fields(node):
        if number == _NODE_DOMAIN and bytes(value) not in _DOMAINS:
            raise ModelError(
                f"it uses operators of the domain {bytes(value)[:40]!r}, which are not part of "
                "ONNX: export it with standard operators"
            )
        if number == _NODE_OP and bytes(value) in _ENDLESS:
            raise ModelError(
                f"it uses the operator {bytes(value).decode()}, which may run for ever: export "
                "it without loops"
            )
        if number == _NODE_ATTRIBUTE:
            _check_attribute(value, depth)


def _check_attribute(attribute: memoryview, depth: int) -> None:
    for number, value in _fields(attribute):
        if number in _ATTRIBUTE_TENSORS:
            _check_tensor(value)
        elif number in _ATTRIBUTE_GRAPHS:
            _check_graph(value, depth + 1)
        elif number in _ATTRIBUTE_SPARSE:
            _check_sparse(value)


def _check_sparse(sparse: memoryview) -> None:
    for number, value in _fields(sparse):
        if number in _SPARSE_TENSORS:
            _check_tensor(value)


def _check_tensor(tensor: memoryview) -> None:
    for number, _ in _fields(tensor, also_numbers=True):
        if number in (_TENSOR_EXTERNAL, _TENSOR_LOCATION):
            raise ModelError(
                "it keeps its weights in other files: export it as one file (external_data=False)"
            )


def _fields(message: memoryview, *, also_numbers: bool = False) -> Iterator[tuple[int, memoryview]]:
    """Field number and bytes of every length-delimited field; of numbers only when asked for."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == 2:  # length-delimited
            length, position = _varint(message, position)
            if position + length > end:
                raise ValueError("truncated")
            yield number, message[position : position + length]
            position += length
            continue
        if kind == 0:
            _, position = _varint(message, position)
        elif kind in (1, 5):  # 64 or 32 bits
            position += 8 if kind == 1 else 4
        else:
            raise ValueError("unknown wire type")
        if also_numbers:
            yield number, message[:0]
    if position != end:
        raise ValueError("truncated")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("number too long")
