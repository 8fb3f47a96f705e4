"""Surfaces in closed form, random terrain with voids, and the tools to compare with."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_terrain


@pytest.fixture
def coordinates() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """East and north of each cell centre in metres, (rows, cols) each, from the middle cell."""

    def make(rows: int, cols: int, x_m: float, y_m: float) -> tuple[np.ndarray, np.ndarray]:
        north = (rows // 2 - np.arange(rows)) * y_m
        east = (np.arange(cols) - cols // 2) * x_m
        return np.broadcast_to(east, (rows, cols)), np.broadcast_to(north[:, None], (rows, cols))

    return make


@pytest.fixture
def rough() -> Callable[..., np.ndarray]:
    """Terrain with steps of whole metres, ties, level ground and voids: (rows, cols) float32."""

    def make(rows: int, cols: int, seed: int = 0, whole: bool = False) -> np.ndarray:
        rng = np.random.default_rng(seed)
        z = make_terrain(rows, cols, seed=seed) + rng.normal(0, 1, (rows, cols))
        if whole:
            z = np.round(z)
        z[rows // 3 : rows // 2, cols // 3 : cols // 2] = 750
        z[rng.random((rows, cols)) < 0.01] = np.nan
        z[-rows // 4 :, : cols // 4] = np.nan
        return z.astype(np.float32)

    return make


@pytest.fixture
def write_dem(tmp_path: Path) -> Callable[..., Path]:
    """Write (rows, cols) float32 to a GeoTIFF in UTM or longitude and latitude; its path."""

    def write(z: np.ndarray, transform: Affine, crs: str = "EPSG:32719") -> Path:
        path = tmp_path / "dem.tif"
        profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": -9999.0}
        rows, cols = z.shape
        with rasterio.open(
            path, "w", height=rows, width=cols, crs=crs, transform=transform, **profile
        ) as file:
            file.write(np.where(np.isnan(z), np.float32(-9999), z).astype(np.float32), 1)
        return path

    return write


@pytest.fixture
def gdaldem(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Run gdaldem MODE DEM; (rows, cols) float64, NaN for nodata."""
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem (Debian package gdal-bin) is not installed")

    def run(mode: str, dem: Path, *options: str) -> np.ndarray:
        out = tmp_path / "gdaldem.tif"
        subprocess.run(["gdaldem", mode, dem, out, "-q", *options], check=True)
        with rasterio.open(out) as file:
            return file.read(1, masked=True).astype(np.float64).filled(np.nan)

    return run


@pytest.fixture
def grass(tmp_path: Path) -> Callable[..., list[np.ndarray]]:
    """Run GRASS commands on a raster `dem`; the named results, (rows, cols), nodata -9999."""
    if shutil.which("grass") is None:
        pytest.skip("grass (Debian package grass-core) is not installed")

    def run(dem: Path, commands: list[str], results: list[str]) -> list[np.ndarray]:
        lines = ["set -e", f"r.in.gdal input={dem} output=dem --quiet", "g.region raster=dem"]
        lines += commands
        lines += [
            f"r.out.gdal -cf input={name} output={tmp_path / name}.tif type=Float64 nodata=-9999"
            for name in results
        ]
        script = tmp_path / "commands.sh"
        script.write_text("\n".join(lines))
        start = ["grass", "--tmp-location", dem, "--exec", "bash", script]
        done = subprocess.run(start, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = []
        for name in results:
            with rasterio.open(tmp_path / f"{name}.tif") as file:
                found.append(file.read(1))
        return found

    return run
