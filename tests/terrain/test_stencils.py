"""Attributes of the neighbouring cells: plane, cone and saddle, gdaldem, GRASS, gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geotools.grid import Grid
from geotools.terrain.attributes import ATTRIBUTES, attributes

STENCILS = [name for name, a in ATTRIBUTES.items() if a.kind == "stencil"]
METHODS = ("horn", "zevenbergen-thorne")
UTM = Affine(30, 0, 400_000, 0, -30, 6_500_000)


def values(z, x_m, y_m, *names, **options):
    """The attributes without the outermost ring: (len(names), rows - 2, cols - 2)."""
    return attributes(z.astype(np.float32), x_m, y_m, names, **options)[:, 1:-1, 1:-1]


@pytest.mark.parametrize("method", METHODS)
def test_plane_has_one_slope_one_aspect_and_no_curvature(coordinates, method):
    east, north = coordinates(20, 30, 20, 40)
    slope, aspect, northness, eastness, light, *bends = values(
        0.3 * east - 0.4 * north, 20, 40, "slope", "aspect", "northness", "eastness", "hillshade",
        "profile_curvature", "plan_curvature", "tangential_curvature", "mean_curvature",
        method=method,
    )  # fmt: skip
    assert slope == pytest.approx(math.degrees(math.atan(0.5)), abs=1e-4)
    assert aspect == pytest.approx(math.degrees(math.atan2(-0.3, 0.4)) + 360, abs=1e-3)
    assert northness == pytest.approx(0.8, abs=1e-5)
    assert eastness == pytest.approx(-0.6, abs=1e-5)
    for bend in bends:
        assert bend == pytest.approx(0, abs=1e-6)
    azimuth, altitude = math.radians(315), math.radians(45)
    normal = np.array([-0.3, 0.4, 1]) / math.sqrt(1.25)
    sun = [math.sin(azimuth) * math.cos(altitude), math.cos(azimuth) * math.cos(altitude), 0]
    sun[2] = math.sin(altitude)
    assert light == pytest.approx(1 + 254 * float(normal @ sun), abs=1e-3)


def test_slope_in_percent_and_radians_and_feet(coordinates):
    east, _ = coordinates(9, 9, 30, 30)
    z = 0.5 * east
    assert values(z, 30, 30, "slope", slope_unit="percent") == pytest.approx(50, abs=1e-4)
    assert values(z, 30, 30, "slope", slope_unit="radians") == pytest.approx(math.atan(0.5))
    feet = values(z / 0.3048, 30, 30, "slope", slope_unit="percent", z_factor=0.3048)
    assert feet == pytest.approx(50, abs=1e-4)


def test_level_ground_faces_nowhere():
    z = np.full((6, 6), 12.0)
    slope, aspect, northness, eastness, bend = values(
        z, 30, 30, "slope", "aspect", "northness", "eastness", "plan_curvature"
    )
    assert (slope == 0).all()
    assert np.isnan(aspect).all()
    assert (northness == 0).all()
    assert (eastness == 0).all()
    assert (bend == 0).all()


@pytest.mark.parametrize(("east_of", "north_of", "degrees"), [(0, -1, 0), (-1, 0, 90), (0, 1, 180)])
def test_aspect_is_clockwise_from_north(coordinates, east_of, north_of, degrees):
    east, north = coordinates(7, 7, 10, 10)
    assert (values(east_of * east + north_of * north, 10, 10, "aspect") == degrees).all()


@pytest.mark.parametrize("method", METHODS)
def test_cone_is_straight_downhill_and_round_across(coordinates, method):
    """Slope atan g; profile 0; plan 1/r; tangential g / (r sqrt(1 + g2)); convex is positive."""
    east, north = coordinates(241, 241, 1, 1)
    r = np.hypot(east, north)
    g = 0.5
    slope, profile, plan, tangential, mean = values(
        100 - g * r, 1, 1, "slope", "profile_curvature", "plan_curvature",
        "tangential_curvature", "mean_curvature", method=method,
    )  # fmt: skip
    r = r[1:-1, 1:-1]
    far = r > 60
    across = g / math.sqrt(1 + g * g)
    assert slope[far] == pytest.approx(math.degrees(math.atan(g)), abs=0.01)
    assert np.abs(profile[far]).max() < 5e-4
    assert (plan * r)[far] == pytest.approx(1, abs=0.02)
    assert (tangential * r)[far] == pytest.approx(across, abs=0.01)
    assert (mean * r)[far] == pytest.approx(across / 2, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_saddle_bends_up_one_way_and_down_the_other(coordinates, method):
    """On z = a (x2 - y2), zxx = 2 a and zyy = -2 a: mean curvature 0 at the pass."""
    east, north = coordinates(41, 41, 10, 10)
    a = 1e-3
    profile, tangential, mean = values(
        a * (east**2 - north**2), 10, 10, "profile_curvature", "tangential_curvature",
        "mean_curvature", method=method,
    )  # fmt: skip
    assert mean[19, 19] == pytest.approx(0, abs=1e-8)
    p2 = (2 * a * 100) ** 2  # 100 m east of the pass, uphill
    assert profile[19, 29] == pytest.approx(-2 * a / (1 + p2) ** 1.5, rel=1e-4)
    assert tangential[19, 29] == pytest.approx(2 * a / (1 + p2) ** 0.5, rel=1e-4)
    assert profile[29, 19] == pytest.approx(2 * a / (1 + p2) ** 1.5, rel=1e-4)


def test_ruggedness_of_one_raised_cell():
    z = np.zeros((5, 5))
    z[2, 2] = 3
    tri, wilson, roughness = values(z, 30, 30, "tri", "tri_wilson", "roughness")
    assert tri[1, 1] == pytest.approx(math.sqrt(8 * 9))
    assert tri[0, 0] == pytest.approx(3)
    assert wilson[1, 1] == pytest.approx(3)
    assert wilson[0, 0] == pytest.approx(3 / 8)
    assert (roughness == 3).all()


def test_geographic_plane_has_one_slope_at_every_latitude():
    """A rise of 10 % towards east is 10 % in each row, wide cells or narrow."""
    grid = Grid(CRS.from_epsg(4326), Affine(0.01, 0, 8, 0, -0.01, 70), 12, 900)
    x, y = grid.cell_size_m()
    z = (0.1 * np.arange(12) * x[:, None]).astype(np.float32)
    middle = attributes(z, x, y, ["slope"], slope_unit="percent", method="zevenbergen-thorne")
    eastward = attributes(z, x, np.full(900, 1e9), ["slope"], slope_unit="percent")
    assert eastward[0, 1:-1, 1:-1] == pytest.approx(10, abs=0.01)
    assert middle[0, 1:-1, 1] == pytest.approx(10, abs=0.02)


GDALDEM = [
    ("slope", (), "slope", {}),
    ("slope", ("-alg", "ZevenbergenThorne"), "slope", {"method": "zevenbergen-thorne"}),
    ("aspect", (), "aspect", {}),
    ("TRI", (), "tri", {}),
    ("TRI", ("-alg", "Wilson"), "tri_wilson", {}),
    ("roughness", (), "roughness", {}),
]


@pytest.mark.parametrize(("mode", "switches", "name", "options"), GDALDEM)
def test_values_and_gaps_are_those_of_gdaldem(
    gdaldem, write_dem, rough, mode, switches, name, options
):
    z = rough(120, 150, seed=1)
    theirs = gdaldem(mode, write_dem(z, UTM), *switches)
    ours = attributes(z, 30, 30, [name], **options)[0]
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    gap = np.abs(ours - theirs)
    gap = np.minimum(gap, 360 - gap) if name == "aspect" else gap
    assert np.nanmax(gap) < 1e-4


def test_slope_of_a_real_dem_is_that_of_gdaldem(gdaldem, shared):
    path = shared / "dem" / "msh_2000_10m.tif"
    with rasterio.open(path) as file:
        z = file.read(1)
    ours = attributes(z, 10, 10, ["slope"])[0]
    assert np.nanmax(np.abs(ours - gdaldem("slope", path))) < 1e-4


@pytest.mark.parametrize(("azimuth", "altitude", "z_factor"), [(315, 45, 1), (200, 30, 2)])
def test_hillshade_is_that_of_gdaldem_before_rounding(
    gdaldem, write_dem, rough, azimuth, altitude, z_factor
):
    z = rough(100, 120, seed=2)
    switches = ("-az", str(azimuth), "-alt", str(altitude), "-z", str(z_factor))
    theirs = gdaldem("hillshade", write_dem(z, UTM), *switches)
    ours = attributes(
        z, 30, 30, ["hillshade"], azimuth_deg=azimuth, altitude_deg=altitude, z_factor=z_factor
    )[0]
    assert np.nanmax(np.abs(ours - theirs)) < 0.51


def test_edges_are_continued_as_gdaldem_does(gdaldem, write_dem, rough):
    """At the raster's edge, away from its four corners, where gdaldem repeats a column."""
    z = np.nan_to_num(rough(60, 70, seed=4), nan=800.0)
    theirs = gdaldem("slope", write_dem(z, UTM), "-compute_edges")
    ours = attributes(z, 30, 30, ["slope"], edges=True)[0]
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        theirs[corner] = ours[corner]
    assert np.abs(ours - theirs).max() < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_edges_and_voids_of_a_plane_get_its_slope(coordinates, method):
    east, north = coordinates(20, 20, 30, 30)
    z = (0.25 * east + 0.5 * north).astype(np.float32)
    z[5, 5] = z[9:13, 9:13] = np.nan
    got = attributes(z, 30, 30, ["slope"], edges=True, method=method, slope_unit="percent")[0]
    assert np.array_equal(np.isnan(got), np.isnan(z))
    assert got[~np.isnan(z)] == pytest.approx(100 * math.hypot(0.25, 0.5), abs=1e-3)


def test_slope_and_curvature_are_those_of_grass(grass, write_dem, rough):
    """r.slope.aspect: profile and tangential curvature with the same sign, factor 1."""
    z = rough(100, 120, seed=5)
    commands = ["r.slope.aspect elevation=dem slope=s pcurvature=p tcurvature=t --quiet"]
    theirs = grass(write_dem(z, UTM), commands, ["s", "p", "t"])
    ours = attributes(z, 30, 30, ["slope", "profile_curvature", "tangential_curvature"])
    for mine, other, limit in zip(ours, theirs, (1e-3, 1e-5, 1e-5), strict=True):
        assert np.array_equal(np.isnan(mine), other == -9999)
        steep = ~np.isnan(mine) & (ours[0] > 0.05)  # GRASS calls less steep ground level
        assert np.abs(mine - other)[steep].max() < limit


def test_geographic_slope_is_that_of_grass(grass, write_dem, rough):
    z = rough(100, 120, seed=6)
    transform = Affine(1 / 1200, 0, 8, 0, -1 / 1200, 56.5)
    path = write_dem(z, transform, "EPSG:4326")
    (theirs,) = grass(path, ["r.slope.aspect elevation=dem slope=s --quiet"], ["s"])
    x, y = Grid(CRS.from_epsg(4326), transform, 120, 100).cell_size_m()
    ours = attributes(z, x, y, ["slope"])[0]
    assert np.array_equal(np.isnan(ours), theirs == -9999)
    assert np.nanmax(np.abs(ours - np.where(theirs == -9999, np.nan, theirs))) < 1e-3


@pytest.mark.parametrize("edges", [False, True])
def test_a_void_touches_its_neighbours_alone(rough, edges):
    z = np.nan_to_num(rough(40, 50, seed=7), nan=800.0)
    holed = z.copy()
    holed[20, 25] = np.nan
    near = np.zeros(z.shape, bool)
    near[19:22, 24:27] = True
    before = attributes(z, 30, 30, STENCILS, edges=edges)
    after = attributes(holed, 30, 30, STENCILS, edges=edges)
    assert np.array_equal(before[:, ~near], after[:, ~near], equal_nan=True)
    assert np.isnan(after[:, 20, 25]).all()
    if not edges:
        assert np.isnan(after[:, near]).all()


@pytest.mark.parametrize("options", [{}, {"edges": True, "method": "zevenbergen-thorne"}])
def test_columns_are_computed_alike_wherever_they_are(rough, options):
    """Loops go by strips of columns; where one ends must not be seen."""
    z = rough(12, 1100, seed=9)
    whole = attributes(z, 30, 40, STENCILS, **options)
    for first, last in ((0, 300), (200, 512), (500, 530), (511, 1025), (1000, 1100)):
        left, right = max(first - 1, 0), min(last + 1, 1100)
        part = attributes(z[:, left:right], 30, 40, STENCILS, **options)
        inner = part[:, :, first - left : part.shape[2] - (right - last)]
        assert np.array_equal(inner, whole[:, :, first:last], equal_nan=True)
