"""The small net for windows, and the same net without strides."""

from __future__ import annotations

import pytest
import torch

from geotools.training.learners.cnn import Cnn, window_of
from geotools.training.learners.reach import reach_of


@pytest.mark.parametrize("window", [7, 9, 17, 29])
def test_every_cell_of_a_tile_gets_what_its_window_alone_would(window):
    """The dense form is equal to the net on windows, within rounding."""
    torch.manual_seed(0)
    net = Cnn(3, 4, window=window, width=4, dropout=0.5)
    assert net.size == window
    for norm in net.norms:  # statistics as after learning
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    net.eval()
    x = torch.randn(1, 3, 40, 36)
    half = window // 2
    with torch.inference_mode():
        tile = net(x)  # (1, 4, 40, 36)
        padded = torch.nn.functional.pad(x, [half] * 4)
        windows = padded.unfold(2, window, 1).unfold(3, window, 1)  # (1, 3, 40, 36, S, S)
        windows = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, window, window)
        net.windows = True
        each = net(windows).reshape(40, 36, 4).permute(2, 0, 1)[None]
    assert tile.shape == each.shape
    torch.testing.assert_close(tile, each, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("asked", [4, 8, 16, 24, 33, 64, 128])
def test_windows_are_odd_and_near_what_was_asked_for(asked):
    size, poolings, left = window_of(asked)
    assert size % 2 == 1
    assert abs(size - asked) <= max(3, asked // 10)
    for _ in range(poolings):
        size = (size - 3) // 2
    assert size == left


@pytest.mark.parametrize("window", [9, 17])
def test_its_reach_is_half_a_window(window):
    net = Cnn(1, 1, window=window, width=4, dropout=0.0)
    assert reach_of(net, 1, 1) == window // 2
