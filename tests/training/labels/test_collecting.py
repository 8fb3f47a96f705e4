"""Labels of large grids: in bounded memory, thinned by patches, with nothing rare lost."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from conftest import make_grid, write_tif

from geotools.grid import Grid, Window
from geotools.training.config import make_config
from geotools.training.labels.collecting import _some, collect
from geotools.training.labels.reading import read_labels
from geotools.training.labels.scenes import Block


class Painted:
    """A scene whose labels are an array."""

    def __init__(self, target: np.ndarray) -> None:
        self.grid = make_grid(target.shape[1], target.shape[0])
        self._target = target

    def may_hold(self, window: Window) -> bool:
        return bool((self._target[window.slices()] >= 0).any())

    def all_of(self, window: Window) -> int | None:
        return None

    def read(self, window: Window) -> Block:
        target = self._target[window.slices()].astype(np.int32)
        return Block(target, np.full(target.shape, -1, np.int32))


def _painted(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    target = np.zeros((600, 1100), np.int32)
    target[150:300, 200:1000] = 1
    target[rng.integers(100, 600, 40), rng.integers(0, 1100, 40)] = 2  # scattered and rare
    target[500:504, 1050:1054] = 3  # in one place and rare
    target[:100] = -1
    return target


def test_all_cells_are_kept_when_there_is_room() -> None:
    target = _painted()
    found = collect([Painted(target)], max_cells=2_000_000, seed=0)
    drawn = np.full(target.shape, -1)
    drawn[found.row, found.col] = found.target
    assert np.array_equal(drawn, target)
    assert found.counts.tolist() == np.bincount(target[target >= 0]).tolist()


@pytest.mark.parametrize("max_cells", [100, 5_000, 200_000])
def test_thinning_keeps_whole_patches_and_every_class(max_cells: int) -> None:
    target = _painted()
    found = collect([Painted(target), Painted(target)], max_cells=max_cells, seed=3)
    assert 0.75 * max_cells < len(found.row) <= max_cells
    assert set(found.target) == {0, 1, 2, 3}
    assert found.total == 2 * (target >= 0).sum()
    assert np.array_equal(found.target, target[found.row, found.col])
    assert set(found.scene) == {0, 1}
    if max_cells == 100:
        return  # patches are larger than that
    side = {5_000: 4, 200_000: 16}[max_cells]
    drawn = np.zeros(target.shape, bool)
    first = found.scene == 0
    drawn[found.row[first], found.col[first]] = True
    height, width = (length // side * side for length in target.shape)
    shape = (height // side, side, width // side, side)
    kept = drawn[:height, :width].reshape(shape).sum(axis=(1, 3))
    there = (target >= 0)[:height, :width].reshape(shape).sum(axis=(1, 3))
    assert ((kept == 0) | (kept == there)).all()


def test_thinning_is_fixed_by_the_seed() -> None:
    scenes = [Painted(_painted())]
    one, same, other = (collect(scenes, max_cells=5_000, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.row, same.row)
    assert not np.array_equal(one.row, other.row[: len(one.row)])


def _config(path: Path, **labels: Any) -> Any:
    return make_config(
        {
            "name": "test", "inputs": [{"name": "dem", "path": "dem.tif"}],
            "labels": {"path": str(path), **labels},
        }
    )  # fmt: skip


@pytest.fixture
def vast() -> Grid:
    """A grid of 100,000 x 100,000 cells."""
    return make_grid(100_000, 100_000, cell=10.0, left=0.0, top=9_000_000.0)


def test_a_vast_grid_with_few_polygons_takes_little_memory(tmp_path: Path, vast: Grid) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1e5, 9e5, 24), rng.uniform(8.1e6, 8.9e6, 24)
    frame = geopandas.GeoDataFrame(
        {"c": np.where(np.arange(24) % 2, "a", "b")},
        geometry=shapely.box(x, y, x + 200, y + 300), crs="EPSG:32633",
    )  # fmt: skip
    file = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(frame, file)
    tracemalloc.start()
    labels = read_labels(_config(file, field="c"), [vast], find=Path, warn=lambda text: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert labels.total == pytest.approx(24 * 600, rel=0.01)
    assert labels.apart
    assert peak < 150 * 2**20


def test_background_of_a_large_grid_is_counted_and_thinned(tmp_path: Path) -> None:
    grid = make_grid(6_000, 5_000, cell=10.0)
    left, _, _, top = grid.bounds
    frame = geopandas.GeoDataFrame(
        geometry=[shapely.box(left + 40_000, top - 40_300, left + 40_500, top - 40_000)],
        crs="EPSG:32633",
    )
    file = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(frame, file)
    made = _config(file, class_name="a", background="rest", max_cells=20_000)
    labels = read_labels(made, [grid], find=Path, warn=lambda text: None)
    assert labels.counts == (1500, 30_000_000 - 1500)
    assert len(labels.cells) <= 20_000
    assert np.bincount(labels.cells.target).min() > 500


def test_patches_larger_than_what_may_be_kept_keep_some_cells_of_every_class() -> None:
    target = np.zeros((64, 64), np.int32)
    target[5, 5] = 1
    block = Block(target, np.full((64, 64), -1, np.int32))
    some = _some(block, np.ones((64, 64), bool), 32, np.array([1, 0]), 7)
    assert [int(part.sum()) for part in (some[:32, :32], some[32:, 32:])] == [7, 7]
    assert some[5, 5]


def test_windows_of_a_label_raster_are_read_again_for_the_patches_alone(tmp_path: Path) -> None:
    data = _painted().astype(np.int16)
    file = write_tif(tmp_path / "a.tif", data, make_grid(1100, 600), nodata=-1)
    warned: list[str] = []
    made = _config(file, max_cells=10_000)
    labels = read_labels(made, [make_grid(1100, 600)], find=Path, warn=warned.append)
    assert len(labels.cells) <= 10_000
    assert labels.counts == tuple(np.bincount(data[data >= 0]).tolist())
    assert "cells" in warned[0]
    assert np.array_equal(labels.cells.target, data[labels.cells.row, labels.cells.col])
