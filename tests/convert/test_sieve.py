from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine


def components(codes):
    """Label of each cell's region, 1 in reading order; 0 where there is none."""
    labels = np.zeros(codes.shape, int)
    count = 0
    for start in zip(*np.nonzero(codes), strict=True):
        if labels[start]:
            continue
        count += 1
        stack = [start]
        labels[start] = count
        while stack:
            row, col = stack.pop()
            for near in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
                inside = 0 <= near[0] < codes.shape[0] and 0 <= near[1] < codes.shape[1]
                if inside and not labels[near] and codes[near] == codes[start]:
                    labels[near] = count
                    stack.append(near)
    return labels, count


def sieved_cell_by_cell(codes, least, across=1, upright=1):
    """The rule in its plainest form: one region at a time, everything counted anew."""
    codes = codes.copy()
    while True:
        labels, count = components(codes)
        cells = np.bincount(labels.ravel(), minlength=count + 1)
        border = np.zeros((count + 1, count + 1), int)
        for one, two, length in (
            (labels[:, :-1], labels[:, 1:], upright),
            (labels[:-1], labels[1:], across),
        ):
            np.add.at(border, (one, two), length)
            np.add.at(border, (two, one), length)
        border[0] = border[:, 0] = 0
        np.fill_diagonal(border, 0)
        small = [r for r in range(1, count + 1) if cells[r] < least and border[r].any()]
        if not small:
            return codes
        region = min(small, key=lambda r: (cells[r], r))
        neighbour = max(range(1, count + 1), key=lambda r: (border[region, r], cells[r], -r))
        codes[labels == region] = codes[labels == neighbour][0]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_the_sieve_is_the_plain_rule(first, noise, raster, polygons):
    """Same polygons as of a raster sieved cell by cell; areas and confidence over all cells."""
    for seed in range(first, first + 20):
        codes = noise(seed, 16)
        least = int(np.random.default_rng(seed).integers(2, 12))
        sure = raster(np.random.default_rng(seed).random(codes.shape))
        ours = polygons(raster(codes), min_area_m2=least, confidence=sure)
        theirs = polygons(raster(sieved_cell_by_cell(codes, least)), confidence=sure)
        assert ours.drop(columns="geometry").equals(theirs.drop(columns="geometry"))
        assert (shapely.to_wkb(ours.geometry) == shapely.to_wkb(theirs.geometry)).all()


def test_borders_are_measured_in_metres(raster, polygons, noise):
    """Cells twice as wide as high: an edge above counts as two edges beside."""
    transform = Affine(20, 0, 0, 0, -10, 0)
    for seed in range(10):
        codes = noise(seed, 14)
        ours = polygons(raster(codes, transform), min_area_m2=5 * 200)
        theirs = polygons(raster(sieved_cell_by_cell(codes, 5, across=2), transform))
        assert ours.drop(columns="geometry").equals(theirs.drop(columns="geometry"))


def test_a_region_of_just_the_least_area_stays(raster, polygons):
    """Smaller is smaller."""
    codes = np.array([[1, 1, 1, 1], [1, 2, 2, 1], [1, 1, 1, 1]], np.uint8)
    feet = Affine(3, 0, 0, 0, -3, 0)
    area = 18 * (1200 / 3937) ** 2
    assert len(polygons(raster(codes, feet, "EPSG:2263"), min_area_m2=area)) == 2
    assert len(polygons(raster(codes, feet, "EPSG:2263"), min_area_m2=area * 1.001)) == 1


def test_what_has_no_neighbour_stays(raster, polygons):
    """An island in nothing is kept, however small."""
    table = polygons(raster(np.array([[1, 0, 2], [0, 0, 0]], np.uint8)), min_area_m2=100)
    assert table["area_m2"].tolist() == [1, 1]


def test_a_gap_that_closes_makes_one_polygon(raster, polygons):
    """Two regions of a class between which a sliver vanishes become one."""
    table = polygons(raster(np.array([[1, 1, 2, 1, 1]], np.uint8)), min_area_m2=2)
    assert table["area_m2"].tolist() == [5]


def test_no_small_polygon_is_left_at_scale(raster, polygons):
    """Noise in degrees: all are large enough, the total area is kept, and still a coverage."""
    codes = np.random.default_rng(0).integers(1, 6, (300, 400)).astype(np.uint8)
    source = raster(codes, Affine(1 / 3600, 0, 8, 0, -1 / 3600, 60), "EPSG:4326")
    table = polygons(source, min_area_m2=20_000)
    assert len(table) > 100
    assert table["area_m2"].min() >= 20_000
    assert table["area_m2"].sum() == pytest.approx(400 * source.grid.cell_area_m2().sum())
    assert shapely.coverage_is_valid(table.geometry.values)
