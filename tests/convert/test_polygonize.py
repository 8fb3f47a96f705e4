from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from pyproj import Geod
from rasterio import features

from geotools.convert import polygonize
from geotools.convert.polygonize import polygon_arrays
from geotools.errors import GridError, RasterError

RING = [[1, 1, 1, 1], [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1]]
NESTED = np.pad(np.pad(np.pad([[1]], 1, constant_values=2), 1), 1, constant_values=3)
CHECKERBOARD = np.indices((7, 8)).sum(0) % 2 + 1
PINCHED = [  # one polygon that touches itself diagonally, around one and around two holes
    [1, 1, 1, 1, 1],
    [1, 2, 2, 1, 1],
    [1, 2, 1, 2, 1],
    [1, 1, 2, 1, 1],
    [1, 1, 1, 1, 1],
]
SHAPES = {
    "one cell": [[1]],
    "one row": [[1, 1, 2, 0, 1]],
    "one column": [[1], [1], [2], [0], [1]],
    "one class": np.ones((5, 6)),
    "nothing": np.zeros((4, 3)),
    "ring": RING,
    "nested": NESTED,
    "checkerboard": CHECKERBOARD,
    "pinched": PINCHED,
    "diagonal": np.eye(6),
    "diagonal of nothing": 1 - np.eye(6),
    "U": [[1, 0, 1], [1, 0, 1], [1, 1, 1]],
    "spiral": [
        [1, 1, 1, 1, 1],
        [2, 2, 2, 2, 1],
        [1, 1, 1, 2, 1],
        [1, 2, 2, 2, 1],
        [1, 1, 1, 1, 1],
    ],
}


def expected(source):
    """The polygons of rasterio, class by class, in an order of their own."""
    found = features.shapes(
        source.data[0].astype(np.uint8), source.valid, transform=source.grid.transform
    )
    table = [(int(value), shapely.geometry.shape(shape)) for shape, value in found if value]
    return sorted(table, key=lambda row: (row[0], row[1].bounds, row[1].area))


def assert_same(table, source):
    ours = sorted(
        zip(table["class"], table.geometry, strict=True),
        key=lambda row: (row[0], row[1].bounds, row[1].area),
    )
    theirs = expected(source)
    assert len(ours) == len(theirs)
    for (code, polygon), (their_code, other) in zip(ours, theirs, strict=True):
        assert code == their_code
        assert polygon.equals(other)
    geometry = table.geometry.values
    assert shapely.is_valid(geometry).all()
    assert shapely.coverage_is_valid(geometry)
    assert (shapely.get_type_id(geometry) == shapely.GeometryType.POLYGON).all()
    assert table["area_m2"].to_numpy() == pytest.approx(table.area.to_numpy(), rel=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_traced_as_rasterio_does(name, raster, polygons):
    """Holes, diagonals, self-touching, single rows: equal polygons, all valid, a coverage."""
    source = raster(np.asarray(SHAPES[name], np.uint8))
    assert_same(polygons(source), source)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_noise_is_traced_as_rasterio_does(first, noise, raster, polygons):
    """Random rasters of all roughness, with holes of invalid cells."""
    for seed in range(first, first + 50):
        codes = noise(seed)
        valid = np.random.default_rng(seed).random(codes.shape) > 0.1 * (seed % 3)
        source = raster(codes, valid=valid)
        assert_same(polygons(source), source)


def test_reading_bands_of_any_height_gives_the_same(noise, raster, polygons):
    """One row at a time or all at once: the same features in the same order."""
    for seed in range(12):
        codes = noise(seed)
        sure = raster(np.random.default_rng(seed).random(codes.shape, np.float32))
        for options in ({}, {"min_area_m2": 4}, {"simplify_m": 1.5}):
            options["confidence"] = sure
            whole = polygons(raster(codes), **options)
            for rows in (1, 2, 7):
                part = polygons(raster(codes), rows_per_read=rows, **options)
                pd.testing.assert_frame_equal(whole, part)
                assert (shapely.to_wkb(whole.geometry) == shapely.to_wkb(part.geometry)).all()


def test_strips_of_any_height_give_the_same_polygons(noise, raster, polygons, monkeypatch):
    """Strips bound the memory; they order the features and change none."""
    for seed in range(12):
        source = raster(noise(seed))
        monkeypatch.undo()
        whole = polygons(source)
        monkeypatch.setattr(sys.modules[polygonize.__module__], "_strip_rows", lambda *_: 3)
        parts = polygons(source)
        assert sorted(shapely.to_wkb(whole.geometry)) == sorted(shapely.to_wkb(parts.geometry))


def test_features_come_in_reading_order_of_their_first_cells(raster, polygons):
    """A raster of one strip: row by row, left to right."""
    table = polygons(raster(np.array([[3, 1, 1], [3, 2, 1], [4, 4, 1]], np.uint8)))
    assert table["class"].tolist() == [3, 1, 2, 4]


def test_batches_are_cut_by_size_and_hold_every_polygon_once(raster, info, monkeypatch):
    """More polygons than a batch takes; threads change nothing."""
    monkeypatch.setattr(sys.modules[polygonize.__module__], "_strip_rows", lambda *_: 2)
    monkeypatch.setattr(sys.modules[polygonize.__module__], "_BATCH_POLYGONS", 10)
    source = raster((np.indices((20, 9)).sum(0) % 2 + 1).astype(np.uint8))
    one = list(polygonize(source, class_info=info))
    two = list(polygonize(source, class_info=info, threads=2))
    assert len(one) == len(two) > 5
    assert sum(map(len, one)) == 180
    pd.testing.assert_frame_equal(pd.concat(one), pd.concat(two))


def test_corners_lie_on_the_grid_and_neighbours_share_them(raster, polygons):
    """Coordinates are those of the transform, to the last bit; shells run counter-clockwise."""
    transform = Affine(0.1, 0, 7.3, 0, -0.3, 51.7)
    table = polygons(raster(np.array([[1, 2], [3, 3]], np.uint8), transform, "EPSG:4326"))
    corners = {tuple(point) for point in shapely.get_coordinates(table.geometry)}
    places = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2), (2, 2)]
    assert corners == {transform @ place for place in places}
    assert all(polygon.exterior.is_ccw for polygon in table.geometry)


def test_columns_and_an_empty_result(raster, polygons):
    """Names and types do not depend on what is found; confidence only when given."""
    source = raster(np.zeros((3, 3), np.uint8))
    empty = polygons(source)
    assert list(empty.columns) == ["class", "name", "area_m2", "geometry"]
    assert len(empty) == 0
    assert empty.crs == source.grid.crs
    with_confidence = polygons(source, confidence=source)
    assert with_confidence["confidence"].dtype == np.float32
    assert with_confidence["class"].dtype == np.int32


def test_confidence_is_the_mean_of_the_valid_cells(raster, polygons):
    """Invalid and NaN cells do not count; none at all gives NaN."""
    codes = raster(np.array([[1, 1, 2], [1, 3, 2]], np.uint8))
    sure = np.array([[0.25, 0.75, 0.5], [np.nan, 0.9, 0.7]], np.float32)
    table = polygons(codes, confidence=raster(sure, valid=[[1, 1, 0], [1, 0, 1]]))
    assert table["class"].tolist() == [1, 2, 3]
    assert table["confidence"].to_numpy() == pytest.approx([0.5, 0.7, np.nan], nan_ok=True)


@pytest.mark.parametrize(("crs", "unit_m"), [("EPSG:32633", 1.0), ("EPSG:2263", 0.3048006096)])
def test_projected_areas_are_planar_in_metres(crs, unit_m, raster, polygons):
    """Feet become metres, squared."""
    table = polygons(raster(np.ones((3, 5), np.uint8), Affine(10, 0, 0, 0, -20, 0), crs))
    assert table["area_m2"].tolist() == pytest.approx([15 * 200 * unit_m**2], rel=1e-9)


def test_geographic_areas_are_those_of_the_ellipsoid(noise, raster, polygons):
    """Compared with geodesic polygons of PROJ whose sides along parallels are cut very short."""
    step = 1 / 3600
    geod = Geod(ellps="WGS84")
    for latitude in (0.001, 46, -71):
        transform = Affine(step, 0, 8, 0, -step, latitude)
        table = polygons(raster(noise(3), transform, "EPSG:4326"))
        dense = shapely.segmentize(table.geometry.values, step * 1.01)
        area = [abs(geod.geometry_area_perimeter(polygon)[0]) for polygon in dense]
        assert table["area_m2"].to_numpy() == pytest.approx(area, rel=1e-6)


def test_codes_of_other_integer_types(raster, polygons):
    """int16 and the like are fine; 0 and 255 are nothing."""
    table = polygons(raster(np.array([[0, 3, 255]], np.int16)))
    assert table["class"].tolist() == [3]
    assert table["name"].tolist() == ["class 3"]


@pytest.mark.parametrize(
    ("data", "word"), [([[1.0]], "float64"), (np.array([[300]]), "300"), (np.array([[77]]), "77")]
)
def test_what_is_no_class_raster_is_refused(data, word, raster, polygons):
    """Floats, codes out of range and codes without a class: one sentence with the value."""
    with pytest.raises(RasterError, match=word):
        polygons(raster(data))


def test_wrong_numbers_are_refused(raster, polygons):
    """Negative and infinite sizes; a confidence on another grid."""
    source = raster(np.ones((2, 2), np.uint8))
    with pytest.raises(RasterError, match="min_area_m2"):
        polygons(source, min_area_m2=-1)
    with pytest.raises(RasterError, match="simplify_m"):
        polygons(source, simplify_m=float("nan"))
    with pytest.raises(GridError, match="one grid"):
        polygons(source, confidence=raster(np.ones((2, 3), np.float32)))


def test_progress_counts_rows(raster, polygons):
    """Stages, rows done, rows in all."""
    steps = []
    source = raster(np.ones((5, 4), np.uint8))
    polygons(source, rows_per_read=2, min_area_m2=2, progress=steps.append)
    assert [(step.stage, step.done, step.total) for step in steps] == [
        (stage, done, 5) for stage in ("regions", "polygons") for done in (2, 4, 5)
    ]


def test_numba_is_imported_late():
    """Importing the function does not import the compiler, nor does tracing once it is compiled."""
    code = (
        "import sys, numpy as np, geotools.convert\n"
        "from geotools.convert.trace import Tracer\n"
        "tracer = Tracer(np.arange(4.0), np.arange(3.0), np.ones(2))\n"
        "tracer.feed(np.array([[1, 1, 2], [0, 2, 2]], np.uint8))\n"
        "tracer.finish()\n"
        "print(sum(len(outlines.value) for outlines in tracer.take()), 'numba' in sys.modules)"
    )
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.split() == ["2", str(not sys.platform.startswith("linux"))], ran.stderr


@pytest.mark.parametrize("seed", range(8))
def test_arrays_hold_the_same_polygons(seed, info, raster, noise):
    """Without objects, but with the same columns, corners and CRS; holes and nothing as well."""
    source = raster(noise(seed))
    sure = raster(np.random.default_rng(seed).random(source.grid.shape).astype(np.float32))
    options = {"class_info": info, "confidence": sure, "min_area_m2": seed % 3}
    tables = list(polygonize(source, **options))
    batches = list(polygon_arrays(source, **options))
    assert list(map(len, batches)) == list(map(len, tables))
    for table, batch in zip(tables, batches, strict=True):
        assert batch.wkb.tolist() == shapely.to_wkb(table.geometry.array).tolist()
        assert list(batch.columns) == [name for name in table.columns if name != "geometry"]
        for name, column in batch.columns.items():
            np.testing.assert_array_equal(column, table[name])
        assert table.crs == batch.crs


def test_arrays_of_nothing(info, raster):
    """One batch without a polygon, as of tables."""
    (batch,) = polygon_arrays(raster(np.zeros((3, 4), np.uint8)), class_info=info)
    assert len(batch) == 0


def test_memory_is_that_of_the_open_outlines():
    """A raster twenty times as long needs no larger tables."""
    from geotools.convert.trace import Tracer

    pattern = np.random.default_rng(0).integers(0, 3, (200, 50)).astype(np.uint8)
    pattern[::20] = 0

    def table_sizes(times):
        rows = 200 * times
        tracer = Tracer(np.arange(51.0), np.arange(rows + 1.0), np.ones(rows))
        for _ in range(times):
            for first in range(0, 200, 10):
                tracer.feed(pattern[first : first + 10])
                list(tracer.take())
        return len(tracer._nodes), len(tracer._parts), len(tracer._done)

    assert table_sizes(1) == table_sizes(20)
