"""Damage is what it says, and the same for the same seed."""

import numpy as np
import pytest
from conftest import make_terrain

from geotools.training.landforms.degrade import (
    Degradation,
    correlated_noise,
    degrade,
    draw_degradation,
)

FLAT = np.full((300, 300), 500.0, dtype=np.float32)


@pytest.mark.parametrize("length", [0.5, 1.5, 4.0])
def test_noise_has_unit_variance_and_the_stated_correlation(length):
    """The autocorrelation at d cells is exp(-(d / L)^2), along rows and columns."""
    noise = correlated_noise((600, 600), length, np.random.default_rng(1))
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    for lag in (1, 2, 4):
        expected = np.exp(-((lag / length) ** 2))
        assert (noise[lag:] * noise[:-lag]).mean() == pytest.approx(expected, abs=0.05)
        assert (noise[:, lag:] * noise[:, :-lag]).mean() == pytest.approx(expected, abs=0.05)


def test_same_seed_same_damage():
    terrain = make_terrain(80, 90)
    how = Degradation(noise_sd_m=3, stripe_sd_m=0.5, blur_cells=0.7, quantum_m=1, void_share=0.01)
    one = degrade(terrain, how, np.random.default_rng(5))
    np.testing.assert_array_equal(one, degrade(terrain, how, np.random.default_rng(5)))
    assert (one != degrade(terrain, how, np.random.default_rng(6))).any()


def test_no_damage_is_a_copy():
    terrain = make_terrain(20, 30)
    out = degrade(terrain, Degradation(), np.random.default_rng(0))
    np.testing.assert_array_equal(out, terrain)
    assert out is not terrain


def test_noise_and_stripes_have_the_stated_size():
    rng = np.random.default_rng(2)
    noisy = degrade(FLAT, Degradation(noise_sd_m=3.0), rng)
    assert (noisy - FLAT).std() == pytest.approx(3.0, rel=0.05)
    striped = degrade(FLAT, Degradation(stripe_sd_m=2.0, stripe_angle_deg=0.0), rng)
    assert np.ptp(striped, axis=1).max() == 0.0
    assert striped.std() == pytest.approx(2.0, rel=0.4)


def test_whole_metres_are_whole():
    out = degrade(make_terrain(40, 40), Degradation(quantum_m=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(out, np.round(out))


def test_voids_cover_about_their_share():
    out = degrade(FLAT, Degradation(void_share=0.02), np.random.default_rng(3))
    assert np.isnan(out).mean() == pytest.approx(0.02, rel=0.3)


def test_blur_keeps_a_plane_and_the_voids():
    plane = np.add.outer(np.arange(50.0), 2 * np.arange(60.0)).astype(np.float32)
    plane[20, 30] = np.nan
    out = degrade(plane, Degradation(blur_cells=1.0), np.random.default_rng(0))
    np.testing.assert_allclose(out[5:15, 5:-5], plane[5:15, 5:-5], atol=1e-3)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(plane))


def test_drawn_damage_stays_in_range():
    rng = np.random.default_rng(0)
    drawn = [draw_degradation(rng) for _ in range(300)]
    assert max(how.noise_sd_m for how in drawn) <= 5.5
    assert 0.1 < np.mean([how == Degradation() for how in drawn]) < 0.3
