"""Factories for tiny rasters and grids, and where the real data is."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geotools.grid import Grid
from geotools.raster import Raster

os.environ.setdefault("GDAL_CACHEMAX", "64")

if threading.current_thread() is threading.main_thread():
    # A shell's & switches Ctrl-C off, and so for every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core for all tests or several folders, none beside this one for less."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    if len(named) == 1 or not all(Path(name).is_dir() for name in named):
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED}")
    return SHARED


def make_grid(
    width: int = 60,
    height: int = 40,
    *,
    crs: str = "EPSG:32633",
    cell: float = 30.0,
    left: float = 500_000.0,
    top: float = 5_000_000.0,
) -> Grid:
    """A projected grid."""
    return Grid(CRS.from_user_input(crs), Affine(cell, 0, left, 0, -cell, top), width, height)


def make_lonlat_grid(width: int = 60, height: int = 40, *, top: float = 46.5) -> Grid:
    """A geographic grid of 3 arc-seconds."""
    cell = 1 / 1200
    return Grid(CRS.from_epsg(4326), Affine(cell, 0, 8.0, 0, -cell, top), width, height)


def make_terrain(rows: int, cols: int, *, seed: int = 0, relief_m: float = 300.0) -> np.ndarray:
    """(rows, cols) float32 elevation: hills of several sizes."""
    rng = np.random.default_rng(seed)
    row, col = np.mgrid[:rows, :cols].astype(np.float64)
    elevation = np.zeros((rows, cols))
    for _ in range(24):
        length = rng.uniform(8, 80)
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = 2 * np.pi / length * (row * np.sin(angle) + col * np.cos(angle)) + phase
        elevation += length / 80 * np.sin(wave)
    return (elevation / np.abs(elevation).max() * relief_m + 800).astype(np.float32)


def make_raster(data: np.ndarray, grid: Grid | None = None, valid: np.ndarray | None = None):
    """A Raster of one band, or of as many as `data` of three dimensions has."""
    data = data[None] if data.ndim == 2 else data
    grid = grid or make_grid(data.shape[2], data.shape[1])
    valid = np.ones(grid.shape, bool) if valid is None else valid
    return Raster(data, valid, grid, tuple(f"band {n}" for n in range(1, len(data) + 1)))


def write_tif(path: Path, data: np.ndarray, grid: Grid | None = None, **profile: object) -> Path:
    """A GeoTIFF written by rasterio alone."""
    data = data[None] if data.ndim == 2 else data
    grid = grid or make_grid(data.shape[2], data.shape[1])
    profile = {"crs": grid.crs, "transform": grid.transform, **profile}
    with rasterio.open(
        path, "w", driver="GTiff", count=data.shape[0], height=data.shape[1], width=data.shape[2],
        dtype=data.dtype.name, **profile,
    ) as dataset:  # fmt: skip
        dataset.write(data)
    return path


@pytest.fixture
def dem_tif(tmp_path: Path) -> Path:
    """A small projected elevation model with a hole."""
    elevation = make_terrain(150, 170)
    elevation[40:52, 60:75] = -9999
    return write_tif(tmp_path / "dem.tif", elevation, nodata=-9999.0)
