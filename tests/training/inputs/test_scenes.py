"""open_scenes: from a configuration to stacks of features, and what the rasters hold."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_grid, make_terrain, write_tif
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from geotools.errors import ConfigError, FileError, GridError, LabelsError, RasterError
from geotools.features.opening import open_stack
from geotools.grid import Grid
from geotools.training.config import make_config
from geotools.training.inputs import inspection
from geotools.training.inputs.scenes import find_path, open_scenes


def config_of(inputs, **values):
    values = {"name": "test", "labels": {"path": "labels.tif"}, **values}
    return make_config({"inputs": inputs, **values})


def opened(folder, inputs, *, warnings=None, **values):
    warn = None if warnings is None else warnings.append
    return open_scenes(config_of(inputs, **values), None, folder, warn=warn)


def infos_of(folder, inputs, **values):
    with opened(folder, inputs, **values) as scenes:
        return {info.name: info for info in scenes.infos}


@pytest.fixture
def folder(tmp_path):
    """An elevation model, an image of four bands with names, and codes, all on one grid."""
    rng = np.random.default_rng(0)
    write_tif(tmp_path / "dem.tif", make_terrain(40, 50))
    values = rng.integers(1, 99, (4, 40, 50)).astype(np.uint8)
    image = write_tif(tmp_path / "image.tif", values, photometric="MINISBLACK")
    with rasterio.open(image, "r+") as dataset:
        dataset.descriptions = ("Red (665 nm)", "NIR", None, "12")
    codes = rng.choice([3, 7, 40], (40, 50)).astype(np.float32)
    codes[:5] = np.nan
    write_tif(tmp_path / "codes.tif", codes)
    return tmp_path


DEM = {"name": "dem", "path": "dem.tif"}
IMAGE = {"name": "s2", "path": "image.tif"}
CODES = {"name": "soil", "path": "codes.tif", "kind": "classes"}


def test_a_path_is_looked_for_in_the_data_then_in_its_folder(tmp_path):
    """Relative to the data or its folder of the name; without data to the configuration."""
    (tmp_path / "data" / "glacier").mkdir(parents=True)
    inner = tmp_path / "data" / "glacier" / "a.tif"
    inner.touch()
    data = tmp_path / "data"
    assert find_path("a.tif", data, tmp_path, "glacier") == inner
    (data / "a.tif").touch()
    assert find_path("a.tif", data, tmp_path, "glacier") == data / "a.tif"
    assert find_path("data/a.tif", None, tmp_path, "glacier") == tmp_path / "data" / "a.tif"
    assert find_path(str(inner), Path("elsewhere"), tmp_path, "x") == inner


@pytest.mark.parametrize("text", ["b.tif", "", "\0", "x" * 5000])
def test_a_path_that_is_not_there_is_said_with_all_places(tmp_path, text):
    """One sentence with where it was looked for."""
    (tmp_path / "data").touch()
    with pytest.raises(FileError, match=f"(?s)is not at {tmp_path}.* nor {tmp_path}.*glacier"):
        find_path(text or "b", tmp_path / "data", tmp_path, "glacier")


def test_bands_have_names(folder):
    """The description in plain letters, else the number; chosen by number, name or both."""
    bands = {None: ("red_665_nm", "nir", "3", "4"), (2, 4): ("nir", "4"),
             ("NIR", "Red (665 nm)"): ("nir", "red_665_nm")}  # fmt: skip
    for chosen, names in bands.items():
        more = {} if chosen is None else {"bands": list(chosen)}
        assert infos_of(folder, [{**IMAGE, **more}])["s2"].bands == names
    info = infos_of(folder, [{**IMAGE, "bands": {"red": 1, "swir1": 4}}])["s2"]
    assert (info.bands, info.numbers, info.count) == (("red", "swir1"), (1, 4), 4)
    with opened(folder, [{**IMAGE, "bands": {"b": 4, "a": 1}}]) as scenes:
        assert scenes.features == ("s2.b", "s2.a")
        with rasterio.open(folder / "image.tif") as dataset:
            assert np.array_equal(
                scenes.stacks[0].read(scenes.grids[0].window).data, dataset.read([4, 1])
            )


@pytest.mark.parametrize(
    ("features", "bands", "named"),
    [
        (["s2.4", "s2.nir"], ("nir", "4"), ("s2.4", "s2.nir")),
        (["s2.nir"], ("nir",), ("s2",)),
        (["imagery.ndvi"], ("nir", "red"), ("imagery.ndvi",)),
    ],
)
def test_bands_that_no_feature_names_are_not_asked_for(folder, features, bands, named):
    """The map needs the others alone: in a raster of all bands, and in one of just these."""
    chosen = {"bands": {"nir": 2, "blue": 3, "red": 1}} if named == ("imagery.ndvi",) else {}
    with opened(folder, [{**IMAGE, **chosen}], features=features) as scenes:
        ours = scenes.stacks[0].read(scenes.grids[0].window)
        infos, names = scenes.infos, scenes.features
    assert (infos[0].bands, infos[0].count, names) == (bands, 4, named)
    with rasterio.open(folder / "image.tif") as dataset:
        few = dataset.read(infos[0].numbers)
    write_tif(folder / "few.tif", few, photometric="MINISBLACK")
    for path in ("image.tif", "few.tif"):
        with open_stack([[folder / path]], infos, names) as stack:
            assert np.array_equal(stack.read(stack.grid.window).data, ours.data)


def test_a_fourth_band_that_counts_as_alpha_can_be_named(folder):
    """Of four bands in bytes the fourth is alpha to GDAL, and often near infrared to the user."""
    values = np.random.default_rng(0).integers(1, 99, (4, 40, 50)).astype(np.uint8)
    write_tif(folder / "rgbn.tif", values, photometric="RGB", alpha="YES")
    image = {"name": "rgbn", "path": "rgbn.tif"}
    assert infos_of(folder, [image])["rgbn"].count == 3
    with opened(folder, [{**image, "bands": {"red": 1, "nir": 4}}]) as scenes:
        ours = scenes.stacks[0].read(scenes.grids[0].window)
        assert np.array_equal(ours.data, values[[0, 3]])
        infos, features = scenes.infos, scenes.features
    with open_stack([[folder / "rgbn.tif"]], infos, features) as stack:
        assert np.array_equal(stack.read(stack.grid.window).data, values[[0, 3]])


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ([5], r"names the band 5, which .* 1 \(red_665_nm\), 2 \(nir\), 3, 4"),
        (["blue"], "names the band 'blue'"),
        ([1, 1], "twice"),
        ({"a b": 1}, "letters, digits and _"),
        ({"a": 1, "b": 1}, "twice"),
        ([], "none in them"),
    ],
)
def test_bands_that_are_not_there_are_refused(folder, bands, words):
    """One sentence with those that are."""
    with pytest.raises(ConfigError, match=words):
        opened(folder, [{**IMAGE, "bands": bands}])


@pytest.mark.parametrize(
    ("inputs", "features", "elevation"),
    [
        ([{**DEM, "name": "heights"}], ["terrain.slope"], "heights"),
        ([{**DEM, "name": "heights"}], None, None),
        ([IMAGE, {**DEM, "name": "heights"}], ["s2", "terrain.slope"], "heights"),
        ([DEM], None, "dem"),
        ([{**DEM, "name": "SRTM"}, {**DEM, "name": "other"}], ["SRTM", "other"], "SRTM"),
        ([DEM, {**DEM, "name": "b", "role": "elevation"}], ["dem", "terrain.slope"], "b"),
        ([{**DEM, "role": "other"}], ["dem"], None),
    ],
)
def test_which_input_is_the_elevation(folder, inputs, features, elevation):
    """The one that is called so, the only one of one band, or the one that is stated."""
    values = {} if features is None else {"features": features}
    infos = infos_of(folder, inputs, **values)
    found = [info.name for info in infos.values() if info.role == "elevation"]
    assert found == ([] if elevation is None else [elevation])


def test_terrain_needs_one_elevation(folder):
    """None, two, or one of several bands: one sentence."""
    with pytest.raises(ConfigError, match="none of s2 is one"):
        opened(folder, [IMAGE], features=["terrain.slope"])
    with pytest.raises(ConfigError, match="none of a and b is one"):
        opened(folder, [{**DEM, "name": "a"}, {**DEM, "name": "b"}], features=["terrain.slope"])
    with pytest.raises(ConfigError, match="dem and dsm are both one"):
        opened(folder, [DEM, {**DEM, "name": "dsm"}], features=["terrain.slope"])
    with pytest.raises(ConfigError, match="choose one band"):
        opened(folder, [{**IMAGE, "role": "elevation"}])


def test_elevations_are_in_metres(folder):
    """The stated factor counts, and is kept for later."""
    with opened(folder, [{**DEM, "z_factor": 0.3048}], features=["dem"]) as scenes:
        ours = scenes.stacks[0].read(scenes.grids[0].window).data[0]
        assert np.allclose(ours, make_terrain(40, 50) * 0.3048, rtol=1e-6)
        assert scenes.infos[0].z_factor == 0.3048


def test_a_factor_of_elevations_is_refused_elsewhere(folder):
    """It would be left out without a word."""
    with pytest.raises(ConfigError, match="s2 has a z_factor and is no elevation"):
        opened(folder, [{**IMAGE, "z_factor": 0.3}])


def test_codes_are_listed(folder):
    """For features that are codes, in order; missing cells are none."""
    with opened(folder, [DEM, CODES]) as scenes:
        assert scenes.categories == {1: (3, 7, 40)}
        assert scenes.infos[1].resampling == "nearest"
    with pytest.raises(LabelsError, match='make it kind = "values"'):
        opened(folder, [{**DEM, "kind": "classes"}])


def test_a_colour_table_makes_classes(folder):
    """Said, and done."""
    path = folder / "palette.tif"
    grid = make_grid(50, 40)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=50, height=40, dtype="uint8", crs=grid.crs,
        transform=grid.transform,
    ) as dataset:  # fmt: skip
        dataset.write(np.random.default_rng(0).integers(1, 4, (1, 40, 50)).astype(np.uint8))
        dataset.write_colormap(1, {1: (1, 2, 3, 255)})
        dataset.colorinterp = [ColorInterp.palette]
    said: list[str] = []
    with opened(folder, [{"name": "cover", "path": "palette.tif"}], warnings=said) as scenes:
        assert scenes.categories == {0: (1, 2, 3)}
    assert "has a colour table" in said[0]


def test_the_cells_are_those_of_the_first_input_or_as_told(folder):
    """An input by name, the label raster, another CRS, another cell size."""
    labels = make_grid(20, 10, cell=45.0)
    write_tif(folder / "labels.tif", np.ones((10, 20), np.uint8), labels)
    write_tif(folder / "coarse.tif", make_terrain(20, 25), make_grid(25, 20, cell=60.0))
    inputs = [DEM, {"name": "coarse", "path": "coarse.tif"}]

    def grid(**values):
        with opened(folder, inputs, grid=values) as scenes:
            assert scenes.stacks[0].read(scenes.grids[0].window).valid.any()
            return scenes.grids[0], {info.name: info.resampling for info in scenes.infos}

    assert grid() == (make_grid(50, 40), {"dem": "bilinear", "coarse": "bilinear"})
    assert grid(like="coarse")[0] == make_grid(25, 20, cell=60.0)
    assert grid(like="coarse")[1] == {"dem": "average", "coarse": "bilinear"}
    assert grid(like="labels")[0] == labels
    found = grid(cell_size=90.0)[0]
    assert (found.transform.a, found.width) == (90, 18)
    assert grid(crs="EPSG:4326")[0].crs == CRS.from_epsg(4326)
    with pytest.raises(ConfigError, match=r"grid\.like is 'demm': give labels, or .* dem, coarse"):
        grid(like="demm")


def test_labels_that_are_no_raster_have_no_cells(folder):
    """Polygons cannot say which cells."""
    (folder / "labels.tif").write_text("no raster")
    with pytest.raises(ConfigError, match=r"labels\.tif is no raster: name the input"):
        opened(folder, [DEM], grid={"like": "labels"})


def test_scenes_are_opened_beside_each_other(folder):
    """Lists of paths are scenes, a single path serves all; codes come from all of them."""
    (folder / "north").mkdir()
    other = make_grid(60, 30, left=500_600)
    write_tif(folder / "north" / "dem.tif", make_terrain(30, 60, seed=1), other)
    write_tif(folder / "north" / "codes.tif", np.full((30, 60), 9, np.float32), other)
    wide = make_grid(200, 100, left=499_000, top=5_001_000)
    write_tif(folder / "rain.tif", make_terrain(100, 200, seed=2), wide)
    inputs = [
        {**DEM, "path": ["dem.tif", "north/dem.tif"]},
        {**CODES, "path": ["codes.tif", "north/codes.tif"]},
        {"name": "rain", "path": "rain.tif"},
    ]
    with opened(folder, inputs) as scenes:
        assert scenes.features == ("dem", "soil", "rain")
        assert scenes.grids == (make_grid(50, 40), other)
        assert scenes.categories == {1: (3, 7, 9, 40)}
        assert len(set(scenes.names)) == 2
        assert len(scenes.files) == 5
        for stack in scenes.stacks:
            assert stack.read(stack.grid.window).valid.mean() > 0.8
    with pytest.raises(ConfigError, match="dem has 2, soil has 3"):
        opened(folder, [inputs[0], {**CODES, "path": ["codes.tif"] * 3}])
    with pytest.raises(ConfigError, match="dem has 0"):
        opened(folder, [{**DEM, "path": []}])


def test_dates_are_in_order_of_time(folder):
    """However they are written down; what is no date is refused."""
    dates = {"2001-03": "dem.tif", "1986-02-06": "codes.tif", "2001": "dem.tif"}
    with opened(folder, [{"name": "b", "dates": dates}]) as scenes:
        assert scenes.features == ("b@1986-02-06", "b@2001", "b@2001-03")
        data = scenes.stacks[0].read(scenes.grids[0].window).data
        assert np.array_equal(data[1], data[2], equal_nan=True)
    for odd in ("before", "1986-2", "1986-13", "2001-02-30", "86", "20010230"):
        with pytest.raises(ConfigError, match=f"the date '{odd}': write 1986"):
            opened(folder, [{"name": "b", "dates": {odd: "dem.tif"}}])


def test_files_of_other_dates_may_have_other_bands(folder):
    """Bands go by their names; numbers that are stated go for all; other bands are refused."""
    values = np.random.default_rng(1).integers(1, 99, (5, 40, 50)).astype(np.uint8)
    later = write_tif(folder / "later.tif", values, photometric="MINISBLACK")
    dates = {"1986": "image.tif", "2001": "later.tif"}
    with pytest.raises(RasterError, match=r"later\.tif has 5 bands .* s2 needs red_665_nm, nir"):
        opened(folder, [{"name": "s2", "dates": dates}])
    with rasterio.open(later, "r+") as dataset:
        dataset.descriptions = (None, "nir", None, None, "RED 665 NM")
    for bands, numbers in ((["red_665_nm", "nir"], [4, 1]), ([1, 2], [0, 1])):
        with opened(folder, [{"name": "s2", "dates": dates, "bands": bands}]) as scenes:
            ours = scenes.stacks[0].read(scenes.grids[0].window).data
            assert np.array_equal(ours[2:], values[numbers])
    named = {"a": "NIR", "b": "Red (665 nm)"}
    with opened(folder, [{"name": "s2", "dates": dates, "bands": named}]) as scenes:
        assert scenes.features == ("s2.a@1986", "s2.b@1986", "s2.a@2001", "s2.b@2001")
        assert np.array_equal(
            scenes.stacks[0].read(scenes.grids[0].window).data[2:], values[[1, 4]]
        )
    mosaic = {"name": "s2", "mosaic": ["image.tif", "later.tif"], "bands": ["red_665_nm", "nir"]}
    with pytest.raises(ConfigError, match="bands in another order"):
        opened(folder, [mosaic])


def test_an_input_that_no_feature_needs_is_left_out(folder):
    """And said, unless it gives the cells."""
    said: list[str] = []
    with opened(folder, [DEM, IMAGE], features=["s2"], warnings=said) as scenes:
        assert [info.name for info in scenes.infos] == ["s2"]
    assert said == ["No feature is taken from the input dem: it is not used."]
    said.clear()
    opened(folder, [DEM, IMAGE], features=["s2"], grid={"like": "dem"}, warnings=said).close()
    assert said == []


def test_a_band_of_nothing_is_named(folder, monkeypatch):
    """NaN or nodata everywhere on the grid, seen even where only a sample is looked at."""
    monkeypatch.setattr(inspection, "_SIDE", 8)
    monkeypatch.setattr(inspection, "_MOST_CELLS", 300)
    bands = np.random.default_rng(0).random((3, 40, 50)).astype(np.float32)
    bands[1] = np.nan
    path = write_tif(folder / "holes.tif", bands)
    holes = {"name": "h", "path": "holes.tif"}
    with pytest.raises(LabelsError, match=f"{path} has no valid cell on the grid in band 2: leave"):
        opened(folder, [holes])
    opened(folder, [{**holes, "bands": [1, 3]}]).close()
    with pytest.raises(LabelsError, match="no valid cell on the grid: is its nodata value right"):
        opened(folder, [{**holes, "bands": [2]}])
    bands[1, 39, 49] = 1  # one cell is enough to begin with
    write_tif(path, bands)
    opened(folder, [holes]).close()
    bands[0, 39, 49] = np.nan
    write_tif(path, bands)
    with pytest.raises(LabelsError, match="no valid cell on the grid in all its bands at once"):
        opened(folder, [holes])


@pytest.mark.parametrize("value", [-1.7976931348623157e308, -3.4028234663852886e38])
def test_the_largest_numbers_are_no_values(folder, value):
    """A value for missing cells that the file does not declare is named, with what to write."""
    bands = np.random.default_rng(0).random((2, 40, 50))
    bands[1, 3, 3] = value
    write_tif(folder / "big.tif", bands)
    with pytest.raises(LabelsError, match=r"Band 2 of .* set nodata = -\d\.\d+e\+\d+ of"):
        opened(folder, [{"name": "b", "path": "big.tif"}])
    opened(folder, [{"name": "b", "path": "big.tif", "nodata": value}]).close()


def test_a_constant_band_is_told_of_and_kept(folder):
    """Also when it differs between scenes only."""
    bands = np.random.default_rng(0).random((2, 40, 50)).astype(np.float32)
    bands[1] = 5
    path = write_tif(folder / "flat.tif", bands)
    said: list[str] = []
    with opened(folder, [{"name": "f", "path": "flat.tif"}], warnings=said) as scenes:
        assert scenes.features == ("f.1", "f.2")
    assert said == [
        f"Band 2 of {path} is 5 wherever it was looked at: nothing can be learned from it."
    ]
    bands[1] = 6
    write_tif(folder / "flat2.tif", bands)
    said.clear()
    opened(folder, [{"name": "f", "path": ["flat.tif", "flat2.tif"]}], warnings=said).close()
    assert said == []


def test_values_that_often_stand_for_missing_ones_are_told_of(folder):
    """With what to write; it is learned from, as it may be meant."""
    bands = np.random.default_rng(0).integers(0, 999, (2, 40, 50)).astype(np.int16)
    bands[1, 3, 3] = -32768
    path = write_tif(folder / "holes.tif", bands)
    said: list[str] = []
    opened(folder, [{"name": "h", "path": "holes.tif"}], warnings=said).close()
    assert said == [
        f"Band 2 of {path} holds -32768, which is learned from and often stands for missing "
        "values: if it does, set nodata = -32768 of the input h."
    ]
    said.clear()
    opened(folder, [{"name": "h", "path": "holes.tif", "nodata": -32768}], warnings=said).close()
    assert said == []


def test_stored_numbers_are_no_reflectances(folder):
    """An index with constants is told of once; one without is not."""
    said: list[str] = []
    image = {**IMAGE, "bands": {"red": 1, "nir": 2}}
    features = ["imagery.savi", "imagery.ndvi"]
    opened(folder, [image], features=features, warnings=said).close()
    assert len(said) == 1
    assert "imagery.savi is made for reflectances from 0 to 1, and the red band" in said[0]


def test_a_band_with_large_holes_is_told_of(folder):
    """Its cells are lost to all bands."""
    bands = np.random.default_rng(0).random((2, 40, 50)).astype(np.float32)
    bands[1, :20] = np.nan
    write_tif(folder / "half.tif", bands)
    said: list[str] = []
    opened(folder, [{"name": "h", "path": "half.tif"}], warnings=said).close()
    assert len(said) == 1
    assert "missing in 50% of the cells, which are left out" in said[0]


def test_rasters_of_other_places_are_refused(folder):
    """No overlap with the grid, or none where all are valid; no CRS."""
    write_tif(folder / "far.tif", make_terrain(20, 20), make_grid(20, 20, left=900_000))
    with pytest.raises(GridError, match=r"far\.tif lies outside the grid"):
        opened(folder, [DEM, {"name": "far", "path": "far.tif"}])
    east = make_terrain(40, 50)
    east[:, :25] = np.nan
    west = make_terrain(40, 50)
    west[:, 25:] = np.nan
    write_tif(folder / "east.tif", east)
    write_tif(folder / "west.tif", west)
    with pytest.raises(LabelsError, match="No cell is valid in all of a, b"):
        opened(folder, [{"name": "a", "path": "east.tif"}, {"name": "b", "path": "west.tif"}])
    grid = Grid(CRS.from_epsg(32633), Affine(30, 0, 5e5, 0, -30, 5e6), 20, 20)
    write_tif(folder / "nocrs.tif", make_terrain(20, 20), grid, crs=None)
    with pytest.raises(GridError, match=r'has no CRS: name one with crs, .* crs = "EPSG:32633"'):
        opened(folder, [{"name": "n", "path": "nocrs.tif"}])
    bad = make_terrain(40, 50)
    bad[3, 3] = -9999
    write_tif(folder / "bad.tif", bad)
    with pytest.raises(RasterError, match=r"give nodata = -9999, or nodata = nan if"):
        opened(folder, [{"name": "dem", "path": "bad.tif"}])
    opened(folder, [{"name": "dem", "path": "bad.tif", "nodata": -9999}]).close()


SETS = {
    "landcover_zion": ([{"name": "srtm", "path": "srtm.tif"}], {"like": "labels"}, 0.98),
    "glacier_exploradores": (
        [{"name": "dem", "path": "AST_L1A_00303182012144228_Z.tif"}], {}, 0.97
    ),
    "scene_olinda_unlabelled": (
        [{"name": "l7", "path": "L7_ETMs.tif"}, {"name": "dem", "path": "olinda_dem_utm25s.tif"}],
        {}, 0.99,
    ),
    "landcover_laselva_bitemporal": (
        [
            {"name": "l5", "dates": {"1986": "l5_sr_1986_b1234.tif",
                                     "2001": "l5_sr_2001_b1234.tif"}},
            {"name": "aster", "mosaic": ["aster_dem_east_named.tif", "aster_dem_west_named.tif"]},
        ],
        {}, 0.97,
    ),
    "landcover_oriximina_s2": (
        [{"name": "s2", "path": "sen2_12b.tif"}, {"name": "srtm", "path": "srtm.tif"}], {}, 0.99
    ),
    "soil_eberg": (
        [
            {"name": "g25", "path": "grid25m_4b.tif", "bands": [1, 3, 4]},
            {"name": "dem", "path": "grid100m_5b.tif", "bands": [1]},
            {"name": "zones", "path": "grid100m_5b.tif", "bands": [4, 5], "kind": "classes"},
        ],
        {}, 0.97,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_real_rasters_become_one_stack(shared, name):
    """Other CRS, other cells, halves, dates, codes: valid where they should be, slopes finite."""
    inputs, grid, share = SETS[name]
    config = config_of(inputs, name=name, grid=grid, labels={"path": "nlcd.tif"},
                       features=[*(one["name"] for one in inputs), "terrain.slope"])  # fmt: skip
    with open_scenes(config, shared, Path("nowhere")) as scenes:
        block = scenes.stacks[0].read(scenes.grids[0].window)
        assert block.valid.mean() > share
        slope = block.data[-1][block.valid]
        assert np.isfinite(slope).all()
        assert slope.min() >= 0
        assert slope.max() < 90
