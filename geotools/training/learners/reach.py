"""reach_of: how far a net sees, measured and not counted by hand."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["reach_of"]


def reach_of(body: nn.Module, channels: int, multiple: int) -> int:
    """How many cells away a net still sees, rounded up to a multiple.

    One cell is made NaN, which convolutions, poolings and sums pass on to all that depends on it,
    whatever the weights are: the farthest cell that is NaN afterwards is the reach. Cells of all
    places within a multiple are tried, because nets with strides see them differently.

    Args:
        body: from (1, channels, H, W) to (1, outputs, H, W).
        channels: how many it takes.
        multiple: its stride.
    """
    was_training = body.training
    body.eval()
    size = 8 * multiple
    farthest = size
    with torch.inference_mode():
        while farthest >= size // 2 - multiple:
            size *= 2
            # Rows and columns are treated alike: the diagonal has all places.
            middles = range(size // 2, size // 2 + multiple)
            farthest = max(_farthest(body, channels, size, middle) for middle in middles)
    body.train(was_training)
    return -(-farthest // multiple) * multiple


def _farthest(body: nn.Module, channels: int, size: int, middle: int) -> int:
    """The farthest row or column that feels a NaN at (middle, middle)."""
    x = torch.zeros(1, channels, size, size)
    x[:, :, middle, middle] = torch.nan
    felt = torch.isnan(body(x)[0]).any(0)  # (size, size)
    rows, cols = torch.nonzero(felt, as_tuple=True)
    return int(max((rows - middle).abs().max(), (cols - middle).abs().max()))
