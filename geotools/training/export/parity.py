"""The proof of an export: the framework against ONNX Runtime, and how far a graph sees.

ONNX Runtime is imported when a session is opened. What is done with a proof is in `writer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import ModelError

__all__ = ["Parity", "Run", "compare", "measure_reach", "open_session"]

Run = Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float32]]
"""A graph: arrays by name of the input to its first output."""

_BLOCK = 4
"""Cells to every side of the middle of the block that is changed."""

_SUM = 1e-3
"""Probabilities add up to 1 within this."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The framework against ONNX Runtime on the same cells."""

    max_difference: float
    """Largest difference of a probability, or of a value in shares of the largest value."""
    class_agreement: float | None
    """Share of cells with the same most probable class; None for values."""
    cells: int
    """Cells compared."""
    on: str
    """Where they come from."""


def open_session(model: bytes | Path) -> Any:
    """An ONNX Runtime session on one thread that does not spin (as inference uses it).

    Raises:
        ModelError: ONNX Runtime cannot load the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    content = model if isinstance(model, bytes) else model.read_bytes()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public base class
        raise ModelError(
            f"ONNX Runtime cannot load the model ({str(error).splitlines()[0]}): export another."
        ) from None


def compare(here: NDArray[Any], there: NDArray[Any], *, kind: str, on: str) -> Parity:
    """The framework's output against ONNX Runtime's for the same inputs.

    Args:
        here: (n, K) or (N, K, H, W), the framework's.
        there: the same shape, ONNX Runtime's.
        kind: `probabilities` or `values`.
        on: where the inputs come from.

    Raises:
        ModelError: shapes differ, one of them is not finite, or probabilities do not add up to 1.
    """
    if here.shape != there.shape or here.size == 0:
        raise ModelError(
            f"The framework gives an output of shape {here.shape}, the exported graph one of "
            f"{there.shape}: they cannot be compared."
        )
    for array, whose in ((here, "framework"), (there, "exported graph")):
        if not np.isfinite(array).all():
            raise ModelError(f"The {whose} lets NaN out on {on or 'the cells of the proof'}.")
    worst = float(np.abs(there.astype(np.float64) - here).max())
    if kind != "probabilities":
        largest = max(float(np.abs(here).max()), float(np.finfo(np.float32).tiny))
        return Parity(worst / largest, None, here.size // here.shape[1], on)
    if np.abs(there.sum(1) - 1).max() > _SUM:
        raise ModelError("The exported graph gives probabilities that do not add up to 1.")
    same = float((here.argmax(1) == there.argmax(1)).mean())
    return Parity(worst, same, here.size // here.shape[1], on)


def measure_reach(run: Run, inputs: Mapping[str, NDArray[Any]], raster: str) -> int:
    """Cells beyond which a change of the raster leaves the output as it is, to the last bit.

    A block of 9 x 9 cells in the middle is raised or lowered by three standard deviations of each
    band, or made invalid; the farthest cell that changes by any amount is counted from the
    block's edge.

    Args:
        run: the graph.
        inputs: of one tile, real data; the raster (1, bands, H, W) larger than what is measured.
        raster: name of the input that is changed.

    Raises:
        ModelError: the change is felt as far as the tile reaches.
    """
    image = inputs[raster]
    before = run(inputs)
    row, col = image.shape[2] // 2, image.shape[3] // 2
    inner = np.s_[..., row - _BLOCK : row + _BLOCK + 1, col - _BLOCK : col + _BLOCK + 1]
    step = _spread(image)[None, :, None, None]
    farthest = 0
    for change in (3 * step, -3 * step, np.nan):
        other = image.copy()
        other[inner] += np.asarray(change, np.float32)
        after = run({**inputs, raster: other})
        rows, cols = np.nonzero((after != before).any((0, 1)))
        if rows.size:
            away = np.maximum(abs(rows - row), abs(cols - col)).max() - _BLOCK
            farthest = max(farthest, int(away))
    if farthest >= min(row, col) - _BLOCK:
        raise ModelError(
            f"A change is felt {farthest} cells away, as far as the tile of {image.shape[2]} x "
            f"{image.shape[3]} cells reaches: measure on a larger one."
        )
    return farthest


def _spread(image: NDArray[Any]) -> NDArray[np.float32]:
    """Standard deviation of each band of (1, bands, H, W); 1 where there is none."""
    spreads = []
    for band in image[0]:
        known = band[np.isfinite(band)]
        spreads.append(float(known.std()) if known.size else 0.0)
    return np.array([spread or 1.0 for spread in spreads], np.float32)
