"""The U-Net is local: a cell gets the same answer in any tile that holds its surroundings."""

from __future__ import annotations

import pytest
import torch

from geotools.training.learners.reach import reach_of
from geotools.training.learners.unet import Unet


def prepared(depth: int) -> Unet:
    torch.manual_seed(0)
    net = Unet(3, 2, width=4, depth=depth, dropout=0.5)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return net.eval()


@pytest.mark.parametrize(("depth", "reach"), [(1, 2), (2, 10), (3, 24), (4, 56), (5, 112)])
def test_reach_is_that_of_its_layers(depth, reach):
    """By hand, for depth 2: 2 + 2 x 2 + 2 cells of convolutions and 1 of pooling, 9, and even."""
    net = Unet(1, 1, width=1, depth=depth, dropout=0.0)
    assert reach_of(net, 1, 2 ** (depth - 1)) == reach


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_tiled_is_untiled(depth):
    """Tiles with a halo of the reach, beginning on a multiple, give the whole to the last bits."""
    net = prepared(depth)
    multiple = 2 ** (depth - 1)
    halo = reach_of(net, 3, multiple)
    x = torch.randn(1, 3, 128, 96)
    padded = torch.nn.functional.pad(x, [halo] * 4)
    step = 32
    with torch.inference_mode():
        whole = net(padded)[:, :, halo:-halo, halo:-halo]
        for row in range(0, 128, step):
            for col in range(0, 96, step):
                tile = padded[:, :, row : row + step + 2 * halo, col : col + step + 2 * halo]
                inner = net(tile)[:, :, halo : halo + step, halo : halo + step]
                there = whole[:, :, row : row + step, col : col + step]
                torch.testing.assert_close(inner, there, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("depth", [2, 3])
def test_reach_is_not_larger_than_need_be(depth):
    """A change at the reach, less a multiple, is felt; one beyond is not, to the last bit."""
    net = prepared(depth)
    multiple = 2 ** (depth - 1)
    halo = reach_of(net, 3, multiple)
    x = torch.randn(1, 3, 64 + 2 * halo, 32)
    felt = []
    with torch.inference_mode():
        before = net(x)
        for middle in range(32 + halo, 32 + halo + multiple):
            beyond, within = x.clone(), x.clone()
            beyond[:, :, : middle - halo] += 100.0
            within[:, :, : middle - halo + multiple] += 100.0
            assert torch.equal(net(beyond)[:, :, middle], before[:, :, middle])
            felt.append(not torch.equal(net(within)[:, :, middle], before[:, :, middle]))
    assert any(felt)


def test_channels_stop_growing():
    """Doubling ends at 512 channels, so that no setting asks for all memory."""
    net = Unet(2, 2, width=256, depth=4, dropout=0.0)
    assert max(p.shape[0] for p in net.parameters()) == 512
