"""Vector files of others: read as they are, or refused in one sentence."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from geotools.errors import FileError
from geotools.io.vectors import is_vector, read_vector


def _frame(crs: str | None = "EPSG:32633") -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(
        {"kind": ["a", None, "c"], "size": [1.5, 2.0, np.nan]},
        geometry=[shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3), None],
        crs=crs,
    )


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".geojson", ".fgb"])
def test_features_of_each_format_come_as_they_were_written(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a{ending}"
    frame = _frame("EPSG:4326").iloc[:2]
    pyogrio.write_dataframe(frame, file, **({"SPATIAL_INDEX": "NO"} if ending == ".fgb" else {}))
    found = read_vector(file)
    assert is_vector(file)
    assert found["kind"].fillna("").tolist() == ["a", ""]
    assert all(shapely.equals(found.geometry, frame.geometry))
    assert found.crs.to_epsg() == 4326


def test_a_table_of_points_is_read_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("lon_deg,lat_deg,d\n10,45,1\n11,46,2\n")
    found = read_vector(file, columns={"x": "lon_deg", "y": "lat_deg"}, crs="EPSG:4326")
    assert found.geometry.x.tolist() == [10, 11]
    assert found["d"].tolist() == [1, 2]
    meant = read_vector(file, columns={"x": "lon_deg", "y": "lat_deg"}, degrees="EPSG:4269")
    assert meant.crs.to_epsg() == 4269
    with pytest.raises(FileError, match="table without geometry: say which of its columns lon_deg"):
        read_vector(file, crs="EPSG:4326")
    with pytest.raises(FileError, match="no column 'lan'"):
        read_vector(file, columns={"x": "lan", "y": "lat_deg"}, crs="EPSG:4326")


def test_heights_are_left_out_and_curves_become_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    frame = _frame().iloc[:1].set_geometry([shapely.force_3d(shapely.box(0, 0, 1, 1), 7)])
    pyogrio.write_dataframe(frame.set_crs("EPSG:32633"), file)
    assert not shapely.has_z(read_vector(file).geometry.iloc[0])


def test_a_missing_file_layer_or_crs_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.gpkg does not exist"):
        read_vector(tmp_path / "none.gpkg")
    file = tmp_path / "a.gpkg"
    for layer in ("one", "two"):
        pyogrio.write_dataframe(_frame(), file, layer=layer)
    with pytest.raises(FileError, match="has one, two, no layer was named: name one with labels"):
        read_vector(file)
    with pytest.raises(FileError, match="has one, two, there is no 'three'"):
        read_vector(file, layer="three")
    bare = tmp_path / "bare.shp"
    pyogrio.write_dataframe(_frame("EPSG:32633").iloc[:1], bare)
    bare.with_suffix(".prj").unlink()
    with pytest.raises(FileError, match=r"no CRS: name it with labels\.crs"):
        read_vector(bare)
    assert read_vector(bare, crs="EPSG:25833").crs.to_epsg() == 25833
    with pytest.raises(FileError, match="'nonsense' is not a CRS"):
        read_vector(bare, crs="nonsense")


def test_a_file_without_features_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(_frame().iloc[:0], file, geometry_type="Polygon")
    with pytest.raises(FileError, match="no feature with a geometry"):
        read_vector(file)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gpkg", b"<OGRVRTDataSource/>"),
        ("a.geojson", b"<OGRVRTDataSource/>"),
        ("a.shp", b"<OGRVRTDataSource/>"),
        ("a.fgb", b"{}"),
        ("a.geojson", b'{"type": "gdal_streamed_alg", "command_line": "gdal vector read"}'),
        ("a.json", b'{"type": "Topology"}'),
        ("a.kml", b"<!DOCTYPE kml [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><kml/>"),
        ("a.gml", b"<gml/>"),
        ("a.geojson", b'{"type":"FeatureCollection","features":['),
        ("a.shp", b"\x00\x00\x27\x0a" + b"\x00" * 200),
    ],
)
def test_what_only_looks_like_a_vector_file_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileError):
        read_vector(file)


def test_a_view_in_a_geopackage_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(_frame(), file, layer="one")
    with sqlite3.connect(file) as database:
        database.execute("CREATE VIEW other AS SELECT * FROM one")
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
            "VALUES ('other', 'features', 'other', 32633)"
        )
    database.close()
    with pytest.raises(FileError, match="other is a view"):
        read_vector(file, layer="one")


def test_a_crs_behind_a_link_is_not_fetched(tmp_path: Path) -> None:
    asked = []

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    link = (
        '{"type":"link","properties":{"href":'
        f'"http://127.0.0.1:{server.server_port}/crs","type":"proj4"}}}}'
    )
    features = (
        '"features":[{"type":"Feature","properties":{},'
        '"geometry":{"type":"Point","coordinates":[1,2]}}]'
    )
    file = tmp_path / "a.geojson"
    for head, tail in (
        (f'"crs":{link},', ""), ("", f',"crs":{link}'), (f'"c\\u0072s":{link},', ""),
        (f'"crs":{link.replace("link", "lin" + chr(92) + "u006b")},', ""),
    ):  # fmt: skip
        file.write_text('{"type":"FeatureCollection",' + head + features + tail + "}")
        with pytest.raises(FileError, match=r"CRS by a link|letters as escapes"):
            read_vector(file)
    server.shutdown()
    server.server_close()
    thread.join()
    assert asked == []


def test_damaged_files_are_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = _frame("EPSG:4326").iloc[:2]
    for ending in (".gpkg", ".shp", ".geojson", ".fgb"):
        file = tmp_path / f"a{ending}"
        pyogrio.write_dataframe(frame, file)
        whole = np.frombuffer(file.read_bytes(), np.uint8)
        for _ in range(25):
            bad = whole.copy()
            place = rng.integers(0, len(bad), 4)
            bad[place] = rng.integers(0, 256, 4)
            file.write_bytes(bad.tobytes())
            with contextlib.suppress(FileError):
                is_vector(file)
                assert len(read_vector(file)) >= 1


def test_a_ring_that_is_not_closed_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "a.shp"
    pyogrio.write_dataframe(_frame().iloc[:1], file)
    content = bytearray(file.read_bytes())
    content[-16:] = np.array([0.5, 0.25]).tobytes()  # the last corner, which was the first
    file.write_bytes(content)
    shape = read_vector(file).geometry.iloc[0]
    assert shape.exterior.coords[0] == shape.exterior.coords[-1]
