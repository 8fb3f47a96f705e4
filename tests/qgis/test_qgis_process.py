"""The plugin in qgis_process, QGIS without a desktop: as a user's script calls it."""

import contextlib
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from sample_layers import ROOT, SHARED, hills, polygon_layer, read_tif, write_tif

MODELS = ROOT / "qgis_plugin" / "geotools_qgis" / "models"


@pytest.fixture(scope="module")
def environment(tmp_path_factory, engine):
    """A profile of its own with the plugin switched on."""
    home = tmp_path_factory.mktemp("profile")
    ini = home / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    ini.parent.mkdir(parents=True)
    ini.write_text("[PythonPlugins]\ngeotools_qgis=true\n")
    (home / "run").mkdir(mode=0o700)
    return {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(home / "run"),
        "QGIS_CUSTOM_CONFIG_PATH": str(home), "QGIS_PLUGINPATH": str(ROOT / "qgis_plugin"),
        "GEOTOOLS_PYTHON": engine,
    }  # fmt: skip


@pytest.fixture(scope="module")
def program():
    """Debian's 3.22 has a wrapper that fails; the program itself works."""
    found = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if found is None:
        pytest.skip("no qgis_process on the path")
    return found


@pytest.fixture(scope="module")
def call(program, environment):
    """Runs qgis_process; gives its exit code and what it printed."""

    def run(*words):
        done = subprocess.run(
            [program, *map(str, words)],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


def test_the_plugin_is_there_with_help_of_its_own(call):
    """The toolbox lists it; help names parameters and defaults."""
    code, told, _ = call("help", "geotools:landforms")
    assert code == 0
    assert "The learned model, which sees through noise" in told
    assert "SEARCH" in told
    code, told, _ = call("list")
    assert "geotools:forecast" in told


def test_real_elevation_becomes_the_map_of_the_command_line(call, cli, folder):
    """A real elevation model, cell by cell, with its style and the areas of its classes."""
    source = SHARED / "dem" / "volcano2hires.tif"
    if not source.is_file():
        pytest.skip(f"no real data at {source}")
    code, told, problems = call(
        "run", "geotools:landforms", "--json", f"--INPUT={source}", f"--OUTPUT={folder / 'q.tif'}"
    )
    assert code == 0, problems
    results = json.loads(told)["results"]
    cli("landforms", source, "-o", folder / "c.tif")
    assert (read_tif(folder / "q.tif") == read_tif(folder / "c.tif")).all()
    assert (folder / "q.qml").is_file()
    assert results["AREA_RIDGE"] > results["AREA_PEAK"] > 0


def test_a_real_catalog_becomes_the_points_of_the_command_line(call, cli, folder):
    """Every event of a QuakeML file, its place and its fields; the style is in the file."""
    source = SHARED / "catalogs" / "neries_events_quakeml.xml"
    if not source.is_file():
        pytest.skip(f"no real data at {source}")
    code, _, problems = call(
        "run", "geotools:events", f"--INPUT={source}", f"--OUTPUT={folder / 'q.gpkg'}"
    )
    assert code == 0, problems
    cli("events", source, "-o", folder / "c.gpkg")
    ours, theirs = features(folder / "q.gpkg"), features(folder / "c.gpkg")
    assert ours == theirs
    assert len(ours) > 2
    with contextlib.closing(sqlite3.connect(folder / "q.gpkg")) as file:
        assert file.execute("select f_table_name from layer_styles").fetchall()


def features(path) -> list[tuple]:
    """Fields and place of each feature of the layer of events."""
    from osgeo import gdal, ogr

    gdal.UseExceptions()
    source = ogr.Open(str(path))
    return [
        (one.ExportToJson(), one.GetGeometryRef().ExportToWkt())
        for one in source.GetLayerByName("events")
    ]


def test_the_examples_run(call, dem, catalog, folder):
    """Landforms with their areas, counted by QGIS; cells above a threshold; a map of a training."""
    code, _, problems = call(
        "run", MODELS / "landform_areas.model3", f"--dem={dem}",
        f"--forms:Landforms={folder / 'forms.tif'}", f"--table:Areas={folder / 'areas.csv'}",
    )  # fmt: skip
    assert code == 0, problems
    with (folder / "areas.csv").open() as file:
        counted = {int(float(row["value"])): int(row["count"]) for row in csv.DictReader(file)}
    cells = read_tif(folder / "forms.tif")[0]
    assert counted == {code: int((cells == code).sum()) for code in counted}
    assert sum(counted.values()) == int((cells > 0).sum())

    code, _, problems = call(
        "run", MODELS / "forecast_cells.model3", f"--catalog={catalog}", "--model=generic",
        "--ratio=2", f"--forecast:Forecast={folder / 'f.tif'}",
        f"--cells:Cells above the threshold={folder / 'above.gpkg'}",
    )  # fmt: skip
    assert code == 0, problems
    from qgis.core import QgsVectorLayer

    above = QgsVectorLayer(str(folder / "above.gpkg"), "above", "ogr")
    assert above.featureCount() > 0
    assert all(feature["ratio"] >= 2 for feature in above.getFeatures())
    del above


def test_a_training_in_a_model(call, dem, folder):
    """Rasters and labels go in, a map comes out."""
    from qgis.core import QgsProject, QgsVectorFileWriter

    boxes = [
        (5e5 + 150 + col * 800, 5e6 - 650 - row * 700, 5e5 + 750 + col * 800,
         5e6 - 150 - row * 700, "ab"[(row + col) % 2])
        for row in range(6) for col in range(6)
    ]  # fmt: skip
    options = QgsVectorFileWriter.SaveVectorOptions()
    labels = folder / "labels.gpkg"
    QgsVectorFileWriter.writeAsVectorFormatV3(
        polygon_layer(boxes), str(labels), QgsProject.instance().transformContext(), options
    )
    code, _, problems = call(
        "run", MODELS / "train_and_map.model3", f"--rasters={dem}", f"--labels={labels}",
        "--field=class", "--learner=logistic",
        f"--trained:Folder of the training={folder / 'run'}", f"--mapped:Map={folder / 'map.tif'}",
    )  # fmt: skip
    assert code == 0, problems
    assert set(read_tif(folder / "map.tif")[0].ravel().tolist()) <= {0, 1, 2}
    assert (folder / "run" / "report.html").is_file()


def test_refusals_exit_with_1(call, dem, folder):
    """What the engine refuses is told and fails; nothing is written."""
    code, told, problems = call(
        "run", "geotools:landforms", f"--INPUT={dem}", "--METHOD=model", "--SEARCH=5",
        f"--OUTPUT={folder / 'out.tif'}",
    )  # fmt: skip
    assert code == 1
    assert "--search belongs to --method geomorphons" in told + problems
    assert not (folder / "out.tif").exists()


def test_a_qgis_that_is_killed_takes_the_engine_with_it(program, environment, folder):
    """After SIGKILL of QGIS the engine ends by itself, and no file of it is left."""
    large = write_tif(folder / "large.tif", hills(3000, 3000))
    process = subprocess.Popen(
        [program, "run", "geotools:landforms", f"--INPUT={large}", "--METHOD=geomorphons",
         "--SEARCH=60", "--TILE=64", "--THREADS=1", f"--OUTPUT={folder / 'out.tif'}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    while not left_in(folder) and process.poll() is None:
        time.sleep(0.02)  # until the engine has begun to write
    engines = children(process.pid)
    assert engines
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while any(is_running(one) for one in engines) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_running(one) for one in engines)
    assert not left_in(folder)


def left_in(folder: Path) -> list[str]:
    """What is there beside the input and the statistics that QGIS writes beside it."""
    return [one.name for one in folder.iterdir() if not one.name.startswith("large.tif")]


def children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == parent:
            found.append(int(path.parent.name))
    return found


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
