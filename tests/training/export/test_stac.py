"""The STAC Item beside a model: what STAC 1.1 and the MLM extension 1.5 demand."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import make_grid, make_lonlat_grid
from learner_models import conv_traced, make_spec, row_traced

from geotools.errors import FileError
from geotools.spec import METADATA_KEY, ClassInfo, OutputInfo, SourceInfo
from geotools.training.export.stac import write_stac
from geotools.training.export.writer import write_graph

FIELDS = {
    "name", "architecture", "tasks", "framework", "framework_version", "memory_size",
    "total_parameters", "pretrained", "pretrained_source", "batch_size_suggestion", "accelerator",
    "accelerator_constrained", "accelerator_summary", "accelerator_count", "input", "output",
    "hyperparameters",
}  # fmt: skip
"""That an Item's properties may have by the schema of MLM 1.5; others are an error there."""

TASKS = {"regression", "classification", "semantic-segmentation"}


def made(folder: Path, traced, spec, **options) -> dict:
    write_graph(traced.graph, folder / "model.onnx", {METADATA_KEY: spec.to_json()})
    options = {"architecture": "U-Net", **options}
    item = write_stac(folder / "model.stac.json", spec, folder / "model.onnx", **options)
    assert json.loads((folder / "model.stac.json").read_text()) == item
    return item


def check(item: dict) -> None:
    """The rules of the two schemas, by hand."""
    assert item["type"] == "Feature"
    assert item["stac_version"] == "1.1.0"
    assert "https://stac-extensions.github.io/mlm/v1.5.2/schema.json" in item["stac_extensions"]
    assert item["id"]
    assert item["links"] == [] or all({"rel", "href"} <= set(link) for link in item["links"])
    assert (item["geometry"] is None) == ("bbox" not in item)
    properties = item["properties"]
    assert properties["datetime"] is None
    assert properties["start_datetime"] <= properties["end_datetime"]
    assert properties["gsd"] > 0
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]", properties["mlm:name"])
    assert isinstance(properties["mlm:architecture"], str)
    assert set(properties["mlm:tasks"]) <= TASKS
    assert properties["mlm:framework"] == "ONNX"
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["mlm:framework_version"])
    assert properties["mlm:accelerator"] is None
    assert properties["mlm:total_parameters"] > 0
    assert all(re.fullmatch(r"[0-9a-zA-Z_.-]+", key) for key in properties["mlm:hyperparameters"])
    mlm = {name.removeprefix("mlm:") for name in properties if name.startswith("mlm:")}
    assert mlm <= FIELDS
    assert properties["mlm:hyperparameters"]
    known = {band["name"] for band in properties["bands"]}
    assert known or not any(entry["bands"] for entry in properties["mlm:input"])
    for entry in properties["mlm:input"]:
        structure = entry["input"]
        assert len(structure["shape"]) == len(structure["dim_order"])
        assert len(set(structure["dim_order"])) == len(structure["dim_order"])
        assert all(re.fullmatch(r"[a-z-_]+", name) for name in structure["dim_order"])
        assert ("bands" in structure["dim_order"]) == bool(entry["bands"])
        assert set(entry["bands"]) <= known
        assert structure["data_type"] == "float32"
        assert entry["value_scaling"] is None
        assert entry["resize_type"] is None
    for entry in properties["mlm:output"]:
        assert set(entry["tasks"]) <= TASKS
        order = entry["result"]["dim_order"]
        assert len(entry["result"]["shape"]) == len(order) == len(set(order))
        assert all(re.fullmatch(r"[a-z-_]+", name) for name in order)
        assert "bands" not in order  # it would have to say which
        for number, info in enumerate(entry.get("classification:classes", ())):
            assert info["value"] == number
            assert re.fullmatch(r"[0-9A-Za-z-_]+", info["name"])
            assert re.fullmatch(r"[0-9A-F]{6}", info["color_hint"])
    (asset,) = item["assets"].values()
    assert {"mlm:model", "mlm:weights"} <= set(asset["roles"])
    assert {name for name in asset if name.startswith("mlm:")} == {"mlm:artifact_type"}
    assert asset["mlm:artifact_type"]
    assert asset["bands"] == properties["bands"]
    assert "mlm:artifact_type" not in properties
    assert properties["mlm:pretrained"] == (properties["mlm:pretrained_source"] is not None)


def test_an_item_of_a_raster_model(tmp_path: Path):
    _, traced = conv_traced(sizes=True)
    spec = make_spec(
        traced, cell_size_m=(10.0, 40.0), parity={"max_difference": 1e-6, "on": "9 cells"}, halo=2
    )
    item = made(
        tmp_path, traced, spec, bbox=(10.0, 46.0, 11.0, 47.0),
        datetimes=("2020-06-01T00:00:00Z", "2021-06-01T00:00:00Z"),
        hyperparameters={"width": 16, "learning rate": 2e-3, "weights": (1.0, float("nan"))},
        derived_from=("https://example.org/s2",),
    )  # fmt: skip
    check(item)
    properties = item["properties"]
    assert properties["gsd"] == 20.0
    assert properties["license"] == "CC-BY-4.0"
    assert [entry["name"] for entry in properties["mlm:input"]] == ["raster", "cell_size"]
    assert properties["mlm:input"][0]["bands"] == ["s2.red", "s2.nir"]
    assert properties["mlm:input"][0]["input"]["shape"] == [-1, 2, -1, -1]
    assert properties["mlm:output"][0]["result"]["shape"] == [-1, 3, -1, -1]
    assert properties["mlm:hyperparameters"]["geotools.halo"] == 2
    assert properties["mlm:hyperparameters"]["geotools.parity.max_difference"] == 1e-6
    assert properties["mlm:hyperparameters"]["weights"] == [1.0, None]
    assert item["links"] == [{"rel": "derived_from", "href": "https://example.org/s2"}]
    content = (tmp_path / "model.onnx").read_bytes()
    asset = item["assets"]["model"]
    assert asset["href"] == "model.onnx"
    assert asset["file:size"] == len(content)
    assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()


def test_an_item_of_a_model_of_cells_without_place_or_time(tmp_path: Path):
    weights, traced = row_traced(("dem", "terrain.slope", "a", "b"), 2, length=2)
    odd = tuple(ClassInfo(k, name, "#0a0B0c") for k, name in ((3, "névé & ice"), (7, "Ω")))
    spec = make_spec(
        traced, name="7 é", licence="see the archive",
        outputs=(OutputInfo("probabilities", "probabilities", odd),),
    )  # fmt: skip
    item = made(tmp_path, traced, spec, artifact_type="onnx.save")
    check(item)
    assert item["geometry"] is None
    assert item["properties"]["license"] == "other"
    assert item["properties"]["mlm:input"][0]["input"]["shape"] == [-1, 2, 2]
    assert item["properties"]["mlm:total_parameters"] == weights.size
    classes = item["properties"]["mlm:output"][0]["classification:classes"]
    assert [one["description"] for one in classes] == [
        "névé & ice: code 3 in maps",
        "Ω: code 7 in maps",
    ]


def test_an_item_of_values(tmp_path: Path):
    _, traced = conv_traced(classes=0)
    item = made(tmp_path, traced, make_spec(traced, classes=0))
    check(item)
    assert item["properties"]["mlm:tasks"] == ["regression"]
    assert item["properties"]["mlm:output"][0]["result"]["dim_order"][1] == "value"


def test_a_place_across_the_180th_meridian_is_two_rectangles(tmp_path: Path):
    _, traced = row_traced()
    item = made(tmp_path, traced, make_spec(traced), bbox=(170.0, -20.0, -175.0, -10.0))
    assert item["geometry"]["type"] == "MultiPolygon"
    west, east = (np.array(part[0])[:, 0] for part in item["geometry"]["coordinates"])
    assert (west.min(), west.max(), east.min(), east.max()) == (170, 180, -180, -175)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path):
    _, traced = row_traced()
    with pytest.raises(FileError, match="cannot be read"):
        write_stac(
            tmp_path / "a.json", make_spec(traced), tmp_path / "none.onnx", architecture="forest"
        )


def test_place_and_time_come_from_grids_and_dates(tmp_path: Path):
    """The extent of all grids in degrees, the first and last day that the dates can mean."""
    _, traced = row_traced(("l5.a@1986", "l5.a@1991-02"), length=2)
    source = SourceInfo("l5", ("a",), (1,), 1, dates=("1986", "1991-02"))
    spec = make_spec(traced, sources=(source,), parameters={"learner": "gru"})
    grids = (make_lonlat_grid(60, 40), make_lonlat_grid(120, 30, top=46.6))
    item = made(tmp_path, traced, spec, grids=grids, architecture=None)
    check(item)
    np.testing.assert_allclose(item["bbox"], [8.0, 46.5 - 40 / 1200, 8.1, 46.6], atol=1e-6)
    assert item["properties"]["start_datetime"] == "1986-01-01T00:00:00Z"
    assert item["properties"]["end_datetime"] == "1991-02-28T23:59:59Z"
    assert item["properties"]["mlm:architecture"] == "recurrent network (GRU)"
    assert item["assets"]["model"]["mlm:artifact_type"] == "torch.onnx.export"
    forest = make_spec(traced, parameters={"learner": "forest"})
    item = made(tmp_path, traced, forest, grids=(make_grid(),), architecture=None)
    check(item)
    assert item["bbox"][0] == pytest.approx(15.0, abs=0.01)  # 500 km east in UTM 33
    assert item["properties"]["mlm:architecture"] == "random forest"
    assert item["assets"]["model"]["mlm:artifact_type"] == "onnx.save"


def test_a_grid_that_is_nowhere_on_the_Earth_has_no_place(tmp_path: Path):
    _, traced = row_traced()
    grid = make_grid(crs='LOCAL_CS["lab",UNIT["metre",1]]')
    item = made(tmp_path, traced, make_spec(traced), grids=(grid,))
    check(item)
    assert item["geometry"] is None
