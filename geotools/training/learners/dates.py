"""Gru and Tcn: nets along a stack of dates, for the cells of which nothing else is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Gru", "Tcn"]


class Gru(nn.Module):
    """A recurrent net in both directions (Cho et al. 2014); its mean and its last states decide."""

    def __init__(self, channels: int, outputs: int, *, width: int, dropout: float) -> None:
        super().__init__()
        self.states = nn.GRU(channels, width, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(4 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs) of (N, channels, T)."""
        states, last = self.states(x.transpose(1, 2))  # (N, T, 2 width), (2, N, width)
        found = torch.cat([states.mean(1), last[0], last[1]], 1)  # (N, 4 width)
        logits: Tensor = self.head(self.drop(found))  # (N, outputs)
        return logits


class Tcn(nn.Module):
    """Convolutions over neighbouring dates, then the mean and the highest of all dates
    (Pelletier et al. 2019).
    """

    def __init__(self, channels: int, outputs: int, *, width: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=1)
        self.third = nn.Conv1d(width, width, 3, padding=2, dilation=2)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs) of (N, channels, T)."""
        x = functional.relu(self.first(x))  # (N, width, T)
        x = functional.relu(x + self.second(x))
        x = functional.relu(x + self.third(x))
        found = torch.cat([x.mean(2), x.amax(2)], 1)  # (N, 2 width)
        logits: Tensor = self.head(self.drop(found))  # (N, outputs)
        return logits
