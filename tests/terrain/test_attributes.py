"""Every attribute: its entry in the table, tiles, threads, voids, refusals, light import."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.terrain.attributes import ATTRIBUTES, attributes, reach

ALL = list(ATTRIBUTES)
EXACT = [name for name in ALL if name != "dev"]  # dev: see test_windows


def test_table_holds_what_a_band_needs():
    for name, attribute in ATTRIBUTES.items():
        assert attribute.name == name
        assert attribute.description
        assert attribute.unit in ("", "m", "1/m", "degrees")


@pytest.mark.parametrize("name", ALL)
def test_one_by_one_is_the_same_as_together(rough, name):
    z = rough(50, 60, seed=1)
    together = attributes(z, 30, 30, ALL, radius=4)
    assert together.dtype == np.float32
    alone = attributes(z, 30, 30, [name], radius=4)[0]
    assert np.array_equal(alone, together[ALL.index(name)], equal_nan=True)


@pytest.mark.parametrize("method", ["horn", "zevenbergen-thorne"])
@pytest.mark.parametrize("edges", [False, True])
def test_tiles_with_halo_give_the_same_bits(rough, method, edges):
    z = rough(90, 120, seed=2)
    x, y = np.linspace(28, 30, 90), np.linspace(30, 31, 90)
    options = {"method": method, "edges": edges, "radius": 3, "unit_m": 30.0}
    whole = attributes(z, x, y, EXACT, **options)
    halo = reach(EXACT, radius=3, x_m=x, y_m=y, unit_m=30.0)
    rng = np.random.default_rng(0)
    for _ in range(10):
        top, left = rng.integers(0, 70), rng.integers(0, 100)
        bottom, right = top + rng.integers(1, 21), left + rng.integers(1, 21)
        r, c = max(top - halo, 0), max(left - halo, 0)
        rows = slice(r, bottom + halo)
        tile = attributes(z[rows, c : right + halo], x[rows], y[rows], EXACT, **options)
        inner = tile[:, top - r : bottom - r, left - c : right - c]
        assert np.array_equal(inner, whole[:, top:bottom, left:right], equal_nan=True)


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_part_is_the_same_as_in_the_whole(rough, edges, threads):
    """With `inner` the result has those cells alone, in an array that may be given."""
    z = rough(40, 700, seed=7)  # more than one strip
    options = {"edges": edges, "radius": 3, "threads": threads}
    whole = attributes(z, 30, 30, EXACT, **options)
    for inner in ((slice(3, 37), slice(5, 690)), (slice(None), slice(0, 1)), (slice(39, 40),) * 2):
        room = np.empty(whole[:, *inner].shape, np.float32)
        part = attributes(z, 30, 30, EXACT, inner=inner, out=room, **options)
        assert part is room
        assert np.array_equal(part, whole[:, *inner], equal_nan=True)
    with pytest.raises(RasterError, match="cannot take it"):
        attributes(z, 30, 30, EXACT, out=np.empty((1, 40, 700), np.float32))


def test_threads_do_not_change_the_values(rough):
    z = rough(70, 50, seed=3)
    one = attributes(z, 30, 30, EXACT, radius=3, threads=1)
    assert np.array_equal(one, attributes(z, 30, 30, EXACT, radius=3, threads=4), equal_nan=True)


def test_invalid_cells_stay_invalid_and_reach_no_farther_than_reach(rough):
    z = np.nan_to_num(rough(60, 60, seed=4), nan=800.0)
    holed = z.copy()
    holed[30, 30] = np.nan
    before, after = (attributes(a, 30, 30, EXACT, radius=5) for a in (z, holed))
    assert np.isnan(after[:, 30, 30]).all()
    halo = reach(EXACT, radius=5)
    far = np.ones(z.shape, bool)
    far[30 - halo : 31 + halo, 30 - halo : 31 + halo] = False
    assert np.array_equal(before[:, far], after[:, far], equal_nan=True)
    rays_and_windows = [i for i, n in enumerate(EXACT) if ATTRIBUTES[n].kind != "stencil"]
    assert np.isnan(after[rays_and_windows]).sum() == len(rays_and_windows)


def test_raster_of_one_cell_or_of_voids_has_no_stencil_values():
    for z in (np.ones((1, 1), np.float32), np.full((5, 5), np.nan, np.float32)):
        stencils = [n for n in ALL if ATTRIBUTES[n].kind == "stencil"]
        assert np.isnan(attributes(z, 30, 30, stencils)).all()
        assert attributes(z, 30, 30, ALL, edges=True).shape == (len(ALL), *z.shape)


def test_elevation_is_left_as_it_was(rough):
    z = rough(30, 30, seed=5)
    kept = z.copy()
    attributes(z, 30, 30, ALL, z_factor=2.0, edges=True)
    assert np.array_equal(z, kept, equal_nan=True)


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["steepness"], {}, "'steepness' is unknown"),
        ([], {}, "no list"),
        ("slope", {}, "no list"),
        (["slope", "slope"], {}, "repeat"),
        (["slope"], {"method": "evans"}, "'evans' is unknown"),
        (["slope"], {"slope_unit": "gon"}, "'gon' is unknown"),
        (["slope"], {"z_factor": 0.0}, "z factor of 0"),
        (["tpi"], {"radius": 0}, "Radius 0"),
    ],
)
def test_what_cannot_be_is_refused(names, options, words):
    with pytest.raises(RasterError, match=words):
        attributes(np.zeros((5, 5), np.float32), 30, 30, names, **options)


def test_code_is_compiled_once_whatever_the_arrays(rough):
    from geotools.terrain import geomorphons, windows

    z, x = rough(20, 24, seed=6), np.full(20, 30.0)
    z.flags.writeable = x.flags.writeable = False
    for sizes in ((30, 30.0), (x, x.tolist())):
        geomorphons.geomorphons(z[:, ::2], *sizes, flat_distance=0)
        geomorphons.geomorphons(z, *sizes, flat_distance=2.5)
        attributes(z, *sizes, ["tpi", "dev", "relief"], radius=2)
    for loop in (
        geomorphons._forms_of_rows, windows._moments_of_rows, windows._add_highest_of_rows,
    ):  # fmt: skip
        assert len(loop.variants) == 1


def test_a_second_process_does_not_load_the_compiler():
    code = (
        "import sys, numpy as np; from geotools.terrain.attributes import attributes;"
        "from geotools.terrain.geomorphons import geomorphons;"
        "z = np.zeros((5, 5), np.float32);"
        "attributes(z, 30, 30, ['slope', 'tpi', 'relief', 'positive_openness']);"
        "geomorphons(z, 30, 30);"
        "sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    )
    for _ in range(2):  # the first may have to compile
        last = subprocess.run([sys.executable, "-c", code], check=False)
    assert last.returncode == 0
