"""Geomorphons: closed forms, the plain definition, r.geomorphon, WhiteboxTools, tiles."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geotools.errors import RasterError
from geotools.grid import Grid
from geotools.terrain import _definition
from geotools.terrain import geomorphons as module
from geotools.terrain.geomorphons import DIALECTS, FORMS, geomorphons, reach, search_unit

NAME = {form.code: form.name for form in FORMS}

SETTINGS = [
    {"search": 3},
    {"search": 10},
    {"search": 17, "skip": 3, "flat_deg": 2.0},
    {"search": 14, "skip": 1, "flat_deg": 3.0, "flat_distance": 5.0},
]


def by_definition(monkeypatch, *args, **options):
    """Forms by the plain loops, cell by cell."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "_forms_of_rows", _definition.forms_by_definition)
        return geomorphons(*args, **options)


def uneven(rows):
    """Cell sizes that differ from row to row, as on a geographic grid: two (rows,) float64."""
    return np.linspace(19.0, 23.0, rows), np.linspace(30.0, 30.1, rows)


def test_ten_forms_with_the_codes_and_colours_of_r_geomorphon():
    assert [form.code for form in FORMS] == list(range(1, 11))
    assert NAME[2] == "peak"
    assert NAME[10] == "pit"
    assert FORMS[8].color == "#0000ff"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hill_is_a_peak_in_the_middle_and_upside_down_a_pit(coordinates, dialect):
    east, north = coordinates(41, 41, 30, 30)
    hill = (-1e-3 * (east**2 + north**2)).astype(np.float32)
    assert NAME[geomorphons(hill, 30, 30, dialect=dialect)[20, 20]] == "peak"
    assert NAME[geomorphons(-hill, 30, 30, dialect=dialect)[20, 20]] == "pit"


def test_cone_is_a_peak_but_to_the_grass_rule_its_even_rays_are_ties(coordinates):
    east, north = coordinates(41, 41, 32, 32)
    cone = (-0.25 * np.maximum(np.abs(east), np.abs(north))).astype(np.float32)
    assert NAME[geomorphons(cone, 32, 32, dialect="paper")[20, 20]] == "peak"
    assert NAME[geomorphons(cone, 32, 32, dialect="grass")[20, 20]] != "peak"


def test_round_back_is_a_ridge_and_upside_down_a_valley(coordinates):
    east, _ = coordinates(41, 41, 30, 30)
    back = (-1e-3 * east**2).astype(np.float32)
    assert NAME[geomorphons(back, 30, 30)[20, 20]] == "ridge"
    assert NAME[geomorphons(-back, 30, 30)[20, 20]] == "valley"


def test_saddle_has_two_ways_up_and_two_down(coordinates):
    east, north = coordinates(41, 41, 30, 30)
    saddle = (1e-3 * (east**2 - north**2)).astype(np.float32)
    assert NAME[geomorphons(saddle, 30, 30)[20, 20]] == "slope"  # 2 lower, 2 higher, 4 level


@pytest.mark.parametrize("dialect", DIALECTS)
def test_level_ground_is_flat_to_the_edge(dialect):
    assert (geomorphons(np.full((30, 30), 7.0, np.float32), 30, 30, dialect=dialect) == 1).all()


def test_slope_that_steepens_is_a_slope(coordinates):
    east, _ = coordinates(41, 41, 30, 30)
    bent = (0.3 * east + 1e-4 * east * east).astype(np.float32)
    assert NAME[geomorphons(bent, 30, 30)[20, 20]] == "slope"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("whole", [False, True])
def test_fast_loops_give_the_plain_definition(rough, monkeypatch, dialect, options, whole):
    z = rough(90, 620, seed=3, whole=whole)
    for sizes in ((30.0, 30.0), (25.0, 40.0), uneven(90)):
        got = geomorphons(z, *sizes, dialect=dialect, **options)
        want = by_definition(monkeypatch, z, *sizes, dialect=dialect, **options)
        assert np.array_equal(got, want)
        assert ((got == 0) == np.isnan(z)).all()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("cols", [1279, 1281, 2700])
def test_strips_of_columns_are_not_seen(rough, monkeypatch, dialect, cols):
    """Loops go by strips of 1280 columns or less; long rays cross several voids."""
    z = rough(24, cols, seed=11, whole=True)
    options = {"search": 40, "skip": 2, "flat_distance": 11.0, "dialect": dialect}
    got = geomorphons(z, 30, 30, **options)
    assert np.array_equal(got, by_definition(monkeypatch, z, 30, 30, **options))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tiles_with_halo_give_the_same_forms(rough, dialect):
    z = rough(100, 130, seed=5, whole=True)
    x, y = uneven(100)
    options = {"search": 9, "skip": 1, "dialect": dialect}
    unit = search_unit(x, y)
    whole = geomorphons(z, x, y, **options)
    halo = reach(9, x_m=x, y_m=y, dialect=dialect)
    rng = np.random.default_rng(0)
    for _ in range(20):
        top, left = rng.integers(0, 80), rng.integers(0, 110)
        bottom, right = top + rng.integers(1, 21), left + rng.integers(1, 21)
        r, c = max(top - halo, 0), max(left - halo, 0)
        rows, cols = slice(r, bottom + halo), slice(c, right + halo)
        tile = geomorphons(z[rows, cols], x[rows], y[rows], unit_m=unit, **options)
        inner = tile[top - r : bottom - r, left - c : right - c]
        assert np.array_equal(inner, whole[top:bottom, left:right])


def test_threads_do_not_change_the_forms(rough):
    z = rough(150, 90, seed=6)
    one = geomorphons(z, 30, 30, threads=1)
    assert np.array_equal(one, geomorphons(z, 30, 30, threads=3))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"search": 0}, "Search radius 0"),
        ({"search": 5, "skip": 5}, "Skip radius 5"),
        ({"flat_deg": 0.0}, "Flatness threshold 0"),
        ({"search": 5, "flat_distance": 9.0}, "Flatness distance 9"),
        ({"dialect": "saga"}, "'saga' is unknown"),
        ({"unit_m": -1.0}, "-1.0 m"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, words):
    with pytest.raises(RasterError, match=words):
        geomorphons(np.zeros((9, 9), np.float32), 30, 30, **options)


def test_arrays_that_cannot_be_are_refused():
    with pytest.raises(RasterError, match="shape"):
        geomorphons(np.zeros((2, 9, 9), np.float32), 30, 30)
    with pytest.raises(RasterError, match="9 rows"):
        geomorphons(np.zeros((9, 9), np.float32), np.ones(8), 30)
    with pytest.raises(RasterError, match="positive"):
        geomorphons(np.zeros((9, 9), np.float32), 30, 0)


def grass_forms(grass, path, options):
    """Forms by r.geomorphon, one array for each of the options."""
    commands = [
        f"r.geomorphon elevation=dem forms=forms{i} search={o['search']} skip={o.get('skip', 0)} "
        f"flat={o.get('flat_deg', 1)} dist={o.get('flat_distance', 0)} --quiet"
        for i, o in enumerate(options)
    ]
    return grass(path, commands, [f"forms{i}" for i in range(len(options))])


def without_last_row(z):
    """The raster as r.geomorphon 8.2 sees it: no ray reaches the last row."""
    seen = z.copy()
    seen[-1] = np.nan
    return seen


@pytest.mark.parametrize("whole", [False, True])
def test_projected_forms_are_those_of_r_geomorphon_everywhere(grass, write_dem, rough, whole):
    z = rough(150, 180, seed=7, whole=whole)
    path = write_dem(z, Affine(30, 0, 400_000, 0, -30, 6_500_000))
    for options, theirs in zip(SETTINGS, grass_forms(grass, path, SETTINGS), strict=True):
        ours = geomorphons(without_last_row(z), 30, 30, **options)
        given = theirs != -9999
        frame = options.get("skip", 0) + 1  # r.geomorphon leaves these empty
        assert given[frame:-frame, frame:-frame].sum() == given.sum()
        assert np.array_equal(ours[given], theirs[given])
        inner = np.zeros(z.shape, bool)
        inner[frame : -options["search"] - 1, frame:-frame] = True
        ours = geomorphons(z, 30, 30, **options)
        assert np.array_equal(ours[given & inner], theirs[given & inner])


def test_forms_of_a_real_dem_are_those_of_r_geomorphon(grass, shared):
    path = shared / "dem" / "msh_2000_10m.tif"
    with rasterio.open(path) as file:
        z = file.read(1).astype(np.float32)
    for options, theirs in zip(SETTINGS, grass_forms(grass, path, SETTINGS), strict=True):
        ours = geomorphons(without_last_row(z), 10, 10, **options)
        assert np.array_equal(ours[theirs != -9999], theirs[theirs != -9999])


def test_geographic_forms_are_those_of_r_geomorphon(grass, write_dem, rough):
    """All but the ties, which the rounding of GRASS 8.2's geodesic distance (1e-6) decides."""
    z = rough(150, 180, seed=8)
    transform = Affine(1 / 1200, 0, 8, 0, -1 / 1200, 46.5)
    path = write_dem(z, transform, "EPSG:4326")
    x, y = Grid(CRS.from_epsg(4326), transform, 180, 150).cell_size_m()
    for options, theirs in zip(SETTINGS, grass_forms(grass, path, SETTINGS), strict=True):
        ours = geomorphons(without_last_row(z), x, y, **options)
        given = theirs != -9999
        assert (ours[given] != theirs[given]).sum() <= 1


def test_whitebox_dialect_is_that_of_whitebox_tools(write_dem, rough, tmp_path):
    tools = pytest.importorskip("whitebox_workflows", reason="whitebox-workflows not installed")
    z = rough(120, 140, seed=9)
    z = np.where(np.isnan(z), np.float32(700), z)
    path = write_dem(z, Affine(30, 0, 400_000, 0, -30, 6_500_000))
    environment = tools.WbEnvironment()
    environment.working_directory = str(tmp_path)
    dem = environment.read_raster(path.name)
    for options in ({"search": 5}, {"search": 12, "flat_deg": 2.0}):
        theirs = environment.geomorphons(
            dem,
            search_distance=options["search"],
            flatness_threshold=options.get("flat_deg", 1.0),
            flatness_distance=0,
            skip_distance=0,
            output_forms=True,
        )
        environment.write_raster(theirs, "forms.tif")
        with rasterio.open(tmp_path / "forms.tif") as file:
            forms = file.read(1)
        inner = np.s_[
            options["search"] : -options["search"], options["search"] : -options["search"]
        ]
        ours = geomorphons(z, 30, 30, dialect="whitebox", **options)
        assert np.array_equal(ours[inner], forms[inner])
