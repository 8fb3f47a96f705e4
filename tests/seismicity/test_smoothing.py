"""Smoothed seismicity."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geotools.errors import EventsError, GridError
from geotools.grid import Grid
from geotools.seismicity.cells import cell_area_km2
from geotools.seismicity.distance import EARTH_RADIUS_KM, great_circle_km
from geotools.seismicity.smoothing import neighbour_km, smoothed_density, smoothed_rates


def grid(cell: float, left: float, top: float, cols: int, rows: int) -> Grid:
    return Grid(CRS.from_epsg(4326), Affine(cell, 0, left, 0, -cell, top), cols, rows)


HERE = grid(0.1, 10, 46, 41, 31)
ALL = np.ones(HERE.shape, bool)
WORLD = grid(5, -180, 90, 72, 36)
EVERYWHERE = np.ones(WORLD.shape, bool)


def test_a_quarter_of_a_great_circle():
    assert great_circle_km(0, 0, 90, 0) == pytest.approx(np.pi / 2 * EARTH_RADIUS_KM)
    assert great_circle_km(179.9, 10, -179.9, 10) == pytest.approx(great_circle_km(0, 10, 0.2, 10))


def test_shares_sum_to_one_and_no_cell_is_empty():
    rng = np.random.default_rng(0)
    shares = smoothed_rates(rng.uniform(9, 15, 300), rng.uniform(42, 47, 300), HERE, ALL)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() > 0.005 / shares.size


def test_without_events_all_is_even_by_area():
    shares = smoothed_rates(np.zeros(0), np.zeros(0), HERE, ALL)
    area = cell_area_km2(HERE, ALL)
    np.testing.assert_allclose(shares, area / area.sum())


def test_one_event_has_the_mass_of_the_kernel_in_its_cell():
    """Share within a disc of radius R is 1 - h / sqrt(R^2 + h^2)."""
    lon, lat = np.array([12.05]), np.array([44.45])
    shares = smoothed_rates(lon, lat, HERE, ALL, minimum_km=0.5, uniform=0.0)
    cells = shares.reshape(HERE.shape)
    assert cells.argmax() == 15 * 41 + 20
    narrow = great_circle_km(12.05, 44.45, 12.0, 44.45)
    wide = great_circle_km(12.05, 44.45, 12.0, 44.5)
    inner, outer = (1 - 0.5 / np.hypot(r, 0.5) for r in (narrow, wide))
    assert inner < cells.max() < outer
    np.testing.assert_allclose(cells[:, 19], cells[:, 21], rtol=1e-6)


@pytest.mark.parametrize("width", [1.0, 8.0, 60.0])
def test_cells_agree_with_many_points_in_them(width):
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(11, 13, 5), rng.uniform(43.5, 45.5, 5)
    shares = smoothed_rates(
        lon, lat, HERE, ALL, minimum_km=width, neighbours=1, uniform=0.0
    ).reshape(HERE.shape)
    h = neighbour_km(lon, lat, neighbours=1, minimum_km=width)
    row, col = np.nonzero(ALL)
    fine = (np.arange(24) + 0.5) / 24
    mass = np.zeros(len(row))
    for up in fine:
        for across in fine:
            y, x = 46 - 0.1 * (row + up), 10 + 0.1 * (col + across)
            for i in range(5):
                r = great_circle_km(lon[i], lat[i], x, y)
                mass += h[i] * (r**2 + h[i] ** 2) ** -1.5 * np.cos(np.radians(y))
    away = mass / mass.sum()
    # Own cells of narrow kernels are what the points themselves get wrong.
    tolerance = 0.03 if width < 2 else 0.006
    np.testing.assert_allclose(shares.ravel(), away, rtol=tolerance, atol=2e-5)


def test_poles_and_the_date_line_are_places_like_others():
    """A turn of the globe turns the map, and at a pole all longitudes are alike."""
    lon, lat = np.array([12.0, 14.0, -20.0]), np.array([40.0, 41.0, 35.0])
    shares = smoothed_rates(lon, lat, WORLD, EVERYWHERE, minimum_km=300).reshape(WORLD.shape)
    turned = smoothed_rates(lon + 170, lat, WORLD, EVERYWHERE, minimum_km=300)
    np.testing.assert_allclose(turned.reshape(WORLD.shape), np.roll(shares, 34, axis=1), rtol=1e-6)
    pole = smoothed_rates(np.array([77.0]), np.array([90.0]), WORLD, EVERYWHERE, minimum_km=500)
    rows = pole.reshape(WORLD.shape)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[:, :1], rows.shape), rtol=1e-6)
    assert rows[0].sum() > 0.2


def test_weights_count_like_copies_and_order_does_not_matter():
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(10, 14, 40), rng.uniform(43, 46, 40)
    width = np.full(40, 7.0)
    weights = rng.integers(0, 4, 40).astype(float)
    at = rng.uniform(10, 14, 9), rng.uniform(43, 46, 9)
    copies = np.repeat(np.arange(40), weights.astype(int))
    np.testing.assert_allclose(
        smoothed_density(lon, lat, width_km=width, weights=weights, at=at),
        smoothed_density(
            lon[copies], lat[copies], width_km=width[copies], weights=np.ones(len(copies)), at=at
        ),
    )
    mixed = rng.permutation(40)
    np.testing.assert_allclose(
        smoothed_rates(lon, lat, HERE, ALL, weights=weights),
        smoothed_rates(lon[mixed], lat[mixed], HERE, ALL, weights=weights[mixed]),
    )


def test_the_distance_to_the_sixth_neighbour():
    lon, lat = np.arange(10) * 0.1, np.zeros(10)
    expected = great_circle_km(0, 0, 0.6, 0)
    assert neighbour_km(lon, lat)[0] == pytest.approx(expected)
    assert neighbour_km(np.zeros(50), np.zeros(50)).tolist() == [2.0] * 50
    assert neighbour_km(np.zeros(1), np.zeros(1)).tolist() == [2.0]
    assert neighbour_km(np.array([0.0, 1.0]), np.zeros(2))[0] == pytest.approx(
        great_circle_km(0, 0, 1, 0)
    )


def test_what_cannot_be_smoothed_is_refused():
    one = np.zeros(1)
    with pytest.raises(EventsError):
        smoothed_rates(one, np.zeros(2), HERE, ALL)
    with pytest.raises(EventsError):
        smoothed_rates(one, one, HERE, ALL, weights=-np.ones(1))
    with pytest.raises(EventsError):
        smoothed_rates(one, one, HERE, ALL, uniform=2)
    with pytest.raises(EventsError):
        smoothed_rates(one, one, HERE, ~ALL)
    with pytest.raises(GridError):
        smoothed_rates(one, one, HERE, ALL[1:])
    flat = Grid(CRS.from_epsg(32633), Affine(1000, 0, 0, 0, -1000, 0), 41, 31)
    with pytest.raises(GridError):
        smoothed_rates(one, one, flat, ALL)
