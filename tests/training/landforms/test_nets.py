"""The net's contract: shapes, validity, no memory of where a tile was cut."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training.landforms.conftest import TINY, make_dem, make_net

from geotools.training.landforms.nets import LandformNet


def run(net, elevation, x_m=25.0, y_m=30.0):
    """Probabilities (10, rows, cols) of one piece."""
    cells = torch.tensor([x_m, y_m])[None, :, None, None].expand(1, 2, elevation.shape[0], 1)
    with torch.no_grad():
        return net(torch.from_numpy(np.array(elevation))[None, None], cells)[0]


@pytest.mark.parametrize("shape", [(1, 1), (7, 45), (40, 33)])
def test_probabilities_sum_to_one(shape):
    out = run(make_net(), make_dem().elevation[: shape[0], : shape[1]])
    assert out.shape == (10, *shape)
    torch.testing.assert_close(out.sum(0), torch.ones(shape))


def test_no_nan_comes_out():
    """Holes, infinities and tiles without a valid cell give finite numbers."""
    elevation = make_dem().elevation.copy()
    elevation[10:40, 20:60] = np.nan
    elevation[60, 60] = np.inf
    assert torch.isfinite(run(make_net(), elevation)).all()
    assert torch.isfinite(run(make_net(), np.full((20, 20), np.nan, np.float32))).all()


def test_the_width_of_the_frame_does_not_matter():
    """Inference feeds NaN beyond the raster, as much as the halo asks for, or more."""
    elevation = make_dem(40, 50).elevation
    net = make_net()
    inner = [
        run(net, np.pad(elevation, width, constant_values=np.nan))[:, width:-width, width:-width]
        for width in (50, 64)
    ]
    torch.testing.assert_close(inner[0], inner[1], atol=1e-5, rtol=1e-4)


def test_a_cut_changes_nothing_beyond_the_halo():
    elevation = make_dem(180, 190).elevation
    net = make_net()
    whole, part = run(net, elevation), run(net, elevation[31:, 17:])
    halo = 50
    torch.testing.assert_close(
        part[:, halo:, halo:], whole[:, 31 + halo :, 17 + halo :], atol=1e-5, rtol=1e-4
    )


def test_height_above_the_sea_does_not_matter():
    elevation = make_dem(60, 60).elevation
    net = make_net()
    torch.testing.assert_close(run(net, elevation + 1000), run(net, elevation), atol=2e-2, rtol=0)


def test_the_untrained_net_passes_the_dem_unchanged():
    torch.manual_seed(0)
    elevation = torch.from_numpy(make_dem(40, 40).elevation)[None, None]
    with torch.no_grad():
        clean = LandformNet(TINY).logits(elevation, torch.full((1, 2, 40, 1), 30.0))[1]
    torch.testing.assert_close(clean, elevation)
