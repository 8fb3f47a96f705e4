"""A landform net as one `.onnx` file with its spec, proven against the net it came from.

ONNX Runtime is used here for the proof and the halo alone.
"""

from __future__ import annotations

import dataclasses
import io
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from geotools.errors import ModelError
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.export.parity import open_session
from geotools.training.export.writer import OPSET, deepness_keys, write_graph
from geotools.training.landforms.dataset import Dem
from geotools.training.landforms.nets import LandformNet

__all__ = [
    "OPSET",
    "Parity",
    "export_model",
    "measure_halo",
    "measure_speed",
    "open_session",
    "run_dem",
]

_TOLERANCE = 2e-3
"""Largest difference of a probability between PyTorch and ONNX Runtime. Heights of thousands of
metres have a resolution of 1e-4 m in float32; where a direction is at the threshold, one such step
moves a probability by some 1e-3."""

_AGREEMENT = 0.9999
"""Smallest share of cells with the same class."""


@dataclass(frozen=True)
class Parity:
    """PyTorch against ONNX Runtime on the same tiles."""

    max_difference: float
    """Largest difference of a probability."""
    class_agreement: float
    """Share of cells with the same most probable class."""
    cells: int
    """Cells compared."""
    tiles: str
    """Where they come from."""


def export_model(net: LandformNet, path: Path, spec: ModelSpec, dems: Sequence[Dem]) -> ModelSpec:
    """Writes the net to `path` and returns the spec that went in, with halo and parity measured.

    Args:
        net: fitted.
        path: the `.onnx` file; replaced when it exists.
        spec: all but halo and parity.
        dems: real tiles for the proof and the halo.

    Raises:
        ModelError: PyTorch and ONNX Runtime differ by more than 2e-3 or in more than one class
            in ten thousand; nothing is written.
    """
    graph = _trace(net)
    session = open_session(graph.SerializeToString())
    parity = _compare(net, session, dems)
    if parity.max_difference > _TOLERANCE or parity.class_agreement < _AGREEMENT:
        raise ModelError(
            f"The export of {spec.name} is refused: PyTorch and ONNX Runtime differ by "
            f"{parity.max_difference:.1e} and agree in {parity.class_agreement:.4%} of the "
            f"classes; at most {_TOLERANCE} and at least {_AGREEMENT:.2%} are needed."
        )
    halo = measure_halo(session, dems)
    spec = dataclasses.replace(spec, halo=halo, parity=dataclasses.asdict(parity))
    # Deepness feeds one image and this graph takes two: it is listed there, and not run.
    write_graph(graph, path, {METADATA_KEY: spec.to_json(), **deepness_keys(spec)})
    return spec


def run_dem(
    session: Any, elevation: NDArray[np.float32], cell_size: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Probabilities (10, rows, cols) of one piece.

    Args:
        session: from `open_session`.
        elevation: (rows, cols), metres; NaN = invalid.
        cell_size: (2, rows), metres, x then y.
    """
    feed = {"elevation": elevation[None, None], "cell_size": cell_size[None, :, :, None]}
    probabilities: NDArray[np.float32] = session.run(["probabilities"], feed)[0][0]
    return probabilities


def measure_halo(session: Any, dems: Sequence[Dem], *, reach: int = 128) -> int:
    """Cells beyond which a change of the input leaves the output as it is, to the last bit.

    A block of 9 x 9 cells in the middle of each DEM is raised or lowered by 300 m, or made
    invalid; the farthest cell whose probabilities change by any amount is counted from the block's
    edge, and the largest of all is rounded up to a multiple of 8.

    Raises:
        ModelError: the change is felt as far as the pieces reach.
    """
    return 8 * math.ceil(max(_farthest(session, dem, reach) for dem in dems) / 8)


def _farthest(session: Any, dem: Dem, reach: int) -> int:
    """The farthest cell that feels a change in the middle of the DEM; 0 for none."""
    side = 2 * reach + 9
    rows, cols = dem.elevation.shape
    top, left = max((rows - side) // 2, 0), max((cols - side) // 2, 0)
    piece = dem.elevation[top : top + side, left : left + side]
    cells = _cells(dem, top, piece.shape[0])
    before = run_dem(session, piece, cells)
    middle_row, middle_col = piece.shape[0] // 2, piece.shape[1] // 2
    inner = np.s_[middle_row - 4 : middle_row + 5, middle_col - 4 : middle_col + 5]
    farthest = 0
    for change in (300.0, -300.0, np.nan):
        other = piece.copy()
        other[inner] += np.float32(change)
        row, col = np.nonzero((run_dem(session, other, cells) != before).any(0))
        if row.size:
            away = np.maximum(abs(row - middle_row), abs(col - middle_col)).max() - 4
            farthest = max(farthest, int(away))
    if farthest >= min(piece.shape) // 2 - 4:
        raise ModelError(f"A change on {dem.name} is felt {farthest} cells away: measure farther.")
    return farthest


def measure_speed(session: Any, *, size: int = 512, runs: int = 5) -> float:
    """Million cells per CPU-second on one thread, the best of `runs` square tiles."""
    rng = np.random.default_rng(0)
    elevation = rng.normal(500.0, 50.0, (size, size)).astype(np.float32)
    cells = np.full((2, size), 30.0, dtype=np.float32)
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        run_dem(session, elevation, cells)
        seconds.append(time.process_time() - start)
    return size * size / 1e6 / min(seconds)


def _trace(net: LandformNet) -> onnx.ModelProto:
    """The graph, traced on a small example; N, H and W stay free."""
    net.eval()
    net.exporting = True
    example = (torch.zeros(1, 1, 48, 56), torch.full((1, 2, 48, 1), 30.0))
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # The exporter warns of its own age; the newer one needs another package and is slower.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                net.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
                example,
                stream,  # type: ignore[arg-type]
                dynamo=False,
                opset_version=OPSET,
                input_names=["elevation", "cell_size"],
                output_names=["probabilities"],
                dynamic_axes={
                    "elevation": {0: "N", 2: "H", 3: "W"},
                    "cell_size": {0: "N", 2: "H"},
                    "probabilities": {0: "N", 2: "H", 3: "W"},
                },
            )
    finally:
        net.exporting = False
    return onnx.load_from_string(stream.getvalue())


def _compare(net: LandformNet, session: Any, dems: Sequence[Dem]) -> Parity:
    """The proof, on up to 256 x 256 cells from the middle of each DEM."""
    worst, same, total = 0.0, 0, 0
    for dem in dems:
        rows, cols = dem.elevation.shape
        height, width = min(rows, 256), min(cols, 256)
        top, left = (rows - height) // 2, (cols - width) // 2
        piece = np.ascontiguousarray(dem.elevation[top : top + height, left : left + width])
        cells = _cells(dem, top, height)
        there = run_dem(session, piece, cells)
        with torch.no_grad():
            here = net(
                torch.from_numpy(piece)[None, None], torch.from_numpy(cells)[None, :, :, None]
            )[0].numpy()
        if not np.isfinite(there).all():
            raise ModelError(f"The exported graph lets NaN out on {dem.name}.")
        worst = max(worst, float(np.abs(there - here).max()))
        same += int((there.argmax(0) == here.argmax(0)).sum())
        total += piece.size
    names = ", ".join(dem.name for dem in dems)
    return Parity(worst, same / total, total, f"{names}: 256 x 256 cells from the middle of each")


def _cells(dem: Dem, top: int, rows: int) -> NDArray[np.float32]:
    """Cell sizes (2, rows) of some rows of a DEM."""
    sizes = np.stack([dem.x_m[top : top + rows], dem.y_m[top : top + rows]])
    return np.ascontiguousarray(sizes, dtype=np.float32)
