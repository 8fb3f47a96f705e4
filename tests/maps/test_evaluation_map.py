"""A class map against labels that it was not made from."""

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
from conftest import make_grid, make_terrain, write_tif
from shapely.geometry import box

from geotools import evaluate_map
from geotools.errors import ConfigError, FileError, LabelsError

SIZE = 64
CODES = {"low": 1, "high": 2}


@pytest.fixture
def files(tmp_path) -> Path:
    """A map, labels that differ from it in one corner, and polygons."""
    grid, terrain = make_grid(SIZE, SIZE), make_terrain(SIZE, SIZE)
    mapped = np.where(terrain > np.median(terrain), 2, 1).astype(np.uint8)
    labels = mapped.copy()
    labels[:16, :16] = 3 - labels[:16, :16]
    labels[:, 60:] = 0
    write_tif(tmp_path / "map.tif", mapped, grid, nodata=0)
    write_tif(tmp_path / "labels.tif", labels, grid, nodata=0)
    left, _, _, top = grid.bounds
    places = [(row, col) for row in range(0, 64, 16) for col in range(0, 64, 16)]
    means = [mapped[row : row + 8, col : col + 8].mean() for row, col in places]
    geopandas.GeoDataFrame(
        {"kind": ["high" if mean > 1.5 else "low" for mean in means]},
        geometry=[
            box(left + 30 * c, top - 30 * (r + 8), left + 30 * (c + 8), top - 30 * r)
            for r, c in places
        ],
        crs=grid.crs,
    ).to_file(tmp_path / "polygons.gpkg")  # fmt: skip
    return tmp_path


def raster(files: Path) -> dict:
    return {"path": str(files / "labels.tif"), "classes": CODES}


def test_the_figures_are_those_of_the_cells(files):
    """Confusion and accuracy as counted, areas as mapped; a report and a table."""
    said = []
    made = evaluate_map(
        files / "map.tif", raster(files), files / "report.html", table=files / "figures.json",
        names=CODES, warn=said.append,
    )  # fmt: skip
    body = json.loads((files / "figures.json").read_text(encoding="utf-8"))
    assert body == json.loads(json.dumps(made.evaluation))
    cells = SIZE * 60
    assert body["cells"] == cells
    assert body["score"] == pytest.approx(1 - 256 / cells)
    assert [row["name"] for row in body["per_class"]] == ["low", "high"]
    assert sum(map(sum, body["confusion"])) == cells
    mapped = sum(row["mapped"] for row in body["area"]["classes"])
    assert mapped == pytest.approx((SIZE * 0.03) ** 2, rel=1e-3)
    assert body["split"] == "labels of labels.tif"
    assert body["interval"][0] < body["score"] < body["interval"][1]
    assert any("only if it was not made from these labels" in one for one in said)
    assert "The map reaches accuracy" in made.sentence
    assert (files / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_polygons_are_drawn_again_whole(files):
    made = evaluate_map(
        files / "map.tif", {"path": str(files / "polygons.gpkg"), "field": "kind"},
        files / "report.html", names=CODES,
    )  # fmt: skip
    assert made.evaluation["units"] == 16
    assert "by labelled features" in made.sentence
    assert made.evaluation["cells"] == 16 * 64


CASES = {
    # name: (error, words, changes of the call)
    "classes without names": (ConfigError, "does not name its classes", {"names": None}),
    "another class": (ConfigError, "have the class 'high', which", {"names": {"low": 1}}),
    "codes that are not there": (
        LabelsError, "No label lies where", {"names": {"low": 100, "high": 10**20}},
    ),
    "metric": (ConfigError, "metric is 'f1'", {"metric": "f1"}),
    "metric of values": (ConfigError, "metric is 'r2'", {"metric": "r2"}),
    "a report that is none": (FileError, "end it in .html", {"output": "report.txt"}),
    "a table that is none": (FileError, "end it in .json", {"table": "figures.csv"}),
    "twice the same": (FileError, "two outputs", {"table": "report.html"}),
    "the labels themselves": (
        FileError, "is the input itself", {"output": "labels.tif", "overwrite": True},
    ),
    "the map itself": (FileError, "is the input itself", {"output": "map.tif", "overwrite": True}),
    "a report that exists": (FileError, "give --overwrite", {"output": "old.html"}),
    "no map": (FileError, "does not exist", {"raster": "none.tif"}),
    "no labels": (FileError, "does not exist", {"labels": "none.gpkg"}),
    "seed": (ConfigError, "seed is -1", {"seed": -1}),
    "unknown key": (ConfigError, "unknown key 'fild'", {"labels": {"path": "x", "fild": "kind"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said(name, files):
    """Before anything is written."""
    kind, words, changes = CASES[name]
    (files / "old.html").write_text("mine")
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    call = {"raster": "map.tif", "labels": raster(files), "output": "report.html",
            "names": CODES} | changes  # fmt: skip
    for key in ("raster", "output", "table", "labels"):
        if isinstance(call.get(key), str):
            call[key] = files / call[key]
    positional = [call.pop(key) for key in ("raster", "labels", "output")]
    with pytest.raises(kind) as raised:
        evaluate_map(*positional, **call)
    assert words in str(raised.value)
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before
