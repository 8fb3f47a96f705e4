"""Polygons beside each other are one unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from split_cases import CLASSES, LARGE, split, squares

from geotools.training.labels.cells import Cells
from geotools.training.splits.nearness import near_polygons
from geotools.training.splits.units import Ground


def clusters(gap: int, *, step: int = 40) -> Cells:
    """25 clusters of four plots of 4 cells on a side, a class to a cluster."""
    at = [
        (down * step + i * (4 + gap), across * step + j * (4 + gap))
        for down in range(5) for across in range(5) for i in range(2) for j in range(2)
    ]  # fmt: skip
    return squares(at, 4, [n // 4 % 3 for n in range(len(at))])


@pytest.mark.parametrize(("cells_between", "near"), [(0, 1), (3, 1), (5, 0)])
def test_near_is_less_than_the_width_of_the_smaller(cells_between: int, near: int) -> None:
    """A square of 4 cells is 4.5 wide, as a circle of its area is; another is ten times as wide."""
    small = squares([(50, 50)], 4, [0])
    large = squares([(50, 54 + cells_between)], 40, [1])
    names = ("scene", "row", "col", "target", "group", "x", "y", "time")
    cells = Cells(*(np.concatenate([getattr(small, n), getattr(large, n)]) for n in names))
    cells.group[16:] = 1
    order = np.lexsort((cells.col, cells.row))
    cells = cells.take(order)
    found = near_polygons(cells, cells.group.astype(np.int64), Ground.of(cells, (LARGE,), None))
    assert found.count() == 2 * near
    assert found.one.tolist() == [0] * near  # the smaller one
    assert found.gap == pytest.approx([cells_between / 4.51] * near, abs=0.01)
    assert found.joined(1.0).tolist() == [0, 1 - near]


def test_auto_keeps_plots_of_a_cluster_together() -> None:
    """Plots one cell apart are in one fold, and what is drawn for intervals are the clusters."""
    cells = clusters(1)
    warned: list[str] = []
    found = split(cells, LARGE, apart=True, warn=warned.append)
    assert found.kind == "polygons"
    assert found.unit_word == "clusters"
    assert len(np.unique(found.unit)) == 25
    for cluster in range(25):
        assert len(set(found.fold[cells.group // 4 == cluster])) == 1
    assert not warned
    far = split(clusters(12, step=34), LARGE, apart=True)
    assert far.unit_word == "polygons"
    assert len(np.unique(far.unit)) == 100


def test_plots_that_are_asked_for_one_by_one_are_told_of() -> None:
    """Who asks for polygons gets polygons, and is told that neighbours are alike."""
    warned: list[str] = []
    found = split(clusters(1), LARGE, kind="polygons", warn=warned.append)
    assert len(np.unique(found.unit)) == 100
    assert any("100 of 100 polygons are nearer to another" in one for one in warned)
    warned.clear()
    split(clusters(12, step=34), LARGE, kind="polygons", warn=warned.append)
    assert not warned


def test_polygons_in_a_chain_are_joined_only_as_far_as_the_classes_allow() -> None:
    """All of a row of plots would be one unit: they stay apart, and this is said."""
    at = [(50, 8 * n) for n in range(24)] + [(90, 8 * n) for n in range(24)]
    cells = squares(at, 4, [n % 3 for n in range(48)])
    warned: list[str] = []
    found = split(cells, LARGE, apart=True, warn=warned.append)
    assert len(np.unique(found.unit)) == 48
    assert any("48 of 48 polygons" in one and "Draw more" in one for one in warned)


@pytest.mark.parametrize("more", [{"apart": True}, {"apart": False}])
def test_a_class_of_one_polygon_that_stands_apart_is_refused(more: dict[str, Any]) -> None:
    """Blocks would cut it, and one part would be tested by the other."""
    cells = squares([(0, 0), (0, 60), (60, 0), (60, 60), (120, 120)], 20, [0, 0, 1, 1, 2])
    with pytest.raises(ValueError, match=r"'c' is in one polygon only.*labels\.classes\.") as told:
        split(cells, LARGE, classes=CLASSES, **more)
    assert "draw another" in str(told.value)
