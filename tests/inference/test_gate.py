"""geotools.inference.gate: model files that reach outside themselves."""

import numpy as np
import pytest
from onnx_bytes import field

from geotools.errors import ModelError
from geotools.inference.gate import check_graph
from geotools.inference.model import Model, shipped_models


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
    "operator from elsewhere": model(nodes=node(domain=b"evil.ops")),
    "loop": model(nodes=node(b"Loop")),
    "scan in a subgraph": model(nodes=node(attribute=field(6, field(1, node(b"Scan"))))),
    "empty": b"",
    "no graph": field(1, 8),
    "two graphs": model() + field(7, b""),
    "truncated": model(nodes=node())[:-3],
    "text": b"this is not a model",
    "endless number": b"\xff" * 40,
}


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
