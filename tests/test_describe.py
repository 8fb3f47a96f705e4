"""describe: catalogs beside rasters, layers and models; long texts are cut for people."""

import pytest
from conftest import make_terrain, write_tif

from geotools.describe import as_text, describe
from geotools.errors import GeotoolsError

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
