"""FittedNet: one or more nets as one, with probabilities or values out, and their graph."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from geotools.io.atomic import write_atomic
from geotools.training.learners.kinds import Kind
from geotools.training.learners.loop import outputs_at
from geotools.training.learners.protocol import Epoch, Material, Traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Answer", "FittedNet"]

OPSET = 17
"""Readable by ONNX Runtime 1.12 (2022) and later."""


class Answer(nn.Module):
    """Nets whose logits become probabilities, or whose values get their unit back."""

    def __init__(
        self,
        nets: nn.ModuleList,
        *,
        temperature: float = 1.0,
        mean: float = 0.0,
        scale: float | None = None,
    ) -> None:
        """
        Args:
            nets: of one shape; their answers are averaged.
            temperature: probabilities become p^(1 / temperature), normalised.
            mean: of the values.
            scale: their standard deviation; None for classes.
        """
        super().__init__()
        self.nets, self.temperature, self.mean, self.scale = nets, temperature, mean, scale

    def forward(self, *inputs: Tensor) -> Tensor:
        """(N, K, ...) probabilities that sum to 1, or (N, 1, ...) values."""
        outs = [net(*inputs) for net in self.nets]
        if self.scale is not None:
            total: Tensor = outs[0]
            for out in outs[1:]:
                total = total + out
            return total * (self.scale / len(outs)) + self.mean
        if len(outs) == 1:
            return _shares(outs[0] / self.temperature)
        shares = _shares(outs[0])
        for out in outs[1:]:
            shares = shares + _shares(out)
        shares = shares / len(outs)
        if self.temperature == 1.0:
            return shares
        return _shares(shares.clamp(min=1e-30).log() / self.temperature)


def _shares(logits: Tensor) -> Tensor:
    """Softmax, written out: ONNX Runtime's, over channels, moves the whole tensor twice."""
    weights = torch.exp(logits - logits.amax(1, keepdim=True))
    return weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True, slots=True, eq=False)
class FittedNet:
    """Nets that have learned."""

    nets: nn.ModuleList
    """One for each seed, on the CPU, ready for use."""
    kind: Kind
    """What they take and how."""
    curve: Sequence[Epoch]
    """See `Fitted`."""
    facts: dict[str, Any]
    """See `Fitted`."""
    mean: float = 0.0
    """Of the values; 0 for classes."""
    scale: float | None = None
    """Standard deviation of the values; None for classes."""

    def predict(self, material: Material, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """See `Fitted`."""
        answer = Answer(self.nets, mean=self.mean, scale=self.scale)
        found = outputs_at(answer, self.kind.reader(material), index, torch.device("cpu"))
        return found.numpy().astype(np.float32, copy=False)

    def trace(self, temperature: float = 1.0) -> Traced:
        """See `Fitted`."""
        answer = Answer(self.nets, temperature=temperature, mean=self.mean, scale=self.scale)
        names = [item.name for item in self.kind.inputs]
        output = "values" if self.scale is not None else "probabilities"
        is_map = self.kind.inputs[0].kind == "raster"
        maps = {0: "N", 2: "H", 3: "W"}
        axes = {name: maps if is_map else {0: "N"} for name in (*names, output)}
        if "cell_size" in axes:
            axes["cell_size"] = {0: "N", 2: "H"}
        stream = io.BytesIO()
        with warnings.catch_warnings():
            # The exporter warns of its own age; the newer one needs another package and is slower.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                answer.eval(),
                self.kind.example,
                stream,  # type: ignore[arg-type]
                dynamo=False,
                opset_version=OPSET,
                input_names=names,
                output_names=[output],
                dynamic_axes=axes,
            )
        graph = onnx.load_from_string(stream.getvalue())
        return Traced(
            graph, self.kind.inputs, self.kind.halo, self.kind.multiple, _tile(self.kind.halo)
        )

    def write(self, path: Path) -> None:
        """Writes the weights, from which another training can start (`init`)."""
        state = {
            "net": self.facts["learner"],
            "features": list(self.kind.inputs[0].bands),
            "weights": self.nets[0].state_dict(),
        }
        with write_atomic(path, overwrite=True) as part, part.open("wb") as stream:
            torch.save(state, stream)  # to a path, it would hold the name of that


def _tile(halo: int) -> int:
    """Cells on a side of a tile of which at most a quarter is read for its halo alone."""
    return 512 if halo <= 32 else 1024
