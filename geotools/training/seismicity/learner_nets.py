"""Networks without a backbone: a dense one on all features, a recurrent one on a cell's events.

They are yardsticks for `RateNet`; both give log rates of their own.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geotools.seismicity.features import FEATURES
from geotools.training.seismicity.data import CellWindows
from geotools.training.seismicity.nets import floors

__all__ = ["DenseNet", "RecurrentNet", "fit_recurrent", "scaling"]

_STATIC = ("background", "smoothed", "region_1d", "region_7d")
"""Features that the recurrent network sees beside the events of its cell."""


def scaling(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and spread of the logarithms of the features, (features,) each."""
    logs = np.log(features + floors())
    spread = np.maximum(logs.std(0), 1e-2)
    return logs.mean(0).astype(np.float32), spread.astype(np.float32)


class DenseNet(nn.Module):
    """Two hidden layers with dropout on the logarithms of all features."""

    floor: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, features: NDArray[np.float32], log_rate: float) -> None:
        super().__init__()
        mean, scale = scaling(features)
        self.register_buffer("floor", torch.from_numpy(floors()))
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("scale", torch.from_numpy(scale))
        last = nn.Linear(64, 1)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, log_rate)
        self.layers = nn.Sequential(
            nn.Linear(len(FEATURES), 64), nn.SiLU(), nn.Dropout(0.3),
            nn.Linear(64, 64), nn.SiLU(), nn.Dropout(0.3), last,
        )  # fmt: skip

    def forward(self, features: Tensor, horizon_days: Tensor) -> Tensor:
        """(N,) expected events; the horizon is that of the fit."""
        x = ((torch.log(features + self.floor) - self.mean) / self.scale).clamp(-5.0, 5.0)
        return torch.exp(self.layers(x)[:, 0] + 0.0 * horizon_days)


class RecurrentNet(nn.Module):
    """A GRU over the latest 64 events of a cell, beside its background."""

    static: Tensor
    floor: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, features: NDArray[np.float32], log_rate: float, width: int = 24) -> None:
        super().__init__()
        columns = [FEATURES.index(name) for name in _STATIC]
        mean, scale = scaling(features)
        self.register_buffer("static", torch.tensor(columns))
        self.register_buffer("floor", torch.from_numpy(floors()[columns]))
        self.register_buffer("mean", torch.from_numpy(mean[columns]))
        self.register_buffer("scale", torch.from_numpy(scale[columns]))
        self.gru = nn.GRU(4, width, batch_first=True)
        self.hidden = nn.Linear(width + len(columns), 32)
        self.last = nn.Linear(32, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.constant_(self.last.bias, log_rate)

    def forward(self, sequence: Tensor, features: Tensor) -> Tensor:
        """(N,) expected events.

        Args:
            sequence: (N, 64, 3) as `sequences` gives it.
            features: (N, features).
        """
        age, above, distance = sequence[:, :, 0:1], sequence[:, :, 1:2], sequence[:, :, 2:3]
        known = (age > 0).to(sequence.dtype)  # rows without an event are zero
        x = torch.cat([torch.log(age + 0.01) * known / 3.0, above, distance / 20.0, known], 2)
        _, state = self.gru(x)  # (1, N, width)
        chosen = torch.log(features.index_select(1, self.static) + self.floor)
        chosen = ((chosen - self.mean) / self.scale).clamp(-5.0, 5.0)
        y = torch.tanh(self.hidden(torch.cat([state[0], chosen], 1)))
        return torch.exp(self.last(y)[:, 0])


def fit_recurrent(
    net: RecurrentNet,
    sequence: NDArray[np.float32],
    windows: CellWindows,
    *,
    seed: int,
    passes: int = 6,
    rows: int = 1024,
) -> None:
    """Fits the network in place by the likelihood of a Poisson process, all passes."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = -(-len(windows) // rows)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, passes * steps)
    count = torch.from_numpy(windows.count.astype(np.float32))
    weight = torch.from_numpy(windows.weight.astype(np.float32))
    x, features = torch.from_numpy(sequence), torch.from_numpy(windows.features)
    events = float(windows.count.sum())
    net.train()
    for _ in range(passes):
        order = torch.randperm(len(windows), generator=generator)
        for first in range(0, len(windows), rows):
            chosen = order[first : first + rows]
            rate = net(x[chosen], features[chosen])
            likelihood = count[chosen] * torch.log(rate.clamp_min(1e-30)) - weight[chosen] * rate
            loss = -likelihood.sum() * (len(windows) / len(chosen) / events)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
    net.eval()
