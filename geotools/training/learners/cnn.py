"""Cnn: convolution, pooling, dense; names the cell in the middle of a window.

It learns from windows, and is used as the same net without strides, which names every cell of a
tile at once and gives each exactly what its window alone would.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Cnn", "window_of"]

_POOL = 3
"""Cells on a side that are pooled, two apart: windows then have a middle."""


def window_of(cells: int) -> tuple[int, int, int]:
    """Side of the window nearest to `cells`, number of poolings, cells on a side after them.

    A convolution takes 2 cells off and a pooling leaves (n - 1) / 2 of n: a window of which m cells
    are left after b poolings has m 2^b + 3 (2^b - 1) cells, which is odd.
    """
    found = [
        (left * 2**poolings + 3 * (2**poolings - 1), poolings, left)
        for poolings in (1, 2, 3, 4)
        for left in range(1, 7)
    ]
    # Of two as near, the one with fewer cells to weigh at the end.
    return min(found, key=lambda one: (abs(one[0] - cells), one[2]))


class Cnn(nn.Module):
    """Channels of a window in, logits of its middle out; or those of every cell of a tile."""

    def __init__(
        self, channels: int, outputs: int, *, window: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        self.size, poolings, left = window_of(window)
        widths = [width * 2**level for level in range(poolings)]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, bias=False)
            for before, after in zip([channels, *widths], widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for after in widths)
        self.dense = nn.Conv2d(widths[-1], 4 * width, left)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Conv2d(4 * width, outputs, 1)
        self.windows = True
        """Take windows of `size` cells instead of tiles; so it is while learning."""

    def train(self, mode: bool = True) -> Cnn:
        """As of any module."""
        super().train(mode)
        self.windows = mode
        return self

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs) of (N, channels, size, size); or (N, outputs, H, W) of any tile."""
        if not self.windows:
            x = functional.pad(x, [self.size // 2] * 4)  # (N, channels, H + size - 1, ...)
        apart = 1  # cells between what are neighbours after the poolings so far
        for layer, norm in zip(self.layers, self.norms, strict=True):
            spacing = 1 if self.windows else apart
            x = functional.conv2d(x, layer.weight, dilation=spacing)  # type: ignore[arg-type]
            x = functional.relu(norm(x))  # (N, width, H, W)
            # A pooling with a stride of 2, or all that begin one cell apart.
            x = functional.max_pool2d(x, _POOL, 2 if self.windows else 1, dilation=spacing)
            apart *= 2
        spacing = 1 if self.windows else apart
        x = functional.conv2d(x, self.dense.weight, self.dense.bias, dilation=spacing)
        x = self.drop(functional.relu(x))  # (N, 4 width, H, W)
        logits: Tensor = self.head(x)  # (N, outputs, H, W)
        return logits[:, :, 0, 0] if self.windows else logits
