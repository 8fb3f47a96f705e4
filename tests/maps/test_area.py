"""geotools.maps.area: a part of a map is what it is in the map of all."""

import geopandas
import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_lonlat_grid, make_terrain, write_tif
from onnx_bytes import grid_model, image_model, neighbourhood_model
from pyproj import Transformer
from shapely import box

from geotools.effort import Effort
from geotools.errors import GeotoolsError, GridError, RasterError
from geotools.grid import Window
from geotools.inference.terms import ForeignSettings
from geotools.io.places import touched
from geotools.maps import AreaOptions, Geomorphons, map_landforms, map_predictions
from geotools.maps.area import place_area


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(neighbourhood_model())
    return path


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def bounds_of(path, window):
    """Of a window of whole cells, a third of a cell inside."""
    with rasterio.open(path) as dataset:
        col, row, width, height = window
        left, top = dataset.transform @ (col + 0.3, row + 0.3)
        right, bottom = dataset.transform @ (col + width - 0.3, row + height - 0.3)
    return left, bottom, right, top


@pytest.mark.parametrize("window", [(0, 0, 1, 1), (31, 17, 90, 100), (150, 140, 20, 10)])
def test_a_rectangle_is_a_window_of_the_whole(dem_tif, model, tmp_path, window):
    """Cell for cell, probabilities too; the file lies where the window does."""
    common = {"confidence": True, "probabilities": "float32", "effort": Effort(tile=64)}
    map_predictions(model, dem_tif, tmp_path / "all.tif", **common)
    area = AreaOptions(bounds_of(dem_tif, window))
    made = map_predictions(model, dem_tif, tmp_path / "part.tif", area=area, **common)
    col, row, width, height = window
    for name in ("", "_probabilities"):
        whole = read(tmp_path / f"all{name}.tif")[:, row : row + height, col : col + width]
        assert np.array_equal(read(tmp_path / f"part{name}.tif"), whole, equal_nan=bool(name))
    with rasterio.open(dem_tif) as dem, rasterio.open(made.path) as part:
        assert part.transform @ (0, 0) == dem.transform @ (col, row)
        assert part.tags()["GEOTOOLS_BOUNDS"]


def test_a_rectangle_of_another_crs(dem_tif, model, tmp_path):
    """Degrees on a raster in metres: the cells that the bent rectangle touches."""
    there = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    bounds = there.transform_bounds(*bounds_of(dem_tif, (40, 50, 60, 30)))
    area = AreaOptions(bounds, "EPSG:4326")
    made = map_predictions(model, dem_tif, tmp_path / "part.tif", area=area)
    height, width = read(made.path).shape[1:]
    assert 60 <= width <= 63
    assert 30 <= height <= 33
    with pytest.raises(RasterError, match=r"lies outside .*dem.tif, which is 5.*--bbox-crs"):
        map_predictions(model, dem_tif, tmp_path / "no.tif", area=AreaOptions(bounds))
    with pytest.raises(RasterError, match="has no inside"):
        AreaOptions((1, 2, 1, 3))
    with pytest.raises(GridError, match="is not a CRS"):
        map_predictions(model, dem_tif, tmp_path / "no.tif", area=AreaOptions(bounds, "EPSG:x"))


def test_longitudes_go_round():
    """350 to 352 degrees are -10 to -8; a rectangle beside the grid touches nothing."""
    grid = make_lonlat_grid(1200, 100)
    assert touched(grid, (368.1, 46.45, 368.2, 46.6)) == Window(120, 0, 120, 60)
    assert touched(grid, (9.1, 46.45, 9.2, 46.6)) is None
    assert touched(grid, (8.1, 46.6, 8.2, 46.7)) is None


def test_blocks_of_one_size_stay_where_they_are(tmp_path):
    """A net whose seams show has the same seams in a part."""
    rgb = np.random.default_rng(0).integers(0, 256, (3, 150, 170)).astype(np.uint8)
    raster = write_tif(tmp_path / "rgb.tif", rgb)
    (tmp_path / "a.onnx").write_bytes(image_model(channels=1, side=64, radius=9))
    (tmp_path / "b.onnx").write_bytes(grid_model("coarser", side=64, factor=4))
    settings = ForeignSettings(scale=1.0, values=True, overlap_percent=0)
    for name, cells, step in (("a", (33, 21, 70, 80), 1), ("b", (32, 20, 72, 80), 4)):
        common = {"foreign": settings, "overwrite": True}
        map_predictions(tmp_path / f"{name}.onnx", raster, tmp_path / "all.tif", **common)
        bounds = bounds_of(raster, (33, 21, 70, 79))
        map_predictions(
            tmp_path / f"{name}.onnx", raster, tmp_path / "part.tif", area=AreaOptions(bounds),
            **common,
        )  # fmt: skip
        part, whole = read(tmp_path / "part.tif"), read(tmp_path / "all.tif")
        col, row = cells[0] // step, cells[1] // step
        height, width = part.shape[1:]
        assert abs(height * step - 79) <= step
        assert np.array_equal(part, whole[:, row : row + height, col : col + width])


def polygons(path, shapes, crs="EPSG:32633"):
    geopandas.GeoDataFrame(geometry=shapes, crs="EPSG:32633").to_crs(crs).to_file(path)
    return path


def test_cells_outside_of_polygons_are_not_mapped(dem_tif, model, tmp_path):
    """A cell is in when its centre is, whatever the CRS of the file; the others are nodata."""
    map_predictions(model, dem_tif, tmp_path / "all.tif")
    whole = read(tmp_path / "all.tif")[0]
    left, bottom, right, top = bounds_of(dem_tif, (20, 30, 50, 60))
    wanted = np.zeros_like(whole, bool)
    wanted[30:90, 20:70] = True
    for crs in ("EPSG:32633", "EPSG:4326"):
        mask = polygons(tmp_path / "mask.gpkg", [box(left, bottom, right, top)], crs)
        made = map_predictions(
            model, dem_tif, tmp_path / "part.tif", overwrite=True, area=AreaOptions(mask=mask),
            effort=Effort(tile=64),
        )  # fmt: skip
        assert np.array_equal(read(made.path)[0], np.where(wanted, whole, 0))
    with rasterio.open(made.path) as dataset:
        assert dataset.tags()["GEOTOOLS_MASK"] == "mask.gpkg"
    area = AreaOptions(bounds_of(dem_tif, (0, 0, 40, 40)), mask=mask)
    made = map_predictions(model, dem_tif, tmp_path / "both.tif", area=area)
    assert np.array_equal(read(made.path)[0], np.where(wanted, whole, 0)[:40, :40])


def test_tiles_without_a_wanted_cell_are_not_read(dem_tif, tmp_path):
    """Nor do they reach the model."""
    left, bottom, right, top = bounds_of(dem_tif, (100, 100, 20, 20))
    mask = polygons(tmp_path / "mask.gpkg", [box(left, bottom, right, top)])
    grid = make_grid(170, 150)
    area = place_area(AreaOptions(mask=mask), grid, "dem.tif")
    assert area.cells(Window(0, 0, 170, 150)).sum() == 400
    assert not area.touches(Window(0, 0, 64, 64))

    from geotools.inference.model import Model
    from geotools.inference.prediction import Prediction

    class Counted:
        bands = ("elevation",)
        count = 0

        def __init__(self):
            self.grid = grid

        def read(self, window):
            self.count += 1
            return raster.read(window)

    from conftest import make_raster

    raster = make_raster(make_terrain(150, 170), grid)
    source = Counted()
    prediction = Prediction(Model("m", neighbourhood_model()), source, tile=64, area=area)
    found = [prediction.tile(tile) for tile in prediction.tiling.tiles(grid)]
    assert source.count == sum(one is not None for one in found) < len(found) / 2


def test_areas_without_a_cell_are_said(dem_tif, model, tmp_path):
    """Elsewhere, or between the centres, or no polygons at all: one sentence each."""
    left, bottom, _, _ = bounds_of(dem_tif, (5, 5, 1, 1))
    tiny = polygons(tmp_path / "tiny.gpkg", [box(left, bottom, left + 0.1, bottom + 0.1)])
    away = polygons(tmp_path / "away.gpkg", [box(0, 0, 10, 10)])
    for mask in (tiny, away):
        with pytest.raises(RasterError, match=r"^No cell of .* its centre in a polygon"):
            map_predictions(model, dem_tif, tmp_path / "no.tif", area=AreaOptions(mask=mask))
    lines = polygons(tmp_path / "lines.gpkg", [box(left, bottom, left + 90, bottom + 90).boundary])
    with pytest.raises(RasterError, match="holds no polygon"):
        map_predictions(model, dem_tif, tmp_path / "no.tif", area=AreaOptions(mask=lines))
    with pytest.raises(GeotoolsError, match="does not exist"):
        map_predictions(model, dem_tif, tmp_path / "no.tif", area=AreaOptions(mask="no.gpkg"))
    assert not (tmp_path / "no.tif").exists()


def test_exact_landforms_of_a_part(dem_tif, tmp_path):
    """The exact algorithm looks beyond the rectangle, and the mask, too."""
    map_landforms(dem_tif, tmp_path / "all.tif", method=Geomorphons())
    whole = read(tmp_path / "all.tif")[0]
    left, bottom, right, top = bounds_of(dem_tif, (50, 30, 40, 60))
    mask = polygons(tmp_path / "mask.gpkg", [box(left, bottom, right, top)])
    area = AreaOptions(bounds_of(dem_tif, (40, 30, 60, 90)), mask=mask)
    map_landforms(dem_tif, tmp_path / "part.tif", method=Geomorphons(), area=area)
    wanted = np.zeros_like(whole)
    wanted[30:90, 50:90] = whole[30:90, 50:90]
    assert np.array_equal(read(tmp_path / "part.tif")[0], wanted[30:120, 40:100])


def test_several_models_from_all_sides(dem_tif, model, tmp_path):
    """The mean of two that are one is that one; the tags say what was asked, and where it ran."""
    map_predictions(model, dem_tif, tmp_path / "one.tif", probabilities="float32")
    made = map_predictions(
        [model, model], dem_tif, tmp_path / "two.tif", probabilities="float32", tta=True,
        device="cpu",
    )  # fmt: skip
    one, two = (read(tmp_path / f"{name}_probabilities.tif") for name in ("one", "two"))
    assert np.nanmax(np.abs(one - two)) < 1e-4
    with rasterio.open(made.path) as dataset:
        said = dataset.tags()["GEOTOOLS_PARAMETERS"]
    assert "ensemble=mean of neighbourhood" in said
    assert "augmented=mean of 8" in said
    assert made.device == "cpu"
    with pytest.raises(GeotoolsError, match="The device 'abacus' is unknown"):
        map_predictions(model, dem_tif, tmp_path / "no.tif", device="abacus")
