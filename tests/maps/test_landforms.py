"""geotools.maps.landforms: raster, polygons and what they say of themselves agree."""

import hashlib

import geopandas
import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_lonlat_grid, make_terrain, write_tif
from onnx_bytes import neighbourhood_model

from geotools.effort import Effort
from geotools.errors import RasterError
from geotools.inference.model import shipped_models
from geotools.maps import DemOptions, Geomorphons, Polygons, map_landforms


@pytest.fixture
def model(tmp_path):
    """A model of two classes."""
    path = tmp_path / "model.onnx"
    path.write_bytes(neighbourhood_model())
    return path


@pytest.fixture
def lonlat_tif(tmp_path):
    """A geographic elevation model in whole metres with voids."""
    elevation = np.round(make_terrain(130, 150)).astype(np.int16)
    elevation[50:60, 20:50] = -32768
    return write_tif(tmp_path / "ll.tif", elevation, make_lonlat_grid(150, 130), nodata=-32768)


def test_polygons_say_what_the_raster_says(lonlat_tif, tmp_path):
    """Areas by class, mean confidence and extent are those of the raster, on the ellipsoid."""
    made = map_landforms(
        lonlat_tif, tmp_path / "a.tif", polygons=tmp_path / "a.gpkg", confidence=True
    )
    layer = geopandas.read_file(tmp_path / "a.gpkg", layer="landforms")
    assert list(layer.columns) == ["class", "name", "area_m2", "confidence", "geometry"]
    by_name = layer.groupby("name")["area_m2"].sum()
    for name, area in made.area_m2.items():
        assert by_name.get(name, 0) == pytest.approx(area, rel=1e-9)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        codes, sure = dataset.read()
        area = np.broadcast_to(dataset_area(dataset), codes.shape)
    weights = layer["area_m2"] / layer["area_m2"].sum()
    expected = np.average(sure[codes > 0], weights=area[codes > 0])
    assert (layer["confidence"] * weights).sum() == pytest.approx(expected, rel=1e-3)
    assert layer.geometry.is_valid.all()


def dataset_area(dataset):
    from geotools.grid import Grid

    grid = Grid(dataset.crs, dataset.transform, dataset.width, dataset.height)
    return grid.cell_area_m2()[:, None]


def test_polygons_have_confidence_without_the_band(dem_tif, tmp_path, model):
    """The mean confidence is the same whether the raster keeps the band or not."""
    for name, keep in (("a", True), ("b", False)):
        map_landforms(
            dem_tif, tmp_path / f"{name}.tif", method=model, polygons=tmp_path / f"{name}.gpkg",
            confidence=keep,
        )  # fmt: skip
    first, second = (
        geopandas.read_file(tmp_path / f"{name}.gpkg", layer="landforms") for name in "ab"
    )
    assert first.equals(second)
    with rasterio.open(tmp_path / "a.tif") as one, rasterio.open(tmp_path / "b.tif") as other:
        assert (one.count, other.count) == (2, 1)
        assert np.array_equal(one.read(1), other.read(1))
    assert not list(tmp_path.glob(".*"))


def test_the_exact_method_has_no_confidence(dem_tif, tmp_path):
    """Its polygons have no such column."""
    map_landforms(dem_tif, tmp_path / "a.tif", method=Geomorphons(), polygons=tmp_path / "a.gpkg")
    assert "confidence" not in geopandas.read_file(tmp_path / "a.gpkg", layer="landforms").columns


def test_slivers_and_outlines(dem_tif, tmp_path):
    """--min-area leaves no smaller polygon that has a neighbour; --simplify keeps the coverage."""
    import shapely

    exact = Geomorphons(search=8)
    plain = map_landforms(dem_tif, tmp_path / "a.tif", method=exact)
    map_landforms(
        dem_tif, tmp_path / "b.tif", method=exact,
        polygons=Polygons(tmp_path / "b.gpkg", min_area_m2=20_000, simplify_m=45),
    )  # fmt: skip
    layer = geopandas.read_file(tmp_path / "b.gpkg", layer="landforms")
    assert layer["area_m2"].min() >= 20_000
    assert layer["area_m2"].sum() == pytest.approx(sum(plain.area_m2.values()))
    assert shapely.coverage_is_valid(layer.geometry.to_numpy())


def test_outputs_say_where_they_come_from(dem_tif, tmp_path, model):
    """Raster and layer name model, version, hashes and parameters."""
    from geotools.io.geopackage import describe_layers

    map_landforms(dem_tif, tmp_path / "a.tif", method=model, polygons=tmp_path / "a.gpkg")
    with rasterio.open(tmp_path / "a.tif") as dataset:
        tags = dataset.tags()
    assert tags["GEOTOOLS_MODEL"] == "neighbourhood"
    assert tags["GEOTOOLS_MODEL_VERSION"] == "1"
    assert tags["GEOTOOLS_MODEL_SHA256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert tags["GEOTOOLS_SOURCE"] == "dem.tif"
    assert tags["GEOTOOLS_SOURCE_SHA256"] == hashlib.sha256(dem_tif.read_bytes()).hexdigest()
    (layer,) = describe_layers(tmp_path / "a.gpkg")
    assert layer.metadata["model_sha256"] == tags["GEOTOOLS_MODEL_SHA256"]


@pytest.mark.parametrize("tile", [64, 100, 333, 2048])
def test_tiles_do_not_change_the_exact_map(lonlat_tif, tmp_path, tile):
    """Geomorphons in tiles are geomorphons of the whole, on a geographic grid too."""
    results = []
    for name, effort in (("a", Effort(tile=4096, threads=1)), ("b", Effort(tile=tile, threads=3))):
        map_landforms(
            lonlat_tif, tmp_path / f"{name}.tif",
            method=Geomorphons(search=12, skip=1, flat_deg=2, flat_distance=5), effort=effort,
        )  # fmt: skip
        with rasterio.open(tmp_path / f"{name}.tif") as dataset:
            results.append(dataset.read())
    assert np.array_equal(*results)


@pytest.mark.parametrize("cell", [0.5, 2.0, 250.0, 2000.0])
def test_cells_that_the_model_was_not_made_for(tmp_path, cell):
    """Near the limits there is a warning, far from them a refusal with two ways out."""
    grid = make_grid(40, 40, cell=cell)
    path, warnings = write_tif(tmp_path / "dem.tif", make_terrain(40, 40), grid), []
    if cell in (2.0, 250.0):
        map_landforms(path, tmp_path / "a.tif", warn=warnings.append)
        assert len(warnings) == 1
        assert "made for" in warnings[0]
        return
    with pytest.raises(RasterError, match="--method geomorphons"):
        map_landforms(path, tmp_path / "a.tif")
    map_landforms(path, tmp_path / "a.tif", method=Geomorphons())


def test_feet_are_metres_in_the_end(tmp_path):
    """Elevations in feet with a z factor, or a unit in the file, give the map of the metres."""
    elevation = make_terrain(60, 60)
    write_tif(tmp_path / "m.tif", elevation)
    feet = write_tif(tmp_path / "ft.tif", elevation / np.float32(0.3048))
    with rasterio.open(feet, "r+") as dataset:
        dataset.set_band_unit(1, "ft")
    results = []
    for name in ("m", "ft"):
        map_landforms(tmp_path / f"{name}.tif", tmp_path / f"{name}_out.tif", method=Geomorphons())
        with rasterio.open(tmp_path / f"{name}_out.tif") as dataset:
            results.append(dataset.read(1))
    assert (results[0] == results[1]).mean() > 0.999
    map_landforms(
        feet, tmp_path / "raw.tif", method=Geomorphons(), reading=DemOptions(z_factor=1.0)
    )
    with rasterio.open(tmp_path / "raw.tif") as dataset:
        assert (dataset.read(1) != results[0]).any()


@pytest.mark.parametrize("name", ["N41E001.hgt.zip", "N44W072.hgt", "bigtujunga.tif"])
@pytest.mark.parametrize("method", ["model", "geomorphons"])
def test_real_elevation_models(shared, tmp_path, name, method):
    """Real files, zipped and plain: every valid cell gets a form, no other."""
    path = shared / "dem" / name
    made = map_landforms(
        path, tmp_path / "a.tif", method=Geomorphons() if method == "geomorphons" else None
    )
    with (
        rasterio.open(tmp_path / "a.tif") as dataset,
        rasterio.open(f"/vsizip/{path}/{path.stem}" if path.suffix == ".zip" else path) as source,
    ):
        assert np.array_equal(dataset.read(1) > 0, source.read_masks(1) > 0)
    present = [name for name, area in made.area_m2.items() if area > 0]
    assert len(present) >= 9, "mountains may lack level ground"


def test_the_default_is_the_shipped_model(dem_tif, tmp_path):
    """No method named: the shipped model, and the same when it is named by its path."""
    first = map_landforms(dem_tif, tmp_path / "a.tif")
    second = map_landforms(dem_tif, tmp_path / "b.tif", method=shipped_models()["landforms-v1"])
    assert first.method == second.method == "landforms-v1"
    assert first.area_m2 == second.area_m2


def test_models_of_other_maps_are_refused(dem_tif, tmp_path):
    """A model that gives values is none of landforms."""
    content, old = neighbourhood_model(), b'"kind": "probabilities"'
    assert old in content
    path = tmp_path / "other.onnx"
    path.write_bytes(content.replace(old, b'"kind": "values"       '))
    with pytest.raises(RasterError, match="gives values"):
        map_landforms(dem_tif, tmp_path / "out.tif", method=path)
