"""geotools.maps.terrain: attributes from file to file."""

import numpy as np
import pytest
import rasterio
from conftest import make_grid, write_tif

from geotools.effort import Effort
from geotools.errors import RasterError
from geotools.io.cog import is_cog
from geotools.maps import DemOptions, TerrainSettings, map_terrain
from geotools.terrain.attributes import ATTRIBUTES


def test_bands_have_names_units_and_nodata(dem_tif, tmp_path):
    """Every attribute is a band of float32 with its name and unit; NaN is declared."""
    names = list(ATTRIBUTES)
    made = map_terrain(dem_tif, tmp_path / "a.tif", names)
    assert made.attributes == tuple(names)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.descriptions == tuple(names)
        assert [unit or "" for unit in dataset.units] == [ATTRIBUTES[name].unit for name in names]
        assert set(dataset.dtypes) == {"float32"}
        assert np.isnan(dataset.nodata)
        hole = dataset.read(window=((42, 50), (62, 73)))
    assert np.isnan(hole).all()
    assert (tmp_path / "a.qml").exists()


def test_a_cog_has_the_same_values(dem_tif, tmp_path):
    """Only the layout of the file is another."""
    for name in ("plain", "cog"):
        map_terrain(dem_tif, tmp_path / f"{name}.tif", ["slope", "dev"], cog=name == "cog")
    assert is_cog(tmp_path / "cog.tif")
    with (
        rasterio.open(tmp_path / "plain.tif") as plain,
        rasterio.open(tmp_path / "cog.tif") as cog,
    ):
        assert np.array_equal(plain.read(), cog.read(), equal_nan=True)
        assert plain.tags() == cog.tags()


def test_default_is_slope_in_degrees(tmp_path):
    """A plane that rises one metre in ten has a slope of 5.71 degrees, 10 per cent."""
    grid = make_grid(50, 50, cell=10)
    plane = np.tile(np.arange(50, dtype=np.float32), (50, 1))
    path = write_tif(tmp_path / "dem.tif", plane, grid)
    map_terrain(path, tmp_path / "a.tif")
    map_terrain(path, tmp_path / "b.tif", settings=TerrainSettings(slope_unit="percent"))
    map_terrain(path, tmp_path / "c.tif", reading=DemOptions(z_factor=0.3048))
    values = []
    for name in "abc":
        with rasterio.open(tmp_path / f"{name}.tif") as dataset:
            values.append((dataset.descriptions[0], dataset.units[0], dataset.read(1)[25, 25]))
    assert values[0] == ("slope", "degrees", pytest.approx(np.degrees(np.arctan(0.1)), abs=1e-4))
    assert values[1] == ("slope", "percent", pytest.approx(10, abs=1e-4))
    assert values[2][2] == pytest.approx(np.degrees(np.arctan(0.03048)), abs=1e-4)


@pytest.mark.parametrize("tile", [64, 100, 2048])
def test_tiles_do_not_change_the_values(dem_tif, tmp_path, tile):
    """Tiled equals whole: to the last bit for stencils, to float's precision for windows."""
    results = []
    for name, effort in (("a", Effort(tile=4096, threads=1)), ("b", Effort(tile=tile, threads=3))):
        map_terrain(dem_tif, tmp_path / f"{name}.tif", list(ATTRIBUTES), effort=effort)
        with rasterio.open(tmp_path / f"{name}.tif") as dataset:
            results.append(dict(zip(dataset.descriptions, dataset.read(), strict=True)))
    for name, values in results[0].items():
        if name == "dev":
            assert np.allclose(values, results[1][name], atol=1e-4, equal_nan=True)
        else:
            assert np.array_equal(values, results[1][name], equal_nan=True), name


def test_settings_reach_the_kernels(dem_tif, tmp_path):
    """Radius, method, light and edges change what they should."""

    def values(name, **settings):
        map_terrain(
            dem_tif, tmp_path / "a.tif", [name], settings=TerrainSettings(**settings),
            overwrite=True,
        )  # fmt: skip
        with rasterio.open(tmp_path / "a.tif") as dataset:
            return dataset.read(1)

    assert not np.array_equal(values("tpi"), values("tpi", radius=9), equal_nan=True)
    horn, other = values("slope"), values("slope", method="zevenbergen-thorne")
    assert np.nanmax(np.abs(horn - other)) > 0.01
    assert np.nanmean(values("hillshade")) != np.nanmean(values("hillshade", azimuth_deg=90))
    assert np.isnan(horn[0]).all()
    assert np.isfinite(values("slope", edges=True)[0]).all()


def test_nothing_to_compute(tmp_path):
    """No valid cell is an error, and leaves nothing."""
    path = write_tif(tmp_path / "dem.tif", np.full((20, 20), -1, np.int16), nodata=-1)
    with pytest.raises(RasterError, match="no valid cell"):
        map_terrain(path, tmp_path / "a.tif")
    assert [item.name for item in tmp_path.iterdir()] == ["dem.tif"]


def test_unknown_attribute(dem_tif, tmp_path):
    """A name that is not there is told with those that are."""
    with pytest.raises(RasterError, match="hillshade"):
        map_terrain(dem_tif, tmp_path / "a.tif", ["slop"])
