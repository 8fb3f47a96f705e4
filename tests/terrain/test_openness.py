"""Openness: plane, pit, and the definition cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geotools.terrain.attributes import attributes, reach

NAMES = ["positive_openness", "negative_openness"]


def one_by_one(z, x, y, radius):
    """Both opennesses by walking every ray in float64."""
    rows, cols = z.shape
    result = np.full((2, rows, cols), np.nan)
    for r, c in np.argwhere(~np.isnan(z)):
        up, down = [], []
        for dr, dc in ((0, 1), (0, -1), (-1, 0), (1, 0), (-1, 1), (-1, -1), (1, 1), (1, -1)):
            angles = []
            for j in range(1, 4 * radius):
                i, k = r + j * dr, c + j * dc
                distance = math.hypot(j * dr * y, j * dc * x)
                if distance > radius * y + 1e-9 or not (0 <= i < rows and 0 <= k < cols):
                    break
                if not np.isnan(z[i, k]):
                    angles.append(
                        math.degrees(math.atan2(float(z[i, k]) - float(z[r, c]), distance))
                    )
            if angles:
                up.append(90 - max(angles))
                down.append(90 + min(angles))
        if up:
            result[:, r, c] = np.mean(up), np.mean(down)
    return result


@pytest.mark.parametrize(("x_m", "y_m", "radius"), [(30, 30, 6), (12, 20, 4), (30, 30, 1)])
def test_values_are_those_of_the_definition(rough, x_m, y_m, radius):
    z = rough(40, 50, seed=1)
    got = attributes(z, x_m, y_m, NAMES, radius=radius)
    want = one_by_one(z, x_m, y_m, radius)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    assert np.nanmax(np.abs(got - want)) < 2e-4


def test_level_ground_is_open_by_ninety_degrees():
    z = np.full((20, 20), 5.0, np.float32)
    assert (attributes(z, 10, 10, NAMES, radius=4) == 90).all()


def test_foot_of_walls_sees_little_sky():
    z = np.full((9, 9), 30.0, np.float32)
    z[4, 4] = 0
    positive, negative = attributes(z, 30, 30, NAMES, radius=1)[:, 4, 4]
    assert positive == pytest.approx(45, abs=1e-4)  # four neighbours at 45 degrees; diagonals far
    assert negative == pytest.approx(135, abs=1e-4)


def test_tiles_with_halo_give_the_same_bits(rough):
    z = rough(70, 90, seed=2)
    x, y = np.linspace(20, 22, 70), np.full(70, 30.0)
    whole = attributes(z, x, y, NAMES, radius=5)
    halo = reach(NAMES, radius=5, x_m=x, y_m=y)
    r, c = 30 - halo, 40 - halo
    rows = slice(r, 50 + halo)
    tile = attributes(z[rows, c : 60 + halo], x[rows], y[rows], NAMES, radius=5, unit_m=30.0)
    inner = tile[:, halo : halo + 20, halo : halo + 20]
    assert np.array_equal(inner, whole[:, 30:50, 40:60], equal_nan=True)
