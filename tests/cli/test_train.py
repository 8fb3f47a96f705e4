"""geotools train: bad input in one sentence, and what it tells while it works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
from conftest import make_grid, make_terrain, write_tif
from shapely.geometry import box
from training_scenes import SIZE, make_scene, settings, table_settings, write_toml

from geotools import cli

pytest.importorskip("torch")


def run(capfd, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capfd.readouterr()
    return ended.value.code, out, err


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    folder = make_scene(tmp_path_factory.mktemp("scene"))
    grid, terrain = make_grid(SIZE, SIZE), make_terrain(SIZE, SIZE)
    two = np.where(terrain > np.median(terrain), 1, 2).astype(np.uint8)
    three = two.copy()
    three[0, :3] = 3
    write_tif(folder / "three_cells.tif", three, grid, nodata=0)
    corner = two.copy()
    corner[17:21, 17:21] = 3
    write_tif(folder / "one_block.tif", corner, grid, nodata=0)
    write_tif(folder / "one_class.tif", np.ones_like(two), grid, nodata=0)
    write_tif(folder / "far.tif", two, make_grid(SIZE, SIZE, left=900_000.0), nodata=0)
    write_tif(folder / "no_crs.tif", two, crs=None, transform=grid.transform, nodata=0)
    nothing = np.stack([terrain, np.full_like(terrain, np.nan)])
    write_tif(folder / "nan_band.tif", nothing, grid, nodata=np.nan)
    write_tif(folder / "constant.tif", np.stack([terrain, np.full_like(terrain, 7)]), grid)
    write_tif(folder / "undeclared.tif", terrain * np.float32(1e35), grid)
    write_tif(folder / "flat.tif", np.full_like(terrain, 3), grid)
    left, _, _, top = grid.bounds
    frame = geopandas.GeoDataFrame(
        {"kind": ["a", "b"] * 8, "word": ["deep"] * 16},
        geometry=[
            box(left + 300 * col, top - 300 * (row + 1), left + 300 * col + 240, top - 300 * row)
            for row in range(4)
            for col in range(4)
        ],
        crs=grid.crs,
    )
    frame.to_file(folder / "polygons.gpkg")
    with pytest.warns(UserWarning, match="crs"):
        frame.set_crs(None, allow_override=True).to_file(folder / "no_crs.gpkg")
    rows = pd.read_csv(folder / "rows.csv", dtype=str)
    rows.loc[4, "a"] = "oops"
    rows.to_csv(folder / "odd.csv", index=False)
    (folder / "text.tif").write_text("hello")
    return folder


def net(name: str = "unet", **more: object) -> dict[str, object]:
    return {"name": name, "epochs": 1, **more}


POLYGONS = {"path": "polygons.gpkg", "field": "kind"}
VALUES = {"labels": "values.tif", "task": "regression"}

CASES = {
    # name: (words of the sentence, configuration)
    "no overlap": ("far.tif does not overlap the rasters", settings(labels="far.tif")),
    "one class": ("one class only", settings(labels="one_class.tif")),
    "three cells": (
        "class '3' has 3 labelled cells, needed are 10", settings(labels="three_cells.tif"),
    ),
    "one block": ("class '3' is in one block", settings(
        labels="one_block.tif", split={"kind": "blocks", "size_m": 480.0, "folds": 2},
    )),
    "no such field": (
        "has no field 'sort', which labels.field names: it has kind, word",
        settings(labels={"path": "polygons.gpkg", "field": "sort"}),
    ),
    "no field": ("name it with labels.field", settings(labels="polygons.gpkg")),
    "NaN in a band": (
        "no valid cell on the grid in band 2: leave it out",
        settings(inputs={"name": "dem", "path": "nan_band.tif"}),
    ),
    "text for numbers": (
        "'word' has 'deep' in row 1, where a number belongs",
        settings(labels={"path": "polygons.gpkg", "field": "word"}, task="regression"),
    ),
    "text in a table": (
        "column 'a' has 'oops' in row 5",
        table_settings("kind", "forest") | {
            "table": {"path": "odd.csv", "target": "kind", "features": ["a", "b"]},
        },
    ),
    "labels without CRS": (
        "name it with labels.crs", settings(labels=POLYGONS | {"path": "no_crs.gpkg"}),
    ),
    "label raster without CRS": ("name one with labels.crs", settings(labels="no_crs.tif")),
    "raster without CRS": (
        "name one with crs", settings(inputs={"name": "dem", "path": "no_crs.tif"}),
    ),
    "no such labels": ("none.gpkg is not at", settings(labels="none.gpkg")),
    "no such raster": ("none.tif is not at", settings(inputs={"name": "d", "path": "none.tif"})),
    "a text for a raster": (
        "cannot be opened as a raster", settings(inputs={"name": "d", "path": "text.tif"}),
    ),
    "labels learned from": (
        "is the label and is learned from", settings(inputs={"name": "d", "path": "labels.tif"}),
    ),
    "unknown feature": ("slop is of no input", settings(features=["dem", "slop"])),
    "unknown attribute": ("did you mean 'slope'", settings(features=["terrain.slpe"])),
    "unknown index": ("needs bands called nir, red", settings(features=["imagery.ndvi"])),
    "no features": ("No feature is named", settings(features=[])),
    "values of classes": (
        "classes is of classes, and the task is regression",
        settings(labels={"path": "labels.tif", "classes": {"a": 2, "b": 4}}, task="regression"),
    ),
    "values all alike": ("nothing to learn", settings(labels="flat.tif", task="regression")),
    "values without end": (
        "labels hold the value 1.1e+38", settings(labels="undeclared.tif", task="regression"),
    ),
    "metric of values": ("metric is 'r2': for classification", settings(metric="r2")),
    "a net for a table": ("a table has none", table_settings("kind", "unet")),
    "dates that are not there": ("there are none", settings("gru")),
    "init is not there": ("No model 'runs/none'", settings(net(init="runs/none"))),
    "init is another thing": (
        "cannot be started from", settings(net(init="seismicity-global-v1")),
    ),
    "freeze without init": (
        "freeze keeps the layers that came with init, and none did",
        settings(net("dense", freeze=True)),
    ),
    "loss of values": ("loss is 'mse': for classification", settings(net(loss="mse"))),
    "class of a weight": ("names the class 'x'", settings(net(weights={"x": 2.0}))),
    "blocks below a cell": (
        "less than two cells, which keeps nothing apart: give 60 m or more",
        settings(split={"kind": "blocks", "size_m": 0.001}),
    ),
    "one block for all": (
        "in one block of 1,000,000 km", settings(split={"kind": "blocks", "size_m": 1e9}),
    ),
    "apart by too much": (
        "leaves no cell", settings(split={"kind": "blocks", "size_m": 240.0, "buffer_m": 1e7}),
    ),
    "no groups": ("needs groups", settings(split={"kind": "group"})),
    "no dates": ("needs dates", settings(split={"kind": "time"})),
    "one raster": ("needs labels in two scenes", settings(split={"kind": "raster"})),
    "no places": ("needs places", table_settings("kind", "forest", split={"kind": "blocks"})),
    "auto of nothing": (
        "None of the learners could be fitted",
        settings({"name": "auto", "candidates": ["gru", "tcn"]}),
    ),
    "endless grid": ("give a larger cell size", settings(grid={"cell_size": 1e-4})),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_sentence(name, scene, tmp_path, capfd):
    """What, where, what to do; exit 1; nothing left behind."""
    words, values = CASES[name]
    file = write_toml(tmp_path / "a.toml", values)
    output = tmp_path / "run"
    code, out, err = run(
        capfd, "train", file, "-o", output, "--data", scene, "--progress", "none", "--threads", 1
    )
    assert code == 1, (out, err)
    assert words in err
    assert "Traceback" not in err
    told = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert len(told) == 1
    assert told[0].rstrip().endswith((".", "warnings, name one."))
    assert not out
    assert not output.exists()


FILES = {
    # name: (words of the sentence, contents of the file)
    "bad syntax": ("is not TOML", b"name = ["),
    "binary": ("is no text in UTF-8", os.urandom(64) + b"\xff"),
    "empty": ("give either [labels] with [[inputs]], or [table]", b""),
    "typo": ("unknown key 'sede': did you mean 'seed'", b"sede = 1"),
    "wrong type": ("seed is 'one': give a whole number", b'seed = "one"'),
    "unknown learner": ("name is 'forrest'", b'learner = "forrest"'),
    "nested": ("is nested too deeply", b"a = " + b"[" * 5000 + b"]" * 5000),
    "huge": ("is larger than 4,000,000 bytes", b"#" * 4_000_001),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_configuration(name, tmp_path, capfd):
    words, content = FILES[name]
    (tmp_path / "a.toml").write_bytes(content)
    code, _, err = run(capfd, "train", tmp_path / "a.toml", "-o", tmp_path / "run")
    assert code == 1
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_configuration_that_cannot_be_opened(tmp_path, capfd):
    for path, words in {
        tmp_path / "none.toml": "does not exist",
        tmp_path: "is no file",
        "a" * 300: "cannot be read",
        "/dev/zero": "is no file",
    }.items():
        code, _, err = run(capfd, "train", path, "-o", tmp_path / "run")
        assert code == 1
        assert words in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    "flags", [("--threads", "0"), ("--seed", "-1"), ("--seed", "x"), ("--progress", "loud")]
)
def test_flags_that_cannot_be(flags, tmp_path, capfd):
    """Wrong usage is 2."""
    code, _, err = run(capfd, "train", "a.toml", "-o", tmp_path / "run", *flags)
    assert code == 2
    assert "Invalid value for" in err


def test_a_band_that_tells_nothing_is_told(scene, tmp_path, capfd):
    """A constant band is learned from with a warning, which is kept with the score."""
    values = settings("logistic", inputs={"name": "dem", "path": "constant.tif"})
    file = write_toml(tmp_path / "a.toml", values)
    flags = ("--data", scene, "--progress", "none", "--threads", 1)
    code, out, err = run(capfd, "train", file, "-o", tmp_path / "run", *flags)
    assert code == 0, err
    assert "Warning: Band 2 of" in err
    assert "nothing can be learned from it" in err
    assert out.startswith(f"{tmp_path / 'run' / 'model.onnx'}: The logistic regression reaches")
    body = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))
    assert any("nothing can be learned from it" in sentence for sentence in body["warnings"])
    code, _, err = run(capfd, "train", file, "-o", tmp_path / "run", *flags)
    assert code == 1
    assert "holds a finished training: give --overwrite" in err


def lines_of(scene: Path, folder: Path, values: dict[str, object]) -> tuple[int, list[dict]]:
    """Exit code and the lines of JSON of a process of its own, as its stdout is taken over."""
    file = write_toml(folder / "a.toml", values)
    command = [
        sys.executable, "-m", "geotools", "train", str(file), "-o", str(folder / "run"),
        "--data", str(scene), "--progress", "json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_lines_for_programs(scene, tmp_path):
    """One object a line: progress, then the result with the outputs and the score."""
    code, lines = lines_of(scene, tmp_path, settings())
    assert code == 0
    assert all(line["schema"] == 1 for line in lines)
    steps = [line for line in lines if line["event"] == "progress"]
    stages = list(dict.fromkeys(line["stage"] for line in steps))
    assert stages[0] == "reading features"
    assert {"forest", "importance of features", "judging", "mapping"} <= set(stages)
    for stage in stages:
        done = [line["done"] for line in steps if line["stage"] == stage]
        total = {line["total"] for line in steps if line["stage"] == stage}
        assert done == sorted(done)
        assert total == {done[-1]}
    result = lines[-1]
    assert result["event"] == "result"
    assert Path(result["outputs"][0]) == tmp_path / "run" / "model.onnx"
    assert result["metric"] == "macro_f1"
    assert 0 <= result["score"] <= 1


def test_an_error_for_programs(scene, tmp_path):
    code, lines = lines_of(scene, tmp_path, settings(labels="far.tif"))
    assert code == 1
    assert lines[-1]["event"] == "error"
    assert "does not overlap" in lines[-1]["message"]
