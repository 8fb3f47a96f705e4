from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from xml.etree import ElementTree

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from geotools.errors import FileError
from geotools.io.geopackage import describe_layers, read_layer, write_layer
from geotools.io.records import record_path
from geotools.spec import ClassInfo
from geotools.vector import VectorBatch

CLASSES = [ClassInfo(1, "peak <1> & 'more'", "#ff0000"), ClassInfo(7, "tal ü", "#00Ff7f")]
QGIS_COLUMNS = [
    "id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName",
    "styleQML", "styleSLD", "useAsDefault", "description", "owner", "ui", "update_time",
]  # fmt: skip


def boxes(count=6, first=0, crs="EPSG:32633"):
    at = np.arange(first, first + count, dtype=float)
    columns = {
        "class": np.where(at % 2, 7, 1).astype(np.int32),
        "name": np.where(at % 2, "tal ü", "peak"),
        "area_m2": np.ones(count),
        "confidence": at.astype(np.float32) / 10,
    }
    return geopandas.GeoDataFrame(columns, geometry=shapely.box(at, 0, at + 1, 1), crs=crs)


def rows(path, query, *parameters):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query, parameters).fetchall()


def leftovers(folder):
    return sorted(
        path.name
        for path in folder.iterdir()
        if not path.name.endswith((".gpkg", ".gpkg.json")) or ".part" in path.name
    )


def test_batches_become_one_layer(tmp_path):
    """What pyogrio reads back is what was given, in order, with the types of the first batch."""
    path = tmp_path / "a.gpkg"
    batches = (boxes(4, first) for first in (0, 4, 8))
    assert write_layer(path, batches, layer="forms", classes=CLASSES) == 12
    back = pyogrio.read_dataframe(path, layer="forms")
    expected = boxes(12)
    assert (back["class"] == expected["class"]).all()
    assert (back["name"] == expected["name"]).all()
    assert back["confidence"].dtype == np.float32
    assert back.geometry.geom_equals_exact(expected.geometry, 0).all()
    assert back.crs == expected.crs
    assert rows(path, "SELECT count(*) FROM rtree_forms_geom") == [(12,)]
    assert [info.name for info in describe_layers(path)] == ["forms"]
    assert leftovers(tmp_path) == []


def test_ogrinfo_finds_nothing_to_complain_about(tmp_path):
    """The file is one that GDAL's own tool reads without a warning."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms", classes=CLASSES, metadata={"model": "m"})
    try:
        done = subprocess.run(["ogrinfo", "-so", "-al", path], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("ogrinfo is not installed")
    assert done.returncode == 0
    assert "Feature Count: 6" in done.stdout
    assert "model=m" in done.stdout
    assert "ERROR" not in done.stderr


def test_the_default_style_is_where_qgis_looks(tmp_path):
    """One row of `layer_styles` for the layer, marked default, and the table is registered."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms", classes=CLASSES)
    assert [row[1] for row in rows(path, "PRAGMA table_info(layer_styles)")] == QGIS_COLUMNS
    found = rows(
        path,
        "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML, styleSLD "
        "FROM layer_styles",
    )
    assert [row[:3] for row in found] == [("forms", "geom", 1)]
    assert rows(path, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [
        ("attributes",)
    ]
    qml = ElementTree.fromstring(found[0][3])
    renderer = qml.find("renderer-v2")
    assert renderer.get("type") == "categorizedSymbol"
    assert renderer.get("attr") == "class"
    categories = renderer.findall("categories/category")
    assert [(item.get("value"), item.get("label")) for item in categories] == [
        ("1", "peak <1> & 'more'"),
        ("7", "tal ü"),
    ]
    symbols = {symbol.get("name"): symbol for symbol in renderer.findall("symbols/symbol")}
    colors = [
        symbols[item.get("symbol")].find("layer/Option/Option[@name='color']").get("value")
        for item in categories
    ]
    assert colors == ["255,0,0,255", "0,255,127,255"]
    sld = ElementTree.fromstring(found[0][4].encode())
    space = {"sld": "http://www.opengis.net/sld", "ogc": "http://www.opengis.net/ogc"}
    assert [item.text for item in sld.iterfind(".//ogc:Literal", space)] == ["1", "7"]
    assert [item.text for item in sld.iterfind(".//sld:Rule/sld:Name", space)] == [
        info.name for info in CLASSES
    ]


def test_without_classes_there_is_no_style(tmp_path):
    """Points and others come without; their geometry type is the first batch's."""
    path = tmp_path / "a.gpkg"
    points = geopandas.GeoDataFrame({"m": [4.5]}, geometry=[shapely.Point(1, 2)], crs=4326)
    write_layer(path, points, layer="events")
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'layer_styles'") == []
    (info,) = describe_layers(path)
    assert (info.geometry_type, info.crs, info.fields) == ("Point", "EPSG:4326", {"m": "Real"})


def test_metadata_is_kept_and_described(tmp_path):
    """Provenance goes in and comes out, in the tables of the standard."""
    path = tmp_path / "a.gpkg"
    metadata = {"model": "landforms <1>", "sha256": "ab" * 32, "parameters": '{"search": 20}'}
    write_layer(path, boxes(), layer="forms", metadata=metadata)
    (info,) = describe_layers(path)
    assert info.metadata == metadata
    assert info.features == 6
    assert info.bounds == (0, 0, 6, 1)
    assert info.fields["class"] == "Integer"
    assert rows(path, "SELECT reference_scope, table_name FROM gpkg_metadata_reference") == [
        ("table", "forms")
    ]


def test_an_empty_result_is_a_layer_all_the_same(tmp_path):
    """Columns, CRS, type, style and index are there; features are not."""
    path = tmp_path / "a.gpkg"
    assert write_layer(path, boxes(0), layer="forms", classes=CLASSES) == 0
    (info,) = describe_layers(path)
    assert (info.features, info.geometry_type, info.crs) == (0, "Polygon", "EPSG:32633")
    assert list(info.fields) == ["class", "name", "area_m2", "confidence"]
    assert info.bounds is None
    assert len(read_layer(path)) == 0


def test_the_same_features_give_the_same_bytes(tmp_path, monkeypatch):
    """With SOURCE_DATE_EPOCH set, files are equal and carry that time."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("a", "b"):
        batches = [boxes(5), boxes(5, 5)]
        write_layer(
            tmp_path / f"{name}.gpkg", batches, layer="x", classes=CLASSES, metadata={"k": "v"}
        )
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    times = rows(tmp_path / "a.gpkg", "SELECT last_change FROM gpkg_contents")
    assert {time for (time,) in times} == {"2023-11-14T22:13:20.000Z"}


@pytest.mark.parametrize("crs", ["EPSG:32633", "+proj=laea +lat_0=47 +lon_0=11 +units=m"])
def test_arrays_give_the_bytes_that_tables_give(crs, tmp_path, monkeypatch):
    """Columns, nulls, CRS and geometry are the same; one batch may be empty."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    tables = [boxes(5, crs=crs), boxes(0, crs=crs), boxes(5, 5, crs=crs)]
    tables[0].loc[2, "confidence"] = np.nan
    arrays = [
        VectorBatch(
            {name: table[name].to_numpy(object if name == "name" else None)
             for name in ("class", "name", "area_m2", "confidence")},
            shapely.to_wkb(table.geometry.to_numpy()), "Polygon", table.crs,
        )
        for table in tables
    ]  # fmt: skip
    for name, batches in (("a", tables), ("b", arrays)):
        write_layer(tmp_path / f"{name}.gpkg", batches, layer="x", classes=CLASSES)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    assert write_layer(tmp_path / "c.gpkg", arrays[1:2], layer="x") == 0
    assert len(read_layer(tmp_path / "c.gpkg")) == 0


def test_arrays_take_the_crs_that_is_given(tmp_path):
    """As tables without one do; and without any nothing is written."""
    table = boxes(2)
    wkb = shapely.to_wkb(table.geometry.to_numpy())
    batch = VectorBatch({"class": table["class"].to_numpy()}, wkb, "Polygon", None)
    with pytest.raises(FileError, match="have no CRS"):
        write_layer(tmp_path / "a.gpkg", [batch], layer="x")
    write_layer(tmp_path / "a.gpkg", [batch], layer="x", crs="EPSG:32633")
    assert read_layer(tmp_path / "a.gpkg").crs.to_epsg() == 32633


def test_an_existing_file_is_left_alone_unless_told(tmp_path):
    """No overwrite, no change."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms")
    before = path.read_bytes()
    with pytest.raises(FileError, match="overwrite"):
        write_layer(path, boxes(2), layer="other")
    assert path.read_bytes() == before


def test_overwriting_keeps_what_else_is_in_the_file(tmp_path):
    """Other layers, their styles and metadata, and tables of other programs stay."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(3), layer="mine", classes=CLASSES[:1], metadata={"by": "me"})
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE qgis_projects (name TEXT, metadata BLOB, content BLOB)")
        database.execute("INSERT INTO qgis_projects VALUES ('p', '', x'00ff')")
    write_layer(path, boxes(4), layer="forms", classes=CLASSES, overwrite=True)
    for count in (5, 2):
        write_layer(
            path, boxes(count), layer="forms", classes=CLASSES, metadata={"n": f"{count}"},
            overwrite=True,
        )  # fmt: skip
    found = {info.name: info for info in describe_layers(path) if info.geometry_type}
    assert {name: info.features for name, info in found.items()} == {"mine": 3, "forms": 2}
    assert found["mine"].metadata == {"by": "me"}
    assert found["forms"].metadata == {"n": "2"}
    assert rows(path, "SELECT * FROM qgis_projects") == [("p", "", b"\0\xff")]
    styles = rows(path, "SELECT f_table_name FROM layer_styles ORDER BY 1")
    assert styles == [("forms",), ("mine",)]
    assert rows(path, "SELECT count(*) FROM gpkg_metadata") == [(2,)]
    assert leftovers(tmp_path) == []


def test_overwriting_a_file_of_that_layer_alone_makes_it_anew(tmp_path):
    """Nothing to keep, nothing kept: no free pages, no old columns."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(500), layer="forms", classes=CLASSES)
    write_layer(path, boxes(2)[["class", "geometry"]], layer="forms", overwrite=True)
    assert list(read_layer(path).columns) == ["class", "geometry"]
    assert rows(path, "PRAGMA freelist_count") == [(0,)]


def test_a_file_that_is_no_geopackage_is_not_overwritten(tmp_path):
    """Whatever its name."""
    path = tmp_path / "a.gpkg"
    path.write_text("notes")
    with pytest.raises(FileError, match="not a GeoPackage"):
        write_layer(path, boxes(), layer="forms", overwrite=True)
    assert path.read_text() == "notes"


def test_a_file_in_use_is_not_overwritten(tmp_path):
    """A write-ahead log beside it belongs to another program."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        with pytest.raises(FileError, match="another program"):
            write_layer(path, boxes(), layer="forms", overwrite=True)


@pytest.mark.parametrize("name", ["", "layer_styles", "gpkg_contents", "rtree_x", "sqlite_x"])
def test_names_that_belong_to_the_format_are_refused(name, tmp_path):
    """A layer cannot be called like a table of the format."""
    with pytest.raises(FileError, match="another name"):
        write_layer(tmp_path / "a.gpkg", boxes(), layer=name)


def test_a_layer_may_have_an_odd_name(tmp_path):
    """Quotes, spaces and letters of all kinds."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="Hänge \"A\" 'b'", classes=CLASSES)
    assert describe_layers(path)[0].name == "Hänge \"A\" 'b'"


def test_no_batch_or_no_crs_is_an_error(tmp_path):
    """One sentence each, and no file."""
    with pytest.raises(FileError, match="no batch"):
        write_layer(tmp_path / "a.gpkg", [], layer="forms")
    with pytest.raises(FileError, match="no CRS"):
        write_layer(tmp_path / "a.gpkg", boxes(crs=None), layer="forms")
    assert list(tmp_path.iterdir()) == []
    write_layer(tmp_path / "a.gpkg", boxes(crs=None), layer="forms", crs="EPSG:32633")


def test_an_error_in_the_batches_leaves_the_old_file(tmp_path):
    """An exception from the caller's side passes through as it is."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms")
    before = path.read_bytes()

    def broken():
        yield boxes(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_layer(path, broken(), layer="forms", overwrite=True)
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"II*\0", b"SQLite format 3\0" + b"x" * 200])
def test_reading_what_is_no_geopackage(content, tmp_path):
    """One sentence, and the file is not touched."""
    path = tmp_path / "a.gpkg"
    path.write_bytes(content)
    for read in (describe_layers, read_layer):
        with pytest.raises(FileError, match=r"a\.gpkg"):
            read(path)
    assert path.read_bytes() == content
    with pytest.raises(FileError, match="does not exist"):
        describe_layers(tmp_path / "none.gpkg")


def test_reading_a_database_that_is_no_geopackage(tmp_path):
    """SQLite alone is not enough."""
    path = tmp_path / "a.gpkg"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(FileError, match="but not a GeoPackage"):
        describe_layers(path)


def test_reading_needs_a_name_when_there_are_several(tmp_path):
    """The message lists the layers."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(3), layer="one")
    write_layer(path, boxes(4), layer="two", overwrite=True)
    with pytest.raises(FileError, match=r"one.*two"):
        read_layer(path)
    assert len(read_layer(path, "two")) == 4


def test_describing_changes_nothing(tmp_path):
    """Bytes, time and neighbours of the file are as before."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(), layer="forms", classes=CLASSES)
    before = path.read_bytes(), path.stat().st_mtime_ns
    path.chmod(0o444)
    describe_layers(path)
    read_layer(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(tmp_path.iterdir()) == [path, record_path(path)]


WRITER = textwrap.dedent("""
    import sys, resource, time
    import geopandas, numpy as np, shapely
    from geotools.errors import FileError
    from geotools.io.geopackage import write_layer
    path, count, pause, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    def batches():
        for batch in range(10):
            at = np.arange(count) + 0.5 * batch
            columns = {"class": np.ones(count, np.int32)}
            squares = shapely.box(at, 0, at + 1, 1)
            yield geopandas.GeoDataFrame(columns, geometry=squares, crs=32633)
            print("batch", flush=True)
            time.sleep(pause)
    try:
        write_layer(path, batches(), layer="forms", overwrite=True, metadata={"a": "b"})
    except FileError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
""")


def run_writer(path, count, *, pause=0, limit=0):
    return subprocess.run(
        [sys.executable, "-c", WRITER, str(path), str(count), str(pause), str(limit)],
        capture_output=True,
        text=True,
    )


def test_a_file_size_limit_is_reported_too(tmp_path):
    """The same without root: the kernel refuses to let the file grow."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(3), layer="mine")
    before = path.read_bytes()
    done = run_writer(path, 2000, limit=400_000)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    """Killed between batches; the next run works."""
    path = tmp_path / "a.gpkg"
    write_layer(path, boxes(3), layer="forms")
    before = path.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "1000", "0.2", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        for _ in range(3):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert path.read_bytes() == before
    assert describe_layers(path)[0].features == 3
    assert run_writer(path, 10).returncode == 0
    assert describe_layers(path)[0].features == 100
