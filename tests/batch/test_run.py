"""geotools.batch.run: failures stop themselves alone, reruns do what is missing and no more."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_terrain, write_tif
from dying_worker import dies_at_a
from onnx_bytes import neighbourhood_model, row_model

import geotools
from geotools.batch import workers
from geotools.batch.run import run_batch
from geotools.engine.execute import Shard
from geotools.engine.run import Running
from geotools.errors import ConfigError, FileError, GeotoolsError
from geotools.maps import map_landforms
from geotools.spec import SourceInfo

JOB = {"operation": "terrain", "output": "out", "inputs": "*.tif", "name": "{stem}"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two neighbouring elevation models with a broken file between them."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate("ac"):
        grid = make_grid(60, 40, left=500_000.0 + number * 60 * 30)
        write_tif(tmp_path / f"{name}.tif", make_terrain(40, 60, seed=number), grid)
    (tmp_path / "b.tif").write_text("no raster")
    return tmp_path


def statuses(report):
    return [one.status for one in report.entries]


def content(path):
    return {one.name: one.read_bytes() for one in sorted(path.iterdir())}


def test_one_failure_stops_one_input(folder):
    """The others are as alone; sentence, seconds and areas are in the reports."""
    heard, steps = [], []
    job = {**JOB, "operation": "landforms", "options": {"method": "geomorphons", "polygons": True}}
    report = geotools.run_batch(job, warn=heard.append, progress=steps.append)
    assert statuses(report) == ["done", "failed", "done"]
    assert report.exit_code == 3
    assert heard == [f"b.tif failed: {report.entries[1].error}"]
    assert "cannot be opened as a raster" in report.entries[1].error
    map_landforms("a.tif", "alone.tif", method=geotools.Geomorphons())
    assert (folder / "out" / "a.tif").read_bytes() == (folder / "alone.tif").read_bytes()
    assert (folder / "out" / "a.gpkg").exists()
    values = json.loads((folder / "out" / "batch.json").read_text())
    areas = values["inputs"][0]["area_m2"]
    assert sum(areas.values()) == pytest.approx(60 * 40 * 900)
    assert "data:image/png;base64," in (folder / "out" / "batch.html").read_text()
    assert steps[-1].done == steps[-1].total
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert not [name for name in content(folder / "out") if name.startswith(".")]


def test_reruns_do_what_is_missing(folder):
    """Kept: the same, and a touched input; made anew: other bytes, options, a cut-off output."""
    assert statuses(run_batch(JOB)) == ["done", "failed", "done"]
    before = content(folder / "out")
    assert statuses(run_batch(JOB)) == ["kept", "failed", "kept"]
    assert content(folder / "out")["a.tif"] == before["a.tif"]

    os.utime(folder / "a.tif", (1, 1))
    grid = make_grid(60, 40, left=500_000.0 + 60 * 30)
    write_tif(folder / "c.tif", make_terrain(40, 60, seed=9), grid)
    (folder / "b.tif").unlink()
    write_tif(folder / "b.tif", make_terrain(40, 60))
    assert statuses(run_batch(JOB)) == ["kept", "done", "done"]
    assert content(folder / "out")["c.tif"] != before["c.tif"]

    with (folder / "out" / "a.tif").open("r+b") as file:
        file.truncate(500)
    (folder / "out" / "b.tif").unlink()
    assert statuses(run_batch(JOB)) == ["done", "done", "kept"]
    assert content(folder / "out")["a.tif"] == before["a.tif"]

    assert statuses(run_batch({**JOB, "options": {"edges": True}})) == ["done"] * 3
    assert statuses(run_batch(JOB, overwrite=True)) == ["done"] * 3


def test_the_files_of_others_stay(folder):
    """An output that this batch has not made is replaced with overwrite alone, however often."""
    (folder / "out").mkdir()
    (folder / "out" / "a.tif").write_text("somebody's")
    (folder / "out" / "c.qml").write_text("somebody's")
    for _ in range(2):
        report = run_batch(JOB)
        assert statuses(report) == ["failed"] * 3
        assert "a.tif exists and is not of this batch: give --overwrite" in report.entries[0].error
        assert "c.qml exists" in report.entries[2].error
        assert (folder / "out" / "a.tif").read_text() == "somebody's"
    assert statuses(run_batch(JOB, overwrite=True)) == ["done", "failed", "done"]


def test_a_run_that_is_stopped_is_gone_on_with(folder):
    """What is finished stays, the reports say what is not, the rest comes to the same bytes."""
    run_batch(JOB, output="whole")

    def stop(step):
        if Path("out/a.tif").exists():
            raise KeyboardInterrupt

    heard = []
    with pytest.raises(KeyboardInterrupt):
        run_batch(JOB, progress=stop, warn=heard.append)
    values = json.loads((folder / "out" / "batch.json").read_text())
    assert values["cancelled"]
    assert [one["status"] for one in values["inputs"]] == ["done", "not done", "not done"]
    assert "1 done, 2 not done" in heard[-1]
    assert "the same command does what is not done" in (folder / "out" / "batch.html").read_text()
    assert statuses(run_batch(JOB)) == ["kept", "failed", "done"]
    whole, again = content(folder / "whole"), content(folder / "out")
    assert whole["c.tif"] == again["c.tif"]
    assert not [name for name in again if name.startswith(".")]


def test_what_was_made_before_a_kill_is_ours(folder):
    """A journal that ends in a cut-off line: what was begun is made, what is written down kept."""
    run_batch(JOB)
    journal = folder / "out" / "batch.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if '"c.tif"' in line)
    journal.write_text("".join(lines[: last + 1]) + '{"schema": 1, "name": "c.tif", "stat')
    assert statuses(run_batch(JOB)) == ["kept", "failed", "done"]


def test_mosaics_follow_their_results(folder):
    """Made of what was done; kept while nothing changes; a sentence where there is none."""
    job = {**JOB, "mosaic": "first"}
    report = run_batch(job)
    assert report.mosaic == ("mosaic.tif", "mosaic.vrt")
    with rasterio.open(folder / "out" / "mosaic.tif") as dataset:
        assert dataset.shape == (40, 120)
    before = (folder / "out" / "mosaic.tif").stat().st_mtime_ns
    assert run_batch(job).mosaic == report.mosaic
    assert (folder / "out" / "mosaic.tif").stat().st_mtime_ns == before
    run_batch({**job, "mosaic": "last"})
    assert (folder / "out" / "mosaic.tif").stat().st_mtime_ns != before
    write_tif(folder / "b.tif", make_terrain(40, 60), make_grid(60, 40, crs="EPSG:32634"))
    report = run_batch(job)
    assert report.exit_code == 0
    assert report.mosaic == ()
    assert "There is no mosaic: b.tif is in EPSG:32634" in report.notes[0]


def test_dry_runs_write_nothing(folder):
    """What would be kept, made or fail; no folder."""
    report = run_batch({**JOB, "inputs": ["a.tif", "gone.tif"]}, dry_run=True)
    assert statuses(report) == ["not done", "failed"]
    assert report.lines[0] == "make  a.tif  from  a.tif"
    assert report.lines[1].endswith("(gone.tif does not exist: check the path.)")
    assert not (folder / "out").exists()
    run_batch(JOB)
    assert statuses(run_batch(JOB, dry_run=True)) == ["kept", "not done", "kept"]


def test_several_rasters_of_one_input(folder):
    """As the model's sources have them, from lists and from columns."""
    sources = (SourceInfo("a", ("1",), (1,), 1), SourceInfo("b", ("1",), (1,), 1))
    (folder / "m.onnx").write_bytes(row_model(sources=sources))
    (folder / "list.csv").write_text("s2,dem,name\na.tif,a.tif,Here\n")
    job = {"operation": "predict", "output": "out", "options": {"model": "m.onnx"}}
    for inputs, name in (
        ([["a.tif", "a.tif"]], "a_predict.tif"),
        ([{"csv": "list.csv", "column": ["s2", "dem"]}], "Here_predict.tif"),
    ):
        report = run_batch({**job, "inputs": inputs})
        assert statuses(report) == ["done"]
        assert report.entries[0].outputs == (name,)
        assert len(report.entries[0].files) == 2


def test_catalogs_are_forecast(folder):
    """One catalog of an input; a picture in the colours of forecasts; the number in words."""
    rows = "".join(
        f"2012-0{1 + n % 9}-1{n % 8}T0{n % 7}:00:00Z,{20 + n % 5 / 9},{38 + n % 7 / 9},9,"
        f"{3 - math.log10((n * 37 % 80 + 0.5) / 80):.1f}\n"
        for n in range(80)
    )
    (folder / "one.csv").write_text(f"time,longitude,latitude,depth,magnitude\n{rows}")
    (folder / "two.csv").write_text("nothing")
    options = {"model": "generic", "min_magnitude": 3.0, "cells": True, "start": "2012-12-01"}
    report = run_batch(
        {"operation": "forecast", "output": "out", "inputs": ["*.csv"], "options": options}
    )
    assert statuses(report) == ["done", "failed"]
    assert report.entries[0].outputs == ("one_forecast.tif", "one_forecast.gpkg")
    assert "earthquakes of M 3 or more expected" in report.entries[0].result


def test_processes_give_the_same_bytes(folder):
    """Two inputs at the same time, in processes of their own."""
    (folder / "m.onnx").write_bytes(neighbourhood_model())
    options = {"model": "m.onnx", "confidence": True, "entropy": True, "probabilities": True}
    job = {**JOB, "operation": "predict", "options": options}
    one, two = run_batch(job, output="one"), run_batch(job, output="two", jobs=2)
    assert statuses(one) == statuses(two) == ["done", "failed", "done"]
    first, second = content(folder / "one"), content(folder / "two")
    for name in ("a.tif", "a_entropy.tif", "a_probabilities.tif", "c.tif", "c.qml"):
        assert first[name] == second[name]


def test_a_process_that_dies_fails_its_input_alone(folder, monkeypatch):
    """Another process goes on with the others."""
    monkeypatch.setattr(workers, "_work", dies_at_a)
    report = run_batch({**JOB, "inputs": ["a.tif", "c.tif", "b.tif"]}, jobs=2)
    assert statuses(report) == ["failed", "done", "failed"]
    assert "ended by signal 9: is there memory enough?" in report.entries[0].error


def test_bugs_stop_one_input_and_are_told_as_such(folder, monkeypatch):
    """With the trace in the report."""
    monkeypatch.setattr("geotools.maps.map_terrain", lambda *given, **named: 1 / 0)
    report = run_batch(JOB)
    assert statuses(report) == ["failed"] * 3
    assert "ZeroDivisionError: division by zero): this is a bug" in report.entries[0].error
    values = json.loads((folder / "out" / "batch.json").read_text())
    assert "Traceback" in values["inputs"][0]["trace"]


def test_one_run_at_a_time(folder):
    """A second one in the same folder is refused."""
    pytest.importorskip("fcntl", reason="locks are of POSIX")

    def second(step):
        with pytest.raises(FileError, match="Another run is at work in out"):
            run_batch(JOB)

    run_batch(JOB, progress=second)


def test_folders_and_numbers_that_cannot_be(folder):
    """Said before anything is run."""
    (folder / "file").write_text("x")
    with pytest.raises(FileError, match="file cannot be used"):
        run_batch(JOB, output="file")
    with pytest.raises(ConfigError, match="jobs is 0"):
        run_batch(JOB, jobs=0)
    with pytest.raises(GeotoolsError, match="No input"):
        run_batch({**JOB, "inputs": "*.none"})


def test_real_neighbours_become_one_map(shared, tmp_path):
    """Two SRTM tiles share a row of cells: one mosaic of 2401 rows, each tile as it was."""
    tiles = [str(shared / "dem" / f"N{lat}E011.hgt.zip") for lat in (49, 50)]
    job = {"operation": "terrain", "output": str(tmp_path / "out"), "inputs": tiles,
           "mosaic": "first", "options": {"edges": True}}  # fmt: skip
    report = run_batch(job)
    assert statuses(report) == ["done", "done"]
    with rasterio.open(tmp_path / "out" / "mosaic.tif") as dataset:
        whole = dataset.read(1)
    assert whole.shape == (2401, 1201)
    for name, rows in (("N49", slice(1200, None)), ("N50", slice(0, 1200))):
        with rasterio.open(tmp_path / "out" / f"{name}E011_terrain.tif") as dataset:
            alone = dataset.read(1)[: len(whole[rows])]
        assert np.array_equal(whole[rows], alone, equal_nan=True)


def test_a_part_of_each_input_is_mapped(tmp_path):
    """The words of the command: a rectangle, a mask that must be there, further models."""
    write_tif(tmp_path / "dem.tif", make_terrain(60, 80))
    job = {
        "operation": "landforms",
        "output": "maps",
        "inputs": [{"paths": "dem.tif"}],
        "options": {
            "bbox": [500_300.0, 4_999_100.0, 500_900.0, 4_999_700.0],
            "others": ["landforms-v1"],
        },
    }
    made = run_batch(job, output=tmp_path / "maps", data=tmp_path)
    assert made.count("done") == 1
    (path,) = (tmp_path / "maps").glob("*.tif")
    with rasterio.open(path) as dataset:
        assert dataset.shape == (20, 20)
    job["options"]["mask"] = "none.gpkg"
    with pytest.raises(FileError, match=r"The mask .*none.gpkg cannot be read"):
        run_batch(job, output=tmp_path / "maps", data=tmp_path)


MODEL_JOB = {**JOB, "operation": "predict", "options": {"model": "m.onnx"}}


@pytest.mark.parametrize("how", [{"executor": "serial"}, {"executor": "processes", "workers": 1},
                                 {"scheduler": "local", "workers": 1}])  # fmt: skip
def test_what_runs_the_units_does_not_change_the_maps(folder, how):
    """One input after the other, in this process, in another one and on a Dask cluster."""
    if "scheduler" in how:
        pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    (folder / "m.onnx").write_bytes(neighbourhood_model())
    plain = run_batch(MODEL_JOB, output="plain")
    running = Running(**how, folder=folder / "parts")
    report = run_batch(MODEL_JOB, output="other", running=running)
    assert statuses(report) == statuses(plain) == ["done", "failed", "done"]
    for name in ("a.tif", "c.tif"):
        assert (folder / "other" / name).read_bytes() == (folder / "plain" / name).read_bytes()
    assert not (folder / "parts").exists()


@pytest.mark.parametrize(
    ("job", "jobs", "running", "words"),
    [
        (JOB, 1, Running(executor="serial"), "this terrain is none"),
        (MODEL_JOB, 2, Running(executor="processes"), "give one of --jobs and"),
        (MODEL_JOB, 1, Running(shard=Shard(1, 2), folder=Path("parts")), "leave --shard out"),
    ],
)
def test_units_that_cannot_be_run_so(folder, job, jobs, running, words):
    """One sentence, before anything is made."""
    (folder / "m.onnx").write_bytes(neighbourhood_model())
    with pytest.raises(ConfigError, match=words):
        run_batch(job, jobs=jobs, running=running)
    assert not list((folder / "out").glob("*.tif"))
