"""write_events and what it wrote read back; how the layer is drawn."""

import csv
import importlib.util
import json
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import numpy as np
import pyogrio
import pytest

from geotools.errors import EventsError, FileError, MissingExtraError
from geotools.events import COLUMNS, event_table
from geotools.io.catalogs import read_catalog, read_events
from geotools.io.catalogs.writing import write_events
from geotools.io.geopackage import write_layer
from geotools.io.pointstyle import events_qml

PARQUET = pytest.param(
    ".parquet",
    marks=pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="no pyarrow here"),
)
SUFFIXES = [".gpkg", PARQUET, ".csv", ".geojson"]
FORMAT = {
    ".gpkg": "geopackage", ".parquet": "geoparquet", ".csv": "events-csv", ".geojson": "geojson"
}  # fmt: skip


def make_events(count: int = 50):
    """Events with everything that is awkward: unknown values, odd texts, long decimals."""
    rng = np.random.default_rng(5)
    time = np.datetime64("1890-01-01", "us") + rng.integers(0, 4 * 10**15, count)
    names = [f"id {n}" for n in range(count)]
    names[:8] = ['=HYPERLINK("x")', "+1", "-1", "@S", "\tx", 'quote " and, comma', "Zürich ü", "NA"]
    return event_table(
        time - time.astype(np.int64) % 1000,  # milliseconds, as GeoPackage has them
        rng.uniform(-180, 180, count),
        rng.uniform(-90, 90, count),
        depth_km=np.where(np.arange(count) % 5 == 0, np.nan, rng.uniform(0, 600, count)),
        magnitude=np.where(np.arange(count) % 7 == 0, np.nan, rng.uniform(-1, 9, count)),
        magnitude_type=["Mw", ""] * (count // 2),
        event_id=names[:count],
        event_type=["earthquake", ""] * (count // 2),
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(tmp_path, suffix):
    """Every column of every row comes back exactly; the report names the format."""
    events = make_events()
    path = tmp_path / f"events{suffix}"
    assert write_events(path, events) == len(events)
    again, report = read_catalog(path)
    assert report.format == FORMAT[suffix]
    assert (report.skipped, report.notes) == ((), ())
    assert again.equals(events)
    with pytest.raises(FileError, match="exists"):
        write_events(path, events)
    assert write_events(path, events.iloc[:3], overwrite=True) == 3
    assert len(read_events(path)) == 3


@pytest.mark.parametrize("suffix", [PARQUET, ".csv", ".geojson"])
def test_microseconds_are_kept(tmp_path, suffix):
    """To the microsecond; a GeoPackage has milliseconds by its standard."""
    time = np.array(["2020-01-01T00:00:00.123457", "1890-02-03T04:05:06.000001"], "datetime64[us]")
    events = event_table(time, np.zeros(2), np.zeros(2), event_id=["a", "b"])
    path = tmp_path / f"events{suffix}"
    write_events(path, events)
    assert read_events(path)["time"].equals(events["time"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_table(tmp_path, suffix):
    """It is written with its columns, and reading says that it holds nothing."""
    path = tmp_path / f"events{suffix}"
    assert write_events(path, make_events().iloc[:0]) == 0
    with pytest.raises(EventsError, match="holds no events"):
        read_events(path)


def test_the_layer(tmp_path):
    """Points in EPSG:4326 with all columns, a UTC time field, unknown values as NULL."""
    events = make_events()
    path = tmp_path / "events.gpkg"
    write_events(path, events, metadata={"source": "a.xml"})
    info = pyogrio.read_info(path, layer="events")
    assert (info["geometry_type"], info["crs"]) == ("Point", "EPSG:4326")
    assert list(info["fields"]) == list(COLUMNS)
    assert info["dtypes"][0].startswith("datetime64")
    assert info["layer_metadata"]["source"] == "a.xml"
    with sqlite3.connect(path) as database:
        first = database.execute("SELECT time, depth_km FROM events LIMIT 1").fetchone()
        style = database.execute("SELECT styleQML, useAsDefault FROM layer_styles").fetchone()
    database.close()
    assert first[0].endswith("Z")
    assert style == (events_qml(), 1)
    layer = geopandas.read_file(path, layer="events")
    assert layer["depth_km"].isna().equals(events["depth_km"].isna())


def test_other_layers_are_kept(tmp_path):
    """Overwriting replaces the layer of events alone."""
    path = tmp_path / "map.gpkg"
    write_layer(path, make_events(4)[["event_id", "geometry"]], layer="other")
    write_events(path, make_events(), overwrite=True)
    assert {name for name, _ in pyogrio.list_layers(path)} >= {"other", "events"}
    assert len(read_events(path)) == 50


def test_the_style_draws_every_event():
    """Depth classes meet, the unknown has one, size follows the magnitude, time is the field."""
    root = ElementTree.fromstring(events_qml())
    ranges = [(float(item.get("lower")), float(item.get("upper"))) for item in root.iter("range")]
    assert all(one[1] == two[0] for one, two in pairwise(ranges[:-1]))
    assert (ranges[0][0], ranges[-2][1], ranges[-1]) == (-10.0, 800.0, (-99.0, -99.0))
    symbols = {item.get("name") for item in root.iter("symbol")}
    assert symbols == {item.get("symbol") for item in root.iter("range")}
    assert root.find("temporal").get("startField") == "time"
    sizes = [item.get("value") for item in root.iter("Option") if item.get("name") == "expression"]
    assert all('"magnitude"' in size for size in sizes)
    assert len(sizes) == len(symbols)


def test_texts_that_a_spreadsheet_would_run(tmp_path):
    """CSV cells of text get an apostrophe before = + - @ and tab; numbers stay as they are."""
    path = tmp_path / "events.csv"
    events = make_events()
    write_events(path, events)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for name in ("event_id", "magnitude_type", "event_type"):
            assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not row["longitude"].startswith("'")
    assert '\'=HYPERLINK("x")' in {row["event_id"] for row in rows}
    assert any(row["longitude"].startswith("-") for row in rows)


def test_geojson_is_geojson(tmp_path):
    """Any reader of RFC 7946 has the features; unknown values are null."""
    path = tmp_path / "events.geojson"
    events = make_events()
    write_events(path, events)
    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert len(document["features"]) == len(events)
    assert geopandas.read_file(path).geometry.geom_equals_exact(events.geometry, 0).all()


def test_outputs_that_cannot_be(tmp_path, monkeypatch):
    """Another ending, not an event table, no pyarrow: one sentence, and no file."""
    events = make_events()
    for name in ("events.txt", "events", "events.shp"):
        with pytest.raises(FileError, match="ends neither in"):
            write_events(tmp_path / name, events)
    with pytest.raises(EventsError):
        write_events(tmp_path / "a.csv", events.drop(columns="time"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"geotools-ml\[parquet\]"):
        write_events(tmp_path / "a.parquet", events)
    monkeypatch.undo()
    pytest.importorskip("pyarrow")
    write_events(tmp_path / "a.parquet", events)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        read_events(tmp_path / "a.parquet")
    assert [item.name for item in tmp_path.iterdir()] == ["a.parquet"]


def test_databases_that_are_no_catalog(tmp_path):
    """Views, virtual tables and computed values are not run; wrong kinds of values are unknown."""
    path = tmp_path / "a.gpkg"

    def database(*orders: str) -> None:
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as made:
            for order in orders:
                made.execute(order)
        made.close()

    endless = (
        "CREATE VIEW events AS WITH RECURSIVE n(time) AS (SELECT 1 UNION ALL SELECT time + 1 "
        "FROM n) SELECT time, time AS longitude, time AS latitude FROM n"
    )
    database(endless)
    with pytest.raises(EventsError, match="no layers with time"):
        read_events(path)
    database(
        "CREATE TABLE events (time TEXT, longitude REAL, "
        "latitude REAL AS (length(hex(zeroblob(100000000)))))",
        "INSERT INTO events VALUES ('2020-01-01T00:00:00Z', 1)",
    )
    with pytest.raises(EventsError):
        read_events(path)
    database(
        "CREATE TABLE quakes (time, longitude, latitude, magnitude, event_id)",
        "INSERT INTO quakes VALUES ('2020-01-01T00:00:00Z', 1.0, 2, 'big', x'00ff')",
        "INSERT INTO quakes VALUES (12, 1.0, 2, 3, 4)",
    )
    events, report = read_catalog(path)
    assert len(events) == 1
    assert np.isnan(events["magnitude"][0])
    assert report.skipped[0].reason == "no time"


def test_a_csv_that_was_edited(tmp_path):
    """Columns in another order or missing cells are fine; a broken table is one sentence."""
    path = tmp_path / "events.csv"
    write_events(path, make_events())
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], "2020-01-01,5,46,,,,,", "never,5,46,x,y,,b,"]), "utf-8")
    events, report = read_catalog(path)
    assert len(events) == 1
    assert report.skipped[0].example == "line 3 (b)"
    path.write_text("\n".join([lines[0], "1,2,3,4,5,6,7,8,9,10,11"]), "utf-8")
    with pytest.raises(EventsError):
        read_events(path)


QGIS = """
import os, sys
from qgis.core import QgsApplication, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(sys.argv[1] + "|layername=events", "events", "ogr")
renderer = layer.renderer()
said = [layer.isValid(), layer.featureCount(), renderer.type(), len(renderer.ranges())]
layer.loadDefaultStyle()  # drag and drop leaves the temporal part out
time = layer.temporalProperties()
print(*said, time.isActive(), time.startField(), layer.fields().field("time").typeName())
sys.stdout.flush()
os._exit(0)
"""


def test_qgis_takes_the_style(tmp_path):
    """QGIS opens the layer with its classes, and its temporal controller has the field."""
    python = Path("/usr/bin/python3")
    if not python.exists() or not list(Path("/usr/lib/python3/dist-packages").glob("qgis")):
        pytest.skip("no QGIS for Python on this machine")
    path = tmp_path / "events.gpkg"
    write_events(path, make_events())
    done = subprocess.run(
        [python, "-c", QGIS, path],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.strip() == "True 50 graduatedSymbol 7 True time DateTime"
