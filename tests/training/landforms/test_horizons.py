"""Horizon tangents: a plane in closed form, kernel against slices, gradient included."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from geotools.training.landforms.horizons import (
    DIRECTIONS,
    horizon_tangents,
    horizon_tangents_slices,
)


def some_terrain():
    generator = torch.Generator().manual_seed(0)
    elevation = 50 * torch.randn(2, 1, 30, 34, generator=generator)
    valid = (torch.rand(2, 1, 30, 34, generator=generator) > 0.2).float()
    cells = 20 + 10 * torch.rand(2, 2, 30, 1, generator=generator)
    return elevation.requires_grad_(), valid, cells


@pytest.mark.parametrize("look", [horizon_tangents, horizon_tangents_slices])
def test_a_plane_rises_alike_at_every_distance(look):
    row, col = np.mgrid[:40, :44].astype(np.float32)
    plane = torch.from_numpy(3.0 * row + 2.0 * col)[None, None]
    cells = torch.full((1, 2, 40, 1), 30.0)
    tangents = look(plane, torch.ones_like(plane), cells, 5)[0, :, 20, 22]
    slopes = [(3 * r + 2 * c) / (30 * np.hypot(r, c)) for r, c in DIRECTIONS]
    np.testing.assert_allclose(tangents, np.tile(slopes, 4), rtol=1e-5)


def test_kernel_and_slices_agree():
    elevation, valid, cells = some_terrain()
    one = horizon_tangents(elevation, valid, cells, 6)
    other = horizon_tangents_slices(elevation, valid, cells, 6)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_their_gradients_agree():
    elevation, valid, cells = some_terrain()
    weights = torch.randn(2, 32, 30, 34, generator=torch.Generator().manual_seed(1))
    gradients = [
        torch.autograd.grad((look(elevation, valid, cells, 6) * weights).sum(), elevation)[0]
        for look in (horizon_tangents, horizon_tangents_slices)
    ]
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


def test_nothing_seen_is_level():
    lone = torch.zeros(1, 1, 9, 9)
    lone[0, 0, 4, 4] = 100.0
    valid = (lone > 0).float()
    tangents = horizon_tangents(lone, valid, torch.full((1, 2, 9, 1), 10.0), 4)
    assert tangents[0, :, 4, 4].abs().max() == 0.0
