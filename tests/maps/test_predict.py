"""geotools.maps.predict: files in, files out."""

import numpy as np
import pytest
import rasterio
from conftest import make_terrain, write_tif
from onnx_bytes import neighbourhood_model

from geotools.errors import GeotoolsError
from geotools.io.geopackage import read_layer
from geotools.maps import RasterOptions, map_landforms, map_predictions


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(neighbourhood_model())
    return path


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_a_landform_model_gives_the_landforms(dem_tif, tmp_path):
    """The shipped model by its name, cell for cell as `map_landforms` has it."""
    made = map_predictions("landforms-v1", dem_tif, tmp_path / "p.tif", confidence=True)
    map_landforms(dem_tif, tmp_path / "l.tif", confidence=True)
    assert np.array_equal(read(tmp_path / "p.tif"), read(tmp_path / "l.tif"))
    assert made.area_m2["slope"] > 0


def test_all_outputs(dem_tif, model, tmp_path):
    """Classes with colours and names, confidence, probabilities, polygons; invalid stays so."""
    made = map_predictions(
        model, [dem_tif], tmp_path / "out.tif",
        polygons=tmp_path / "out.gpkg", confidence=True, probabilities=True,
    )  # fmt: skip
    invalid = read(dem_tif)[0] == -9999
    with rasterio.open(made.path) as dataset:
        codes, sure = dataset.read()
        assert dataset.descriptions == ("class", "confidence")
        assert dataset.nodata == 0
        assert dataset.colormap(1)[7] == (255, 0, 0, 255)
        assert len(dataset.tags()["GEOTOOLS_MODEL_SHA256"]) == 64
        assert dataset.tags()["GEOTOOLS_SOURCE"] == "dem.tif"
    assert np.array_equal(codes == 0, invalid)
    assert (tmp_path / "out.qml").exists()
    with rasterio.open(made.probabilities) as dataset:
        every = dataset.read()
        assert dataset.descriptions == ("low", "high")
    assert np.array_equal(np.isnan(every[0]), invalid)
    assert np.allclose(np.rint(every.max(axis=0)[~invalid] * 100), sure[~invalid])
    layer = read_layer(made.polygons)
    assert layer["area_m2"].sum() == pytest.approx((~invalid).sum() * 900)
    assert layer["confidence"].between(50, 100).all()


def test_polygons_have_a_confidence_that_no_band_holds(dem_tif, model, tmp_path):
    """The confidence of polygons needs no second band."""
    made = map_predictions(model, dem_tif, tmp_path / "out.tif", polygons=tmp_path / "out.gpkg")
    assert read(made.path).shape[0] == 1
    assert read_layer(made.polygons)["confidence"].between(50, 100).all()


def test_bands_are_chosen_in_the_models_order(tmp_path):
    """A model of two bands gets those that are named, in that order."""
    path = tmp_path / "two.onnx"
    path.write_bytes(neighbourhood_model(bands=2))
    terrain = make_terrain(60, 80)
    write_tif(tmp_path / "three.tif", np.stack([terrain * 0, terrain, terrain]))
    with pytest.raises(GeotoolsError, match="has 3 bands"):
        map_predictions(path, tmp_path / "three.tif", tmp_path / "out.tif")
    reading = RasterOptions(bands=(3, 2))
    made = map_predictions(path, tmp_path / "three.tif", tmp_path / "out.tif", reading=reading)
    assert set(np.unique(read(made.path))) == {3, 7}


def test_one_sentence_each(dem_tif, model, tmp_path):
    """Too many rasters; an output that is an input; no valid cell; cells of another size."""
    out = tmp_path / "out.tif"
    with pytest.raises(GeotoolsError, match="takes 1 rasters, 2 are given"):
        map_predictions(model, [dem_tif, dem_tif], out)
    with pytest.raises(GeotoolsError, match="is the input itself"):
        map_predictions(model, dem_tif, dem_tif, overwrite=True)
    empty = write_tif(tmp_path / "empty.tif", np.full((20, 20), -1, np.float32), nodata=-1)
    with pytest.raises(GeotoolsError, match="no cell that is valid"):
        map_predictions(model, empty, out)
    assert not list(tmp_path.glob("out*"))
