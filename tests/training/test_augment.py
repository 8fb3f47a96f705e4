"""Warped training tiles: what moves, what turns, what stays exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geotools.grid import Window
from geotools.terrain.attributes import attributes
from geotools.training.augment import Augmenter
from geotools.training.sections import AugmentConfig
from geotools.training.warps import Warp

OFF = {"rotate": False, "flip": False, "shift": 0.0, "shear": 0.0, "zoom": 0.0, "noise": 0.0}
DIRECTIONS = ("terrain.aspect", "terrain.northness", "terrain.eastness")


def make(features=("dem",), categories=(), **config) -> Augmenter:
    scale = np.ones(len(features), np.float32)
    return Augmenter(features, categories, AugmentConfig(**{**OFF, **config}), scale=scale)


def turned(degrees: float, *, flip: bool = False, zoom: float = 1.0, ratio: float = 1.0) -> Warp:
    angle = math.radians(degrees)
    side = -zoom if flip else zoom
    matrix = (
        (zoom * math.cos(angle), -side * math.sin(angle)),
        (zoom * math.sin(angle), side * math.cos(angle)),
    )
    return Warp(matrix, whole=False, ratio=ratio)


def warped(augmenter: Augmenter, warp: Warp, block, size: int, cells=None):
    cells = np.full(block.shape[1:], -1) if cells is None else cells
    return augmenter.apply(warp, block, cells, size, np.random.default_rng(0))


def angle_between(one, other) -> np.ndarray:
    return np.abs((one - other + 180) % 360 - 180)


def test_nothing_switched_on_is_the_exact_tile():
    features = ("dem", "land", *DIRECTIONS)
    augmenter = make(features, (1,))
    rng = np.random.default_rng(3)
    block = rng.normal(0, 100, (5, 16, 16)).astype(np.float32)
    block[2] %= 360
    block[:, 3, 4] = np.nan
    cells = np.arange(256).reshape(16, 16)
    warp = augmenter.draw(rng)
    assert augmenter.window(warp, 107.5, 52.5, 16) == Window(45, 100, 16, 16)
    tile, nearest = augmenter.apply(warp, block, cells, 16, rng)
    np.testing.assert_array_equal(tile, block)
    np.testing.assert_array_equal(nearest, cells)


@pytest.mark.parametrize("size", [15, 16])
def test_four_quarter_turns_are_the_exact_tile(size):
    augmenter = make(("dem", "terrain.northness", "terrain.eastness"))
    start = np.random.default_rng(1).normal(0, 1, (3, size, size)).astype(np.float32)
    block, cells = start, np.arange(size * size).reshape(size, size)
    for _ in range(4):
        block, cells = warped(augmenter, turned(90), block, size, cells)
    np.testing.assert_array_equal(block[0], start[0])
    np.testing.assert_allclose(block[1:], start[1:], atol=1e-6)
    np.testing.assert_array_equal(cells, np.arange(size * size).reshape(size, size))


def test_a_quarter_turn_is_numpys():
    block = np.random.default_rng(1).normal(0, 1, (1, 9, 9)).astype(np.float32)
    tile, _ = warped(make(), turned(90), block, 9)
    np.testing.assert_array_equal(tile[0], np.rot90(block[0], -1))


def test_a_flip_mirrors_values_and_directions():
    rng = np.random.default_rng(2)
    block = np.stack([rng.normal(0, 1, (8, 8)), rng.uniform(0, 360, (8, 8))]).astype(np.float32)
    augmenter = make(("dem", "terrain.aspect"))
    tile, _ = warped(augmenter, Warp(((1.0, 0.0), (0.0, -1.0))), block, 8)
    np.testing.assert_array_equal(tile[0], block[0][:, ::-1])
    assert angle_between(tile[1], 360 - block[1][:, ::-1]).max() < 1e-3
    tile, _ = warped(augmenter, Warp(((-1.0, 0.0), (0.0, 1.0))), block, 8)
    assert angle_between(tile[1], 180 - block[1][::-1]).max() < 1e-3


@pytest.mark.parametrize(
    "warp",
    [
        turned(37),
        turned(200, flip=True, zoom=0.8),
        Warp(((1.0, 0.3), (0.0, 1.0)), (0.2, -0.3), whole=False),
        Warp(((0.7, 0.4), (-0.5, 1.1)), whole=False),
    ],
)
def test_aspect_of_a_warped_plane_is_the_warped_aspect(warp):
    """A plane's DEM warped and its aspect taken again equals its aspect features warped."""
    row, col = np.mgrid[:90, :90]
    elevation = (500 + 3.1 * row - 7.7 * col).astype(np.float32)
    bands = attributes(elevation, 30.0, 30.0, [name.partition(".")[2] for name in DIRECTIONS])
    augmenter = make(("dem", *DIRECTIONS))
    window = augmenter.window(warp, 45, 45, 30)
    block = np.concatenate([elevation[None], bands])[:, *window.slices()]
    tile, _ = warped(augmenter, warp, block, 30)
    again = attributes(tile[0], 30.0, 30.0, [name.partition(".")[2] for name in DIRECTIONS])
    inner = np.s_[2:-2, 2:-2]
    assert np.isfinite(again[0][inner]).all()
    assert angle_between(tile[1], again[0])[inner].max() < 0.05
    np.testing.assert_allclose(tile[2:][:, *inner], again[1:][:, *inner], atol=1e-3)


def test_cells_that_are_not_square_are_turned_in_metres():
    """A cone stays a cone: distances from its top are the same in metres after any turn."""
    row, col = np.mgrid[:121, :121] - 60.0
    x, y = 20.0, 30.0
    cone = (1000 - np.hypot(col * x, row * y)).astype(np.float32)
    aspect = np.rad2deg(np.arctan2(col * x, -row * y)) % 360
    block = np.stack([cone, aspect]).astype(np.float32)
    augmenter = make(("dem", "terrain.aspect"))
    warp = turned(33, ratio=x / y)
    rows, cols = warp.shape(41)
    top, left = (121 - rows) // 2, (121 - cols) // 2
    tile, _ = warped(augmenter, warp, block[:, top : top + rows, left : left + cols], 41)
    away = np.s_[:15, :]
    assert np.abs(tile[0] - cone[40:81, 40:81])[away].max() < 1.0
    assert angle_between(tile[1], aspect[40:81, 40:81])[away].max() < 0.5


def test_cells_and_codes_are_those_of_the_nearest_cell():
    rng = np.random.default_rng(5)
    block = rng.integers(1, 9, (1, 70, 70)).astype(np.float32)
    cells = np.arange(70 * 70).reshape(70, 70)
    tile, nearest = warped(make(("land",), (0,)), turned(31, zoom=0.9), block, 40, cells)
    assert (nearest >= 0).all()
    np.testing.assert_array_equal(tile[0], block[0].ravel()[nearest])


def test_nothing_outside_the_block_or_invalid_becomes_valid():
    block = np.full((1, 20, 20), 7.0, np.float32)
    block[0, 5:9, 5:9] = np.nan
    cells = np.where(np.isnan(block[0]), -1, 1)
    tile, nearest = warped(make(), turned(45), block, 40, cells)
    np.testing.assert_array_equal(np.isnan(tile[0]), nearest < 0)
    assert np.isnan(tile).any()
    assert np.unique(tile[0][nearest == 1]).tolist() == [7.0]  # invalid cells have no weight


def test_aspects_on_both_sides_of_north_meet_in_the_north():
    block = np.full((1, 12, 12), 350.0, np.float32)
    block[0, :, 6:] = 10.0
    warp = Warp(shift=(0.0, 0.25 / 8), whole=False)
    tile, _ = warped(make(("terrain.aspect",)), warp, block, 8)
    assert angle_between(tile, 0.0).max() < 10.001


def test_half_of_a_direction_is_never_rotated():
    augmenter = make(("terrain.northness",), rotate=True, flip=True, shear=0.3, zoom=0.2)
    block = np.full((1, 64, 64), 0.5, np.float32)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(20):
        warp = augmenter.draw(rng)
        (_, b), (c, _) = warp.matrix
        assert b == c == 0
        tile, _ = warped(augmenter, warp, block, 32)
        seen |= set(np.unique(tile[np.isfinite(tile)]).tolist())
    assert seen == {-0.5, 0.5}


def test_the_window_holds_all_that_is_sampled():
    augmenter = make(rotate=True, flip=True, shift=0.4, shear=0.5, zoom=0.5)
    rng = np.random.default_rng(4)
    for _ in range(60):
        warp = augmenter.draw(rng, ratio=0.7)
        window = augmenter.window(warp, 100.3, 40.6, 24)
        block = np.ones((1, *window.shape), np.float32)
        tile, nearest = warped(augmenter, warp, block, 24, np.zeros(window.shape, int))
        assert np.isfinite(tile).all()
        assert (nearest == 0).all()


def test_half_of_the_tiles_are_crisp():
    augmenter = make(rotate=True, flip=True, shift=0.1, shear=0.1, zoom=0.1)
    values = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    known, rng, crisp = set(values.ravel().tolist()), np.random.default_rng(8), 0
    for _ in range(40):
        warp = augmenter.draw(rng)
        window = augmenter.window(warp, 100, 100, 32)
        block = values[None, window.row_off : window.row_stop, window.col_off : window.col_stop]
        tile, _ = warped(augmenter, warp, block, 32)
        crisp += set(tile.ravel().tolist()) <= known
    assert 10 <= crisp <= 30


def test_noise_has_the_size_that_is_asked_for():
    augmenter = Augmenter(
        ("dem", "land"), (1,), AugmentConfig(**{**OFF, "noise": 0.1}),
        scale=np.array([50.0, 3.0], np.float32),
    )  # fmt: skip
    tile, _ = warped(augmenter, Warp(), np.ones((2, 200, 200), np.float32), 200)
    assert abs(tile[0].std() - 5.0) < 0.1
    assert (tile[1] == 1).all()


def test_features_are_dropped_but_never_all():
    augmenter = make(("a", "b", "c"), drop_bands=0.9)
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(100):
        tile, _ = augmenter.apply(
            Warp(), np.ones((3, 4, 4), np.float32), np.zeros((4, 4), int), 4, rng
        )
        counts.append(int(np.isnan(tile[:, 0, 0]).sum()))
    assert max(counts) == 2
    assert 1.5 < np.mean(counts) < 2.0


def test_the_same_seed_draws_the_same():
    augmenter = make(rotate=True, shift=0.1, zoom=0.1, shear=0.1)
    one, other = (augmenter.draw(np.random.default_rng(7)) for _ in range(2))
    assert one == other
