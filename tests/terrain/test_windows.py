"""Square windows of any radius against sums over each window, gdaldem, and tiles."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from geotools.terrain.attributes import attributes

NAMES = ["tpi", "relief", "dev"]


def one_by_one(z, radius):
    """tpi, relief and dev of every cell, window by window in float64."""
    rows, cols = z.shape
    result = np.full((3, rows, cols), np.nan)
    for r, c in np.argwhere(~np.isnan(z)):
        window = z[max(r - radius, 0) : r + radius + 1, max(c - radius, 0) : c + radius + 1]
        window = window[~np.isnan(window)].astype(np.float64)
        value = float(z[r, c])
        if window.size > 1:
            result[0, r, c] = value - (window.sum() - value) / (window.size - 1)
        result[1, r, c] = window.max() - window.min()
        sd = window.std()
        result[2, r, c] = (value - window.mean()) / sd if sd > 1e-4 else 0
    return result


@pytest.mark.parametrize("radius", [1, 2, 5, 23, 80])
def test_values_are_those_of_each_window_by_itself(rough, radius):
    z = rough(45, 60, seed=1)
    got = attributes(z, 30, 30, NAMES, radius=radius, threads=2)
    want = one_by_one(z, radius)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    assert np.nanmax(np.abs(got[0] - want[0])) < 1e-4
    assert np.nanmax(np.abs(got[1] - want[1])) < 1e-4
    assert np.nanmax(np.abs(got[2] - want[2])) < 1e-4


def test_z_factor_scales_metres_and_not_deviations(rough):
    z = rough(40, 40, seed=2)
    feet = attributes(z / np.float32(0.3048), 30, 30, NAMES, radius=4, z_factor=0.3048)
    metres = attributes(z, 30, 30, NAMES, radius=4)
    assert np.nanmax(np.abs(feet - metres)) < 2e-3


def test_radius_one_is_tpi_and_roughness_of_gdaldem(gdaldem, write_dem, rough):
    """On cells with all eight neighbours; ours has values beside voids and edges too."""
    z = rough(80, 90, seed=3)
    path = write_dem(z, Affine(30, 0, 400_000, 0, -30, 6_500_000))
    tpi, relief = attributes(z, 30, 30, ["tpi", "relief"], radius=1)
    assert np.nanmax(np.abs(tpi - gdaldem("TPI", path))) < 1e-3
    assert np.nanmax(np.abs(relief - gdaldem("roughness", path))) == 0


def test_level_ground_far_above_the_rest_has_no_deviation():
    z = np.full((60, 60), 4321.7, np.float32)
    z[:20] = 12.25
    dev = attributes(z, 30, 30, ["dev"], radius=3)[0]
    assert (dev[30:] == 0).all()


@pytest.mark.parametrize("radius", [1, 6])
def test_tiles_with_halo_give_the_same_values(rough, radius):
    """To the last bit for tpi and relief, to 1e-5 standard deviations for dev."""
    z = rough(90, 110, seed=4)
    whole = attributes(z, 30, 30, NAMES, radius=radius, threads=1)
    rng = np.random.default_rng(0)
    for _ in range(20):
        top, left = rng.integers(0, 70), rng.integers(0, 90)
        bottom, right = top + rng.integers(1, 21), left + rng.integers(1, 21)
        r, c = max(top - radius, 0), max(left - radius, 0)
        tile = attributes(z[r : bottom + radius, c : right + radius], 30, 30, NAMES, radius=radius)
        inner = tile[:, top - r : bottom - r, left - c : right - c]
        want = whole[:, top:bottom, left:right]
        assert np.array_equal(inner[:2], want[:2], equal_nan=True)
        assert np.array_equal(np.isnan(inner[2]), np.isnan(want[2]))
        np.testing.assert_allclose(inner[2], want[2], atol=1e-5)


def test_sums_do_not_drift_down_a_hundred_thousand_rows(rough):
    z = np.tile(rough(100, 12, seed=5) * 5, (1000, 1))
    whole = attributes(z, 30, 30, ["tpi", "dev"], radius=4, threads=1)
    last = attributes(z[-300:], 30, 30, ["tpi", "dev"], radius=4, threads=1)
    assert np.array_equal(whole[0, -100:], last[0, -100:], equal_nan=True)
    np.testing.assert_allclose(whole[1, -100:], last[1, -100:], atol=1e-5)


def test_lonely_cell_has_relief_zero_and_no_position():
    z = np.full((9, 9), np.nan, np.float32)
    z[4, 4] = 10
    tpi, relief, dev = attributes(z, 30, 30, NAMES, radius=2)
    assert np.isnan(tpi).all()
    assert relief[4, 4] == 0
    assert dev[4, 4] == 0
    assert np.isnan(relief).sum() == np.isnan(dev).sum() == 80


@pytest.mark.parametrize(("rows", "cols"), [(40, 60), (1, 9), (9, 1), (2, 2), (1, 1)])
def test_nearest_tpi_has_the_bits_of_the_sums_of_any_radius(rough, rows, cols):
    """At radius 1 tpi has a loop of its own, unless dev is asked for too; both agree."""
    z = rough(40, 60, seed=8)[:rows, :cols].copy()
    alone = attributes(z, 30, 30, ["tpi"], radius=1, z_factor=0.3048)
    both = attributes(z, 30, 30, ["tpi", "dev"], radius=1, z_factor=0.3048)
    assert np.array_equal(alone[0], both[0], equal_nan=True)
