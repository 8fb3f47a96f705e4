"""What flatters a score is said."""

from __future__ import annotations

import numpy as np
from split_cases import LARGE, make_cells, split, squares


def told(*args: object, **more: object) -> list[str]:
    warned: list[str] = []
    split(*args, warn=warned.append, **more)  # type: ignore[arg-type]
    return warned


def test_blocks_that_one_class_makes_small_are_told_of() -> None:
    """With the side that was wanted, the one there is, and the class."""
    rng = np.random.default_rng(0)
    at = [(20 * int(a), 20 * int(b)) for a, b in rng.permutation(np.argwhere(np.ones((9, 9))))[:41]]
    cells = squares(at, 10, [*rng.permutation([0] * 20 + [1] * 20).tolist(), 2])
    warned = told(cells, LARGE, kind="blocks")
    small = next(one for one in warned if one.startswith("Blocks are"))
    assert "because the class 'c' would be in too few of them" in small
    assert "instead of" in small
    assert any("of 41 polygons are cut by blocks" in one for one in warned)
    assert any("The class 'c' is in one polygon only, which is cut" in one for one in warned)
    large = cells.take(cells.target < 2)
    assert not any("'c'" in one for one in told(large, LARGE, classes=(), kind="blocks"))


def test_a_stated_side_below_the_range_is_told_of() -> None:
    """Patches are 300 m wide."""
    cells = make_cells()
    assert any("split.size_m larger" in one for one in told(cells, kind="blocks", size_m=60.0))
    assert not told(cells, kind="blocks", size_m=900.0)
    assert not told(cells, kind="blocks")


def test_few_scenes_are_told_of_and_named() -> None:
    """Intervals are drawn within them."""
    three = make_cells(scenes=3, step=4)
    warned: list[str] = []
    found = split(three, kind="raster", scenes=("north", "south", "west"), warn=warned.append)
    assert any("Only 3 scenes are tested" in one and "other scenes" in one for one in warned)
    assert found.parts == ("north", "south", "west")
    assert found.part is not None
    assert np.array_equal(found.part, three.scene)
    order = np.random.default_rng(0).permutation(len(three))
    other = split(three.take(order), kind="raster")
    assert other.part is not None
    assert np.array_equal(other.part, three.scene[order])
    six = make_cells(scenes=6, step=4)
    assert not any("Only" in one for one in told(six, kind="raster"))


def test_few_groups_and_periods_are_told_of() -> None:
    cells = make_cells(group=30)
    names = ("p", "q", "r", "s")
    assert any("Only 4 groups are tested" in one for one in told(cells, kind="group", groups=names))
    listed = told(cells, kind="list", groups=names, train=("p", "q", "r"), test=("s",))
    assert any("Only 1 group is tested" in one for one in listed)
    cells.time[:] = np.where(cells.col < 60, 0.0, 366.0)
    warned: list[str] = []
    found = split(cells, kind="time", warn=warned.append)
    assert any("Only 1 period is tested" in one for one in warned)
    assert found.parts == ("1970-01-01", "1971-01-02")
