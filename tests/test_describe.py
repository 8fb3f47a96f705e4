"""describe: catalogs beside rasters, layers and models; long texts are cut for people."""

import pytest
from conftest import make_terrain, write_tif
from onnx_bytes import image_model, row_model

from geotools.describe import as_text, describe
from geotools.errors import GeotoolsError
from geotools.spec import SourceInfo

ROWS = """time,longitude,latitude,depth,magnitude,mag_type,id,type
2020-01-01T00:00:00Z,10.5,45.25,5,3.5,Mw,a,earthquake
2020-01-02T00:00:00Z,11,46,5,,,b,explosion
2020-01-03T00:00:00Z,11,99,5,2.5,,c,earthquake
"""


def test_a_catalog_is_described_with_what_is_left_out(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text(ROWS)
    found = describe(file)
    assert found["kind"] == "catalog"
    assert found["events"] == 2
    assert found["skipped"][0]["count"] == 1
    assert found["bounds"] == [10.5, 45.25, 11.0, 46.0]
    assert found["magnitudes"] == [3.5, 3.5]
    assert found["without_magnitude"] == 1
    assert "explosion" in as_text(found)


def test_what_is_nothing_is_one_sentence(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("hello\n")
    with pytest.raises(GeotoolsError, match=r"notes\.txt"):
        describe(file)


def test_a_raster_stays_a_raster(tmp_path):
    assert describe(write_tif(tmp_path / "dem.tif", make_terrain(9, 9)))["kind"] == "raster"


def test_long_texts_are_cut_for_people():
    assert len(as_text({"backbone": "x" * 10_000})) < 200


def test_long_lists_are_cut_for_people():
    names = [f"b{n}" for n in range(12)]
    cut = "b0, b1, b2, b3, b4, b5, b6, b7, b8, b9 and 2 more"
    assert as_text({"a": names}) == f"a: {cut}"
    assert as_text({"a": names[:10]}) == f"a: {cut.removesuffix(' and 2 more')}"
    assert as_text({"give": names}).endswith("b10, b11")


def test_a_model_says_what_to_give_it(tmp_path):
    """The rasters in their order; of a shipped model by its name; the columns of a table."""
    sources = tuple(SourceInfo(name, ("1",), (1,), 1) for name in ("a", "b"))
    for content, given in (
        (row_model(sources=sources), ["a (bands 1)", "b (bands 1)"]),
        (row_model(parameters={"table": True}), ["a table with the columns a, b"]),
    ):
        (tmp_path / "m.onnx").write_bytes(content)
        assert describe(tmp_path / "m.onnx")["give"] == given
    assert describe("landforms-v1")["give"] == ["a raster with the bands elevation"]


def test_somebody_elses_model_is_described(tmp_path):
    """Its graph and metadata; whether it can be run, and what is lacking."""
    metadata = {"class_names": '{"0": "water", "1": "land"}'}
    (tmp_path / "m.onnx").write_bytes(image_model(channels=2, metadata=metadata))
    found = describe(tmp_path / "m.onnx")
    assert found["usable"] == "yes"
    assert found["give"] == ["a raster of 3 bands"]
    assert [item["name"] for item in found["classes"]] == ["water", "land"]
    assert "64 x 64" in as_text(found)
    (tmp_path / "m.onnx").write_bytes(image_model())
    found = describe(tmp_path / "m.onnx")
    assert "--scale" in found["usable"]
    assert found["outputs"][0]["shape"] == ["1", "1", "64", "64"]
