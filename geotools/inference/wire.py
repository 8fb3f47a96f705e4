"""read_fields: protobuf's wire format, read just far enough to walk an ONNX model.

The onnx package is not needed to run models. What the tensors hold is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["GRAPH_NODE", "MODEL_GRAPH", "read_fields", "read_numbers"]

MODEL_GRAPH, GRAPH_NODE = 7, 1
"""Field numbers of onnx.proto3 (ONNX 1.16): the graph of a model, the nodes of a graph."""


def read_fields(
    message: memoryview, *, also_numbers: bool = False
) -> Iterator[tuple[int, memoryview]]:
    """Field number and bytes of every length-delimited field; of numbers only when asked for.

    Raises:
        ValueError, IndexError: it is no message.
    """
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
        start = position
        if kind == 0:
            _, position = _varint(message, position)
        elif kind in (1, 5):  # 64 or 32 bits
            position += 8 if kind == 1 else 4
        else:
            raise ValueError("unknown wire type")
        if also_numbers:
            yield number, message[start:position]
    if position != end:
        raise ValueError("truncated")


def read_numbers(message: memoryview, wanted: int) -> list[int]:
    """The whole numbers of a field, listed one by one or packed; negative ones as such.

    Raises:
        ValueError, IndexError: it is no message.
    """
    found = []
    for number, value in read_fields(message, also_numbers=True):
        position = 0
        while number == wanted and position < len(value):
            one, position = _varint(value, position)
            found.append(one - 2**64 if one >= 2**63 else one)
    return found


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
