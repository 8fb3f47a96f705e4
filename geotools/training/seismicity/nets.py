"""Networks that correct an ETAS forecast: log rate = log(a B + b E) + f(features).

f is zero at birth, so that a fit starts from calibrated ETAS. Features come in as physical
numbers, a rate goes out: logarithms, scaling and exp are inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geotools.seismicity.features import BANDS, FEATURES

__all__ = ["CHOSEN", "Calibration", "RateNet", "floors", "joined"]

_BACKGROUND = FEATURES.index("background")
_TRIGGERED = FEATURES.index("triggered")
_WITH_SECONDARIES = FEATURES.index("with_secondaries")

CHOSEN: tuple[str, ...] = (
    *(f"count_near_{band}" for band in range(1, BANDS + 1)),
    *(f"count_kernel_{band}" for band in (1, 2, 3, 4, 6, 8)),
    "region_1d",
    "region_7d",
    "background",
    "smoothed",
)
"""Features that the correction looks at, beside log(a B + b E). With all of them it learnt the
sequences of the training years by heart (docs/decisions/0041)."""

_NOISE = 0.3
"""Standard deviation of what is added to scaled features while a network is fitted, so that it
cannot tell one sequence from another by small differences."""

_LARGEST = 5.0
"""Scaled features are cut off here: what lies farther out was not in the training years."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The factors of a B + b E at one horizon, by maximum likelihood on the training years."""

    horizon_days: float
    """Length of the window."""
    background: float
    """a, with the triggering that holds secondaries."""
    triggering: float
    """b, with the triggering that holds secondaries."""
    background_direct: float
    """a, with direct aftershocks alone."""
    triggering_direct: float
    """b, with direct aftershocks alone."""


def floors() -> NDArray[np.float32]:
    """(features,) what is added to each feature before its logarithm is taken.

    Counts are small numbers that are often 0: a hundredth of an event tells none from few. What a
    share of an event adds up to is smaller still. Expected numbers are never 0 but for rounding.
    """
    values = []
    for name in FEATURES:
        if name.startswith("region"):
            values.append(0.5)
        elif "kernel" in name:
            values.append(1e-4)
        elif "near" in name or "far" in name:
            values.append(1e-2)
        else:
            values.append(1e-9)
    return np.array(values, dtype=np.float32)


class RateNet(nn.Module):
    """Expected events of cell-windows, from their features and the horizon."""

    log_horizons: Tensor
    log_scales: Tensor
    chosen: Tensor
    floor: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        calibrations: Sequence[Calibration],
        *,
        hidden: Sequence[int] = (32,),
        members: int = 1,
    ) -> None:
        super().__init__()
        inputs, heads = len(CHOSEN) + 1, len(calibrations)
        logs = [math.log(one.horizon_days) for one in calibrations]
        self.register_buffer("log_horizons", torch.tensor(logs))
        scales = [[math.log(one.background), math.log(one.triggering)] for one in calibrations]
        self.register_buffer("log_scales", torch.tensor(scales))  # (heads, 2)
        chosen = [FEATURES.index(name) for name in CHOSEN]
        self.register_buffer("chosen", torch.tensor(chosen))
        self.register_buffer("floor", torch.from_numpy(floors()[chosen]))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.members = nn.ModuleList(_member(inputs, hidden, heads) for _ in range(members))

    def logs(self, features: Tensor, log_base: Tensor) -> Tensor:
        """(N, chosen + 1) logarithms of the chosen features and of a B + b E."""
        chosen = torch.log(features.index_select(1, self.chosen) + self.floor)
        return torch.cat([chosen, log_base[:, None]], 1)

    def set_scaling(self, features: Tensor, horizon: Tensor) -> None:
        """Takes mean and spread of the logarithms from these rows."""
        values = self.logs(features, self.log_base(features, horizon))
        self.mean, self.scale = values.mean(0), values.std(0).clamp_min(1e-2)

    def position(self, horizon: Tensor) -> Tensor:
        """(1 or N, heads) shares of the heads: linear in the logarithm of the horizon."""
        value = torch.log(horizon)[:, None]
        if len(self.log_horizons) == 1:
            return torch.ones_like(value)
        edges = self.log_horizons
        value = torch.maximum(torch.minimum(value, edges[-1]), edges[0])
        width = edges[1:] - edges[:-1]
        rising = ((value - edges[:-1]) / width).clamp(0, 1)  # (N, heads - 1)
        one = torch.ones_like(value)
        return torch.cat([one, rising], 1) - torch.cat([rising, 0 * one], 1)

    def log_correction(self, features: Tensor, horizon: Tensor, log_base: Tensor) -> Tensor:
        """(N,) f."""
        x = (self.logs(features, log_base) - self.mean) / self.scale
        x = x.clamp(-_LARGEST, _LARGEST)
        if self.training:
            x = x + _NOISE * torch.randn_like(x)
        out = torch.stack([member(x) for member in self.members]).mean(0)  # (N, heads)
        return (out * self.position(horizon)).sum(1)

    def log_base(self, features: Tensor, horizon: Tensor) -> Tensor:
        """(N,) log(a B + b E)."""
        scales = torch.exp(self.position(horizon) @ self.log_scales)  # (1 or N, 2)
        base = scales[:, 0] * features[:, _BACKGROUND]
        base = base + scales[:, 1] * features[:, _WITH_SECONDARIES]
        return torch.log(base.clamp_min(1e-30))

    def forward(self, features: Tensor, horizon_days: Tensor) -> Tensor:
        """(N,) expected events in the window.

        Args:
            features: (N, features).
            horizon_days: (1,) or (N,).
        """
        log_base = self.log_base(features, horizon_days)
        return torch.exp(log_base + self.log_correction(features, horizon_days, log_base))


def _member(inputs: int, hidden: Sequence[int], heads: int) -> nn.Sequential:
    """Layers whose last is zero."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.SiLU()]
        inputs = width
    last = nn.Linear(inputs, heads)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


def joined(
    nets: Sequence[RateNet], calibrations: Sequence[Calibration], hidden: Sequence[int]
) -> RateNet:
    """One network whose correction is the mean of these, which share their scaling."""
    whole = RateNet(calibrations, hidden=hidden, members=len(nets))
    whole.mean, whole.scale = nets[0].mean, nets[0].scale
    for member, net in zip(whole.members, nets, strict=True):
        member.load_state_dict(net.members[0].state_dict())
    return whole.eval()
