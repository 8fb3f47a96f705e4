from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely
from affine import Affine

from geotools.convert import polygonize


def assert_still_the_coverage(table, plain):
    geometry = table.geometry.values
    assert shapely.is_valid(geometry).all()
    assert shapely.coverage_is_valid(geometry)
    assert sorted(zip(table["class"], table["area_m2"], strict=True)) == sorted(
        zip(plain["class"], plain["area_m2"], strict=True)
    )
    assert (table.area > 0).all()
    assert table.area.sum() == pytest.approx(plain.area.sum(), rel=1e-9)
    both = shapely.union_all(geometry), shapely.union_all(plain.geometry.values)
    assert both[0].equals(both[1])


@pytest.mark.parametrize("strip", [None, 1, 5])
def test_shared_borders_stay_shared(strip, noise, raster, polygons, monkeypatch):
    """No gap, no overlap, nothing invalid, the same ground covered; strips of any height."""
    if strip:
        monkeypatch.setattr(sys.modules[polygonize.__module__], "_strip_rows", lambda *_: strip)
    for seed in range(80):
        codes = noise(seed, 60)
        valid = np.random.default_rng(seed).random(codes.shape) > 0.02 * (seed % 2)
        source = raster(codes, valid=valid)
        size = (0.5, 1, 1.5, 4, 20)[seed % 5]
        plain, table = polygons(source), polygons(source, simplify_m=size)
        assert_still_the_coverage(table, plain)


def test_as_many_corners_go_as_in_geos(raster, polygons):
    """On a smooth map the result is as plain as GEOS's coverage simplification at that size."""
    rows, cols = np.indices((300, 300)) / 30
    codes = (np.sin(rows) + np.cos(cols * 1.3) + np.sin(rows * cols / 5) + 3).astype(np.uint8)
    source = raster(codes)
    plain = polygons(source).geometry.values
    for size in (1, 2, 5):
        table = polygons(source, simplify_m=size)
        theirs = shapely.coverage_simplify(plain, size, simplify_boundary=False)
        ours = shapely.get_num_coordinates(table.geometry.values).sum()
        assert ours == pytest.approx(shapely.get_num_coordinates(theirs).sum(), rel=0.1)


def test_a_staircase_becomes_a_line(raster, polygons):
    """A border at 45 degrees loses its steps when they are as large as a cell."""
    codes = np.tri(40, dtype=np.uint8) + 1
    table = polygons(raster(codes), simplify_m=1)
    assert shapely.get_num_coordinates(table.geometry.values).max() < 12


def test_small_islands_stay(raster, polygons):
    """Islands keep four corners, so that they neither vanish nor become triangles."""
    codes = np.ones((9, 9), np.uint8)
    codes[2, 2] = codes[5:7, 5:7] = 2
    table = polygons(raster(codes), simplify_m=50)
    assert table[table["class"] == 2].area.tolist() == [1, 4]


def test_metres_are_metres_in_degrees_too(raster, polygons):
    """At 60 degrees north a cell of one second is 15 m by 31 m: half a cell is 240 m2."""
    codes = np.tri(40, dtype=np.uint8) + 1
    source = raster(codes, Affine(1 / 3600, 0, 8, 0, -1 / 3600, 60), "EPSG:4326")
    half_a_cell = source.grid.cell_area_m2()[0] / 2
    coarse = polygons(source, simplify_m=(half_a_cell * 1.01) ** 0.5)
    fine = polygons(source, simplify_m=(half_a_cell * 0.99) ** 0.5)
    assert shapely.get_num_coordinates(fine.geometry.values).sum() > 150
    assert shapely.get_num_coordinates(coarse.geometry.values).sum() < 100
