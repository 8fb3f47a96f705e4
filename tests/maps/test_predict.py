"""geotools.maps.predict: files in, files out."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import neighbourhood_model, red_model, row_model
from pyproj import Transformer
from rasterio.crs import CRS

from geotools.effort import Effort
from geotools.errors import FileError, GeotoolsError, RasterError
from geotools.grid import Grid
from geotools.inference.model import Model, open_model
from geotools.inference.sessions import SessionOptions
from geotools.io.geopackage import read_layer
from geotools.maps import LayerFiles, RasterOptions, map_landforms, map_predictions
from geotools.maps.predict_outputs import Outputs
from geotools.spec import SourceInfo


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
        polygons=tmp_path / "out.gpkg", confidence=True, probabilities="float32",
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


def test_probabilities_are_halves_or_steps(dem_tif, model, tmp_path):
    """Half the size or a quarter; what they say is within half a step of the whole numbers."""
    for kind, limit in (("float32", 0), ("float16", 5e-4), ("uint8", 2.001e-3)):
        made = map_predictions(model, dem_tif, tmp_path / f"{kind}.tif", probabilities=kind)
        with rasterio.open(made.probabilities) as dataset:
            shares = dataset.read(masked=True).astype(np.float64) * dataset.scales[0]
            assert dataset.scales == (1 / 250 if kind == "uint8" else 1.0,) * 2
        if kind == "float32":
            exact = shares
        assert np.array_equal(shares.mask, exact.mask)
        assert np.abs(shares - exact).max() <= limit
    with rasterio.open(tmp_path / "float16_probabilities.tif") as dataset:
        bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
        assert bits == "16" or dataset.dtypes[0] == "float16"  # as GDAL calls them from 3.11 on
    with pytest.raises(RasterError, match="float16, uint8, float32"):
        map_predictions(model, dem_tif, tmp_path / "x.tif", probabilities="int4")


def test_entropy_is_that_of_the_probabilities(dem_tif, model, tmp_path):
    """Shannon's, over that of even probabilities, in per cent and at least 1; in its own file."""
    made = map_predictions(
        model, dem_tif, tmp_path / "out.tif",
        confidence=True, entropy=True, probabilities="float32",
    )  # fmt: skip
    assert made.entropy == tmp_path / "out_entropy.tif"
    entropy, shares = read(made.entropy)[0], read(made.probabilities).astype(np.float64)
    bits = -np.sum(shares * np.log2(np.maximum(shares, 1e-300)), axis=0)  # even: 1 bit
    known = read(made.path)[0] > 0
    assert np.array_equal(entropy == 0, ~known)
    assert np.abs(np.maximum(100 * bits[known], 1) - entropy[known]).max() <= 0.51


def test_layers_have_files_of_their_own_where_they_are_named(dem_tif, model, tmp_path):
    """Any file for each: the same cells as in band 2 and beside the map, with unit and nodata."""
    made = map_predictions(
        model, dem_tif, tmp_path / "out.tif",
        confidence=True, entropy=True, probabilities="uint8",
    )  # fmt: skip
    (tmp_path / "other").mkdir()
    files = LayerFiles(*(tmp_path / "other" / f"{name}.tif" for name in "cep"))
    apart = map_predictions(
        model, dem_tif, tmp_path / "apart.tif", probabilities="uint8", files=files
    )
    assert apart.outputs == (apart.path, files.probabilities, files.entropy, files.confidence)
    assert np.array_equal(read(apart.path)[0], read(made.path)[0])
    assert len(read(apart.path)) == 1
    assert np.array_equal(read(files.confidence)[0], read(made.path)[1])
    assert np.array_equal(read(files.entropy), read(made.entropy))
    assert np.array_equal(read(files.probabilities), read(made.probabilities))
    with rasterio.open(files.confidence) as file:
        assert (file.descriptions, file.units, file.nodata) == (("confidence",), ("%",), 0)
    assert sorted(path.name for path in tmp_path.glob("apart*.tif")) == ["apart.tif"]
    full = map_predictions(
        model, dem_tif, tmp_path / "full.tif",
        files=LayerFiles(probabilities=tmp_path / "other" / "full.tif"),
    )  # fmt: skip
    assert read(full.probabilities).dtype in (np.float32, np.float16)


def test_files_of_layers_are_files_of_nothing_else(dem_tif, model, tmp_path):
    """Neither the map, nor another layer's, nor the polygons', nor one that exists."""
    target, other = tmp_path / "out.tif", tmp_path / "o.gpkg"
    for files, more in (
        (LayerFiles(confidence=target), {}),
        (LayerFiles(confidence=other, entropy=other), {}),
        (LayerFiles(entropy=other), {"polygons": other}),
    ):
        with pytest.raises(FileError, match="is named for"):
            map_predictions(model, dem_tif, target, files=files, **more)
    other.write_text("somebody's")
    with pytest.raises(FileError, match="exists: give --overwrite"):
        map_predictions(model, dem_tif, target, files=LayerFiles(confidence=other))
    assert not target.exists()


def test_outputs_half_named_are_named_by_the_next_run(dem_tif, model, tmp_path, monkeypatch):
    """A kill between two names; others' files are not replaced for it."""
    options = {"polygons": tmp_path / "out.gpkg", "probabilities": True}

    class Killed(Exception):
        pass

    def kill(*arguments, **keywords):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("geotools.engine.folder._clear", lambda folder: None)
        patched.setattr("geotools.maps.predict_outputs.write_polygons", kill)
        with pytest.raises(Killed):
            map_predictions(model, dem_tif, tmp_path / "out.tif", **options)
    (tmp_path / "out_probabilities.tif").write_text("what a kill has named")
    said = []
    made = map_predictions(model, dem_tif, tmp_path / "out.tif", warn=said.append, **options)
    assert "Going on from an earlier run" in said[0]
    assert read(made.probabilities).shape[0] == 2
    (tmp_path / "out.tif").unlink()
    with pytest.raises(GeotoolsError, match="exists: give --overwrite"):
        map_predictions(model, dem_tif, tmp_path / "out.tif", **options)


def test_outputs_are_written_without_the_model(dem_tif, model, tmp_path, monkeypatch):
    """What the graph takes is free before the parts are joined and the polygons are traced."""
    order = []
    release, write = Model.release, Outputs.write
    monkeypatch.setattr(Model, "release", lambda self: (order.append("free"), release(self))[1])
    monkeypatch.setattr(
        Outputs, "write", lambda self, *how: (order.append("joined"), write(self, *how))[1]
    )
    map_predictions(model, dem_tif, tmp_path / "map.tif", polygons=tmp_path / "map.gpkg")
    assert order == ["free", "joined"]


def test_a_model_in_memory_is_used_again(dem_tif, model, tmp_path):
    """Whoever opened it keeps it; options of its session are whoever opened it's, too."""
    opened = open_model(model, options=SessionOptions(optimisation="basic"))
    for name in ("a.tif", "b.tif"):
        map_predictions(opened, dem_tif, tmp_path / name)
    map_predictions(model, dem_tif, tmp_path / "c.tif", device=SessionOptions(threads=2))
    maps = [(tmp_path / name).read_bytes() for name in ("a.tif", "b.tif", "c.tif")]
    assert maps[0] == maps[1] == maps[2]


@pytest.mark.parametrize(("halo", "told"), [(4, False), (1, True)])
def test_a_halo_that_lies_is_told_of(tmp_path, halo, told):
    """--seams says more than a figure where tiles should join exactly and do not."""
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model(radius=4, halo=halo))
    write_tif(tmp_path / "dem.tif", make_terrain(300, 300))
    heard = []
    map_predictions(
        tmp_path / "m.onnx", tmp_path / "dem.tif", tmp_path / "out.tif", seams=True,
        effort=Effort(tile=64), warn=heard.append,
    )  # fmt: skip
    assert any(f"its halo of {halo} cells is too small" in one for one in heard) == told


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


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("red", "nir"), (1, 2)),
        (("NIR", "Red"), (2, 1)),  # by their names
        (("thermal", "NIR", "red"), (3, 2)),
        ((None, None), (1, 2)),  # as they come
        (("blue", "green"), (1, 2)),  # with a word about it
    ],
)
def test_bands_that_have_names_are_found(tmp_path, names, taken):
    """A raster that describes the bands that a model names gives them, wherever they are."""
    path = tmp_path / "red.onnx"
    path.write_bytes(red_model())
    values = np.random.default_rng(0).normal(size=(len(names), 60, 80)).astype(np.float32)
    with rasterio.open(write_tif(tmp_path / "image.tif", values), "r+") as dataset:
        dataset.descriptions = names
    heard = []
    made = map_predictions(path, tmp_path / "image.tif", tmp_path / "out.tif", warn=heard.append)
    expected = np.where(values[taken[0] - 1] > 0, 7, 3)
    assert np.array_equal(read(made.path)[0], expected)
    assert any("was taken by number" in one for one in heard) == ("blue" in names)


def test_a_band_in_the_place_of_another_is_refused(tmp_path):
    """Where one band is described in another place, the other may be anything."""
    path = tmp_path / "red.onnx"
    path.write_bytes(red_model())
    image = write_tif(tmp_path / "image.tif", np.ones((2, 60, 80), np.float32))
    with rasterio.open(image, "r+") as dataset:
        dataset.descriptions = ("thermal", "red")
    with pytest.raises(RasterError, match="has red in band 2, where the model red has its bands"):
        map_predictions(path, image, tmp_path / "out.tif")
    reading = RasterOptions(bands=(2, 1))
    assert map_predictions(path, image, tmp_path / "out.tif", reading=reading).path.exists()


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


def test_cells_of_another_size(model, tmp_path):
    """A sentence where the model never saw such cells, an error where it is far from that."""
    terrain = make_terrain(30, 40)
    for cell, warned in ((30.0, 0), (150.0, 1)):
        write_tif(tmp_path / "dem.tif", terrain, make_grid(40, 30, cell=cell))
        told = []
        map_predictions(
            model, tmp_path / "dem.tif", tmp_path / "o.tif", overwrite=True, warn=told.append
        )
        assert len(told) == warned
    write_tif(tmp_path / "dem.tif", terrain, make_grid(40, 30, cell=400.0))
    with pytest.raises(GeotoolsError, match="made for 5 to 100 m: give --resample"):
        map_predictions(model, tmp_path / "dem.tif", tmp_path / "o2.tif")
    assert not (tmp_path / "o2.tif").exists()


def source(name, **more):
    return SourceInfo(name=name, bands=("1",), numbers=(1,), count=1, **more)


@pytest.fixture
def two(tmp_path):
    """A model of two rasters, and rasters for it: the second has more cells, and holes."""
    (tmp_path / "two.onnx").write_bytes(row_model(sources=(source("a"), source("b"))))
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, (70, 90)).astype(np.float32)
    b = rng.normal(0, 1, (80, 100)).astype(np.float32)
    b[20:40, 30:50] = -99
    write_tif(tmp_path / "a.tif", a)
    write_tif(tmp_path / "b.tif", b, make_grid(100, 80, top=5_000_000.0 + 150), nodata=-99)
    return tmp_path / "two.onnx", [tmp_path / "a.tif", tmp_path / "b.tif"]


def test_rasters_come_together(two, tmp_path):
    """Each cell of the first raster's grid has its class from both; invalid in one is invalid."""
    model, rasters = two
    made = map_predictions(model, rasters, tmp_path / "out.tif")
    a, b = read(rasters[0])[0], read(rasters[1])[0][5:75, :90]
    expected = np.where(b == -99, 0, np.where(a + 2 * b > 0, 7, 3))
    assert np.array_equal(read(made.path)[0], expected)
    with rasterio.open(made.path) as dataset:
        assert dataset.tags()["GEOTOOLS_SOURCE"] == "a.tif, b.tif"
        assert len(dataset.tags()["GEOTOOLS_SOURCE_SHA256"]) == 130


@pytest.mark.parametrize("tile", [16, 50, 64])
def test_tiles_of_a_stack_do_not_change_the_map(two, tmp_path, tile):
    """The second raster is warped by windows; the map is the same for every tile size."""
    model, rasters = two
    b = read(rasters[1])[0]
    write_tif(rasters[1], b, make_grid(100, 80, cell=33.0, top=5_000_100.0), nodata=-99)
    whole = map_predictions(model, rasters, tmp_path / "a_out.tif")
    parts = map_predictions(
        model, rasters, tmp_path / "b_out.tif", effort=Effort(tile=tile, threads=2)
    )
    assert np.array_equal(read(whole.path), read(parts.path))


def test_rasters_of_another_crs_lie_where_they_belong(two, tmp_path):
    """Degrees under metres: every cell sees the value of its own place, found by PROJ alone."""
    model, (first, second) = two
    with rasterio.open(first) as dataset:
        grid = make_grid(dataset.width, dataset.height)
        assert dataset.transform == grid.transform
    there = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = grid.transform @ (cols, rows)
    lon, lat = there.transform(x, y)
    step = 3e-4
    west, north = lon.min() - 0.01, lat.max() + 0.01
    wide, high = (int(span / step) for span in (lon.max() - west + 0.01, north - lat.min() + 0.01))
    degrees = Grid(CRS.from_epsg(4326), Affine(step, 0, west, 0, -step, north), wide, high)

    def wave(lon, lat):  # hundreds of metres long: bilinear sampling is right to 1 %
        return np.sin((lon - west) * 400) + np.cos((lat - north) * 400)

    lons = west + (np.arange(wide) + 0.5) * step
    lats = north - (np.arange(high) + 0.5) * step
    write_tif(second, wave(*np.meshgrid(lons, lats)).astype(np.float32), degrees)
    made = map_predictions(model, [first, second], tmp_path / "out.tif")
    margin = read(first)[0] + 2 * wave(lon, lat)
    clear = np.abs(margin) > 0.05
    assert clear.mean() > 0.9
    assert np.array_equal(read(made.path)[0][clear], np.where(margin > 0, 7, 3)[clear])


def test_dates_are_given_one_by_one(tmp_path):
    """A source of two dates takes two rasters; the map holds the values, NaN where invalid."""
    info = SourceInfo("x", ("1", "2"), (1, 2), 2, dates=("2000", "2010"))
    (tmp_path / "m.onnx").write_bytes(row_model("sequence", sources=(info,)))
    first = np.random.default_rng(0).normal(0, 1, (2, 40, 50)).astype(np.float32)
    first[:, 3, 4] = np.nan
    write_tif(tmp_path / "x0.tif", first)
    write_tif(tmp_path / "x1.tif", first * 0)
    rasters = [tmp_path / "x0.tif", tmp_path / "x1.tif"]
    said = []
    made = map_predictions(tmp_path / "m.onnx", rasters, tmp_path / "out.tif", warn=said.append)
    assert said == [
        "Dates are told by the order of the rasters: x takes x0.tif as 2000, x1.tif as 2010."
    ]
    found = read(made.path)
    assert found.dtype == np.float32
    assert np.allclose(found[0], first[0] + 2 * first[1], equal_nan=True, atol=1e-5)
    assert made.classes == ()
    assert "singlebandgray" in (tmp_path / "out.qml").read_text()
    with rasterio.open(made.path) as dataset:
        assert np.isnan(dataset.nodata)
        assert dataset.units == ("m",)
    words = r"2 rasters, 1 are given.*1\. x of 2000 .*2\. x of 2010"
    with pytest.raises(GeotoolsError, match=words):
        map_predictions(tmp_path / "m.onnx", rasters[:1], tmp_path / "no.tif")
    with pytest.raises(GeotoolsError, match="leave --confidence"):
        map_predictions(tmp_path / "m.onnx", rasters, tmp_path / "no.tif", confidence=True)


def test_missing_cells_of_a_stack_by_a_value(two, tmp_path):
    """A value that the files do not declare is invalid in all of them."""
    model, (a, b) = two
    plain = write_tif(tmp_path / "plain.tif", read(b)[0], make_grid(100, 80, top=5_000_150.0))
    declared = map_predictions(model, [a, b], tmp_path / "o1.tif")
    told = map_predictions(
        model, [a, plain], tmp_path / "o2.tif", reading=RasterOptions(nodata=-99)
    )
    assert np.array_equal(read(declared.path), read(told.path))


def test_a_stack_that_does_not_fit(two, tmp_path):
    """Rasters of wrong bands, elsewhere, or of settings that they do not need: one sentence."""
    model, (a, b) = two
    out = tmp_path / "out.tif"
    three = write_tif(tmp_path / "three.tif", np.zeros((3, 70, 90), np.float32))
    away = write_tif(tmp_path / "away.tif", read(b)[0], make_grid(100, 80, left=900_000.0))
    (tmp_path / "text.tif").write_text("no raster")
    for rasters, words in (
        ([a, three], "three.tif has 3 bands"),
        ([a], "takes 2 rasters, 1 are given"),
        ([a, b, b], "takes 2 rasters, 3 are given"),
        ([a, tmp_path / "text.tif"], "text.tif"),
        ([a, tmp_path / "none.tif"], "none.tif"),
        ([a, away], "away.tif"),
    ):
        with pytest.raises(GeotoolsError, match=words):
            map_predictions(model, rasters, out)
    with pytest.raises(GeotoolsError, match="leave --bands out"):
        map_predictions(model, [a, b], out, reading=RasterOptions(bands=(1,)))
    with pytest.raises(GeotoolsError, match="is the input itself"):
        map_predictions(model, [a, b], b, overwrite=True)
    assert not list(tmp_path.glob("*out*"))


def test_values_of_other_units_are_told_of(tmp_path):
    """What the model learned is in its file; one sentence where a raster is far from it."""
    infos = (SourceInfo("a", ("1",), (1,), 1), SourceInfo("b", ("1",), (1,), 1))
    ranges = {"a": [-2.5, 2.5], "b": [-2.5, 2.5]}
    content = row_model(sources=infos, training={"ranges": ranges})
    (tmp_path / "two.onnx").write_bytes(content)
    values = np.random.default_rng(0).normal(0, 1, (70, 90)).astype(np.float32)
    a = write_tif(tmp_path / "a.tif", values)
    b = write_tif(tmp_path / "b.tif", values * 10_000)
    told = []
    map_predictions(tmp_path / "two.onnx", [a, a], tmp_path / "o.tif", warn=told.append)
    assert told == []
    map_predictions(tmp_path / "two.onnx", [a, b], tmp_path / "p.tif", warn=told.append)
    (sentence,) = told
    assert sentence.startswith("Feature b has values of about")
