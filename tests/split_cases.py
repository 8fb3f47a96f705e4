"""Labelled cells in patches of three classes, and every kind of split of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import make_grid

from geotools.grid import Grid
from geotools.spec import ClassInfo
from geotools.training.labels.cells import Cells
from geotools.training.sections import SplitConfig
from geotools.training.splits.splitting import Split, split_cells

CLASSES = tuple(ClassInfo(code, name, "#000000") for code, name in ((1, "a"), (2, "b"), (3, "c")))
LARGE = make_grid(200, 200)


def make_cells(
    grid: Grid | None = None, *, seed: int = 0, scenes: int = 1, group: int = 0, step: int = 1
) -> Cells:
    """Cells of a grid in patches of three classes, in groups of columns."""
    grid = grid or make_grid(120, 80)
    row, col = (part.ravel() for part in np.mgrid[: grid.height : step, : grid.width : step])
    rng = np.random.default_rng(seed)
    classes = rng.choice(3, (grid.height // 10 + 1, grid.width // 10 + 1), p=(0.5, 0.35, 0.15))
    target = classes[row // 10, col // 10].astype(np.int16)
    x = grid.transform.c + grid.transform.a * (col + 0.5)
    y = grid.transform.f + grid.transform.e * (row + 0.5)
    groups = col // group if group else np.full(len(row), -1)
    one = (row, col, target, groups, x, y, (col // 10) * 100.0)
    many = [np.tile(part, scenes) for part in one]
    scene = np.repeat(np.arange(scenes), len(row))
    return Cells(
        scene.astype(np.int32), many[0].astype(np.int32), many[1].astype(np.int32), many[2],
        many[3].astype(np.int32), many[4], many[5], many[6],
    )  # fmt: skip


def squares(corners: list[tuple[int, int]], side: int, classes: list[int]) -> Cells:
    """Cells of squares as polygons, by the row and column of their first cell."""
    row, col = (part.ravel() for part in np.mgrid[:side, :side])
    rows = np.concatenate([row + top for top, _ in corners])
    cols = np.concatenate([col + left for _, left in corners])
    group = np.repeat(np.arange(len(corners)), side * side)
    t = LARGE.transform
    return Cells(
        np.zeros(len(rows), np.int32), rows.astype(np.int32), cols.astype(np.int32),
        np.asarray(classes, np.int16)[group], group.astype(np.int32),
        t.c + t.a * (cols + 0.5), t.f + t.e * (rows + 0.5), np.full(len(rows), np.nan),
    )  # fmt: skip


def split(cells: Cells, grid: Grid | None = None, **more: Any) -> Split:
    keys = ("grids", "groups", "scenes", "apart", "seed", "warn", "crs", "classes")
    given = {key: more.pop(key) for key in keys if key in more}
    given.setdefault("grids", (grid or make_grid(120, 80),))
    given.setdefault("classes", CLASSES)
    return split_cells(cells, SplitConfig(**more), **given)


CASES: dict[str, dict[str, Any]] = {
    "blocks": {"kind": "blocks"},
    "blocks of a side": {"kind": "blocks", "size_m": 450.0},
    "blocks with a gap": {"kind": "blocks", "size_m": 450.0, "buffer_m": 100.0},
    "two folds": {"kind": "blocks", "folds": 2},
    "polygons": {"kind": "polygons"},
    "group": {"kind": "group", "groups": tuple(f"g{n:02}" for n in range(24))},
    "time": {"kind": "time"},
    "raster": {"kind": "raster"},
    "random": {"kind": "random"},
    "list": {"kind": "list", "groups": tuple(f"g{n:02}" for n in range(24)),
             "train": tuple(f"g{n:02}" for n in range(16)), "test": ("g20", "g21", "g22", "g23")},
}  # fmt: skip


def cells_of(case: str) -> Cells:
    if case == "raster":
        return make_cells(scenes=3, step=2)
    return make_cells(group=5 if case in ("polygons", "group", "list") else 0)
