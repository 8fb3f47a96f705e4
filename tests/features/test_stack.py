"""geotools.features.stack, surface and opening: rasters as features."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_grid, make_lonlat_grid, make_raster, make_terrain, write_tif
from rasterio.crs import CRS

from geotools.errors import ConfigError, GridError, ModelError, RasterError
from geotools.features.opening import open_stack
from geotools.features.stack import FeatureStack
from geotools.grid import Grid, TileScheme, Window
from geotools.imagery.indices import index
from geotools.io.places import regrid
from geotools.spec import SourceInfo
from geotools.terrain.attributes import ATTRIBUTES, attributes

DEM = SourceInfo("dem", ("1",), (1,), 1, role="elevation")
IMAGE = SourceInfo("s2", ("red", "nir"), (1, 2), 2)
TERRAIN = tuple(f"terrain.{name}" for name in ATTRIBUTES)


def dem_with_holes(rows, cols, grid=None):
    z = make_terrain(rows, cols)
    valid = np.ones(z.shape, bool)
    valid[rows // 3 : rows // 3 + 9, cols // 4 : cols // 4 + 7] = False
    valid[5, 5] = False
    return make_raster(z, grid, valid)


def random_windows(grid, count=24, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        col, row = int(rng.integers(-30, grid.width)), int(rng.integers(-30, grid.height))
        yield Window(col, row, int(rng.integers(1, 90)), int(rng.integers(1, 90)))


@pytest.mark.parametrize("grid", [make_grid(190, 170), make_lonlat_grid(190, 170)])
def test_windows_are_pieces_of_the_whole(grid):
    """Every attribute, with radii in cells and metres: the same bits whatever window or thread."""
    radii = ["tpi@300m", "dev@3", "dev@70", "relief@7", "positive_openness@900m"]
    names = [*TERRAIN, *(f"terrain.{name}" for name in radii), "dem"]
    stack = FeatureStack([(DEM, dem_with_holes(170, 190, grid))], names)
    whole = stack.read(grid.window)
    windows = list(random_windows(grid))
    with ThreadPoolExecutor(3) as pool:
        for window, part in zip(windows, pool.map(stack.read, windows), strict=True):
            expected = whole.read(window)
            assert np.array_equal(part.valid, expected.valid)
            for name, ours, theirs in zip(names, part.data, expected.filled(), strict=True):
                ours = np.where(part.valid, ours, np.nan)
                assert ours.tobytes() == theirs.tobytes(), name
            assert part.bands == tuple(names)


def test_a_raster_cut_out_has_the_same_features():
    """Away from the cut, whatever row and column it begins at."""
    z = make_terrain(260, 300)
    grid = make_grid(300, 260)
    names = ["terrain.slope", "terrain.tpi@5", "terrain.dev@8", "terrain.positive_openness@9"]
    whole = FeatureStack([(DEM, make_raster(z, grid))], names).read(grid.window)
    cut = Window(37, 51, 200, 180)
    part = make_raster(z[cut.slices()], grid.cut(cut))
    ours = FeatureStack([(DEM, part)], names).read(Window(20, 20, 160, 140))
    expected = whole.read(Window(57, 71, 160, 140))
    assert np.array_equal(ours.data[:2], expected.data[:2])
    assert np.array_equal(ours.data[3], expected.data[3])
    # Blocks lie alike in both, but those at the cut hold other cells; the mean differs by 1e-5 sd.
    assert np.allclose(ours.data[2], expected.data[2], atol=1e-4)


def test_terrain_features_are_those_of_the_attributes():
    """As `attributes` with edges, every one; no cell is lost at edges and voids."""
    raster = dem_with_holes(80, 90)
    stack = FeatureStack([(DEM, raster)], TERRAIN)
    ours = stack.read(raster.grid.window)
    x_m, y_m = raster.grid.cell_size_m()
    expected = attributes(raster.filled()[0], x_m, y_m, list(ATTRIBUTES), edges=True)
    for name, band, wanted in zip(ATTRIBUTES, ours.data, expected, strict=True):
        assert np.allclose(band, wanted, atol=1e-4 if name == "dev" else 0, equal_nan=True), name
        if name != "aspect":
            assert np.isfinite(band[ours.valid]).all(), name
    assert np.array_equal(ours.valid, raster.valid)


def test_a_plane_has_its_slope_at_every_cell():
    """20 % to the east, corners included."""
    z = np.broadcast_to(6.0 * np.arange(40, dtype=np.float32), (30, 40)).copy()
    stack = FeatureStack([(DEM, make_raster(z))], ["terrain.slope", "terrain.eastness"])
    slope, eastness = stack.read(stack.grid.window).data
    assert np.allclose(slope, np.degrees(np.arctan(0.2)), atol=1e-4)
    assert np.allclose(eastness, -1)


def test_a_radius_in_metres_is_as_many_cells():
    """300 m are ten cells of 30 m, and the nearest number of others."""
    raster = dem_with_holes(60, 70)
    stack = FeatureStack(
        [(DEM, raster)], ["terrain.tpi@300m", "terrain.tpi@10", "terrain.tpi@0.31km"]
    )
    first, second, third = stack.read(stack.grid.window).data
    assert np.array_equal(first, second, equal_nan=True)
    assert np.array_equal(first, third, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [("terrain.dev@20m", "0.67 cells of 30 m: give 30 to 15000 m"),
     ("terrain.dev@90km", "3e.03 cells of 30 m: give 30 to 15000 m")],
)  # fmt: skip
def test_a_radius_that_does_not_fit_the_cells_is_refused(name, words):
    """Less than a cell, or hundreds of them."""
    with pytest.raises(ConfigError, match=words):
        FeatureStack([(DEM, dem_with_holes(60, 70))], [name])


def test_indices_take_the_bands_of_their_date():
    """Each date has its own; NaN where 0 / 0, and the cell stays valid."""
    info = SourceInfo("l5", ("red", "nir"), (1, 2), 2, dates=("1986", "2001"))
    rng = np.random.default_rng(0)
    dates = [make_raster(rng.integers(0, 3, (2, 20, 30)).astype(np.uint8)) for _ in range(2)]
    stack = FeatureStack([(info, dates)], ["imagery.ndvi", "l5.nir@2001"])
    ours = stack.read(stack.grid.window)
    assert stack.bands == ("imagery.ndvi@1986", "imagery.ndvi@2001", "l5.nir@2001")
    for band, raster in zip(ours.data[:2], dates, strict=True):
        red, nir = raster.data
        assert np.array_equal(band, index("ndvi", {"red": red, "nir": nir}), equal_nan=True)
    assert np.isnan(ours.data[:2]).any()
    assert ours.valid.all()


def test_a_cell_is_valid_where_all_sources_are():
    """What one lacks, the stack lacks; the features of the other stay."""
    first, second = dem_with_holes(30, 40), make_raster(np.ones((2, 30, 40), np.uint8))
    second.valid[:, :11] = False
    stack = FeatureStack([(DEM, first), (IMAGE, second)])
    ours = stack.read(stack.grid.window)
    assert np.array_equal(ours.valid, first.valid & second.valid)
    assert np.isnan(ours.data[1:, :, :11]).all()
    assert np.isfinite(ours.data[0][first.valid]).all()
    assert (ours.data.dtype, stack.elevation) == (np.float32, 0)


def test_every_source_is_read_once_a_window():
    """However many features are taken from it."""
    calls = []

    class Counting:
        def __init__(self, raster):
            self.raster, self.grid, self.bands = raster, raster.grid, raster.bands

        def read(self, window):
            calls.append(window)
            return self.raster.read(window)

    dem, image = Counting(dem_with_holes(60, 70)), Counting(make_raster(np.ones((2, 60, 70))))
    names = ["dem", *TERRAIN, "s2", "imagery.ndvi", "terrain.tpi@20"]
    FeatureStack([(DEM, dem), (IMAGE, image)], names).read(Window(20, 20, 10, 10))
    assert len(calls) == 2


def test_sources_that_do_not_fit_are_refused():
    """Another grid, too few bands, a date too few, none at all."""
    raster = dem_with_holes(30, 40)
    with pytest.raises(RasterError, match="s2 is on another grid than dem"):
        FeatureStack([(DEM, raster), (IMAGE, make_raster(np.ones((2, 30, 41))))])
    with pytest.raises(RasterError, match=r"s2 needs 2 bands \(red, nir\), and 1"):
        FeatureStack([(IMAGE, raster)])
    dated = SourceInfo("dem", ("1",), (1,), 1, dates=("1986", "2001"))
    with pytest.raises(RasterError, match="needs 2 rasters, one for each date, and 1"):
        FeatureStack([(dated, raster)])
    with pytest.raises(RasterError, match="at least one"):
        FeatureStack([])


@pytest.fixture
def scene(tmp_path):
    """A DEM, and an image of three bands in another CRS, with names."""
    base = make_grid(60, 50)
    dem = write_tif(tmp_path / "dem.tif", make_terrain(50, 60), base)
    other = regrid(base, crs=CRS.from_epsg(4326))
    rng = np.random.default_rng(0)
    values = rng.integers(1, 200, (3, *other.shape)).astype(np.uint8)
    image = write_tif(tmp_path / "image.tif", values, other)
    with rasterio.open(image, "r+") as dataset:
        dataset.descriptions = ("Red", "other", "NIR")
    return dem, image, values


def test_bands_are_found_by_name_then_number_then_order(scene, tmp_path):
    """As the file says; else as in training; else there must be just as many."""
    _, image, values = scene
    info = SourceInfo("s2", ("red", "nir"), (1, 2), 5)
    with open_stack([[image]], [info], ["s2"]) as stack:  # by name, not by number
        assert np.array_equal(stack.read(stack.grid.window).data, values[[0, 2]])
    grid = make_grid(values.shape[2], values.shape[1])
    plain = write_tif(tmp_path / "plain.tif", values, grid)
    with open_stack([[plain]], [SourceInfo("s2", ("red", "nir"), (3, 2), 3)], ["s2"]) as stack:
        assert np.array_equal(stack.read(stack.grid.window).data, values[[2, 1]])
    two = write_tif(tmp_path / "two.tif", values[:2], grid)
    with open_stack([[two]], [SourceInfo("s2", ("red", "nir"), (4, 8), 12)], ["s2"]) as stack:
        assert np.array_equal(stack.read(stack.grid.window).data, values[:2])
    with pytest.raises(RasterError, match=r"plain\.tif has 3 bands .* s2 needs red, nir: give"):
        open_stack([[plain]], [SourceInfo("s2", ("red", "nir"), (4, 8), 12)], ["s2"])


def test_the_cells_are_those_of_the_first_raster_or_as_told(scene):
    """All others are brought onto them."""
    dem, image, _ = scene
    infos, names = [DEM, IMAGE], ["dem", "terrain.slope", "imagery.ndvi"]
    with open_stack([[dem], [image]], infos, names) as stack:
        assert stack.grid == make_grid(60, 50)
        block = stack.read(stack.grid.window)
        assert block.valid.mean() > 0.95
        assert set(stack.files) == {str(dem), str(image)}
        for tile in TileScheme(17).tiles(stack.grid):
            part = stack.read(tile.write)
            assert np.array_equal(part.data, block.data[:, *tile.write.slices()], equal_nan=True)
    small = make_grid(20, 10, cell=60.0)
    with open_stack([[dem], [image]], infos, names, grid=small) as stack:
        assert stack.grid == small
        assert stack.read(small.window).valid.all()


def test_a_mosaic_is_one_source_on_cells_that_cover_it(tmp_path):
    """Two halves of an elevation model have the slope of the whole."""
    z = make_terrain(40, 80)
    base = make_grid(80, 40)
    left = write_tif(tmp_path / "l.tif", z[:, :45], base.cut(Window(0, 0, 45, 40)))
    right = write_tif(tmp_path / "r.tif", z[:, 40:], base.cut(Window(40, 0, 40, 40)))
    whole = FeatureStack([(DEM, make_raster(z, base))], ["dem", "terrain.slope"])
    with open_stack([[left, right]], [DEM], ["dem", "terrain.slope"]) as stack:
        assert stack.grid == base
        ours = stack.read(base.window)
    assert np.array_equal(ours.data, whole.read(base.window).data)


def test_what_is_kept_is_what_is_read():
    """Windows of a stack that keeps its cells, inside and beyond, are those of one that does not;
    sources are read once.
    """
    raster = dem_with_holes(300, 290)
    names = ["dem", "terrain.slope", "terrain.dev", "terrain.tpi@300m"]
    plain, kept = (FeatureStack([(DEM, raster)], names) for _ in range(2))
    kept.keep()
    with ThreadPoolExecutor(3) as pool:
        windows = list(random_windows(plain.grid, 40))
        for window, ours in zip(windows, pool.map(kept.read, windows), strict=True):
            expected = plain.read(window)
            assert ours.filled().tobytes() == expected.filled().tobytes()
            assert np.array_equal(ours.valid, expected.valid)
            assert (ours.grid, ours.bands) == (expected.grid, expected.bands)
    before = kept.read(plain.grid.window).data
    raster.data[:] = 0
    assert np.array_equal(kept.read(plain.grid.window).data, before, equal_nan=True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"bands": ()}, ModelError), ({"numbers": ()}, ModelError), ({"numbers": (0,)}, ModelError),
        ({"numbers": (10**12,)}, RasterError), ({"resampling": "lanczos"}, RasterError),
        ({"kind": "things", "role": "other"}, RasterError), ({"bands": ("a", "b")}, ModelError),
        ({"z_factor": float("nan")}, RasterError),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_be_is_refused(scene, changed, error):
    """What a model file says of its sources is checked before it is used."""
    with pytest.raises(error):
        open_stack([[scene[0]]], [replace(DEM, **changed)], ["dem"])


def test_the_wrong_number_of_rasters_is_said(scene):
    """Which are needed, and in what order."""
    dem, image, _ = scene
    with pytest.raises(RasterError, match="2 sources are needed, dem, s2, and 1 are given"):
        open_stack([[dem]], [DEM, IMAGE], ["dem"])
    dated = SourceInfo("l5", ("red", "nir"), (1, 3), 3, dates=("1986", "2001"))
    with pytest.raises(RasterError, match=r"l5 at 2 dates \(1986, 2001\), and 1 rasters are"):
        open_stack([[image]], [dated], ["l5"])
    far = Grid(CRS.from_epsg(32633), Affine(30, 0, 9e5, 0, -30, 4e6), 10, 10)
    with pytest.raises(GridError, match=r"dem\.tif lies outside the grid"):
        open_stack([[dem]], [DEM], ["dem"], grid=far)
