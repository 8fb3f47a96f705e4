"""geotools.io.aligned, resampling and places: rasters on a grid that is asked for."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_grid, make_lonlat_grid, make_terrain, write_tif
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT

from geotools.errors import GeotoolsError, GridError, RasterError
from geotools.grid import Grid, Window
from geotools.io import resampling
from geotools.io.aligned import open_aligned
from geotools.io.geotiff import open_raster
from geotools.io.places import Places, covering, regrid
from geotools.io.resampling import METHODS, OF_CODES


def read_all(paths, grid, **options):
    with open_aligned(paths, grid, **options) as source:
        return source.read(source.grid.window)


def plane(grid: Grid, *, by_x: float = 0.25, by_y: float = -0.5) -> np.ndarray:
    """(rows, cols) a linear function of the place, at the centres of cells."""
    row, col = np.mgrid[: grid.height, : grid.width] + 0.5
    x, y = grid.transform @ (col, row)
    return by_x * (x - 500_000) + by_y * (y - 5_000_000)


def smaller(grid: Grid, cell: float, *, cols: int = 40, rows: int = 30, off: float = 7.0) -> Grid:
    """A grid of other cells inside another one."""
    t = grid.transform
    place = Affine(cell, 0, t.c + 5 * t.a + off, 0, -cell, t.f + 5 * t.e - off)
    return Grid(grid.crs, place, cols, rows)


def across(path) -> Grid:
    """Geographic cells over the middle of a raster, not square in metres."""
    with open_raster(path) as file:
        grid = regrid(file.grid, crs=CRS.from_epsg(4326))
    return Grid(grid.crs, grid.transform @ Affine.scale(1.3, 0.9), grid.width, grid.height)


@pytest.fixture
def holed(tmp_path):
    """A projected raster of two bands with holes, in small tiles."""
    z = np.stack([make_terrain(97, 133, seed=s) for s in (0, 1)]).astype(np.float32)
    z[0, 30:44, 50:71] = -9999
    z[1, 60:63, 5:120] = np.nan
    z = z.astype(np.float32)
    return write_tif(
        tmp_path / "z.tif", z, nodata=-9999.0, tiled=True, blockxsize=32, blockysize=48
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("where", ["finer", "coarser", "geographic"])
def test_windows_are_pieces_of_the_whole(holed, method, where, monkeypatch):
    """Any window, inside or beyond, from any thread, has the same bits as the whole."""
    monkeypatch.setattr(resampling, "_MAX_CELLS", 900)  # windows are cut into many pieces
    base = make_grid(133, 97)
    grid = {
        "finer": Grid(base.crs, base.transform @ Affine.scale(0.73, 0.61), 140, 120),
        "coarser": Grid(base.crs, base.transform @ Affine.scale(3.7, 2.9), 30, 31),
        "geographic": across(holed),
    }[where]
    rng = np.random.default_rng(0)
    windows = [
        Window(int(c), int(r), int(w), int(h))
        for c, r, w, h in zip(
            rng.integers(-9, grid.width - 2, 16), rng.integers(-9, grid.height - 2, 16),
            rng.integers(1, 60, 16), rng.integers(1, 60, 16), strict=True,
        )
    ]  # fmt: skip
    with open_aligned(holed, grid, resampling=method) as source, ThreadPoolExecutor(4) as pool:
        monkeypatch.undo()
        whole = source.read(grid.window)
        assert 0.3 < whole.valid.mean() < 1
        for window, part in zip(windows, pool.map(source.read, windows), strict=True):
            expected = whole.read(window)
            assert np.array_equal(part.valid, expected.valid)
            assert part.filled().tobytes() == expected.filled().tobytes()
            assert part.grid == grid.cut(window)


def by_gdal(path, grid: Grid, method: str) -> np.ndarray:
    """What GDAL's warper gives, NaN where nothing."""
    way = getattr(Resampling, {"median": "med"}.get(method, method))
    with rasterio.open(path) as file, WarpedVRT(
        file, crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height,
        resampling=way, nodata=-9999, tolerance=1e-5, XSCALE="1", YSCALE="1",
    ) as warped:  # fmt: skip
        values = warped.read(1)
    return np.where(values == -9999, np.nan, values)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic"])
@pytest.mark.parametrize("cell", [11.0, 30.0, 200.0])
def test_values_at_places_are_those_of_gdal(tmp_path, method, cell):
    """In another CRS, edges and holes included, as GDAL's warper without its approximations."""
    base = make_grid(120, 100)
    z = make_terrain(100, 120)
    z[40:60, 20:50] = -9999
    path = write_tif(tmp_path / "z.tif", z, base, nodata=-9999.0)
    grid = regrid(base, crs=CRS.from_epsg(32632), cell_size=cell)
    ours, theirs = read_all(path, grid, resampling=method), by_gdal(path, grid, method)
    assert (ours.valid == np.isfinite(theirs)).mean() > 0.9995
    off = np.abs(ours.data[0] - theirs)[ours.valid & np.isfinite(theirs)]
    assert (off > 1e-3).mean() < 2e-3  # beside holes GDAL takes a cubic value apart


@pytest.mark.parametrize("method", ["average", "mode", "min", "max"])
@pytest.mark.parametrize("factor", [2.5, 6.7])
def test_values_of_cells_are_those_of_gdal(tmp_path, method, factor):
    """In larger cells of the same CRS, as GDAL's warper: to rounding, or but for ties."""
    base = make_grid(120, 100)
    z = np.round(make_terrain(100, 120) / 60) * 60 if method == "mode" else make_terrain(100, 120)
    path = write_tif(tmp_path / "z.tif", z, base)
    grid = smaller(base, 30 * factor, cols=int(80 / factor), rows=int(70 / factor))
    ours, theirs = read_all(path, grid, resampling=method), by_gdal(path, grid, method)
    off = np.abs(ours.data[0] - theirs)
    assert (off > 1e-3).mean() <= (0.05 if method == "mode" else 0)


@pytest.mark.parametrize(
    ("method", "cell"), [("bilinear", 13.0), ("cubic", 13.0), ("bilinear", 70.0)]
)
def test_a_plane_stays_a_plane(tmp_path, method, cell):
    """Interpolation gives a linear surface back."""
    base = make_grid(120, 110)
    path = write_tif(tmp_path / "z.tif", plane(base), base)
    grid = smaller(base, cell, cols=int(3000 / cell), rows=int(2700 / cell))
    ours = read_all(path, grid, resampling=method)
    assert ours.valid.all()
    assert np.allclose(ours.data[0], plane(grid), atol=1e-6)


def test_heights_in_whole_metres_are_interpolated_to_fractions(tmp_path):
    """An integer raster has no terraces afterwards, and is float32."""
    base = make_grid(40, 30)
    z = np.arange(30 * 40, dtype=np.int16).reshape(30, 40)
    ours = read_all(write_tif(tmp_path / "z.tif", z, base), smaller(base, 7.0))
    assert ours.data.dtype == np.float32
    assert len(np.unique(ours.data)) > 1000


def test_average_keeps_the_mean(tmp_path):
    """Cells of 3 x 4 become their mean exactly, holes left out."""
    z = make_terrain(36, 44).astype(np.float64)
    z[0:3, 0:2] = -1
    base = make_grid(44, 36)
    path = write_tif(tmp_path / "z.tif", z, base, nodata=-1)
    grid = Grid(base.crs, base.transform @ Affine.scale(4, 3), 11, 12)
    ours = read_all(path, grid, resampling="average")
    z[z == -1] = np.nan
    expected = np.nanmean(z.reshape(12, 3, 11, 4), axis=(1, 3))
    assert ours.valid.all()
    assert np.allclose(ours.data[0], expected, rtol=1e-12)


def test_mode_takes_the_commonest_code_and_the_smallest_of_two(tmp_path):
    """Four cells under one: most, then smallest; a cell of which an eighth is known is invalid."""
    codes = np.array([[7, 7, 3, 9, 0, 0, 0, 0], [7, 2, 9, 3, 0, 0, 0, 5]], np.uint8)
    base = make_grid(8, 2)
    path = write_tif(tmp_path / "c.tif", codes, base, nodata=0)
    grid = Grid(base.crs, base.transform @ Affine.scale(2, 2), 4, 1)
    ours = read_all(path, grid, kind="classes", resampling="mode")
    assert ours.data.dtype == np.uint8
    assert ours.valid.tolist() == [[True, True, False, True]]
    assert ours.data[0, 0, [0, 1, 3]].tolist() == [7, 3, 5]


def test_median_is_weighted_by_area(tmp_path):
    """Of 1, 2, 9 under a cell that holds half of the last one, the median is 2."""
    base = make_grid(3, 1)
    path = write_tif(tmp_path / "m.tif", np.array([[1, 2, 9]], np.float32), base)
    grid = Grid(base.crs, base.transform @ Affine.scale(2.5, 1), 1, 1)
    assert read_all(path, grid, resampling="median").data.item() == 2
    assert read_all(path, grid, resampling="min").data.item() == 1
    assert read_all(path, grid, resampling="max").data.item() == 9
    assert read_all(path, grid, resampling="average").data.item() == pytest.approx(7.5 / 2.5)


def test_cells_on_the_same_places_are_read_as_they_are(holed):
    """An equal grid, one cut out of it, and one that differs by 1e-8 of a cell: the same bits."""
    with open_raster(holed) as file:
        whole, base = file.read(file.grid.window), file.grid
    for window in (base.window, Window(-5, 8, 50, 60)):
        for by in (0.0, 3e-7):
            place = base.transform @ Affine.translation(window.col_off + by, window.row_off)
            grid = Grid(base.crs, place, window.width, window.height)
            ours = read_all(holed, grid, resampling="cubic")
            expected = whole.read(window)
            assert ours.filled().tobytes() == expected.filled().tobytes()
            assert ours.grid == grid
    off = Grid(base.crs, base.transform @ Affine.translation(1e-3, 0), base.width, base.height)
    assert not np.array_equal(read_all(holed, off).filled(), whole.filled(), equal_nan=True)


def test_an_equal_crs_by_another_name_needs_no_warp(tmp_path):
    """UTM 33 N as an EPSG code and as a projection string are the same cells."""
    base = make_grid(30, 20)
    z = make_terrain(20, 30)
    path = write_tif(tmp_path / "z.tif", z, base)
    crs = CRS.from_string("+proj=utm +zone=33 +datum=WGS84 +units=m +no_defs +type=crs")
    ours = read_all(path, Grid(crs, base.transform, 30, 20), resampling="bilinear")
    assert np.array_equal(ours.data[0], z)


def test_nothing_that_is_missing_becomes_a_number(tmp_path):
    """Nodata, NaN, mask and what is outside are invalid, and no neighbour knows of them."""
    base = make_grid(30, 30)
    for name, missing, options in (
        ("nodata", -32768, {"nodata": -32768}), ("nan", np.nan, {}), ("zero", 0, {"nodata": 0}),
    ):  # fmt: skip
        z = np.full((30, 30), 100, np.int16 if np.isfinite(missing) else np.float32)
        z[10:20, 10:20] = missing
        path = write_tif(tmp_path / f"{name}.tif", z, base, **options)
        for method in METHODS:
            grid = Grid(base.crs, base.transform @ Affine.translation(-6, -6).scale(0.8), 60, 60)
            ours = read_all(path, grid, resampling=method)
            assert np.unique(ours.data[0][ours.valid]).tolist() == [100]
            share = ours.valid.sum() * 0.64
            assert share == pytest.approx(30 * 30 - 10 * 10, abs=45)


def test_a_mask_band_hides_cells(tmp_path):
    """What an internal mask hides stays hidden on other cells."""
    base = make_grid(20, 20)
    path = write_tif(tmp_path / "m.tif", np.full((20, 20), 8, np.uint8), base)
    mask = np.full((20, 20), 255, np.uint8)
    mask[:, :10] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    grid = Grid(base.crs, base.transform @ Affine.scale(0.5), 40, 40)
    ours = read_all(path, grid)
    assert not ours.valid[:, :20].any()
    assert ours.valid[:, 20:].all()


def test_scale_and_offset_are_applied_before_interpolation(tmp_path):
    """Stored 100 with scale 0.01 and offset 5 is 6, between cells too."""
    base = make_grid(20, 20)
    path = write_tif(tmp_path / "s.tif", np.full((20, 20), 100, np.int16), base)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.01,), (5.0,)
    ours = read_all(path, smaller(base, 11.0, cols=20, rows=20))
    assert np.allclose(ours.data[0][ours.valid], 6)


def test_a_south_up_raster_is_turned(tmp_path):
    """Rows that run north give the same numbers as rows that run south."""
    base = make_grid(40, 30)
    z = make_terrain(30, 40)
    straight = write_tif(tmp_path / "a.tif", z, base)
    left, bottom, _, _ = base.bounds
    turned = write_tif(
        tmp_path / "b.tif", z[::-1].copy(), base, transform=Affine(30, 0, left, 0, 30, bottom)
    )
    grid = smaller(base, 13.0)
    assert np.array_equal(read_all(straight, grid).filled(), read_all(turned, grid).filled(),
                          equal_nan=True)  # fmt: skip


def test_classes_are_never_mixed(tmp_path):
    """Codes stay codes by every way that is allowed, and the others are refused."""
    base = make_grid(40, 30)
    codes = np.random.default_rng(0).choice([2, 40, 200], (30, 40)).astype(np.uint8)
    path = write_tif(tmp_path / "c.tif", codes, base)
    for method in METHODS:
        grid = smaller(base, 41.0, cols=20, rows=15)
        if method in OF_CODES:
            found = read_all(path, grid, kind="classes", resampling=method)
            assert set(np.unique(found.data[0][found.valid])) <= {2, 40, 200}
        else:
            with pytest.raises(RasterError, match=f"{method} would mix"):
                read_all(path, grid, kind="classes", resampling=method)


def test_a_colour_table_says_that_values_are_classes(tmp_path):
    """A raster with a palette is read by nearest, and is no elevation."""
    base = make_grid(40, 30)
    path = tmp_path / "p.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=40, height=30, dtype="uint8", crs=base.crs,
        transform=base.transform,
    ) as dataset:  # fmt: skip
        dataset.write(np.full((1, 30, 40), 3, np.uint8))
        dataset.write_colormap(1, {3: (1, 2, 3, 255)})
        dataset.colorinterp = [ColorInterp.palette]
    with open_aligned(path, smaller(base, 90.0, cols=5, rows=5), resampling=None) as source:
        assert (source.kind, source.resampling) == ("classes", "nearest")
    with pytest.raises(RasterError, match="colour table"):
        open_aligned(path, base, kind="elevation")


@pytest.mark.parametrize(("cell", "kind", "expected"), [
    (29.0, "values", "bilinear"), (44.0, "values", "bilinear"), (46.0, "values", "average"),
    (10.0, "values", "bilinear"), (300.0, "classes", "nearest"), (300.0, "elevation", "average"),
])  # fmt: skip
def test_the_way_that_suits_is_chosen(tmp_path, cell, kind, expected):
    """Nearest for classes, average from 1.5 times the cell, else bilinear."""
    base = make_grid(60, 60)
    path = write_tif(tmp_path / "z.tif", make_terrain(60, 60), base)
    with open_aligned(path, smaller(base, cell, cols=3, rows=3), kind=kind, resampling=None) as s:
        assert s.resampling == expected


def test_the_first_valid_of_a_mosaic_counts(tmp_path):
    """Files in different CRS: the first where it is valid, then the next, with its own values."""
    base = make_grid(60, 40)
    z = plane(base).astype(np.float32)
    z[5:30, 3:25] = -9999
    first = write_tif(tmp_path / "a.tif", z, base, nodata=-9999.0)
    other = regrid(Grid(base.crs, base.transform @ Affine.translation(-10, -10), 90, 70),
                   crs=CRS.from_epsg(4326))  # fmt: skip
    second = write_tif(tmp_path / "b.tif", np.full(other.shape, 77, np.int16), other)
    grid = Grid(base.crs, base.transform, 80, 40)
    both = read_all([first, second], grid)
    alone = read_all(first, grid)
    assert both.valid.all()
    assert np.array_equal(both.data[0][alone.valid], alone.data[0][alone.valid])
    assert np.allclose(both.data[0][~alone.valid], 77)


def test_feet_become_metres_and_missing_heights_are_refused(tmp_path):
    """An elevation is in metres, by its unit or as told; -9999 that nobody declared is refused."""
    base = make_grid(20, 20)
    path = write_tif(tmp_path / "z.tif", np.full((20, 20), 1000, np.float32), base)
    grid = smaller(base, 13.0, cols=10, rows=10)
    assert np.allclose(read_all(path, grid, kind="elevation", z_factor=0.3048).data, 304.8)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ("ft",)
    assert np.allclose(read_all(path, grid, kind="elevation").data, 304.8)
    bad = np.full((20, 20), 1000, np.float32)
    bad[8, 8] = -9999
    with pytest.raises(RasterError, match="-9999"):
        read_all(write_tif(tmp_path / "bad.tif", bad, base), grid, kind="elevation")


def test_longitudes_go_round(tmp_path):
    """A raster from 0 to 360 degrees serves cells west of Greenwich, across the seam too."""
    crs = CRS.from_epsg(4326)
    world = Grid(crs, Affine(1, 0, 0, 0, -1, 90), 360, 180)
    z = np.broadcast_to(np.arange(360, dtype=np.float32), (180, 360)).copy()
    path = write_tif(tmp_path / "w.tif", z, world)
    west = Grid(crs, Affine(1, 0, -10, 0, -1, 20), 20, 10)
    ours = read_all(path, west, resampling="nearest")
    assert ours.valid.all()
    assert ours.data[0, 0].tolist() == [*range(350, 360), *range(10)]


@pytest.mark.parametrize("method", ["average", "median", "max", "bilinear"])
def test_a_cell_across_the_seam_is_not_the_whole_world(tmp_path, method):
    """A cell that lies on the raster's left and right edge at once takes what is under it."""
    crs = CRS.from_epsg(4326)
    world = Grid(crs, Affine(1, 0, 0, 0, -1, 90), 360, 180)
    lon = np.radians(np.arange(360) + 0.5)
    z = np.broadcast_to(np.cos(lon).astype(np.float32), (180, 360)).copy()
    path = write_tif(tmp_path / "w.tif", z, world)
    for left in (-11, -10.1, -12.4):
        west = Grid(crs, Affine(2.5, 0, left, 0, -2.5, 20), 9, 4)
        ours = read_all(path, west, resampling=method)
        assert ours.valid.all()
        assert ours.data.min() > 0.95


def test_a_raster_elsewhere_is_refused(tmp_path):
    """No overlap, no way between the CRS, no file: one sentence."""
    base = make_grid(20, 20)
    path = write_tif(tmp_path / "z.tif", make_terrain(20, 20), base)
    far = make_grid(20, 20, left=700_000)
    with pytest.raises(GridError, match=r"z\.tif lies outside the grid"):
        open_aligned(path, far)
    with pytest.raises(GridError, match=r"z\.tif lies outside the grid"):
        open_aligned(path, make_lonlat_grid())
    moon = CRS.from_wkt(
        'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],PRIMEM["Reference",0],'
        'UNIT["degree",0.0174532925199433]]'
    )
    with pytest.raises(
        GridError, match=r"No way leads .* \(Source and target .* same celestial body\)"
    ):
        open_aligned(path, Grid(moon, Affine(1, 0, 0, 0, -1, 10), 5, 5))
    with pytest.raises(RasterError, match="at least one"):
        open_aligned([], base)
    with pytest.raises(RasterError, match="nearest"):
        open_aligned(path, base, resampling="lanczos")


def test_a_raster_that_is_tiny_beside_the_grid_is_found(tmp_path):
    """Four cells in a grid of a continent, in another CRS."""
    base = make_grid(2, 2)
    path = write_tif(tmp_path / "z.tif", np.ones((2, 2), np.float32), base)
    wide = Grid(CRS.from_epsg(4326), Affine(0.0005, 0, -20, 0, -0.0005, 70), 120_000, 80_000)
    with open_aligned(path, wide, resampling="nearest") as source:
        with open_raster(path) as file:
            back = Places(file.grid, wide, "").at(np.array([1.0]), np.array([1.0]))
        col, row = int(back[0].item()), int(back[1].item())
        assert source.read(Window(col - 3, row - 3, 6, 6)).valid.any()


@pytest.mark.parametrize("crs", ["EPSG:32660", "EPSG:3413", "EPSG:4326", "EPSG:3857"])
def test_no_cell_is_missed_where_the_earth_goes_round(tmp_path, crs):
    """Beside the antimeridian and the pole, and in other CRS, all places are found."""
    world = Grid(CRS.from_epsg(4326), Affine(1, 0, -180, 0, -1, 90), 360, 180)
    path = write_tif(tmp_path / "w.tif", np.ones((180, 360), np.uint8), world)
    place = {
        "EPSG:32660": (20_000, 400_000, 7_000_000), "EPSG:3413": (100_000, -900_000, 900_000),
        "EPSG:4326": (0.5, 170, 80), "EPSG:3857": (50_000, 19_500_000, 8_000_000),
    }[crs]  # fmt: skip
    cell, left, top = place
    grid = Grid(CRS.from_string(crs), Affine(cell, 0, left, 0, -cell, top), 18, 18)
    assert read_all(path, grid).valid.all()
    back = write_tif(tmp_path / "b.tif", np.ones(grid.shape, np.uint8), grid)
    with open_aligned(back, world, resampling="nearest") as source:
        found = source.read(world.window).valid
    cols, rows = Places(world, grid, "").centres(world.window)
    inside = (cols >= 0) & (cols < 18) & (rows >= 0) & (rows < 18)
    assert inside.any()
    assert np.array_equal(found, inside)


def test_loops_are_kept_as_machine_code(tmp_path):
    """What the loops are called with can be taken by code that is kept on disk."""
    base = make_grid(40, 30)
    path = write_tif(tmp_path / "z.tif", make_terrain(30, 40), base)
    for grid in (smaller(base, 13.0), across(path)):
        for method in ("bilinear", "median"):
            read_all(path, grid, resampling=method)
    for loop in (resampling._between, resampling._under):
        assert loop.variants
        assert not any("?" in types for types in loop.variants)


def test_a_cell_of_a_billion_cells_is_refused(tmp_path, monkeypatch):
    """What would need all memory is refused in a sentence."""
    monkeypatch.setattr(resampling, "_MAX_UNDER", 2000)
    monkeypatch.setattr(resampling, "_MAX_CELLS", 100)
    base = make_grid(200, 200)
    path = write_tif(tmp_path / "z.tif", make_terrain(200, 200), base)
    with pytest.raises(RasterError, match="make it coarser first"):
        read_all(path, smaller(base, 3000.0, cols=1, rows=1), resampling="average")


def test_another_crs_and_cell_size_cover_the_same_place():
    """Edges on multiples of the cell size; no cell of the old grid is left out."""
    base = make_grid(61, 41, left=500_013.0)
    fine = regrid(base, cell_size=25)
    assert (fine.transform.a, fine.transform.e) == (25, -25)
    assert fine.transform.c % 25 == 0
    assert fine.transform.f % 25 == 0
    geographic = regrid(base, crs=CRS.from_epsg(4326))
    cols, rows = Places(base, geographic, "").at(np.array([0.0, 61.0]), np.array([0.0, 41.0]))
    assert cols.min() > -1e-6
    assert cols.max() < geographic.width + 1e-6
    assert rows.min() > -1e-6
    assert rows.max() < geographic.height + 1e-6
    assert 0.6 < geographic.width * geographic.height / (61 * 41) < 1.6
    with pytest.raises(GridError, match="larger cell size"):
        regrid(base, cell_size=1e-6)
    with pytest.raises(GridError, match="smaller cell size"):
        regrid(base, cell_size=1e6)


def test_a_mosaic_covers_all_its_files():
    """The first grid's cells go on over the second."""
    first, second = make_grid(10, 10), make_grid(10, 10, left=500_290.0, top=4_999_900.0)
    grid = covering([(first, "a"), (second, "b")])
    assert grid.transform == first.transform
    assert (grid.width, grid.height) == (20, 14)
    with pytest.raises(GridError, match="too far apart"):
        covering([(first, "a"), (make_grid(10, 10, left=900_000.0, top=0.0), "b")])


def test_odd_files_are_read_or_refused(shared):
    """Every awkward raster comes onto a grid of its own, other cells, or is refused in words."""
    read, refused = 0, []
    for path in sorted((shared / "awkward_dev").glob("*.tif")):
        try:
            with open_raster(path) as file:
                grid = file.grid
            half = Grid(grid.crs, grid.transform @ Affine.scale(0.61, 0.67),
                        min(grid.width, 200), min(grid.height, 200))  # fmt: skip
            with open_aligned(path, half, resampling=None) as source:
                whole = source.read(half.window)
                part = Window(half.width // 3, half.height // 4, 17, 11)
                assert np.array_equal(
                    source.read(part).filled(), whole.read(part).filled(), equal_nan=True
                )
            read += 1
        except GeotoolsError as error:
            refused.append((path.name, str(error)))
    assert all(name in message for name, message in refused)
    assert read > 30
