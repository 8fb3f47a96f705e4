"""A rate network as one `.onnx` file with its spec and backbone, proven against the network.

Also the writer of the other learners; what is compared is in the spec.
"""

from __future__ import annotations

import dataclasses
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from geotools.errors import ModelError
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.export.parity import open_session
from geotools.training.export.writer import OPSET, write_graph

__all__ = ["Parity", "export_rates", "proven", "traced", "write_model"]

_TOLERANCE = 1e-4
"""Largest relative difference of a rate between the framework and ONNX Runtime: both are float32,
and a logarithm of 1e-8 has steps of 1e-6."""


@dataclass(frozen=True)
class Parity:
    """The framework against ONNX Runtime on the same cell-windows."""

    max_difference: float
    """Largest relative difference of a rate."""
    cells: int
    """Cell-windows compared."""
    windows: str
    """Where they come from."""


def export_rates(
    net: nn.Module, path: Path, spec: ModelSpec, features: NDArray[np.float32]
) -> ModelSpec:
    """Writes a network from features and horizon to rates; the spec that went in, with parity.

    Args:
        net: fitted.
        path: the `.onnx` file; replaced when it exists.
        spec: all but parity.
        features: (rows, F) real cell-windows for the proof, of every horizon in the spec.

    Raises:
        ModelError: PyTorch and ONNX Runtime differ by more than 1e-4; nothing is written.
    """
    net.eval()
    example = torch.from_numpy(features[:7].copy()), torch.tensor([2.0])
    graph = traced(net, example, ["features", "horizon_days"])
    session = open_session(graph.SerializeToString())
    worst = 0.0
    horizons = [float(h) for h in spec.parameters["horizons_days"]]
    between = float(np.sqrt(horizons[0] * horizons[-1]))
    for horizon in (*horizons, between):
        feed = np.array([horizon], dtype=np.float32)
        with torch.no_grad():
            here = net(torch.from_numpy(features), torch.from_numpy(feed)).numpy()
        there = session.run(["rate"], {"features": features, "horizon_days": feed})[0]
        worst = max(worst, _difference(here, there))
    parity = Parity(worst, len(features), f"cell-windows of the training years, {horizons} days")
    return write_model(graph, path, spec, parity)


def traced(net: nn.Module, example: tuple[torch.Tensor, ...], names: list[str]) -> onnx.ModelProto:
    """The graph, traced on a small example; the number of rows stays free."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter warns of its own age; the newer one needs another package and is slower.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            example,
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=["rate"],
            dynamic_axes={name: {0: "N"} for name in (*names, "rate") if name != "horizon_days"},
        )
    return onnx.load_from_string(stream.getvalue())


def write_model(graph: onnx.ModelProto, path: Path, spec: ModelSpec, parity: Parity) -> ModelSpec:
    """Writes a proven graph with its spec.

    Raises:
        ModelError: the proof failed; nothing is written.
    """
    if not parity.max_difference <= _TOLERANCE:
        raise ModelError(
            f"The export of {spec.name} is refused: rates differ from ONNX Runtime's by "
            f"{parity.max_difference:.1e}; at most {_TOLERANCE} is needed."
        )
    spec = dataclasses.replace(spec, parity=dataclasses.asdict(parity))
    write_graph(graph, path, {METADATA_KEY: spec.to_json()})
    return spec


def proven(
    graph: onnx.ModelProto,
    inputs: dict[str, NDArray[Any]],
    here: NDArray[Any],
    windows: str,
) -> Parity:
    """Rates of a framework, (rows,), against those of ONNX Runtime for the same inputs."""
    there = open_session(graph.SerializeToString()).run(["rate"], inputs)[0].ravel()
    return Parity(_difference(here, there), len(here), windows)


def _difference(here: NDArray[Any], there: NDArray[Any]) -> float:
    if not (np.isfinite(there).all() and (there > 0).all()):
        raise ModelError("The exported graph gives rates that are no positive numbers.")
    return float(np.abs(there / here - 1.0).max())
