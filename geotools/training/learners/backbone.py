"""landform_backbone: the shipped landform net as maps of terrain for another net to learn from.

Weights are read from the `.onnx` file itself. The net is local: a cell's maps depend on cells up to
`halo` away, and on no statistic of the tile.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

from geotools.errors import FileError, ModelError
from geotools.spec import METADATA_KEY, ModelSpec
from geotools.training.landforms.horizons import horizon_tangents, horizon_tangents_slices
from geotools.training.landforms.nets import LandformNet, NetConfig

__all__ = ["LandformBackbone", "landform_backbone", "shipped_model_path"]

_LARGEST_BYTES = 64 * 2**20
"""A landform net has some 200 KB."""

_LEAST_LOG = -12.0
"""Log-probabilities end here: below, they say no more."""

_DIGITS = 56

_UNIT = 4.0
"""Hidden maps and log-probabilities are given in this unit, which brings their spread to about 1
on DEMs of 2, 30 and 90 m."""


class LandformBackbone(LandformNet):
    """A landform net that gives what it sees instead of what it names."""

    def __init__(self, config: NetConfig, halo: int) -> None:
        super().__init__(config)
        self.halo = halo
        """Cells of surroundings that a cell's maps depend on, as measured at the export."""
        self.channels = config.context + _DIGITS + config.forms
        """Number of maps."""

    def forward(self, elevation: Tensor, cell_size: Tensor) -> Tensor:
        """The maps: last hidden layer, digits of the eight directions, log-probabilities of forms.

        Args:
            elevation: (N, 1, H, W) metres; NaN = invalid.
            cell_size: (N, 2, H, 1) metres per row, x then y.

        Returns:
            (N, channels, H, W), finite everywhere, in units that bring them to the order of 1.
        """
        clean, valid, hidden = self.denoise(elevation, cell_size)
        doubt = self.doubt(hidden) + self.trust  # (N, 4, H, W)
        # The compiled kernel cannot be traced, and knows no other device.
        traced = self.exporting or torch.onnx.is_in_onnx_export()
        compiled = elevation.device.type == "cpu" and not traced
        look = horizon_tangents if compiled else horizon_tangents_slices
        tangents = look(clean, valid, cell_size, self.config.search)  # (N, 32, H, W)
        digits = self._digits(tangents, doubt)  # (N, 56, H, W)
        head = functional.relu(self.hidden(torch.cat([digits, hidden], 1)))
        head = functional.relu(self.mixed(head))  # (N, context, H, W)
        head = functional.relu(head + self.near(head))
        logits = self.output(head)  # (N, forms, H, W)
        logs = logits - torch.logsumexp(logits, 1, keepdim=True)
        return torch.cat([head / _UNIT, digits, logs.clamp(min=_LEAST_LOG) / _UNIT], 1)


def landform_backbone(name_or_path: str | os.PathLike[str]) -> LandformBackbone:
    """The backbone of a shipped model (`landforms-v1`), or of an `.onnx` file of the same kind.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: no shipped model has that name, or the file holds another kind of net.
    """
    path = shipped_model_path(name_or_path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelError(f"{path} is too large for a landform net: give one like landforms-v1.")
        graph = onnx.load_from_string(path.read_bytes())
    except FileNotFoundError:
        raise FileError(f"The model {path} does not exist: check the path.") from None
    except OSError as error:
        raise FileError(f"The model {path} cannot be read: {error.strerror}.") from None
    except Exception as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} is not an ONNX model: give a .onnx file.") from None
    try:
        return _from_graph(graph)
    except (KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ModelError(
            f"{path} cannot be started from ({reason}): give landforms-v1 or a model of the same "
            "net."
        ) from None


def shipped_model_path(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of a shipped model by its name; anything that ends in .onnx is a path.

    Raises:
        ModelError: neither.
    """
    if str(name_or_path).endswith(".onnx"):
        return Path(name_or_path)
    package = Path(__file__).parents[2]
    folders = (package / "models", package.parent / "models")  # installed; in a source checkout
    files = [file for folder in folders for file in sorted(folder.glob("*.onnx"))]
    found = {file.stem: file for file in reversed(files)}
    if str(name_or_path) not in found:
        raise ModelError(
            f"No model {str(name_or_path)!r} comes with geotools: there are "
            f"{', '.join(sorted(found)) or 'none'}; or give the path of an .onnx file."
        )
    return found[str(name_or_path)]


def _from_graph(graph: onnx.ModelProto) -> LandformBackbone:
    """The net with the weights of the graph, whose initializers have the names of the layers."""
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    if METADATA_KEY not in metadata:
        raise ModelError("it carries no geotools spec")
    spec = ModelSpec.from_json(metadata[METADATA_KEY])
    weights = {
        tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
        for tensor in graph.graph.initializer
    }
    config = NetConfig(
        width=weights["stem.weight"].shape[0],
        dilations=_dilations(graph),
        head=weights["hidden.weight"].shape[0],
        context=weights["mixed.weight"].shape[0],
        search=int(spec.parameters["search"]),
        flat_deg=float(spec.parameters["flat_deg"]),
        forms=weights["output.weight"].shape[0],
    )
    net = LandformBackbone(config, spec.halo)
    for name, here in net.state_dict().items():
        if weights[name].shape != here.shape:
            raise ValueError(f"{name} is {tuple(weights[name].shape)}, not {tuple(here.shape)}")
    net.load_state_dict({name: weights[name] for name in net.state_dict()})
    return net


def _dilations(graph: onnx.ModelProto) -> tuple[int, ...]:
    """Dilation of each layer of the denoiser's blocks, which the weights do not tell."""
    found: dict[str, int] = {}
    for node in graph.graph.node:
        if node.op_type == "Conv" and node.input[1].startswith("blocks."):
            attributes: dict[str, Any] = {item.name: item for item in node.attribute}
            found[node.input[1]] = attributes["dilations"].ints[0]
    count = len(found) // 2
    order = (f"blocks.{k}.{part}.weight" for k in range(count) for part in ("first", "second"))
    return tuple(found[name] for name in order)
