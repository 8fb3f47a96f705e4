"""geotools.inference.gate: model files that reach outside themselves."""

import numpy as np
import pytest
from onnx_bytes import field
from onnx_bytes import model as onnx_model
from onnx_bytes import node as onnx_node

from geotools.errors import ModelError
from geotools.inference.gate import check_graph
from geotools.inference.model import Model, shipped_models
from geotools.inference.operators import OPERATORS
from geotools.inference.sessions import make_session


def node(op: bytes = b"Relu", domain: bytes = b"", attribute: bytes = b"") -> bytes:
    body = field(4, op) + field(7, domain)
    return body + (field(5, attribute) if attribute else b"")


def model(*, nodes: bytes = b"", rest: bytes = b"", more: bytes = b"") -> bytes:
    graph = b"".join(field(1, one) for one in ([nodes] if nodes else [])) + rest
    return field(1, 8) + field(7, graph) + more


EXTERNAL = field(1, 4) + field(13, field(1, b"location") + field(2, b"../secret"))
BY_LOCATION = field(14, 1)

HOSTILE = {
    "external initializer": model(rest=field(5, EXTERNAL)),
    "external by location": model(rest=field(5, BY_LOCATION)),
    "external in an attribute": model(nodes=node(attribute=field(5, EXTERNAL))),
    "external among tensors": model(nodes=node(attribute=field(10, EXTERNAL))),
    "external in a subgraph": model(nodes=node(attribute=field(6, field(5, EXTERNAL)))),
    "external among subgraphs": model(nodes=node(attribute=field(11, field(5, EXTERNAL)))),
    "external in a sparse tensor": model(rest=field(15, field(1, EXTERNAL))),
    "external in a sparse attribute": model(nodes=node(attribute=field(22, field(2, EXTERNAL)))),
    "external in a function": model(more=field(25, field(7, node(attribute=field(5, EXTERNAL))))),
    "a function": model(more=field(25, field(1, b"F") + field(7, node()))),
    "operator from elsewhere": model(nodes=node(domain=b"evil.ops")),
    "operator that is not known": model(nodes=node(b"Evil")),
    "operator that names a file": model(nodes=node(b"EPContext", b"com.microsoft")),
    "operator that decodes files": model(nodes=node(b"ImageDecoder")),
    "operator that searches": model(nodes=node(b"BeamSearch", b"com.microsoft")),
    "operator of another domain": model(nodes=node(b"FusedConv")),
    "node without an operator": model(nodes=field(2, b"y")),
    "node with two operators": model(nodes=node() + field(4, b"Add")),
    "node with two domains": model(nodes=node() + field(7, b"com.microsoft")),
    "much metadata": model(more=field(14, field(2, b"x" * (65 * 2**20)))),
    "loop": model(nodes=node(b"Loop")),
    "loop in a map": model(nodes=node(b"SequenceMap")),
    "scan in a subgraph": model(nodes=node(attribute=field(6, field(1, node(b"Scan"))))),
    "empty": b"",
    "no graph": field(1, 8),
    "two graphs": model() + field(7, b""),
    "truncated": model(nodes=node())[:-3],
    "text": b"this is not a model",
    "endless number": b"\xff" * 40,
}


def unfolding(depth: int) -> bytes:
    """Operators that are ten of the one before: 10 ** depth nodes in some hundred bytes."""

    def call(name: str, taken: str, given: str) -> bytes:
        return onnx_node(name, [taken], [given]) + field(7, "com.microsoft")

    def function(name: str, nodes: list[bytes]) -> bytes:
        body = field(1, name) + field(4, "t0") + field(5, "t10")
        body += b"".join(field(7, one) for one in nodes) + field(10, "com.microsoft")
        opsets = (("", 17), ("com.microsoft", 1))
        return field(25, body + b"".join(field(9, field(1, a) + field(2, b)) for a, b in opsets))

    functions = function("F0", [onnx_node("Neg", ["t0"], ["t10"])])
    for level in range(1, depth + 1):
        calls = [call(f"F{level - 1}", f"t{n}", f"t{n + 1}") for n in range(10)]
        functions += function(f"F{level}", calls)
    shape = {"image": [1, 1, 8, 8]}, {"y": [1, 1, 8, 8]}
    graph = onnx_model([call(f"F{depth}", "image", "y")], [], *shape, {})
    return graph + field(8, field(1, "com.microsoft") + field(2, 1)) + functions


HOSTILE["functions of functions"] = unfolding(9)
HOSTILE["too many nodes"] = model(rest=field(1, node()) * 200_001)


def nested(depth: int) -> bytes:
    graph = field(1, node())
    for _ in range(depth):
        graph = field(1, node(attribute=field(6, graph)))
    return field(1, 8) + field(7, graph)


HOSTILE["nested deeply"] = nested(200)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models_are_refused(name):
    """Each is a ModelError of one sentence, from the gate and from the model that asks it."""
    with pytest.raises(ModelError):
        check_graph(HOSTILE[name])
    with pytest.raises(ModelError, match=r"x\.onnx is refused"):
        Model("x.onnx", HOSTILE[name])


def test_plain_models_pass():
    """Standard operators, nested a little, with plain tensors, pass."""
    check_graph(model(nodes=node(attribute=field(5, field(1, 4) + field(9, b"\0\0")))))
    check_graph(nested(3))


def test_bytes_are_to_onnx_runtime_what_they_are_to_the_gate():
    """The mark of ONNX Runtime's own format, inside a name, does not turn a model into another."""
    shape = {"image": [1, 1, 8, 8]}, {"y": [1, 1, 8, 8]}
    plain = onnx_model([onnx_node("Relu", ["image"], ["y"])], [], *shape, {})
    marked = field(2, b"ab" + b"ORTM" + b"x" * 20) + plain
    assert marked[4:8] == b"ORTM"
    check_graph(marked)
    given = make_session("x", marked).run(["y"], {"image": -np.ones((1, 1, 8, 8), np.float32)})
    assert not given[0].any()


def test_a_size_that_is_not_there_is_refused():
    """A weight of 2 ** 60 numbers whose bytes are not in the file does not load."""
    weight = field(1, 2**30) * 2 + field(2, 1) + field(8, "w") + field(9, b"\0\0\0\0")
    nodes = [onnx_node("Add", ["image", "w"], ["y"])]
    content = onnx_model(nodes, [weight], {"image": ["r", "c"]}, {"y": ["r", "c"]}, {})
    with pytest.raises(ModelError, match="cannot be loaded"):
        make_session("x", content)


def test_all_operators_of_the_standard_are_known():
    """Those of opset 17 and of the learners, in the onnx package's spelling, but for a few."""
    defs = pytest.importorskip("onnx").defs
    refused = {
        "Loop", "Scan", "SequenceMap", "StringNormalizer", "TfIdfVectorizer",
    }  # fmt: skip
    for domain in ("", "ai.onnx.ml"):
        theirs = {
            schema.name
            for schema in defs.get_all_schemas_with_history()
            if schema.domain == domain and schema.since_version <= 17
        }
        ours = {name.decode() for name in OPERATORS[domain.encode()]}
        assert theirs - ours <= refused
        assert not ours & refused


def test_mutations_are_errors_and_never_crashes():
    """A shipped model with random bytes changed is refused by the gate, or passes it."""
    if not shipped_models():
        pytest.skip("no model is shipped")
    content = next(iter(shipped_models().values())).read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(damaged), 4000), 3):
            damaged[place] = int(rng.integers(0, 256))
        try:
            check_graph(bytes(damaged))
        except ModelError:
            refused += 1
    assert refused > 0
