"""export_model: a traced learner as one `.onnx` file with its spec, proven against the framework.

The only writer of `.onnx` files of learners. The proof itself is in `parity`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from geotools.errors import ModelError
from geotools.io.atomic import write_atomic
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.export.parity import Run, compare, measure_reach, open_session
from geotools.training.export.tiles import fitting_tile, of_side
from geotools.training.learners.protocol import Traced

__all__ = [
    "BACKBONE_TOLERANCE",
    "OPSET",
    "TOLERANCE",
    "Feeds",
    "deepness_keys",
    "export_model",
    "write_graph",
]

OPSET = 17
"""Readable by ONNX Runtime 1.12 (2022) and later."""

TOLERANCE = 1e-4
"""Largest difference of a probability, or of a value in shares of the largest: both sides are
float32, and sums over hundreds of channels or trees keep some five digits."""

BACKBONE_TOLERANCE = 1e-3
"""With the terrain backbone: heights of thousands of metres have a resolution of 1e-4 m in
float32, and where a direction is at its threshold one such step moves a probability by that."""

_IR_VERSION = 8
"""The version of the file format that belongs to `OPSET`."""

_ASIDE = 16
"""Cells that are looked at beyond the halo."""

_MOST_OVERLAP = 90
"""Per cent of a tile that tiles of other programs overlap at most."""

Feeds = Mapping[str, NDArray[Any]] | Callable[[Run], NDArray[np.float32]]
"""Inputs of the graph by name; or a function that is given the graph and gives its outputs for the
cells of the proof, however it tiles."""


def export_model(
    traced: Traced,
    spec: ModelSpec,
    path: str | os.PathLike[str],
    *,
    here: NDArray[np.float32],
    feeds: Feeds,
    tolerance: float = TOLERANCE,
    on: str = "",
) -> ModelSpec:
    """Writes the graph to `path` and returns the spec that went in, with parity measured.

    Args:
        traced: the fitted learner as a graph.
        spec: its inputs, halo, tile, stride_multiple and parity are replaced; the tile is the
            learner's, or a smaller one that takes less memory.
        path: the `.onnx` file; replaced when it exists.
        here: (n, K) or (N, K, H, W), what the framework gives for real cells.
        feeds: the same cells for the graph; see `Feeds`.
        tolerance: largest difference that is let through, see `TOLERANCE`.
        on: where the cells come from, for the spec.

    Raises:
        ModelError: the framework and ONNX Runtime differ by more than the tolerance, the graph
            sees farther than its halo, or it is no valid ONNX; nothing is written.
    """
    graph = traced.graph
    names = {item.name for item in graph.graph.input}
    if names != {item.name for item in traced.inputs}:
        raise ModelError(
            f"The graph of {spec.name} takes {', '.join(sorted(names))}, it is said to take "
            f"{', '.join(item.name for item in traced.inputs)}: trace it again."
        )
    output = spec.outputs[0]
    run, seen = _runner(graph, output.name)
    there = feeds(run) if callable(feeds) else run(feeds)
    parity = compare(here, there, kind=output.kind, on=on)
    if not parity.max_difference <= tolerance:
        raise ModelError(
            f"The export of {spec.name} is refused: its framework and ONNX Runtime differ by "
            f"{parity.max_difference:.1e}; at most {tolerance:g} is let through."
        )
    figures = {key: value for key, value in dataclasses.asdict(parity).items() if value is not None}
    spec = dataclasses.replace(
        spec,
        inputs=traced.inputs,
        halo=traced.halo,
        tile=traced.tile,
        stride_multiple=traced.stride_multiple,
        parity={**figures, "tolerance": tolerance, "runtime": "ONNX Runtime"},
    )
    _check_halo(run, seen, spec)
    if seen:
        spec = dataclasses.replace(spec, tile=fitting_tile(graph, spec, seen))
    others = deepness_keys(spec) if _takes_an_image(spec) else {}
    write_graph(graph, path, {METADATA_KEY: spec.to_json(), **others})
    return spec


def _takes_an_image(spec: ModelSpec) -> bool:
    """True when the graph takes the bands of one raster: programs that know no features run it."""
    computed = any(name.startswith(("terrain.", "imagery.")) for name in spec.features)
    one = len(spec.sources) <= 1 and not any(source.dates for source in spec.sources)
    return [info.kind for info in spec.inputs] == ["raster"] and one and not computed


def write_graph(
    graph: onnx.ModelProto, path: str | os.PathLike[str], metadata: Mapping[str, str]
) -> None:
    """Writes a graph with its metadata, checked and whole.

    Raises:
        ModelError: it is no valid ONNX; nothing is written.
    """
    opsets = {item.domain: item.version for item in graph.opset_import}
    if opsets.get("", opsets.get("ai.onnx", OPSET)) <= OPSET:
        graph.ir_version = min(graph.ir_version, _IR_VERSION)
    onnx.helper.set_model_props(graph, dict(metadata))
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(
            f"The model for {Path(path).name} is no valid ONNX ({str(error).splitlines()[0]}): "
            "export another."
        ) from None
    with write_atomic(path, overwrite=True) as part:
        part.write_bytes(graph.SerializeToString())


def deepness_keys(
    spec: ModelSpec,
    *,
    tile: int | None = None,
    resolution_cm: float | None = None,
    overlap: int | None = None,
    bands: int | None = None,
) -> dict[str, str]:
    """Metadata for the QGIS plugin Deepness, every value JSON.

    Its documents write `tiles_size`, its code reads `tile_size`: both are given. The plugin
    divides all values by 255 and then standardises them; models that it can run (`bands` given)
    say a standard deviation of 1/255, so that values arrive as they are.

    Args:
        spec: of the model.
        tile: cells on a side; the spec's when None.
        resolution_cm: cell size; the middle of the spec's when None.
        overlap: of the tiles in per cent; twice the halo when None.
        bands: number of bands of a model that takes one image.
    """
    output = spec.outputs[0]
    low, high = spec.cell_size_m
    tile = tile or spec.tile
    if overlap is None:
        overlap = min(math.ceil(100 * 2 * spec.halo / tile), _MOST_OVERLAP)
    centimetres = resolution_cm or 100 * math.sqrt(low * high)
    values: dict[str, Any] = {
        "model_type": "Segmentor" if output.kind == "probabilities" else "Regressor",
        "class_names": {str(k): info.name for k, info in enumerate(output.classes)}
        or {"0": output.name},
        "resolution": _short(centimetres),
        "tile_size": tile,
        "tiles_size": tile,
        "tiles_overlap": overlap,
    }
    if output.kind == "probabilities":
        values |= {"seg_thresh": 0.0, "seg_small_segment": 0}
    else:
        values |= {"reg_output_scaling": 1.0}
    if bands is not None:
        values |= {"standardization_mean": [0.0] * bands, "standardization_std": [1 / 255] * bands}
    return {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}


def _short(number: float) -> float:
    """To six digits; whole numbers as such."""
    short = float(f"{number:.6g}")
    return int(short) if short.is_integer() else short


def _runner(graph: onnx.ModelProto, output: str) -> tuple[Run, dict[str, NDArray[Any]]]:
    """The graph as a function, and the inputs of the largest tile that it was given."""
    session = open_session(graph.SerializeToString())
    if output not in {item.name for item in session.get_outputs()}:
        raise ModelError(f"The graph has no output {output!r}: trace it again.")
    seen: dict[str, NDArray[Any]] = {}

    def run(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        size = max(array.size for array in inputs.values())
        if size > max((array.size for array in seen.values()), default=0):
            seen.clear()
            seen.update(inputs)
        try:
            result: NDArray[np.float32] = session.run([output], dict(inputs))[0]
        except Exception as error:  # ONNX Runtime's errors share no public base class
            raise ModelError(
                f"The exported graph could not run ({str(error).splitlines()[0]}): trace it again."
            ) from None
        return result

    return run, seen


def _check_halo(run: Run, seen: Mapping[str, NDArray[Any]], spec: ModelSpec) -> None:
    """Nothing, when no change is felt beyond the halo.

    The largest tile of the proof, repeated as often as the halo needs.
    """
    raster = next((item.name for item in spec.inputs if item.kind == "raster"), None)
    if raster is None or not seen:
        return
    multiple = spec.stride_multiple
    side = multiple * math.ceil((2 * (spec.halo + _ASIDE) + 9) / multiple)
    inputs = of_side(seen, spec, side)
    reach = measure_reach(run, inputs, raster)
    if reach > spec.halo:
        raise ModelError(
            f"The export of {spec.name} is refused: a change is felt {reach} cells away, its halo "
            f"is {spec.halo}."
        )
