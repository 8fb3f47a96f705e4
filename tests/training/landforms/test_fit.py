"""Fitting learns, repeats, and leaves whole files."""

import pytest

pytest.importorskip("torch")

import torch
from training.landforms.conftest import TINY, make_dem

from geotools.training.landforms.dataset import TileSampler
from geotools.training.landforms.fit import (
    FitConfig,
    fit,
    load_checkpoint,
    save_checkpoint,
    teach_table,
)
from geotools.training.landforms.nets import LandformNet


def fitted(steps: int) -> tuple[LandformNet, list[float]]:
    torch.manual_seed(0)
    net = LandformNet(TINY)
    sampler = TileSampler([make_dem()], size=32, batch=2, seed=0)
    seen: list[float] = []
    fit(
        net,
        sampler,
        FitConfig(denoise_steps=1, steps=steps),
        progress=lambda at: seen.append(at.forms_loss),
    )
    return net, seen


def test_the_same_seed_gives_the_same_weights():
    one, losses = fitted(3)
    other, again = fitted(3)
    assert losses == again
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_table_is_learned():
    torch.manual_seed(0)
    net = LandformNet()
    sampler = TileSampler([make_dem(200, 200, x_m=30.0)], size=64, batch=2, seed=0)
    assert teach_table(net, sampler, steps=150, seed=0) < 0.8


def test_a_checkpoint_comes_back(tmp_path):
    net = LandformNet(TINY)
    save_checkpoint(net, tmp_path / "net.pt", minutes=1.5)
    other = LandformNet(TINY)
    assert load_checkpoint(other, tmp_path / "net.pt") == 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
