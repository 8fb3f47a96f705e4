"""geotools.grid."""

import numpy as np
import pytest
from affine import Affine
from conftest import make_grid, make_lonlat_grid
from pyproj import Geod
from rasterio.crs import CRS

from geotools.errors import GridError
from geotools.grid import Grid, TileScheme, Window

WGS84 = Geod(ellps="WGS84")


@pytest.mark.parametrize("numbers", [(0, 0, 0, 5), (0, 0, 5, -1), (0.5, 0, 5, 5)])
def test_window_refuses_nonsense(numbers):
    """A window has whole, positive sizes."""
    with pytest.raises(GridError):
        Window(*numbers)


def test_window_intersection():
    """Overlap of windows, or None."""
    first, second = Window(-2, -3, 10, 10), Window(4, 5, 10, 10)
    assert first.intersection(second) == Window(4, 5, 4, 2)
    assert first.intersection(Window(8, 0, 1, 1)) is None


@pytest.mark.parametrize(
    "transform",
    [
        Affine(30, 1, 0, 1, -30, 0),
        Affine(30, 0, 0, 0, 30, 0),
        Affine(-30, 0, 0, 0, -30, 0),
        Affine(30, 0, float("nan"), 0, -30, 0),
        Affine(0, 0, 0, 0, -30, 0),
    ],
)
def test_grid_refuses_what_is_not_north_up(transform):
    """Rotated, south-up, mirrored, undefined and flat transforms are no grids."""
    with pytest.raises(GridError):
        Grid(CRS.from_epsg(32633), transform, 10, 10)


def test_grid_needs_crs_and_cells():
    """No CRS and no cells are refused."""
    with pytest.raises(GridError, match="--crs"):
        Grid(None, Affine(1, 0, 0, 0, -1, 0), 1, 1)
    with pytest.raises(GridError):
        make_grid(0, 5)


def test_equal_grids_hash_alike():
    """Grids are values."""
    assert make_grid() == make_grid()
    assert hash(make_grid()) == hash(make_grid())
    assert make_grid() != make_grid(61)


def test_cell_size_on_the_ellipsoid_is_the_geodesic():
    """Cell sizes in degrees become the distances that GeographicLib measures."""
    grid = make_lonlat_grid(5, 300, top=60.0)
    x_m, y_m = grid.cell_size_m()
    for row in (0, 137, 299):
        latitude = grid.transform.f + (row + 0.5) * grid.transform.e
        half = -grid.transform.e / 2
        *_, east = WGS84.inv(8, latitude, 8 + grid.transform.a, latitude)
        *_, north = WGS84.inv(8, latitude - half, 8, latitude + half)
        assert x_m[row] == pytest.approx(east, rel=1e-8)
        assert y_m[row] == pytest.approx(north, rel=1e-8)


def test_cell_size_does_not_depend_on_the_window():
    """The same row has the same size to the last bit, in a window that reaches beyond too."""
    grid = make_lonlat_grid(5, 300)
    whole = grid.cell_size_m()
    part = grid.cell_size_m(Window(-3, -20, 4, 200))
    for one, other in zip(whole, part, strict=True):
        assert np.array_equal(one[:180], other[20:])


def test_cell_size_in_feet_and_web_mercator():
    """Linear units become metres; Web Mercator is freed of its scale."""
    feet = make_grid(crs="EPSG:2225", cell=100)
    assert feet.cell_size_m()[0][0] == pytest.approx(100 * 1200 / 3937)
    mercator = make_grid(4, 4, crs="EPSG:3857", cell=10, left=0, top=8_399_737.9)  # 60° N
    *_, east = WGS84.inv(0, 60, 10 / 6378137 * 180 / np.pi, 60)
    assert mercator.cell_size_m()[0][0] == pytest.approx(east, rel=1e-4)


def test_cell_area_is_the_geodesic_area():
    """Cells of degrees have the area that GeographicLib measures."""
    grid = make_lonlat_grid(1, 200, top=70.0)
    area = grid.cell_area_m2()
    cell = grid.transform.a
    for row in (0, 199):
        top = grid.transform.f + row * grid.transform.e
        lons = np.concatenate([np.linspace(8, 8 + cell, 50), np.linspace(8 + cell, 8, 50)])
        lats = np.repeat([top - cell, top], 50)
        expected, _ = WGS84.polygon_area_perimeter(lons, lats)
        assert area[row] == pytest.approx(expected, rel=1e-6)
    assert make_grid(cell=30).cell_area_m2()[0] == 900
    mercator = make_grid(4, 4, crs="EPSG:3857", cell=60, left=0, top=8_399_737.9)  # 60° N
    assert mercator.cell_area_m2()[0] == pytest.approx(900, rel=0.01)


@pytest.mark.parametrize("multiple", [1, 8])
@pytest.mark.parametrize("margin", [0, 5, 37])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (63, 64), (65, 200), (300, 129)])
def test_tiles_cover_the_grid_once_with_one_shape(width, height, margin, multiple):
    """Every cell is written once, read with its halo; all reads have one shape."""
    grid = make_grid(width, height, left=500_013.0)
    scheme = TileScheme(64, margin=margin, stride_multiple=multiple)
    seen = np.zeros(grid.shape, int)
    tiles = list(scheme.tiles(grid))
    col_phase, row_phase = grid.phase(multiple)
    for tile in tiles:
        seen[tile.write.slices()] += 1
        assert tile.read.col_off <= tile.write.col_off - margin
        assert tile.read.row_off <= tile.write.row_off - margin
        assert tile.read.col_stop >= tile.write.col_stop + margin
        assert tile.read.row_stop >= tile.write.row_stop + margin
        assert (tile.read.col_off - col_phase) % multiple == 0
        assert (tile.read.row_off - row_phase) % multiple == 0
        assert tile.read.width % multiple == tile.read.height % multiple == 0
    assert (seen == 1).all()
    assert len({tile.read.shape for tile in tiles}) == 1
    assert len(tiles) == scheme.count(grid)


def test_last_tile_slides_back_into_the_raster():
    """A short last tile reads raster on its other side rather than emptiness."""
    *_, last = TileScheme(64, margin=4).tiles(make_grid(420, 64))
    assert last.write == Window(384, 0, 36, 64)
    assert last.read == Window(352, -4, 72, 72)


def test_few_tiles_are_equally_long():
    """A raster a little larger than a tile is halved, not read twice."""
    widths = [tile.write.width for tile in TileScheme(1024).tiles(make_grid(1201, 10))]
    assert widths == [608, 593]


@pytest.mark.parametrize("left", [0.0, 8.0, 7.99958333333333])
def test_phase_is_that_of_the_whole_in_every_cut(left):
    """Strides fall on the same cells in a raster and in any extent cut out of it."""
    cell = 1 / 1200
    grid = Grid(CRS.from_epsg(4326), Affine(cell, 0, left, 0, -cell, 47 + cell / 2), 500, 500)
    col, row = grid.phase(16)
    for cut_col, cut_row in [(1, 0), (17, 31), (250, 499)]:
        part = grid.cut(Window(cut_col, cut_row, 1, 1))
        assert part.phase(16) == ((col - cut_col) % 16, (row - cut_row) % 16)


def test_places_are_located_in_cells():
    """Left and upper edges belong to the cell, others to the next; outside is -1."""
    grid = make_grid(4, 3, cell=10.0, left=100.0, top=30.0)
    row, col = grid.locate(
        np.array([100.0, 110.0, 139.9, 140.0, 99.9, 120.0]),
        np.array([30.0, 20.0, 0.1, 5.0, 5.0, 0.0]),
    )
    assert row.tolist() == [0, 1, 2, -1, -1, -1]
    assert col.tolist() == [0, 1, 3, -1, -1, -1]


def test_longitudes_go_round():
    """A grid across 180 degrees finds places on both sides; a globe has no seam and no hole."""
    across = Grid(CRS.from_epsg(4326), Affine(0.5, 0, 178, 0, -0.5, 1), 8, 4)
    row, col = across.locate(np.array([178.0, 180.0, -179.5, -178.01, -177.9]), np.zeros(5))
    assert col.tolist() == [0, 4, 5, 7, -1]
    globe = Grid(CRS.from_epsg(4326), Affine(0.1, 0, -180, 0, -0.1, 90), 3600, 1800)
    east = np.array([-180.0, 180.0, np.nextafter(180, 0), 0.0, -0.1, 359.9])
    row, col = globe.locate(east, np.array([90.0, -90.0, 0.0, 0.0, 89.9, -89.95]))
    assert col.tolist() == [0, 0, 0, 1800, 1799, 1799]
    assert row.tolist() == [0, 1799, 900, 900, 1, 1799]


def test_edges_of_a_tenth_of_a_degree_are_exact():
    """A place written as 0.1 degrees falls into the cell that begins there."""
    globe = Grid(CRS.from_epsg(4326), Affine(0.1, 0, -180, 0, -0.1, 90), 3600, 1800)
    cols, rows = np.arange(3600), np.arange(3600) % 1800
    row, col = globe.locate(np.round(-180 + cols / 10, 1), np.round(90 - rows / 10, 1))
    assert np.array_equal(col, cols)
    assert np.array_equal(row, rows)
