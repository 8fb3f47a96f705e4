"""What a net starts from: a shipped terrain backbone, or the weights of an earlier training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from geotools.errors import ConfigError, FileError

__all__ = ["WEIGHTS_FILE", "Net", "groups_of", "is_backbone", "read_weights", "take_weights"]

WEIGHTS_FILE = "weights.pt"
"""Name of the file in a run folder that `init` reads."""

_SLOWER = 0.1
"""Share of the learning rate for layers that know something already (Howard & Ruder 2018)."""


class Net(nn.Module):
    """From physical units to logits: `Standardise`, a body, and a terrain backbone beside it."""

    def __init__(
        self,
        standardise: nn.Module,
        body: nn.Module,
        *,
        terrain: nn.Module | None = None,
        elevation: int = 0,
        by_date: bool = False,
        steps: Sequence[Sequence[int]] = (),
    ) -> None:
        """
        Args:
            standardise: first layer.
            body: takes its channels, and those of `terrain`.
            terrain: takes elevation and cell size.
            elevation: which feature is the elevation.
            by_date: features come as (N, T, F / T), the dates of a stack.
            steps: or as (N, F), of which these belong to each date.
        """
        super().__init__()
        self.standardise, self.body, self.terrain = standardise, body, terrain
        self.elevation, self.by_date = elevation, by_date
        steps_of = torch.tensor(steps, dtype=torch.long)  # (T, features of a date)
        self.register_buffer("steps", steps_of, persistent=False)

    steps: Tensor

    def forward(self, raw: Tensor, cell_size: Tensor | None = None) -> Tensor:
        """(N, K, ...) of (N, F, ...) features, and (N, 2, H, 1) cell sizes for the backbone."""
        if self.steps.numel():
            raw = raw[:, self.steps]  # (N, T, features of a date)
        if self.by_date:
            raw = raw.transpose(1, 2)  # (N, F / T, T)
        x = self.standardise(raw)  # (N, channels, ...)
        if self.terrain is not None:
            maps = self.terrain(raw[:, self.elevation : self.elevation + 1], cell_size)
            x = torch.cat([x, maps], 1)  # (N, channels + maps, H, W)
        out: Tensor = self.body(x)
        return out

    def train(self, mode: bool = True) -> Net:
        """As of any module; frozen layers also keep their running statistics."""
        super().train(mode)
        for module in self.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()
        return self


def is_backbone(init: str | None) -> bool:
    """True for the name of a shipped model or an `.onnx` file, False for a run folder."""
    return init is not None and not (Path(init).is_dir() or Path(init).suffix == ".pt")


def read_weights(init: str, learner: str) -> dict[str, Any]:
    """What an earlier training has written of its net.

    Raises:
        FileError: no such file.
        ConfigError: it is not one, or it is of another kind of net.
    """
    path = Path(init) / WEIGHTS_FILE if Path(init).is_dir() else Path(init)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileError(
            f"init = {init!r} has no {WEIGHTS_FILE}: give the run folder of a net."
        ) from None
    except Exception:  # whatever a broken file makes of the reader
        raise ConfigError(
            f"init = {init!r}: {path.name} cannot be read as weights: give the run folder of a net."
        ) from None
    if not isinstance(state, dict) or not isinstance(state.get("weights"), dict):
        raise ConfigError(f"init = {init!r}: {path.name} holds no weights of a net.")
    if state.get("net") != learner:
        raise ConfigError(
            f"init = {init!r} is a {state.get('net')}, not a {learner}: take the same learner, or "
            "another init."
        )
    return state


def take_weights(
    nets: Sequence[Net], state: dict[str, Any], features: Sequence[str], init: str
) -> tuple[set[str], str]:
    """Names of the parameters that the nets have taken over, and a sentence about it.

    Normalisation and first layer go with the features: they are taken only where these are the
    same.

    Raises:
        ConfigError: nothing fits.
    """
    weights: dict[str, Tensor] = state["weights"]
    same = list(state.get("features", ())) == list(features)
    here = nets[0].state_dict()
    first = next(iter(dict(nets[0].body.named_parameters())), "")
    taken = {
        name: value
        for name, value in weights.items()
        if name in here
        and here[name].shape == value.shape
        and (same or not (name.startswith("standardise.") or name == f"body.{first}"))
    }
    learned = [name for name, _ in nets[0].named_parameters()]
    count = sum(name in taken for name in learned)
    if not count:
        raise ConfigError(
            f"init = {init!r} has no layer of the same shape: take the same width and depth, or "
            "another init."
        )
    for net in nets:
        net.load_state_dict(taken, strict=False)
    sentence = f"{count} of {len(learned)} arrays of weights were taken from {Path(init).name}."
    return set(taken), sentence


def groups_of(
    nets: nn.ModuleList, taken: set[str], *, rate: float, freeze: bool
) -> list[dict[str, Any]]:
    """Parameters with their learning rates: what was taken over learns slowly, or not at all."""
    fresh, known = [], []
    for net in nets:
        for name, parameter in net.named_parameters():
            if name in taken:
                parameter.requires_grad_(not freeze)
                known.append(parameter)
            else:
                fresh.append(parameter)
    groups = [{"params": fresh, "lr": rate}] if fresh else []
    if known and not freeze:
        groups.append({"params": known, "lr": rate * _SLOWER})
    if freeze and not known:
        raise ConfigError(
            "freeze keeps the layers that came with init, and none did: give init, or leave freeze "
            "out."
        )
    if not groups:
        raise ConfigError("freeze leaves nothing to learn: all layers came with init.")
    return groups
