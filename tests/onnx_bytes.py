"""Small ONNX models, written as protobuf by hand, so that these tests need no onnx package."""

from __future__ import annotations

import numpy as np

from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo, SourceInfo

FLOAT, UINT8, UINT16, INT16, INT64, FLOAT16, FLOAT64 = 1, 2, 4, 5, 7, 10, 11


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


def value_info(name: str, shape: list[int | str], kind: int = FLOAT) -> bytes:
    dims = b"".join(field(1, field(1 if isinstance(one, int) else 2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def model(
    nodes: list[bytes],
    tensors: list[bytes],
    inputs: dict[str, list[int | str]],
    outputs: dict[str, list[int | str]],
    metadata: dict[str, str],
    *,
    kind: int = FLOAT,
    gives: int = FLOAT,
) -> bytes:
    """The bytes of an `.onnx` file, opset 17, with inputs of type `kind`, outputs of `gives`."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "g")
    graph += b"".join(field(5, one) for one in tensors)
    graph += b"".join(field(11, value_info(*item, kind)) for item in inputs.items())
    graph += b"".join(field(12, value_info(*item, gives)) for item in outputs.items())
    more = b"".join(field(14, field(1, key) + field(2, text)) for key, text in metadata.items())
    return field(1, 8) + field(8, field(1, "") + field(2, 17)) + field(7, graph) + more


CLASSES = (ClassInfo(3, "low", "#0000ff"), ClassInfo(7, "high", "#ff0000"))


def neighbourhood_model(
    radius: int = 2, *, halo: int | None = None, bands: int = 1, width: int = 1, tile: int = 128
) -> bytes:
    """Two classes: is the cell higher than the mean around it, where missing cells count as 0?

    Its reach is `radius`; a spec with a smaller `halo` is a lie that tiles give away. It computes
    the same `width` times, which takes memory.
    """
    side = 2 * radius + 1
    kernel = np.full((1, bands, side, side), -1 / (bands * side**2))
    kernel[0, :, radius, radius] += 1 / bands
    kernel = np.repeat(kernel, width, axis=0)
    nodes = [
        node("IsNaN", ["elevation"], ["missing"]),
        node("Where", ["missing", "zero", "elevation"], ["filled"]),
        node("Conv", ["filled", "kernel"], ["each"], pads=[radius] * 4),
        node("ReduceMean", ["each"], ["above"], axes=[1], keepdims=1),
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
        tile=tile,
        halo=radius if halo is None else halo,
    )
    return model(
        nodes,
        [tensor("kernel", kernel), tensor("zero", np.zeros(1))],
        {"elevation": ["n", bands, "h", "w"]},
        {"p": ["n", 2, "h", "w"]},
        {"geotools": spec.to_json()},
    )


def red_model() -> bytes:
    """Two classes of the bands `red` and `nir`: is red above 0?"""
    kernel = np.array([[-1.0, 0.0], [1.0, 0.0]]).reshape(2, 2, 1, 1)
    spec = ModelSpec(
        name="red",
        version="1",
        task="semantic-segmentation",
        description="Is red above 0?",
        inputs=(InputInfo("image", "raster", ("red", "nir"), "1"),),
        outputs=(OutputInfo("p", "probabilities", CLASSES),),
        cell_size_m=(5.0, 100.0),
        tile=128,
    )
    return model(
        [
            node("Conv", ["image", "kernel"], ["logits"]),
            node("Softmax", ["logits"], ["p"], axis=1),
        ],
        [tensor("kernel", kernel)],
        {"image": ["n", 2, "h", "w"]},
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


def image_model(
    *,
    bands: int = 3,
    side: int | str = 64,
    batch: int | str = 1,
    channels: int = 1,
    radius: int = 0,
    padded: bool = True,
    last: bool = False,
    flat: bool = False,
    heads: int = 1,
    open_shape: bool = False,
    kind: int = FLOAT,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Somebody else's model: channel n is n + 1 times the mean of the bands around a cell.

    `padded` convolutions count zeros beyond the block, others give a smaller map; `flat` gives
    (B, H, W); `last` takes (B, H, W, bands); `open_shape` does not say how large its map is.
    """
    size = 2 * radius + 1
    weights = np.arange(1, channels + 1)[:, None, None, None] / (bands * size**2)
    kernel = np.broadcast_to(weights, (channels, bands, size, size))
    nodes, taken = [], "image"
    if kind != FLOAT:
        nodes.append(node("Cast", [taken], ["cast"], to=FLOAT))
        taken = "cast"
    if last:
        nodes.append(node("Transpose", [taken], ["turned"], perm=[0, 3, 1, 2]))
        taken = "turned"
    pads = [radius if padded else 0] * 4
    nodes.append(node("Conv", [taken, "kernel"], ["map"], pads=pads))
    given = "map"
    if last:
        nodes.append(node("Transpose", [given], ["back"], perm=[0, 2, 3, 1]))
        given = "back"
    if flat:
        nodes.append(node("ReduceSum", [given, "axis"], ["plane"], keepdims=0))
        given = "plane"
    outputs = {}
    inner = side if padded or isinstance(side, str) else side - 2 * radius
    for number in range(heads):
        name = f"out{number + 1}"
        nodes.append(node("Identity", [given], [name]))
        plane = ["r", "c"] if open_shape else [inner, inner]
        shape = [batch, *plane] if flat else [batch, channels, *plane]
        outputs[name] = [batch, *plane, channels] if last and not flat else shape
    shape = [batch, side, side, bands] if last else [batch, bands, side, side]
    tensors = [tensor("kernel", kernel), integers("axis", [3 if last else 1])]
    return model(nodes, tensors, {"image": shape}, outputs, metadata or {}, kind=kind)


def integers(name: str, values: list[int]) -> bytes:
    body = field(1, len(values)) + field(2, INT64) + field(8, name)
    return body + field(9, np.array(values, np.int64).tobytes())


def grid_model(
    kind: str,
    *,
    bands: int = 3,
    side: int = 64,
    factor: int = 2,
    radius: int = 0,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Somebody else's model whose map has other cells than its image; band for band.

    `finer`: the mean around a cell, of valid convolutions, `factor` x `factor` times; `coarser`:
    the mean of `factor` x `factor` cells; `tile`: the mean of the block, as a vector; `corner`: as
    fine as the image, without its first `2 * radius` rows and columns; `labels`: is the first band
    1 or more?
    """
    size = 2 * radius + 1
    eye = np.eye(bands)[:, :, None, None]
    mean = eye * np.ones((1, 1, size, size)) / size**2
    corner = np.zeros((bands, bands, size, size))
    corner[:, :, -1, -1] = np.eye(bands)
    spread = eye * np.ones((1, 1, factor, factor))
    inner = side - 2 * radius
    tensors, gives = [], FLOAT
    if kind == "finer":
        nodes = [
            node("Conv", ["image", "mean"], ["around"]),
            node("ConvTranspose", ["around", "spread"], ["out"], strides=[factor, factor]),
        ]
        tensors = [tensor("mean", mean), tensor("spread", spread)]
        shape = [1, bands, inner * factor, inner * factor]
    elif kind == "coarser":
        sides = {"kernel_shape": [factor, factor], "strides": [factor, factor]}
        nodes = [node("AveragePool", ["image"], ["out"], **sides)]
        shape = [1, bands, side // factor, side // factor]
    elif kind == "tile":
        nodes = [node("ReduceMean", ["image"], ["out"], axes=[2, 3], keepdims=0)]
        shape = [1, bands]
    elif kind == "corner":
        nodes = [node("Conv", ["image", "corner"], ["out"])]
        tensors = [tensor("corner", corner)]
        shape = [1, bands, inner, inner]
    else:
        nodes = [
            node("Gather", ["image", "first"], ["band"], axis=1),
            node("Clip", ["band", "zero", "one"], ["clipped"]),
            node("Floor", ["clipped"], ["whole"]),
            node("Cast", ["whole"], ["out"], to=INT64),
        ]
        tensors = [integers("first", [0]), tensor("zero", np.array(0)), tensor("one", np.array(1))]
        shape, gives = [1, 1, side, side], INT64
    taken = {"image": [1, bands, side, side]}
    return model(nodes, tensors, taken, {"out": shape}, metadata or {}, gives=gives)
