"""split_cells: nothing that belongs together is torn apart, and every class can be learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine
from conftest import make_grid, make_lonlat_grid
from split_cases import CASES, cells_of, make_cells, split

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.training.labels.cells import Cells
from geotools.training.splits.ground import places_m
from geotools.training.splits.splitting import Split


def owner(case: str, cells: Cells, found: Split) -> np.ndarray:
    """What may not be torn apart."""
    if case == "raster":
        return cells.scene.astype(np.int64)
    if case in ("polygons", "group", "list"):
        return cells.group.astype(np.int64)
    if case == "time":
        return np.unique(cells.time, return_inverse=True)[1]
    return found.unit


@pytest.mark.parametrize("case", CASES)
def test_a_round_tears_nothing_apart_and_every_cell_is_tested_at_most_once(case: str) -> None:
    cells = cells_of(case)
    found = split(cells, **CASES[case])
    unit = owner(case, cells, found)
    tested = np.zeros(len(cells), int)
    for number, one in enumerate(found.rounds):
        parts = [set(unit[index]) for index in (one.train, one.validation, one.test)]
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
        assert all(parts)
        tested[one.test] += 1
        assert (found.fold[one.test] == number).all()
        assert set(cells.target[one.train]) == {0, 1, 2}
        index = np.concatenate([one.train, one.validation, one.test])
        assert len(np.unique(index)) == len(index)
    assert tested.max() == 1
    assert np.array_equal(tested > 0, found.fold >= 0)
    if case not in ("time", "list"):
        assert (tested == 1).all()


@pytest.mark.parametrize("case", CASES)
def test_a_split_is_fixed_by_its_seed_and_not_by_the_order_of_the_cells(case: str) -> None:
    cells = cells_of(case)
    found = split(cells, seed=5, **CASES[case])
    order = np.random.default_rng(0).permutation(len(cells))
    other = split(cells.take(order), seed=5, **CASES[case])
    assert found.title == other.title
    assert np.array_equal(found.fold[order], other.fold)
    for one, same in zip(found.rounds, other.rounds, strict=True):
        for part in ("train", "validation", "test"):
            assert set(order[getattr(same, part)]) == set(getattr(one, part))
    if case not in ("time", "raster", "list"):
        assert not np.array_equal(found.fold, split(cells, seed=6, **CASES[case]).fold)


def test_folds_have_about_the_same_share_of_every_class() -> None:
    cells = make_cells()
    for kind in ("blocks", "random"):
        found = split(cells, kind=kind, size_m=200.0)
        shares = np.array(
            [np.bincount(cells.target[one.test], minlength=3) for one in found.rounds]
        ) / np.bincount(cells.target)
        assert np.abs(shares - 0.2).max() < 0.04


def test_values_are_dealt_out_by_their_size() -> None:
    cells = make_cells()
    value = (cells.col * 1.0 + cells.target).astype(np.float32)
    valued = Cells(
        cells.scene, cells.row, cells.col, value, cells.group, cells.x, cells.y, cells.time
    )
    found = split(valued, classes=(), kind="blocks", size_m=200.0)
    means = [value[one.test].mean() for one in found.rounds]
    assert np.ptp(means) < 0.15 * np.ptp(value)


def test_cells_of_all_scenes_at_one_place_are_in_one_fold() -> None:
    cells = make_cells(scenes=2)
    half = len(cells) // 2
    for kind in ("blocks", "polygons"):
        if kind == "polygons":
            group = np.where(cells.scene == 0, cells.col // 5, 100 + cells.col // 7)
            cells = Cells(
                cells.scene, cells.row, cells.col, cells.target, group.astype(np.int32), cells.x,
                cells.y, cells.time,
            ).take((cells.col % 35 < 5) & (cells.row < 80))  # fmt: skip
            half = len(cells) // 2
        found = split(cells, kind=kind, grids=(make_grid(120, 80),) * 2)
        assert np.array_equal(found.fold[:half], found.fold[half:])


def shifted(cells: Cells, scene: int, x: float, y: float) -> Cells:
    """The same cells as those of another scene, so many metres off."""
    return Cells(
        np.full_like(cells.scene, scene), cells.row, cells.col, cells.target,
        cells.group + np.int32(100 * scene), cells.x + x, cells.y + y, cells.time,
    )  # fmt: skip


def together(*parts: Cells) -> Cells:
    names = ("scene", "row", "col", "target", "group", "x", "y", "time")
    return Cells(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def test_ground_that_scenes_share_is_one_unit_whatever_their_grids() -> None:
    """Scenes a part of a cell off: no polygon or group is both learned from and tested."""
    grid = make_grid(120, 80)
    one = make_cells(group=5)
    one = one.take((one.col % 10 < 5) & (one.row % 10 < 6))
    step = grid.transform.a
    moved = Affine(step, 0, grid.transform.c + 0.3 * step, 0, -step, grid.transform.f - 0.6 * step)
    grids = (grid, Grid(grid.crs, moved, 120, 80), grid)
    cells = together(
        one, shifted(one, 1, 0.3 * step, -0.6 * step), shifted(one, 2, -0.45 * step, 0)
    )
    half = len(one)
    names = tuple(f"g{n:03}" for n in range(cells.group.max() + 1))
    for more in ({"kind": "polygons"}, {"kind": "group", "groups": names}):
        warned: list[str] = []
        found = split(cells, grids=grids, warn=warned.append, **more)
        assert len(np.unique(found.unit)) == len(np.unique(one.group))
        assert np.array_equal(found.fold[:half], found.fold[half : 2 * half])
        assert np.array_equal(found.fold[:half], found.fold[2 * half :])
        assert any("36 groups are 12" in one for one in warned) == (more["kind"] == "group")
    warned = []
    assert split(cells, grids=grids, kind="raster", warn=warned.append).kind == "raster"
    assert "share ground" in warned[0]
    assert "blocks" in warned[0]


def test_scenes_side_by_side_share_no_ground() -> None:
    grid = make_grid(120, 80)
    one = make_cells(group=5)
    beside = together(one, shifted(one, 1, 120 * grid.transform.a, 0))
    warned: list[str] = []
    split(beside, grids=(grid, grid), kind="raster", warn=warned.append)
    assert not any("share ground" in one for one in warned)
    found = split(beside, grids=(grid, grid), kind="polygons")
    assert len(np.unique(found.unit)) == 48


def test_cells_of_another_size_share_ground_with_those_around_them() -> None:
    """Nine small cells lie in a large one: all of their polygons are one unit with its own."""
    coarse = make_grid(40, 40)
    t = coarse.transform
    fine = Grid(coarse.crs, Affine(t.a / 3, 0, t.c, 0, t.e / 3, t.f), 120, 120)
    large = make_cells(coarse, group=4)
    large = large.take(large.col % 8 < 4)
    small = make_cells(fine, group=6)
    small = small.take(small.col % 24 < 12)
    cells = together(large, shifted(small, 1, 0, 0))
    found = split(cells, grids=(coarse, fine), kind="polygons")
    assert len(np.unique(found.unit)) == 5


def test_the_gap_keeps_training_as_far_from_the_test_as_asked() -> None:
    from scipy.spatial import cKDTree

    for grid in (make_grid(60, 40), make_lonlat_grid()):
        cells = make_cells(grid)
        found = split(cells, grid, kind="blocks", size_m=500.0, buffer_m=120.0)
        assert found.title.endswith(", 120 m apart")
        places = places_m(grid.crs, cells.x, cells.y)
        for one in found.rounds:
            for part in (one.train, one.validation):
                distance, _ = cKDTree(places[one.test]).query(places[part])
                assert distance.min() >= 120
        assert len(found.rounds[0].train) > 0
    with pytest.raises(LabelsError, match=r"split\.buffer_m of 50 km leaves no cell of the class"):
        split(cells, grid, kind="blocks", size_m=500.0, buffer_m=50_000.0)


def test_time_tests_only_what_comes_later() -> None:
    cells = make_cells()
    found = split(cells, kind="time")
    assert len(found.rounds) >= 3
    for one in found.rounds:
        assert cells.time[one.train].max() < cells.time[one.validation].min()
        assert cells.time[one.validation].max() < cells.time[one.test].min()
    two = cells.take((cells.time == 0) | (cells.time == 100.0) | (cells.time == 200))
    two.time[two.time > 0] = 100.0
    only = split(two, kind="time").rounds
    assert len(only) == 1
    assert (two.time[only[0].test] == 100).all()
    assert (two.time[only[0].validation] == 0).all()


def test_auto_takes_polygons_that_stand_apart_and_blocks_for_the_rest() -> None:
    cells = make_cells(group=5)
    assert split(cells, apart=True).kind == "blocks"  # their polygons share borders
    cells = cells.take(cells.col % 10 < 5)
    assert split(cells, apart=True).kind == "polygons"
    assert split(cells).kind == "blocks"
    having = cells.group[cells.target == 2][0]
    alone = cells.take((cells.target < 2) | (cells.group == having))
    with pytest.raises(LabelsError, match=r"class 'c' is in one polygon only.*draw another"):
        split(alone, apart=True)
    nowhere = Cells(
        cells.scene, cells.row, cells.col, cells.target, cells.group, cells.x * np.nan,
        cells.y * np.nan, cells.time,
    )  # fmt: skip
    assert split(nowhere, grids=()).kind == "random"
    assert split(nowhere, grids=(), groups=tuple(f"g{n}" for n in range(24))).kind == "group"


def test_polygons_that_touch_now_and_then_still_stand_apart() -> None:
    """Of 20 columns of cells two lie beside another polygon: a tenth is too much, less is not."""
    every = make_cells(group=1)
    for width, kind in ((10, "blocks"), (11, "polygons")):
        strip = every.col % 25 < 2 * width
        group = (every.col // 25 * 2 + (every.col % 25 >= width)).astype(np.int32)
        cells = Cells(
            every.scene, every.row, every.col, every.target, group, every.x, every.y, every.time
        ).take(strip & (every.col < 100))
        assert split(cells, apart=True).kind == kind


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("blocks", "blocks"), ("blocks with a gap", "blocks"), ("polygons", "polygons"),
        ("group", "groups"), ("time", "periods"), ("raster", "blocks"), ("random", "cells"),
        ("list", "blocks"),
    ],
)  # fmt: skip
def test_units_are_called_what_they_are(case: str, word: str) -> None:
    """Three rasters, or four groups that are tested, are divided by blocks."""
    assert split(cells_of(case), **CASES[case]).unit_word == word


def test_units_of_rows_without_a_place_are_rows() -> None:
    cells = make_cells(step=4)
    nowhere = Cells(
        cells.scene, cells.row, cells.col * 0, cells.target, cells.group, cells.x * np.nan,
        cells.y * np.nan, cells.time,
    )  # fmt: skip
    assert split(nowhere, grids=(), kind="random").unit_word == "rows"
    listed = split(nowhere, grids=(), kind="list", train=("1-40",), test=("41-80",))
    assert listed.unit_word == "rows"
    many = make_cells(scenes=6, step=4)
    assert split(many, kind="raster").unit_word == "rasters"


def test_rows_of_a_table_can_be_listed_by_number() -> None:
    cells = make_cells()
    n = np.arange(len(cells), dtype=np.int32)
    rows = Cells(
        cells.scene, n, cells.col * 0, cells.target, cells.group, cells.x * np.nan,
        cells.y * np.nan, cells.time,
    )  # fmt: skip
    found = split(rows, grids=(), kind="list", train=("1-6000", 6001), test=("7001 - 9600",))
    one = found.rounds[0]
    assert np.array_equal(np.sort(np.concatenate([one.train, one.validation])), np.arange(6001))
    assert np.array_equal(one.test, np.arange(7000, 9600))
    assert len(one.validation) == pytest.approx(1200, rel=0.05)
    assert len(np.unique(found.unit[one.test])) == 2600
    warned: list[str] = []
    split(rows, grids=(), kind="list", train=("1-6000",), test=("7001-9700",), warn=warned.append)
    assert warned == ["split.test names '7001-9700', and the last row with a target is 9600."]
    with pytest.raises(LabelsError, match="names '0-5999', and the first row is 1: count from 1"):
        split(rows, grids=(), kind="list", train=("0-5999",), test=("6000-9599",))


def test_a_random_split_says_that_its_score_is_optimistic() -> None:
    warned: list[str] = []
    found = split(make_cells(), kind="random", warn=warned.append)
    assert "optimistic" in found.title
    assert "optimistic" in warned[0]


def test_smaller_blocks_are_tried_before_a_class_is_refused() -> None:
    cells = make_cells(group=5)
    cells.target[:] = (cells.col // 40).astype(np.int16)
    cells.target[cells.target == 2] = 1
    cells.target[(cells.row < 8) & (cells.col < 8)] = 2
    found = split(cells, kind="blocks")
    assert found.blocks is not None
    assert found.blocks.size_m < 240
    with pytest.raises(
        LabelsError, match=r"class 'c' is in one block of 2,000 m only.*split\.size_m"
    ):
        split(cells, kind="blocks", size_m=2000.0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "polygons"}, r"class 'c' is in one polygon only.*labels\.classes"),
        ({"kind": "group", "groups": ("x",) * 24}, "class 'c' is in one group only"),
        ({"kind": "group"}, r"needs groups: name their field with labels\.group"),
        ({"kind": "raster"}, "needs labels in two scenes"),
        ({"kind": "list", "train": ("a",), "test": ("b",)}, "names 'a', but there are no groups"),
        ({"kind": "list", "groups": ("p", "q"), "train": ("p",), "test": ("r",)},
         "names 'r', which is no group: there are p, q"),
        ({"kind": "list", "groups": ("p", "q"), "train": ("p",), "test": ("p", "q")},
         "train and split.test share cells"),
        ({"kind": "list", "groups": tuple(f"g{n}" for n in range(24)), "train": ("g0",),
          "test": ("g3",)}, "class 'c' is in split.test but not in split.train"),
    ],
)  # fmt: skip
def test_what_a_split_cannot_do_is_refused_in_one_sentence(
    more: dict[str, Any], words: str
) -> None:
    cells = make_cells(group=5)
    cells.target[cells.target == 2] = 0
    cells.target[(cells.group == 3) & (cells.row < 6)] = 2
    with pytest.raises(LabelsError, match=words) as caught:
        split(cells, **more)
    assert str(caught.value).endswith(".")


def test_dates_that_allow_no_split_are_refused() -> None:
    cells = make_cells()
    for time, words in ((np.nan, "needs dates"), (3.0, "two dates")):
        cells.time[:] = time
        with pytest.raises(LabelsError, match=words):
            split(cells, kind="time")


def test_a_class_that_lost_its_cells_is_refused() -> None:
    cells = make_cells()
    with pytest.raises(LabelsError, match="class 'c' has 4 labelled cells"):
        split(
            cells.take(
                np.r_[np.flatnonzero(cells.target < 2), np.flatnonzero(cells.target == 2)[:4]]
            )
        )


def test_few_units_are_divided_for_intervals() -> None:
    found = split(make_cells(scenes=3, step=2), kind="raster")
    assert len(np.unique(found.unit)) > 15
    assert len(found.rounds) == 3
