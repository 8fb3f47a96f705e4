"""Small ONNX models, written as protobuf by hand, so that these tests need no onnx package."""

from __future__ import annotations

import numpy as np

from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo, SourceInfo

FLOAT = 1


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | str | int) -> bytes:
    """One protobuf field: length-delimited for bytes and text, a varint for numbers."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def node(op: str, inputs: list[str], outputs: list[str], **ints: int | list[int]) -> bytes:
    """A node whose attributes are whole numbers."""
    body = b"".join(field(1, name) for name in inputs)
    body += b"".join(field(2, name) for name in outputs) + field(4, op)
    for name, value in ints.items():
        if isinstance(value, int):
            body += field(5, field(1, name) + field(3, value) + field(20, 2))
        else:
            numbers = b"".join(field(8, one) for one in value)
            body += field(5, field(1, name) + numbers + field(20, 7))
    return body


def tensor(name: str, values: np.ndarray) -> bytes:
    values = np.ascontiguousarray(values, np.float32)
    dims = b"".join(field(1, int(size)) for size in values.shape)
    return dims + field(2, FLOAT) + field(8, name) + field(9, values.tobytes())


def value_info(name: str, shape: list[int | str]) -> bytes:
    dims = b"".join(field(1, field(1 if isinstance(one, int) else 2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def model(
    nodes: list[bytes],
    tensors: list[bytes],
    inputs: dict[str, list[int | str]],
    outputs: dict[str, list[int | str]],
    metadata: dict[str, str],
) -> bytes:
    """The bytes of an `.onnx` file, opset 17."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "g")
    graph += b"".join(field(5, one) for one in tensors)
    graph += b"".join(field(11, value_info(*item)) for item in inputs.items())
    graph += b"".join(field(12, value_info(*item)) for item in outputs.items())
    more = b"".join(field(14, field(1, key) + field(2, text)) for key, text in metadata.items())
    return field(1, 8) + field(8, field(1, "") + field(2, 17)) + field(7, graph) + more


CLASSES = (ClassInfo(3, "low", "#0000ff"), ClassInfo(7, "high", "#ff0000"))


def neighbourhood_model(radius: int = 2, *, halo: int | None = None, bands: int = 1) -> bytes:
    """Two classes: is the cell higher than the mean around it, where missing cells count as 0?

    Its reach is `radius`; a spec with a smaller `halo` is a lie that tiles give away.
    """
    side = 2 * radius + 1
    kernel = np.full((1, bands, side, side), -1 / (bands * side**2))
    kernel[0, :, radius, radius] += 1 / bands
    nodes = [
        node("IsNaN", ["elevation"], ["missing"]),
        node("Where", ["missing", "zero", "elevation"], ["filled"]),
        node("Conv", ["filled", "kernel"], ["above"], pads=[radius] * 4),
        node("Neg", ["above"], ["below"]),
        node("Concat", ["below", "above"], ["logits"], axis=1),
        node("Softmax", ["logits"], ["p"], axis=1),
    ]
    spec = ModelSpec(
        name="neighbourhood",
        version="1",
        task="semantic-segmentation",
        description="Higher than its surroundings?",
        inputs=(InputInfo("elevation", "raster", tuple(f"b{n}" for n in range(bands)), "m"),),
        outputs=(OutputInfo("p", "probabilities", CLASSES),),
        cell_size_m=(5.0, 100.0),
        tile=128,
        halo=radius if halo is None else halo,
    )
    return model(
        nodes,
        [tensor("kernel", kernel), tensor("zero", np.zeros(1))],
        {"elevation": ["n", bands, "h", "w"]},
        {"p": ["n", 2, "h", "w"]},
        {"geotools": spec.to_json()},
    )


def row_model(kind: str = "features", *, sources: tuple[SourceInfo, ...] = (), **more: object):
    """A model of single cells.

    `features`: is a + 2 b positive? `sequence`: the value a + 2 b of the first of two dates.
    """
    spec_of = {"version": "1", "cell_size_m": (5.0, 100.0), "tile": 64, "description": "Rows."}
    if kind == "features":
        names = ("a", "b")
        nodes = [node("MatMul", ["features", "w"], ["l"]), node("Softmax", ["l"], ["p"], axis=1)]
        tensors = [tensor("w", np.array([[-1.0, 1.0], [-2.0, 2.0]]))]
        spec = ModelSpec(
            name="rows", task="semantic-segmentation",
            inputs=(InputInfo("features", "features", names),),
            outputs=(OutputInfo("p", "probabilities", CLASSES),),
            features=names, sources=sources, **spec_of, **more,
        )  # fmt: skip
        shapes = {"features": ["n", 2]}, {"p": ["n", 2]}
    else:
        names = ("x.1@2000", "x.2@2000", "x.1@2010", "x.2@2010")
        nodes = [
            node("Flatten", ["sequence"], ["flat"], axis=1),
            node("MatMul", ["flat", "w"], ["v"]),
        ]
        kernel = np.array([[1.0], [2.0], [0.0], [0.0]])
        tensors = [tensor("w", kernel)]
        spec = ModelSpec(
            name="dates", task="regression",
            inputs=(InputInfo("sequence", "sequence", names, length=2),),
            outputs=(OutputInfo("v", "values", unit="m"),),
            features=names, sources=sources, **spec_of, **more,
        )  # fmt: skip
        shapes = {"sequence": ["n", 2, 2]}, {"v": ["n", 1]}
    return model(nodes, tensors, *shapes, {"geotools": spec.to_json()})
