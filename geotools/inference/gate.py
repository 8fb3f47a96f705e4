"""check_graph: refuses model files that reach outside themselves, before anything runs them.

So are those that may run for ever, and those that grow when they are unfolded.
"""

from __future__ import annotations

from geotools.errors import ModelError
from geotools.inference.operators import OPERATORS
from geotools.inference.wire import GRAPH_NODE, MODEL_GRAPH, read_fields

__all__ = ["check_graph", "read_metadata"]

# Field numbers of onnx.proto3 (ONNX 1.16).
_MODEL_METADATA, _MODEL_FUNCTIONS = 14, 25
_METADATA_KEY, _METADATA_VALUE = 1, 2
_GRAPH_INITIALIZER, _GRAPH_SPARSE = 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_SPARSE_TENSORS = (1, 2)
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14

_ENDLESS = {b"Loop", b"Scan", b"SequenceMap"}
"""Operators that may never end."""

_DEPTH = 16
"""Graphs inside graphs, at most."""

_NODES = 200_000
"""Nodes in all, at most; large nets have some thousands."""

_METADATA_BYTES = 64 * 2**20
"""Of all metadata; a spec with the tables of a forest's features has some hundred kilobytes."""


def check_graph(model: bytes) -> None:
    """Nothing, when the model keeps to itself.

    Raises:
        ModelError: not an ONNX model; data in other files; operators of unknown origin, or ones
            that may run for ever; operators defined by the file; an absurd number of nodes.
    """
    try:
        _check_model(memoryview(model))
    except (ValueError, IndexError, TypeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError("it is not an ONNX model: give a .onnx file") from None


def read_metadata(model: bytes) -> dict[str, str]:
    """The metadata of a model that `check_graph` has passed."""
    found: dict[str, str] = {}
    for number, entry in read_fields(memoryview(model)):
        if number != _MODEL_METADATA:
            continue
        texts = {
            field: bytes(text).decode("utf-8", "replace") for field, text in read_fields(entry)
        }
        found[texts.get(_METADATA_KEY, "")] = texts.get(_METADATA_VALUE, "")
    return found


def _check_model(model: memoryview) -> None:
    graphs, told = [], 0
    for number, value in read_fields(model):
        if number == MODEL_GRAPH:
            graphs.append(value)
        elif number == _MODEL_METADATA:
            told += len(value)
        elif number == _MODEL_FUNCTIONS:
            # Each may call others several times: 2 kB unfold to millions of nodes.
            raise ModelError(
                "it defines operators of its own: export it with its functions unfolded "
                "(onnx.inliner)"
            )
    if len(graphs) != 1:
        raise ValueError("no graph")
    if told > _METADATA_BYTES:
        raise ModelError(f"it carries {told / 2**20:.0f} MB of metadata: export it again")
    _check_graph(graphs[0], 0, 0)


def _check_graph(graph: memoryview, depth: int, nodes: int) -> int:
    """Nodes so far, those of this graph included."""
    if depth > _DEPTH:
        raise ModelError("its graphs are nested too deeply: export it again")
    for number, value in read_fields(graph):
        if number == GRAPH_NODE:
            nodes = _check_node(value, depth, nodes + 1)
            if nodes > _NODES:
                raise ModelError(
                    f"it has more than {_NODES:,} nodes, which no net needs: export it again"
                )
        elif number == _GRAPH_INITIALIZER:
            _check_tensor(value)
        elif number == _GRAPH_SPARSE:
            _check_sparse(value)
    return nodes


def _check_node(node: memoryview, depth: int, nodes: int) -> int:
    names: list[bytes] = []
    domains: list[bytes] = []
    for number, value in read_fields(node):
        if number == _NODE_OP:
            names.append(bytes(value))
        elif number == _NODE_DOMAIN:
            domains.append(bytes(value))
        elif number == _NODE_ATTRIBUTE:
            nodes = _check_attribute(value, depth, nodes)
    if len(names) != 1 or len(domains) > 1:
        raise ValueError("no node")
    name, domain = names[0], domains[0] if domains else b""
    if domain not in OPERATORS:
        raise ModelError(
            f"it uses operators of the domain {domain[:40]!r}, which are not part of ONNX: "
            "export it with standard operators"
        )
    if name in _ENDLESS:
        raise ModelError(
            f"it uses the operator {name.decode()}, which may run for ever: export it without loops"
        )
    if name not in OPERATORS[domain]:
        raise ModelError(
            f"it uses the operator {name[:40]!r}, which maps do not need: export it with standard "
            "operators on numbers"
        )
    return nodes


def _check_attribute(attribute: memoryview, depth: int, nodes: int) -> int:
    for number, value in read_fields(attribute):
        if number in _ATTRIBUTE_TENSORS:
            _check_tensor(value)
        elif number in _ATTRIBUTE_GRAPHS:
            nodes = _check_graph(value, depth + 1, nodes)
        elif number in _ATTRIBUTE_SPARSE:
            _check_sparse(value)
    return nodes


def _check_sparse(sparse: memoryview) -> None:
    for number, value in read_fields(sparse):
        if number in _SPARSE_TENSORS:
            _check_tensor(value)


def _check_tensor(tensor: memoryview) -> None:
    for number, _ in read_fields(tensor, also_numbers=True):
        if number in (_TENSOR_EXTERNAL, _TENSOR_LOCATION):
            raise ModelError(
                "it keeps its weights in other files: export it as one file (external_data=False)"
            )
