"""Dense: a network with dropout on the features of one cell."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Dense"]


class Dense(nn.Module):
    """Channels of a cell in, logits out."""

    def __init__(
        self, channels: int, outputs: int, *, width: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        hidden: list[nn.Module] = []
        for before in [channels, *(width,) * (layers - 1)]:
            hidden += [nn.Linear(before, width), nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs) of (N, channels)."""
        logits: Tensor = self.head(self.hidden(x))
        return logits
