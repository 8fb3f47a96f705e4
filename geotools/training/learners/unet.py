"""Unet: every cell of a tile at once, seen at several resolutions (Ronneberger et al. 2015)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Unet"]

_WIDEST = 512
"""Channels at most; doubling goes no further."""


class Unet(nn.Module):
    """Channels in, logits of the same cells out.

    No statistic of the tile is taken: in use, a cell gets the same answer in any tile that holds
    its surroundings and begins on a multiple of 2^(depth - 1) cells.
    """

    def __init__(
        self, channels: int, outputs: int, *, width: int, depth: int, dropout: float
    ) -> None:
        super().__init__()
        widths = [min(width * 2**level, _WIDEST) for level in range(depth)]
        self.down = nn.ModuleList(
            _convolutions(before, after)
            for before, after in zip([channels, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            _convolutions(below + here, here)
            for here, below in reversed(list(itertools.pairwise(widths)))
        )
        self.drop = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs, H, W) of (N, channels, H, W); H and W are multiples of 2^(depth - 1)."""
        sides = []
        for level, block in enumerate(self.down):
            if level:
                x = functional.max_pool2d(x, 2)  # (N, width, H / 2, W / 2)
            x = block(x)  # (N, 2 width, H / 2, W / 2)
            sides.append(x)
        x = self.drop(sides.pop())
        for block in self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")  # (N, 2 width, H, W)
            x = block(torch.cat([sides.pop(), x], 1))  # (N, width, H, W)
        logits: Tensor = self.head(self.drop(x))  # (N, outputs, H, W)
        return logits


def _convolutions(before: int, after: int) -> nn.Sequential:
    """Two layers of 3 x 3; the bias is that of the normalisation."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
