"""geotools.maps.merge: shards give what one run gives; what a folder says of its job is checked."""

import json
import os

import numpy as np
import pytest
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import image_model, neighbourhood_model

from geotools.effort import Effort
from geotools.engine.execute import Shard
from geotools.engine.run import Running
from geotools.errors import FileError, GeotoolsError
from geotools.inference.terms import ForeignSettings
from geotools.io.cog import is_cog
from geotools.maps.area import AreaOptions
from geotools.maps.inputs import DemOptions
from geotools.maps.landforms import map_landforms
from geotools.maps.merge import merge_job
from geotools.maps.polygons import Polygons
from geotools.maps.predict import map_predictions
from geotools.maps.predict_inputs import RasterOptions
from geotools.maps.predict_outputs import LayerFiles


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Rasters and models."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)
    terrain = make_terrain(200, 260)
    terrain[20:150, 30:120] = np.nan
    write_tif(tmp_path / "dem.tif", terrain)
    rgb = np.random.default_rng(0).integers(1, 256, (4, 200, 260)).astype(np.uint8)
    write_tif(tmp_path / "rgb.tif", rgb, make_grid(260, 200, cell=0.05), photometric="MINISBLACK")
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    (tmp_path / "bare.onnx").write_bytes(image_model(channels=2, side="s"))
    return tmp_path


def by_model(output, **more):
    return map_predictions(
        "m.onnx", "dem.tif", output, confidence=True, entropy=True, probabilities="uint8",
        polygons=Polygons(output.replace(".tif", ".gpkg"), 1000.0, 5.0),
        reading=RasterOptions("EPSG:32633", (1,), float("nan")), effort=Effort(tile=64), **more,
    )  # fmt: skip


def by_foreign_model(output, **more):
    settings = ForeignSettings(
        scale=1 / 510, classes=((5, "water"), (None, "forest")), tile_size=64, overlap_percent=10,
        bands=3,
    )  # fmt: skip
    return map_predictions(
        "bare.onnx", ["rgb.tif"], output, reading=RasterOptions(bands=(3, 2, 1)),
        foreign=settings, **more,
    )  # fmt: skip


def as_landforms(output, **more):
    return map_landforms(
        "dem.tif", output, method="m.onnx", effort=Effort(tile=64),
        reading=DemOptions(nodata=float("nan"), z_factor=2.0), tta=True,
        area=AreaOptions((500_300.0, 4_995_000.0, 506_000.0, 5_000_000.0)), **more,
    )  # fmt: skip


def contents(folder, name):
    found = {}
    for path in folder.iterdir():
        if path.name.startswith(name):
            content = path.read_bytes().replace(name.encode(), b"NAME")
            if path.suffix == ".json":  # knows the names of files in what it has the hash of
                content = b""
            found[path.name.replace(name, "NAME")] = content
    return found


@pytest.mark.parametrize("make", [by_model, by_foreign_model, as_landforms])
def test_shards_that_are_merged_are_one_run(folder, monkeypatch, make):
    """Byte for byte, from another folder, whatever the options; the job's folder is gone."""
    make("map_whole.tif", running=Running(unit_cells=64))
    for number in (2, 1):
        running = Running(unit_cells=64, folder=folder / "job", shard=Shard(number, 2))
        made = make("map_merge.tif", running=running)
        assert made.shard.units > 3
        assert not (folder / "map_merge.tif").exists()
    monkeypatch.chdir(folder.parent)
    merged = merge_job(folder / "job")
    assert merged.path == folder / "map_merge.tif"
    whole, joined = contents(folder, "map_whole"), contents(folder, "map_merge")
    assert set(whole) == set(joined)
    assert [name for name in whole if whole[name] != joined[name]] == []
    assert not (folder / "job").exists()


def shard(folder, number, count=2, output="out.tif", **more):
    running = Running(unit_cells=64, folder=folder / "job", shard=Shard(number, count))
    return map_predictions(
        "m.onnx", "dem.tif", output, effort=Effort(tile=64), running=running, **more
    )


def test_merged_maps_are_cogs_where_the_shards_ask_for_them(folder):
    """All GeoTIFFs; the job and its parts are those of the plain maps."""
    more = {"confidence": True, "entropy": True, "probabilities": True}
    shard(folder, 1, 1, **more)
    plain = json.loads((folder / "job" / "job.json").read_text())["id"]
    merge_job("job")
    shard(folder, 1, 1, "cog.tif", cog=True, **more)
    assert json.loads((folder / "job" / "job.json").read_text())["id"] == plain
    merge_job("job")
    for layer in ("", "_entropy", "_probabilities"):
        assert is_cog(folder / f"cog{layer}.tif")
        assert not is_cog(folder / f"out{layer}.tif")


def test_merged_maps_have_the_files_that_the_shards_name(folder):
    """Where each layer is written is a part of the job, from whatever folder it is joined."""
    files = LayerFiles(confidence="c.tif", entropy="e.tif")
    shard(folder, 1, 1, files=files)
    made = merge_job("job")
    assert made.confidence == folder / "c.tif"
    assert made.outputs == (folder / "out.tif", folder / "e.tif", folder / "c.tif")
    assert all(path.is_file() for path in made.outputs)


def test_missing_units_are_named(folder):
    """Nothing is written then, and nothing is lost."""
    shard(folder, 1)
    with pytest.raises(FileError, match=r"units have no parts in .*columns"):
        merge_job("job")
    assert not (folder / "out.tif").exists()
    shard(folder, 2)
    assert merge_job("job").path.exists()


def test_shards_have_one_output(folder):
    """One with other options is told which."""
    shard(folder, 1)
    with pytest.raises(FileError, match=r"holds a job whose wanted is .*give all its shards"):
        shard(folder, 2, output="other.tif")
    with pytest.raises(FileError, match="holds another job"):
        shard(folder, 2, confidence=True)


def test_shards_at_the_same_time_leave_each_other_alone(folder):
    """What another one is writing is not removed."""
    shard(folder, 1)
    writing = folder / "job" / "0-1.0.01234567.writing"
    writing.touch()
    own = folder / "job" / "0-0.0.01234567.writing"
    own.touch()
    shard(folder, 1)
    assert writing.exists()
    assert not own.exists()


def test_what_is_there_is_replaced_by_leave_of_the_one_who_merges(folder):
    """Not by that of the job."""
    for number in (1, 2):
        shard(folder, number, overwrite=True)
    (folder / "out.tif").write_text("mine")
    with pytest.raises(FileError, match="--overwrite"):
        merge_job("job")
    assert (folder / "out.tif").read_text() == "mine"
    assert merge_job("job", overwrite=True).path.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"rasters": "dem.tif"},
        {"rasters": [7]},
        {"rasters": []},
        {"rasters": ["/etc/passwd"]},
        {"models": ["/etc/passwd"]},
        {"models": "m.onnx"},
        {"models": []},
        {"device": "toaster"},
        {"area": {"bounds": [1, 2, 3]}},
        {"area": {"mask": 7}},
        {"tta": 1},
        {"tile": "64"},
        {"tile": 10**9},
        {"unit_cells": 0},
        {"unit_cells": 128},
        {"wanted": None},
        {"wanted": {"path": ["out.tif"]}},
        {"wanted": {"path": "/vsimem/out.tif"}},
        {"wanted": {"path": "/no/such/folder/out.tif"}},
        {"wanted": {"path": "dem.tif"}},
        {"wanted": {"path": "out.tif", "layer": "a'; DROP TABLE x"}},
        {"wanted": {"path": "out.tif", "polygons": {"path": 7}}},
        {"wanted": {"path": "out.tif", "probabilities": "text"}},
        {"bands": {"crs": 7}},
        {"foreign": {"classes": [[1, 2]]}},
        {"id": "0" * 32},
        {"more": 1},
    ],
    ids=str,
)
def test_what_a_folder_says_is_not_believed(folder, change):
    """A sentence, and nothing is written or removed."""
    for number in (1, 2):
        shard(folder, number)
    before = set(os.listdir(folder))
    path = folder / "job" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(GeotoolsError):
        merge_job("job", overwrite=True)
    assert set(os.listdir(folder)) == before


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"id": 1}'])
def test_a_folder_of_something_else_is_said_to_be(folder, text):
    (folder / "job").mkdir()
    (folder / "job" / "job.json").write_text(text)
    with pytest.raises(GeotoolsError, match=r"is no folder of a job|does not say"):
        merge_job("job")
    with pytest.raises(FileError, match="is no folder of a job"):
        merge_job("nothing")
