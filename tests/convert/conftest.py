from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from affine import Affine
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from rasterio.crs import CRS

from geotools.convert import polygonize
from geotools.grid import Grid
from geotools.raster import Raster
from geotools.spec import ClassInfo

METRES = Affine(1, 0, 500_000, 0, -1, 5_000_000)


@pytest.fixture(scope="session")
def info() -> list[ClassInfo]:
    """Classes 1 to 9."""
    return [ClassInfo(code, f"class {code}", f"#{code}0{code}0{code}0") for code in range(1, 10)]


@pytest.fixture(scope="session")
def raster() -> Callable[..., Raster]:
    """A one-band raster of an array, cells of 1 m unless told."""

    def make(
        data: Any, transform: Affine = METRES, crs: str = "EPSG:32633", valid: Any = None
    ) -> Raster:
        data = np.asarray(data)
        grid = Grid(CRS.from_user_input(crs), transform, data.shape[1], data.shape[0])
        valid = np.ones(data.shape, bool) if valid is None else np.asarray(valid, bool)
        return Raster(data[None], valid, grid, ("class",))

    return make


@pytest.fixture(scope="session")
def polygons(info: list[ClassInfo]) -> Callable[..., GeoDataFrame]:
    """All batches of `polygonize` as one table."""

    def make(source: Raster, **options: Any) -> GeoDataFrame:
        batches = list(polygonize(source, class_info=info, **options))
        return pd.concat(batches, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def noise() -> Callable[[int], NDArray[np.uint8]]:
    """A small class raster made of a seed: odd sizes, some smooth, some with nothing in it."""

    def make(seed: int, largest: int = 40) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        shape = rng.integers(1, largest, 2)
        classes = rng.integers(1, 6)
        fields = rng.standard_normal((classes, *shape))
        for _ in range(rng.integers(0, 4)):  # smooth by neighbours
            fields = sum(np.roll(fields, step, axis) for axis in (1, 2) for step in (-1, 0, 1))
        codes = np.argmax(fields, axis=0) + rng.integers(0, 2)
        return np.asarray(codes, np.uint8)

    return make
