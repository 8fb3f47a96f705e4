"""A split as a layer: every cell counted once, few features, drawn by fold in QGIS."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
from conftest import make_grid
from lxml import etree
from split_cases import CASES, CLASSES, cells_of, make_cells, split

from geotools.io.geopackage import read_layer
from geotools.training.labels.cells import Cells
from geotools.training.splits.layer import write_split


def _style(file: Path) -> Any:
    database = sqlite3.connect(file)
    (text,) = database.execute("SELECT styleQML FROM layer_styles").fetchone()
    database.close()
    return etree.fromstring(text.encode(), etree.XMLParser(load_dtd=False, no_network=True))


@pytest.mark.parametrize("case", CASES)
def test_every_cell_is_counted_in_one_feature_of_its_fold(case: str, tmp_path: Path) -> None:
    cells = cells_of(case)
    found = split(cells, **CASES[case])
    file = tmp_path / "split.gpkg"
    grids = (make_grid(120, 80),) * (3 if case == "raster" else 1)
    count = write_split(file, found, cells, grids=grids, classes=CLASSES)
    frame = read_layer(file, "split")
    assert len(frame) == count
    assert frame["cells"].sum() == len(cells)
    names = ["n1_a", "n2_b", "n3_c"]
    assert frame[names].sum().tolist() == np.bincount(cells.target).tolist()
    if len(found.rounds) == 1:
        by_part = frame.groupby("part")["cells"].sum().to_dict()
        one = found.rounds[0]
        for part in ("train", "validation", "test"):
            assert by_part[part] == len(getattr(one, part))
    else:
        by_fold = frame.groupby("fold")["cells"].sum()
        for number, one in enumerate(found.rounds, 1):
            assert by_fold[number] == len(one.test)
    drawn = _style(file)
    values = [one.get("value") for one in drawn.iter("category")]
    assert set(frame["part"]) <= set(values)
    assert {one.get("type") for one in drawn.iter("symbol")} == {
        "marker" if (frame.geom_type == "Point").all() else "fill"
    }


def test_blocks_hold_their_cells_and_do_not_overlap(tmp_path: Path) -> None:
    cells = make_cells()
    found = split(cells, kind="blocks", size_m=300.0)
    file = tmp_path / "split.gpkg"
    write_split(file, found, cells, grids=(make_grid(120, 80),), classes=CLASSES)
    frame = read_layer(file, "split")
    assert len(frame) == 12 * 8
    assert frame.area.sum() == pytest.approx(frame.union_all().area)
    assert (frame["cells"] == 100).all()
    assert np.allclose(frame.total_bounds, make_grid(120, 80).bounds)
    assert pyogrio.read_info(file, layer="split")["layer_metadata"]["split"] == found.title


def test_polygons_are_drawn_around_their_cells(tmp_path: Path) -> None:
    cells = make_cells(group=5)
    found = split(cells, kind="polygons")
    file = tmp_path / "split.gpkg"
    write_split(file, found, cells, grids=(make_grid(120, 80),), classes=CLASSES)
    frame = read_layer(file, "split")
    assert np.allclose(frame.area, 5 * 80 * 900)


def test_many_cells_become_few_features(tmp_path: Path) -> None:
    grid = make_grid(400, 300)
    cells = make_cells(grid, group=50)
    for number, more in enumerate(
        ({"kind": "random"}, {"kind": "time"}, {"kind": "group", "groups": tuple("abcdefgh")})
    ):
        file = tmp_path / f"{number}.gpkg"
        count = write_split(file, split(cells, grid, **more), cells, grids=(grid,), classes=CLASSES)
        assert count <= 20_000


def test_a_table_without_places_becomes_a_table(tmp_path: Path) -> None:
    cells = make_cells()
    nowhere = Cells(
        cells.scene, np.arange(len(cells), dtype=np.int32), cells.col * 0, cells.target,
        cells.group, cells.x * np.nan, cells.y * np.nan, cells.time,
    )  # fmt: skip
    found = split(nowhere, grids=())
    file = tmp_path / "split.gpkg"
    assert write_split(file, found, nowhere, classes=CLASSES) == len(cells)
    table = pyogrio.read_dataframe(file, layer="split")
    assert table["target"].iloc[0] in ("a", "b", "c")
    assert np.array_equal(table["fold"], found.fold + 1)
    valued = Cells(
        nowhere.scene, nowhere.row, nowhere.col, nowhere.target.astype(np.float32), nowhere.group,
        nowhere.x, nowhere.y, nowhere.time,
    )  # fmt: skip
    found = split(valued, grids=(), classes=())
    write_split(file, found, valued, overwrite=True)
    assert pyogrio.read_dataframe(file, layer="split")["target"].dtype.kind == "f"
