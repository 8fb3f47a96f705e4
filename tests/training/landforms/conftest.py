"""Tiny DEMs and nets for the tests of training."""

import numpy as np
import pytest
from conftest import make_terrain

pytest.importorskip("torch")

from geotools.training.landforms.dataset import Dem
from geotools.training.landforms.nets import LandformNet, NetConfig

TINY = NetConfig(width=4, dilations=(1, 2), head=8, context=4, search=4)


def make_dem(rows: int = 96, cols: int = 110, *, seed: int = 0, x_m: float = 25.0) -> Dem:
    """Hills on cells that are narrower than they are high."""
    size = np.full(rows, 1.0)
    return Dem(f"hills{seed}", make_terrain(rows, cols, seed=seed), x_m * size, 30.0 * size)


def make_net(config: NetConfig = TINY, *, seed: int = 0) -> LandformNet:
    """A net whose every layer does something, zeros at birth or not."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    net = LandformNet(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return net.eval()
