"""Blocks on the ground, and the distance over which labels are alike."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod
from rasterio.crs import CRS
from scipy.signal import fftconvolve

from geotools.training.splits.blocks import fitting_blocks, lay_blocks
from geotools.training.splits.ground import places_m
from geotools.training.splits.variogram import range_m, semivariogram


def _field(radius: int, size: int = 260, seed: int = 1) -> np.ndarray:
    """Averages of noise over discs: alike up to twice their radius, and no further."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(size + 2 * radius,) * 2)
    row, col = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (row**2 + col**2 <= radius**2).astype(float)
    return fftconvolve(noise, disc, "valid") / np.sqrt(disc.sum())


def _places(field: np.ndarray, cell: float = 10.0) -> np.ndarray:
    row, col = np.indices(field.shape)
    return np.column_stack([col.ravel() * cell, row.ravel() * cell])


@pytest.mark.parametrize("radius", [4, 12])
def test_the_range_of_a_field_of_known_range_is_found(radius: int) -> None:
    field = _field(radius)
    places = _places(field)
    true = 2 * radius * 10
    assert range_m(places, field.ravel().astype(np.float32)) == pytest.approx(true, rel=0.5)
    classes = (field.ravel() > 0).astype(np.int16)
    assert range_m(places, classes) == pytest.approx(true, rel=0.5)


def test_noise_has_no_range_and_its_semivariance_is_its_variance() -> None:
    noise = np.random.default_rng(0).normal(size=(80, 80)).astype(np.float32)
    places = _places(noise)
    _, gamma, _ = semivariogram(places, noise.ravel())
    assert np.median(gamma) == pytest.approx(1.0, abs=0.08)
    assert range_m(places, noise.ravel()) < 100


def test_outliers_do_not_change_the_range_of_values() -> None:
    field = _field(8).astype(np.float32)
    places = _places(field)
    spoilt = field.copy().ravel()
    spoilt[np.random.default_rng(0).integers(0, spoilt.size, 60)] += 40
    assert range_m(places, spoilt) == pytest.approx(range_m(places, field.ravel()), rel=0.5)


def test_too_few_places_have_no_range() -> None:
    assert range_m(np.zeros((4, 2)), np.zeros(4, np.int16)) == 0.0
    assert range_m(np.zeros((4000, 2)), np.zeros(4000, np.int16)) == 0.0


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32633", "EPSG:3857", "IAU_2015:30100"])
def test_blocks_are_squares_of_their_side_on_the_ground(crs: str) -> None:
    made = CRS.from_user_input(crs)
    rng = np.random.default_rng(0)
    if made.is_geographic:
        x, y = rng.uniform(8, 14, 5000), rng.uniform(55, 65, 5000)
    elif crs == "EPSG:3857":
        x, y = rng.uniform(1e6, 1.2e6, 5000), rng.uniform(8e6, 8.2e6, 5000)
    else:
        x, y = rng.uniform(4e5, 6e5, 5000), rng.uniform(5e6, 5.2e6, 5000)
    side = 50_000.0
    blocks = lay_blocks(made, x, y, side)
    number = blocks.locate(x, y)
    bounds = blocks.bounds(number)
    assert ((bounds[:, 0] <= x) & (x <= bounds[:, 2])).all()
    assert ((bounds[:, 1] <= y) & (y <= bounds[:, 3])).all()
    left, bottom, right, top = bounds[0]
    if made.is_geographic:
        major = 1737400 if "IAU" in crs else 6378137
        geod = Geod(a=major, f=0 if "IAU" in crs else 1 / 298.257223563)
        middle = (bottom + top) / 2
        assert geod.line_length([left, right], [middle, middle]) == pytest.approx(side, rel=0.02)
        assert geod.line_length([left, left], [bottom, top]) == pytest.approx(side, rel=0.02)
    elif crs == "EPSG:3857":
        assert (right - left) * np.cos(np.deg2rad(58.7)) == pytest.approx(side, rel=0.05)
    else:
        assert (right - left, top - bottom) == pytest.approx((side, side))


def test_distances_between_places_are_those_on_the_ground() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-180, 180, 200), rng.uniform(-89, 89, 200)
    near = places_m(CRS.from_epsg(4326), x, y) - places_m(CRS.from_epsg(4326), x + 360.1, y)
    _, _, distance = Geod(ellps="WGS84").inv(x, y, x + 0.1, y)
    assert np.allclose(np.linalg.norm(near, axis=1), distance, rtol=1e-4)


def test_fitting_blocks_are_as_large_as_the_labels_allow() -> None:
    field = _field(6, 200)
    places = _places(field)
    x, y = places.T
    classes = (field.ravel() > 0).astype(np.int16)

    def fitted(classes: np.ndarray, **more: object) -> float | None:
        blocks = fitting_blocks(
            CRS.from_epsg(32633), x, y, classes, classes.astype(np.int64),
            **{"folds": 5, "smallest_m": 20.0, "half": (5.0, 5.0), "seed": 0, **more},
        )  # fmt: skip
        return None if blocks is None else blocks.size_m

    side = fitted(classes)
    assert side == pytest.approx(240, rel=0.5)  # twice the range
    rare = np.zeros_like(classes)
    rare[:200] = classes[:200]  # class 1 on one row of cells
    assert fitted(rare) is not None
    one = np.zeros_like(classes)
    one[0] = 1
    assert fitted(one) is None
