"""geotools.dem."""

import numpy as np
import pytest
from conftest import make_raster
from rasterio.crs import CRS

from geotools.dem import Dem, vertical_unit_m
from geotools.errors import RasterError


def test_feet_become_metres():
    """Values are multiplied by the z factor; invalid cells are NaN."""
    valid = np.ones((3, 3), bool)
    valid[0, 0] = False
    dem = Dem(make_raster(np.full((3, 3), 1000, np.int16), valid=valid), name="d", z_factor=0.3048)
    block = dem.read(dem.grid.window)
    assert block.data[0, 1, 1] == pytest.approx(304.8)
    assert np.isnan(block.data[0, 0, 0])


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2)])
def test_too_few_cells(shape):
    """A raster without surroundings has no landforms."""
    with pytest.raises(RasterError, match="3 x 3"):
        Dem(make_raster(np.zeros(shape)), name="d")


def test_an_image_is_no_dem():
    """Three bands are refused with the remedy."""
    with pytest.raises(RasterError, match="--band"):
        Dem(make_raster(np.zeros((3, 5, 5))), name="d")


@pytest.mark.parametrize("value", [-32768.0, -3.4e38, 1e6])
def test_nodata_that_was_not_declared(value):
    """A value that no planet has is refused with the flag that declares it missing."""
    data = np.full((4, 4), 100.0)
    data[2, 2] = value
    dem = Dem(make_raster(data), name="d")
    with pytest.raises(RasterError, match="--nodata"):
        dem.read(dem.grid.window)


def test_minus_9999_is_asked_about():
    """The usual value of missing cells is not mapped unless the caller or the file knows better."""
    data = np.full((4, 4), 100.0)
    data[2, 2] = -9999
    with pytest.raises(RasterError, match="--nodata nan"):
        Dem(make_raster(data), name="d", says_nodata=False).read(make_raster(data).grid.window)
    block = Dem(make_raster(data), name="d").read(make_raster(data).grid.window)
    assert block.data.min() == -9999


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_factor(factor):
    """A z factor is positive."""
    with pytest.raises(RasterError, match="z factor"):
        Dem(make_raster(np.zeros((4, 4))), name="d", z_factor=factor)


def test_vertical_unit():
    """The band's unit comes first, then the vertical CRS's, then metres."""
    feet = CRS.from_user_input("EPSG:2225+6360").wkt
    assert vertical_unit_m(feet) == pytest.approx(1200 / 3937)
    assert vertical_unit_m(feet, "m") == 1
    assert vertical_unit_m(CRS.from_epsg(32633).wkt) == 1
    assert vertical_unit_m("", "Feet") == 0.3048
    assert vertical_unit_m("", "US_survey_foot") == pytest.approx(1200 / 3937)
    with pytest.raises(RasterError, match="--z-factor"):
        vertical_unit_m("", "cubits")
