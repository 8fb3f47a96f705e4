"""quantize_model: the variant of a model with inner layers in fewer bits, proven or refused.

The proof is on blocks that the ranges were not measured on. The graph is made in
`quantize_graph`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from geotools.errors import ModelError
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.export.parity import open_session
from geotools.training.export.quantize_graph import inner_layers, named, to_float16, to_int8
from geotools.training.export.writer import write_graph

__all__ = ["FLOOR", "Block", "Kind", "check_layers", "quantize_model"]

Block = Mapping[str, NDArray[Any]]
"""Inputs of a graph by name, of one call."""

Kind = Literal["int8", "fp16"]

FLOOR = 0.99
"""Share of the cells that must keep their class: what the eye does not see on a map."""

_NEAR = 0.01
"""A value is kept when it moves by at most this share of all values' range."""

_TIMES = 3
"""How often each block is timed; the sum of the fastest counts."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two graphs on the same blocks."""

    agreement: float
    """Share of cells with the same class, or with nearly the same value."""
    mean_difference: float
    """Of probabilities, or of values in shares of their range."""
    max_difference: float
    """The largest of these."""
    cells: int
    """Cells compared."""
    speed: float
    """CPU-seconds of the first over those of the second."""


def quantize_model(
    content: bytes,
    spec: ModelSpec,
    output: str | os.PathLike[str],
    kind: Kind,
    *,
    calibration: Sequence[Block],
    held_out: Sequence[Block],
    floor: float = FLOOR,
    on: str = "",
) -> ModelSpec:
    """Writes the variant of a model and returns its spec, with the proof under `parity`.

    Args:
        content: the model's file.
        spec: that it holds.
        output: the `.onnx` file to write; replaced when it exists.
        kind: of its inner layers.
        calibration: blocks that the ranges of activations are measured on.
        held_out: other blocks, for the proof.
        floor: share of the cells that must keep their class; of values, that must stay within 1 %
            of the range.
        on: where the blocks come from.

    Raises:
        ModelError: the model has no inner layers, or the variant keeps fewer cells than the floor;
            nothing is written.
    """
    graph = named(onnx.load_from_string(content))
    nodes = _layers(graph, spec.name)
    made = to_int8(graph, nodes, calibration) if kind == "int8" else to_float16(graph, nodes)
    del made.graph.value_info[:]
    variant = made.SerializeToString()
    found = _compare(content, variant, spec, held_out)
    if not found.agreement >= floor:
        what = "classes" if spec.outputs[0].kind == "probabilities" else "values"
        raise ModelError(
            f"{spec.name} in {kind} is refused: {found.agreement:.2%} of the {what} stay as they "
            f"are on {found.cells:,} cells of {on or 'the rasters'} that it was not measured on, "
            f"and at least {floor:.2%} are needed; give a lower --floor, or more rasters."
        )
    record = {
        "kind": kind,
        "nodes": len(nodes),
        "agreement": round(found.agreement, 6),
        "mean_difference": float(f"{found.mean_difference:.3g}"),
        "max_difference": float(f"{found.max_difference:.3g}"),
        "cells": found.cells,
        "calibration_tiles": len(calibration) if kind == "int8" else 0,
        "test_tiles": len(held_out),
        "speed": round(found.speed, 2),
        "on": on,
        "of": hashlib.sha256(content).hexdigest(),
    }
    spec = dataclasses.replace(
        spec, name=f"{spec.name}-{kind}", parity={**spec.parity, "quantization": record}
    )
    others = {entry.key: entry.value for entry in graph.metadata_props}
    write_graph(made, output, {**others, METADATA_KEY: spec.to_json()})
    return spec


def check_layers(content: bytes, name: str) -> None:
    """Nothing, when a model has layers that may be narrowed.

    Args:
        content: the model's file.
        name: of the model.

    Raises:
        ModelError: it has none, or has been narrowed already.
    """
    _layers(named(onnx.load_from_string(content)), name)


def _layers(model: onnx.ModelProto, name: str) -> list[str]:
    """The nodes to narrow.

    Raises:
        ModelError: there are none.
    """
    others = sorted({node.op_type for node in model.graph.node if node.domain == "ai.onnx.ml"})
    if others:
        raise ModelError(
            f"The model {name} is no net ({', '.join(others)}), and has no layers to narrow: use "
            "it as it is."
        )
    narrow = any(item.data_type == onnx.TensorProto.FLOAT16 for item in model.graph.initializer)
    if narrow or any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ModelError(f"The model {name} is narrowed already: give the one that it came from.")
    nodes = inner_layers(model.graph)
    if not nodes:
        raise ModelError(
            f"The model {name} has no layers between its first and its last that could be narrowed "
            "without touching its answer: use it as it is."
        )
    return nodes


def _compare(
    original: bytes, variant: bytes, spec: ModelSpec, blocks: Sequence[Block]
) -> _Compared:
    """Both graphs on all blocks, the cells of halos and invalid ones left out.

    Raises:
        ModelError: no block holds a valid cell, or the variant lets NaN out.
    """
    output = spec.outputs[0]
    sessions = [open_session(original), open_session(variant)]
    seconds = [0.0, 0.0]
    parts: list[list[NDArray[np.float32]]] = [[], []]
    for block in blocks:
        known = _known(block, spec)
        best = [np.inf, np.inf]
        for turn in range(_TIMES):
            for which in (0, 1):
                start = time.process_time()
                given = sessions[which].run([output.name], dict(block))[0]
                best[which] = min(best[which], time.process_time() - start)
                if turn == 0:
                    parts[which].append(_cells(given, known, spec.halo))
        seconds = [total + one for total, one in zip(seconds, best, strict=True)]
    here, there = (np.concatenate(part) for part in parts)  # (cells, channels) each
    finite = np.isfinite(here).all(1)
    here, there = here[finite], there[finite]
    if not len(here) or not np.isfinite(there).all():
        what = "lets NaN out" if len(here) else "was compared on no valid cell"
        raise ModelError(f"The variant of {spec.name} {what}: give other rasters.")
    apart = np.abs(there.astype(np.float64) - here)
    if output.kind == "probabilities":
        same = float((here.argmax(1) == there.argmax(1)).mean())
    else:
        span = np.maximum(here.max(0) - here.min(0), np.finfo(np.float32).tiny)
        apart /= span
        same = float((apart <= _NEAR).all(1).mean())
    speed = seconds[0] / max(seconds[1], 1e-9)
    return _Compared(same, float(apart.mean()), float(apart.max()), len(here), speed)


def _known(block: Block, spec: ModelSpec) -> NDArray[np.bool_] | None:
    """(N, H, W) cells with any value, of a raster; None for rows."""
    for info in spec.inputs:
        if info.kind == "raster":
            return np.asarray(np.isfinite(block[info.name]).any(1))
    return None


def _cells(
    given: NDArray[np.float32], known: NDArray[np.bool_] | None, halo: int
) -> NDArray[np.float32]:
    """(cells, channels) of an output, those of the halo left out."""
    if known is None:
        return given.reshape(len(given), -1)
    inner = np.s_[:, halo : known.shape[1] - halo, halo : known.shape[2] - halo]
    return np.moveaxis(given, 1, -1)[inner][known[inner]]
