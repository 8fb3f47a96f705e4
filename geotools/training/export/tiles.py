"""fitting_tile, of_side: on what tiles a graph runs in little memory, and tiles to try it on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from geotools.process import resident_bytes, trim_memory
from geotools.spec import ModelSpec
from geotools.training.export.parity import open_session

__all__ = ["fitting_tile", "of_side"]

_MOST_BYTES = 650 * 2**20
"""Memory of the graph for one tile. Two at a time share an arena, which then takes up to 1.3 times
what they need, and beside it are some 300 MB of libraries and maps: 2 GB in all."""

_SMALLER = (896, 768, 640, 512)
"""Tiles to choose from where one is too large; on smaller ones too much is done for the halo."""


def fitting_tile(graph: onnx.ModelProto, spec: ModelSpec, seen: Mapping[str, NDArray[Any]]) -> int:
    """Cells on a side of the largest tile, up to the spec's, that keeps within the memory.

    One tile is run, and what the process has grown by is measured; the spec's tile where the
    system does not tell.

    Args:
        graph: that is exported.
        spec: its inputs, tile, halo and stride_multiple.
        seen: inputs of some tile by name, from which larger ones are made.
    """
    if not any(info.kind == "raster" for info in spec.inputs):
        return spec.tile
    side = -(-(spec.tile + 2 * spec.halo) // spec.stride_multiple) * spec.stride_multiple
    session = open_session(graph.SerializeToString())
    inputs = of_side(seen, spec, side)
    trim_memory()  # or what is taken from memory that is free in this process would not be seen
    before = resident_bytes()
    session.run(None, inputs)
    after = resident_bytes()
    if before is None or after is None:
        return spec.tile
    most = math.isqrt(int(side**2 * _MOST_BYTES / max(after - before, 1))) - 2 * spec.halo
    if most >= spec.tile:
        return spec.tile
    smaller = [tile for tile in _SMALLER if tile < spec.tile] or [spec.tile]
    return next((tile for tile in smaller if tile <= most), smaller[-1])


def of_side(
    seen: Mapping[str, NDArray[Any]], spec: ModelSpec, side: int
) -> dict[str, NDArray[Any]]:
    """Inputs of a tile by name: one that was seen, cut or repeated to so many cells on a side."""
    inputs = {}
    for info in spec.inputs:
        array = seen[info.name][:1]
        if info.kind == "raster":
            pads = [(0, max(side - length, 0)) for length in array.shape[2:]]
            array = np.pad(array, ((0, 0), (0, 0), *pads), mode="wrap")[:, :, :side, :side]
        elif info.kind == "cell_size":
            array = np.repeat(array[:, :, :1], side, 2)
        inputs[info.name] = np.ascontiguousarray(array)
    return inputs
