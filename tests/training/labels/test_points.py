"""Points as labels: the cells that hold them, and circles on the ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from conftest import make_grid, make_lonlat_grid
from pyproj import CRS, Geod
from rasterio.crs import CRS as RasterCRS

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.training.config import make_config
from geotools.training.labels.radii import circles
from geotools.training.labels.reading import Labels, read_labels

GRID = make_grid(60, 40)


def points(tmp_path: Path, rows: list[tuple[Any, ...]], names: str = "x,y,c") -> Path:
    file = tmp_path / "points.csv"
    lines = [",".join(map(str, row)) for row in rows]
    file.write_text("\n".join([names, *lines]) + "\n")
    return file


def read(file: Path, grid: Grid = GRID, **labels: Any) -> tuple[Labels, list[str]]:
    task = labels.pop("task", "classification")
    made = make_config(
        {
            "name": "test", "task": task, "inputs": [{"name": "dem", "path": "dem.tif"}],
            "labels": {"path": str(file), **labels},
        }
    )  # fmt: skip
    warned: list[str] = []
    return read_labels(made, [grid], find=Path, warn=warned.append), warned


def place(col: float, row: float, grid: Grid = GRID) -> tuple[float, float]:
    x, y = grid.transform @ (col, row)
    return x, y


def test_a_point_labels_the_cell_that_holds_it(tmp_path: Path) -> None:
    rows = [(*place(n + 0.01, n + 0.99), "ab"[n % 2]) for n in range(30)]
    labels, warned = read(points(tmp_path, rows), field="c", crs="EPSG:32633")
    assert np.array_equal(np.sort(labels.cells.col), np.arange(30))
    assert np.array_equal(labels.cells.col, labels.cells.row)
    assert np.array_equal(labels.cells.target, labels.cells.col % 2)
    assert warned == []


def test_points_of_two_classes_in_a_cell_label_nothing_unless_said(tmp_path: Path) -> None:
    rows = [(*place(n + 0.5, 0.5), "ab"[n % 2]) for n in range(40)]
    file = points(tmp_path, [*rows, (*place(0.7, 0.7), "b"), (*place(1.7, 0.7), "b")])
    labels, warned = read(file, field="c", crs="EPSG:32633")
    assert labels.counts == (19, 20)
    assert "1 cells stay unlabelled" in warned[0]
    assert read(file, field="c", crs="EPSG:32633", overlap="first")[0].counts == (20, 20)
    assert read(file, field="c", crs="EPSG:32633", overlap="last")[0].counts == (19, 21)


def test_values_in_one_cell_are_averaged(tmp_path: Path) -> None:
    rows = [(*place(n // 2 + 0.5, 0.5), n) for n in range(40)]
    labels, _ = read(points(tmp_path, rows), field="c", crs="EPSG:32633", task="regression")
    assert np.array_equal(labels.cells.target, np.arange(20) * 2 + 0.5)


def test_points_without_a_place_or_outside_label_nothing(tmp_path: Path) -> None:
    rows = [(*place(n + 0.5, n % 7 + 0.5), "ab"[n % 2]) for n in range(40)]
    file = points(tmp_path, [*rows, ("", "", "a"), (0, 0, "b")])
    assert read(file, field="c", crs="EPSG:32633")[0].counts == (20, 20)


def test_a_buffer_is_a_circle_in_metres(tmp_path: Path) -> None:
    rows = [(*place(20, 20), "a"), (*place(45, 20), "b")]
    labels, _ = read(points(tmp_path, rows), field="c", crs="EPSG:32633", buffer_m=240)
    row, col = np.mgrid[:40, :60] + 0.5
    expected = (np.hypot(row - 20, col - 20) < 8).sum()
    assert abs(labels.counts[0] - expected) <= 4  # cells whose centre is on the circle


@pytest.mark.parametrize("first", [-180, 0])
@pytest.mark.parametrize("left", [-180, 0])
def test_circles_on_the_moon_have_their_diameter_at_all_latitudes_and_longitudes(
    tmp_path: Path, first: int, left: int
) -> None:
    """Catalogs count longitudes from -180 or from 0, and so do rasters."""
    crs = RasterCRS.from_user_input("IAU_2015:30100")
    grid = Grid(crs, Affine(1, 0, left, 0, -1, 90), 360, 180)
    craters = [(0, 0, 600), (179, 60, 500), (-120, -85, 700), (90, 89, 400)]
    rows = [((lon - first) % 360 + first, lat, km) for lon, lat, km in craters]
    labels, _ = read(
        points(tmp_path, rows, "lon,lat,km"), grid, class_name="crater", background="rest",
        columns={"x": "lon", "y": "lat", "diameter_km": "km"},
    )  # fmt: skip
    drawn = np.zeros(grid.shape, bool)
    cells = labels.cells.take(labels.cells.target == 0)
    drawn[cells.row, cells.col] = True
    geod = Geod(a=1737400, b=1737400)
    col, row = np.meshgrid(np.arange(360), np.arange(180))
    lon, lat = left + col + 0.5, 90 - row - 0.5
    near = np.zeros(grid.shape)
    for where_lon, where_lat, km in craters:
        _, _, distance = geod.inv(
            np.full(lon.shape, where_lon), np.full(lon.shape, where_lat), lon, lat
        )
        near = np.maximum(near, km * 500 / distance)
    assert (drawn[near > 1.02]).all()
    assert not drawn[near < 0.98].any()


def test_circles_have_their_area_on_the_ground_in_any_crs() -> None:
    for crs, x, y in (
        ("EPSG:4326", 8.0, 60.0),
        ("EPSG:3857", 9e5, 8.4e6),
        ("EPSG:32633", 5e5, 5e6),
    ):
        made = CRS.from_user_input(crs)
        circle = circles(np.array([x]), np.array([y]), np.array([5000.0]), made)[0]
        geographic = np.array(circle.exterior.coords)
        if not made.is_geographic:
            from pyproj import Transformer

            back = Transformer.from_crs(made, "EPSG:4326", always_xy=True)
            geographic = np.column_stack(back.transform(*geographic.T))
        area, _ = Geod(ellps="WGS84").polygon_area_perimeter(*geographic.T)
        assert abs(area) == pytest.approx(np.pi * 5000**2, rel=2e-3)


def test_longitude_and_latitude_need_no_crs_to_be_named(tmp_path: Path) -> None:
    grid = make_lonlat_grid()
    rows = [(*place(n + 0.5, 3.5, grid), "ab"[n % 2]) for n in range(40)]
    assert read(points(tmp_path, rows, "lon,lat,c"), grid, field="c")[0].counts == (20, 20)


def test_sizes_that_are_none_are_refused(tmp_path: Path) -> None:
    file = points(tmp_path, [(0, 0, 1), (1, 1, -2)])
    with pytest.raises(LabelsError, match="column 'c' holds no size above 0 in row 2"):
        read(file, class_name="a", background="b", crs="EPSG:32633", columns={
            "x": "x", "y": "y", "radius_m": "c"})  # fmt: skip
    with pytest.raises(LabelsError, match="has the key 'radius': known are x, y, radius_m"):
        read(file, class_name="a", background="b", crs="EPSG:32633", columns={
            "x": "x", "y": "y", "radius": "c"})  # fmt: skip
