"""geotools_qgis.engine and what else of the plugin works without QGIS."""

import json
import os
import tomllib
from pathlib import Path

import pytest
from geotools_qgis.algorithms.pages import card_page, doctor_page, lines_of
from geotools_qgis.algorithms.toml import training_toml, words_of_names
from geotools_qgis.engine.discovery import MARKER, EngineError, find_engine, interpreter_in
from geotools_qgis.engine.environment import DROPPED, clean_environment
from geotools_qgis.engine.messages import LineSplitter, read_line


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_lines_come_whole_however_they_arrive():
    """Bytes cut anywhere, letters of the world included, give the same lines."""
    lines = ['{"event": "info", "message": "Höhe 高度"}', "plain", ""]
    data = ("\n".join(lines) + "\nrest").encode()
    for size in (1, 2, 3, 7, len(data)):
        splitter, found = LineSplitter(), []
        for start in range(0, len(data), size):
            found += splitter.feed(data[start : start + size])
        assert found == lines
        assert splitter.last() == ["rest"]
        assert splitter.last() == []


@pytest.mark.parametrize("line", ["text", "{broken", "[1, 2]", "", "{'a': 1}"])
def test_what_is_no_message_is_a_line_of_the_log(line):
    """Whatever else is printed does not disturb."""
    assert read_line(line) is None


def test_messages_are_dicts():
    """One object a line."""
    assert read_line(json.dumps({"event": "info"})) == {"event": "info"}


def test_the_environment_loses_what_points_into_qgis():
    """Paths of QGIS's Python, GDAL, PROJ and Qt go; everything else stays; three are set."""
    given = dict.fromkeys(DROPPED, "/qgis") | {"DYLD_LIBRARY_PATH": "/qgis", "HOME": "/me",
                                               "PATH": "/usr/bin", "HTTPS_PROXY": "p"}  # fmt: skip
    cleaned = clean_environment(given, windows=False)
    assert not set(cleaned) & {*DROPPED, "DYLD_LIBRARY_PATH"}
    assert (cleaned["HOME"], cleaned["PATH"], cleaned["HTTPS_PROXY"]) == ("/me", "/usr/bin", "p")
    assert cleaned["PYTHONNOUSERSITE"] == cleaned["PYTHONSAFEPATH"] == "1"
    assert cleaned["PYTHONIOENCODING"] == "utf-8"
    assert "PYTHONHOME" in given


def test_on_windows_folders_of_qgis_leave_the_path():
    """PATH and certificates that point into QGIS go, whatever their case and slashes."""
    home = "C:\\Program Files\\QGIS 3.40"
    given = {"Path": f"{home}\\bin;C:\\Windows;c:/program files/qgis 3.40/apps;C:\\OSGeo4W\\bin",
             "SSL_CERT_FILE": f"{home}\\bin\\curl-ca-bundle.crt", "Temp": "C:\\T"}  # fmt: skip
    cleaned = clean_environment(given, windows=True, prefix=home)
    assert cleaned["Path"] == "C:\\Windows"
    assert "SSL_CERT_FILE" not in cleaned
    assert cleaned["Temp"] == "C:\\T"


def test_the_engine_is_found_in_order(tmp_path):
    """Variable, setting, environment of the plugin, command on the path."""
    named, chosen = program(tmp_path / "a b" / "python"), program(tmp_path / "ö" / "python")
    managed = tmp_path / "managed"
    inside = program(Path(interpreter_in(managed)))
    (managed / MARKER).write_text("geotools-ml")
    on_path = program(tmp_path / "bin" / "geotools")
    variables = {"GEOTOOLS_PYTHON": str(named), "PATH": str(on_path.parent)}
    found = find_engine(variables, str(chosen), managed)
    assert found.command == (str(named), "-m", "geotools")
    del variables["GEOTOOLS_PYTHON"]
    assert find_engine(variables, str(chosen), managed).program == str(chosen)
    assert find_engine(variables, "", managed).program == str(inside)
    assert find_engine(variables, "", tmp_path / "none").command == (str(on_path),)
    (managed / MARKER).unlink()  # an environment that was not finished is none
    assert find_engine(variables, "", managed).command == (str(on_path),)


def test_an_engine_that_is_not_there_is_one_sentence(tmp_path):
    """What was named and does not exist is not silently replaced; nothing found says what to do."""
    with pytest.raises(EngineError, match="GEOTOOLS_PYTHON, does not exist"):
        find_engine({"GEOTOOLS_PYTHON": str(tmp_path / "no"), "PATH": os.environ["PATH"]})
    with pytest.raises(EngineError, match="Settings > Options > geotools"):
        find_engine({"PATH": ""}, "", tmp_path / "none")


def test_layers_become_a_configuration_of_a_training():
    """The TOML says what was given; names become words, twice the same one does not."""
    text = training_toml(
        "glacier run",
        [("DEM 1", "/a b/höhe.tif", "", ""), ("dem-1", 'q"\\.tif', "EPSG:32718", "-9999.0")],
        ("/l.gpkg", "outlines"), "class", {"FEATURES": "dem_1, terrain.slope ", "METRIC": "iou"},
    )  # fmt: skip
    found = tomllib.loads(text)
    assert found["name"] == "glacier_run"
    assert found["metric"] == "iou"
    assert found["features"] == ["dem_1", "terrain.slope"]
    assert [one["name"] for one in found["inputs"]] == ["dem_1", "dem_1_"]
    assert found["inputs"][0]["path"] == "/a b/höhe.tif"
    assert found["inputs"][1]["path"] == 'q"\\.tif'
    assert found["inputs"][1]["crs"] == "EPSG:32718"
    assert "nodata" not in found["inputs"][0]
    assert found["inputs"][1]["nodata"] == -9999
    assert found["labels"] == {"path": "/l.gpkg", "layer": "outlines", "field": "class"}


def test_configurations_from_layers_are_ones(tmp_path):
    """What the plugin writes is what `geotools train` reads."""
    from geotools.schema import build
    from geotools.training.config import TrainConfig

    text = training_toml(
        "m", [("dem", "dem.tif", "", "")], ("l.gpkg", "l"), "",
        {"CLASS_NAME": "glacier", "BACKGROUND": "none", "METRIC": "iou"},
    )  # fmt: skip
    config = build(TrainConfig, tomllib.loads(text), "m.toml")
    assert config.labels.class_name == "glacier"


def test_names_become_words_of_features():
    """Letters, digits and underscores; never empty, never a digit first."""
    assert words_of_names(["Höhe (m)", "2020", "", "dem", "DEM"]) == [
        "h_he_m", "raster2_2020", "raster3", "dem", "dem_",
    ]  # fmt: skip


def test_pages_say_what_was_found_and_run_nothing():
    """Findings and cards as HTML; text of a model file is text."""
    found = {"version": "1", "schema": 1, "python": "/p", "ok": False,
             "findings": [{"what": "GDAL", "ok": False, "detail": "<b>no</b>"}]}  # fmt: skip
    assert "&lt;b&gt;no" in doctor_page(found)
    assert lines_of(found)[1] == "FAIL  GDAL: <b>no</b>"
    card = card_page({"name": "<script>", "classes": [{"name": "water", "code": 1}], "notes": []})
    assert "<script>" not in card
    assert "water" in card
    assert "notes" not in card
