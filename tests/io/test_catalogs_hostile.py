"""Catalog files made to do harm, or made wrong: one sentence, at once, and nothing is run."""

import gzip
import importlib.util
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import write_tif

from geotools.errors import EventsError, FileError, MissingExtraError
from geotools.io.catalogs import read_events

HEAD = (
    '<q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" '
    'xmlns:q="http://quakeml.org/xmlns/quakeml/1.2"><eventParameters>'
)
TAIL = "</eventParameters></q:quakeml>"
EVENT = (
    "<event publicID='e'><origin publicID='o'><time><value>{0}2020-01-01T00:00:00Z</value></time>"
    "<latitude><value>1</value></latitude><longitude><value>1</value></longitude></origin></event>"
)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def document(text: str = "", declared: str = "", encoding: str = "utf-8") -> bytes:
    """QuakeML with this before the time and that before the root."""
    start = f'<?xml version="1.0" encoding="{encoding}"?>\n{declared}\n'
    return (start + HEAD + EVENT.format(text) + TAIL).encode(encoding)


def hostile_xml(canary: Path) -> dict[str, bytes]:
    name = canary.as_uri()
    entity = f'<!DOCTYPE q [<!ENTITY x SYSTEM "{name}">]>'
    parameter = f'<!DOCTYPE q [<!ENTITY % p SYSTEM "{name}"> %p;]>'
    http = '<!DOCTYPE q [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>'
    return {
        "billion laughs": document("&l9;", f'<!DOCTYPE q [<!ENTITY l0 "lol">{LAUGHS}]>'),
        "quadratic": document("&a;" * 1000, f'<!DOCTYPE q [<!ENTITY a "{"a" * 50_000}">]>'),
        "file": document("&x;", entity),
        "parameter": document("", parameter),
        "http": document("&x;", http),
        "document type": document("", f'<!DOCTYPE q SYSTEM "{name}">'),
        "document type in UTF-16": document("&x;", entity, "utf-16"),
        "document type in UTF-7": document("&x;", entity, "utf-7"),
        "document type in EBCDIC": document("&x;", entity, "cp500"),
        "document type late": document("&x;", f"<!-- {'x' * 70_000} -->{entity}"),
        "entity undeclared": document("&x;"),
        "text of 12 MB": document("x" * 12 * 2**20),
        "attribute of 12 MB": document().replace(b"'e'", b"'" + b"e" * 12 * 2**20 + b"'"),
        "5000 levels": document("<a>" * 5000 + "</a>" * 5000),
        "one part without end": (HEAD + "<a/>" * 2**22).encode(),
        "cut in a tag": document()[:-300],
        "control signs": document("\x01"),
        "prefix unknown": document()
        .replace(b"<origin", b"<z:origin")
        .replace(b"/origin", b"/z:or"),
    }


@pytest.mark.parametrize("case", hostile_xml(Path("/etc/hostname")))
@pytest.mark.parametrize("root", ["quakeml", "seiscomp"])
def test_hostile_xml(tmp_path, case, root):
    """Refused in one sentence; a canary is neither read nor asked for."""
    canary = tmp_path / "canary.txt"
    canary.write_text("2019-12-31T00:00:00Z")
    os.utime(canary, (0, 0))
    data = hostile_xml(canary)[case]
    if root == "seiscomp":
        for encoding in ("utf-8", "utf-16-le", "cp500"):
            data = data.replace("q:quakeml".encode(encoding), "seiscomp".encode(encoding))
    path = tmp_path / "catalog.xml"
    path.write_bytes(data)
    with pytest.raises((EventsError, FileError)) as caught:
        read_events(path)
    said = str(caught.value)
    assert str(path) in said
    assert "2019-12-31" not in said
    assert "\n" not in said
    assert len(said) < 1200
    if case.startswith(("billion", "quadratic", "file", "http", "param", "document")):
        assert "DOCTYPE" in said or "ENTITY" in said or "not an earthquake catalog" in said


def gzipped(head: bytes, unit: bytes, megabytes: int = 64) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as file:
        file.write(head)
        for _ in range(megabytes):
            file.write(unit * (2**20 // len(unit)))
    return out.getvalue()


def bombs() -> dict[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("catalog.xml", HEAD.encode() + b"<event/>" * 2**23)
    return {
        "xml.gz": gzipped(HEAD.encode(), b"<event/>"),
        "json.gz": gzipped(b'{"type": "FeatureCollection", "features": [', b"{},"),
        "csv.gz": gzipped(b"time,latitude,longitude,mag\n", b"2020-01-01,1,1,1\n"),
        "gpkg.gz": gzipped(b"SQLite format 3\0", b"\0"),
        "xml.zip": out.getvalue(),
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc")
def test_bombs_are_refused_before_they_are_parsed(tmp_path):
    """64 MB from 0.1 MB: refused, with what it would be, in less than 300 MB of memory."""
    for suffix, data in bombs().items():
        path = tmp_path / f"catalog.{suffix}"
        path.write_bytes(data)
        order = (
            "import re, sys\n"
            "from geotools.errors import FileError\n"
            "from geotools.io.catalogs import read_events\n"
            "try:\n    read_events(sys.argv[1])\n"
            "except FileError as error:\n    assert '200 times' in str(error), error\n"
            "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
        )
        done = subprocess.run(
            [sys.executable, "-c", order, str(path)], capture_output=True, text=True, check=True
        )
        assert int(done.stdout) < 300 * 1024, suffix


def test_pickles_are_never_loaded(tmp_path):
    """A pickle, whatever its name and disguise, is no catalog."""

    class Harm:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/harm",)

    plain = pickle.dumps(Harm(), protocol=0)
    for name in ("catalog.pickle", "catalog.xml", "catalog.csv", "catalog.qml"):
        for data in (
            plain,
            pickle.dumps(Harm()),
            b"obspy.core.event\n" + plain,
            gzip.compress(plain),
        ):
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises((FileError, EventsError)):
                read_events(path)
    for format in ("quakeml", "geojson", "geopackage", "geoparquet", "events-csv", "nordic", "ndk"):
        with pytest.raises((FileError, EventsError, MissingExtraError)):
            read_events(path, format=format)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "name",
    [
        "http://127.0.0.1:9/catalog.xml", "https://example.org/a.xml", "file:///etc/passwd",
        "s3://bucket/a.xml", "/vsicurl/http://127.0.0.1:9/a.xml", "/vsizip/a.zip/a.xml",
        "", "a\0b", ".", "missing.xml", "*.xml", "/dev/zero",
    ],
)  # fmt: skip
def test_paths_that_are_not_opened(tmp_path, monkeypatch, name):
    """Only a local file that is named: no address, pattern, folder or device."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.xml").write_bytes(document())
    with pytest.raises(FileError):
        read_events(name)


def test_a_name_with_signs_of_patterns_is_a_name(tmp_path):
    """A file that is called so is opened, and nothing else."""
    path = tmp_path / "[a]*.xml"
    path.write_bytes(document())
    assert len(read_events(path)) == 1


def test_files_that_are_no_catalog(tmp_path):
    """A raster, a picture, noise, an empty file: what could be read is said."""
    rng = np.random.default_rng(1)
    write_tif(tmp_path / "dem.tif", np.ones((20, 20), np.float32))
    files = {
        "png.png": b"\x89PNG\r\n\x1a\n" + rng.bytes(2000),
        "noise.xml": rng.bytes(5000),
        "noise.txt": bytes(rng.integers(32, 127, 5000, dtype=np.uint8)),
        "prose.txt": b"Dear reader,\nthere are no earthquakes here.\n" * 20,
        "page.html": b"<!doctype html><html><body>404</body></html>",
        "page.xml": b"<html><body>404</body></html>",
        "stations.xml": b'<?xml version="1.0"?><FDSNStationXML xmlns="x"><a/></FDSNStationXML>',
        "plain.json": b'{"a": 1}',
        "list.json": b"[1, 2, 3]",
        "deep.json": b'{"type": "FeatureCollection", "features": ' + b"[" * 100_000,
        "cut.json": b'{"type": "FeatureCollection", "features": [{"type": "Feature"',
        "polygons.geojson": b'{"type": "FeatureCollection", "features": [{"type": "Feature", '
        b'"geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}]}',
        "database.gpkg": b"SQLite format 3\0" + rng.bytes(3000),
        "table.parquet": b"PAR1" + rng.bytes(3000),
        "cut.gz": gzip.compress(document())[:-20],
        "noise.gz": b"\x1f\x8b\x08" + rng.bytes(500),
        "noise.zip": b"PK\x03\x04" + rng.bytes(500),
        "blank.csv": b"  \n\n",
        "empty.csv": b"",
        "no events.xml": (HEAD + TAIL).encode(),
        "no features.geojson": b'{"type": "FeatureCollection", "features": []}',
    }
    if not importlib.util.find_spec("pyarrow"):
        del files["table.parquet"]  # which asks for it
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name in ["dem.tif", *files]:
        with pytest.raises((FileError, EventsError)) as caught:
            read_events(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="QuakeML, SeisComP XML, GeoJSON, NDK"):
        read_events(tmp_path / "prose.txt")


def test_archives(tmp_path):
    """gz, zip, zip with what a Mac adds; several files, encryption and a second packing are not."""
    data = document()
    packed = tmp_path / "catalog.xml.gz"
    packed.write_bytes(gzip.compress(data[:100]) + gzip.compress(data[100:]))  # two members
    assert len(read_events(packed)) == 1
    path = tmp_path / "catalog.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/catalog.xml", data)
        archive.writestr("__MACOSX/._catalog.xml", b"x")
    assert len(read_events(path)) == 1
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../other.xml", data)
    with pytest.raises(FileError, match="holds 2 files"):
        read_events(path)
    twice = tmp_path / "twice.gz"
    twice.write_bytes(gzip.compress(gzip.compress(data)))
    with pytest.raises(FileError, match="not an earthquake catalog"):
        read_events(twice)
    locked = bytearray(zip_of(data))
    locked[6] |= 1  # the flag of encryption, in both headers
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(FileError, match="unpack"):
        read_events(path)


def zip_of(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("catalog.xml", data)
    return out.getvalue()


def test_mutations_raise_nothing_else(tmp_path, shared):
    """Bytes changed at random: events or one of our errors."""
    rng = np.random.default_rng(7)
    path = tmp_path / "catalog.xml"
    for name in ("neries_events_quakeml.xml", "usgs_week_feed.geojson"):
        whole = (shared / "catalogs" / name).read_bytes()[:20_000]
        for _ in range(60):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), 12):
                data[place] = rng.integers(0, 256)
            path.write_bytes(data)
            try:
                read_events(path, format="geojson" if "geo" in name else "quakeml")
            except (EventsError, FileError):
                continue
