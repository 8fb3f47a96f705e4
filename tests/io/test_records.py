"""geotools.io.records."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from conftest import make_grid

from geotools.errors import FileError
from geotools.grid import Window
from geotools.io.atomic import write_atomic
from geotools.io.geopackage import write_layer
from geotools.io.plain import can_write_plain
from geotools.io.records import Record, Recorder, made_from, read_record, record_path, sha256
from geotools.io.writing import create_geotiff

DATA = np.arange(400, dtype=np.float32).reshape(1, 20, 20)
TAGS = {
    "method": "model", "model": "m", "model_version": "3", "model_sha256": "ab",
    "parameters": "a=1", "source": "x.tif, y.tif", "source_sha256": "01, 02", "notes": "",
}  # fmt: skip

ESCAPES = Record("a.tif", 1, "1\x1b[2J", sha256="0" * 64).to_json()


def write_raster(path: Path, value: float = 0, **options: object) -> None:
    with create_geotiff(
        path, make_grid(20, 20), bands=["slope"], dtype="float32", nodata=None, **options
    ) as writer:
        writer.write(DATA + np.float32(value), Window(0, 0, 20, 20))


def points(count: int = 3) -> geopandas.GeoDataFrame:
    at = np.arange(count)
    return geopandas.GeoDataFrame({"a": at}, geometry=shapely.points(at, at), crs=32633)


def test_a_raster_has_a_record(tmp_path):
    """Size, SHA-256 and provenance of the file under its name."""
    path = tmp_path / "a.tif"
    write_raster(path, tags=TAGS)
    record = read_record(path)
    assert record.file == "a.tif"
    assert record.size == path.stat().st_size
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == sha256(path)
    assert record.made == {
        "method": "model",
        "model": {"name": "m", "version": "3", "sha256": "ab"},
        "inputs": [{"name": "x.tif", "sha256": "01"}, {"name": "y.tif", "sha256": "02"}],
        "parameters": "a=1",
        "bands": ["slope"],
    }
    assert json.loads(record_path(path).read_text())["schema"] == 2


def test_the_same_output_has_the_same_record(tmp_path):
    """No time and no place is in it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_raster(tmp_path / name / "a.tif")
    one, two = (record_path(tmp_path / name / "a.tif").read_bytes() for name in ("one", "two"))
    assert one == two


def test_layers_that_are_kept_keep_their_provenance(tmp_path):
    """As long as the file is what the record says."""
    path = tmp_path / "a.gpkg"
    write_layer(path, points(), layer="one", metadata={"method": "first"})
    write_layer(path, points(), layer="two", metadata={"method": "second"}, overwrite=True)
    assert {name: made["method"] for name, made in read_record(path).layers.items()} == {
        "one": "first", "two": "second",
    }  # fmt: skip
    assert read_record(path).sha256 == sha256(path)
    with path.open("ab") as file:
        file.write(b"\0")
    write_layer(path, points(), layer="two", overwrite=True)
    assert list(read_record(path).layers) == ["two"]


def test_a_layer_without_a_record_takes_the_old_one_away(tmp_path):
    """What is replaced leaves no record that does not fit."""
    path = tmp_path / "a.gpkg"
    write_layer(path, points(), layer="one")
    write_layer(path, points(4), layer="one", overwrite=True, record=False)
    assert os.listdir(tmp_path) == ["a.gpkg"]


@pytest.mark.parametrize(
    "content", ["{}", "[1]", "no json", '{"type": "Feature"}', "[" * 10_000, ESCAPES]
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_of_others_is_not_replaced(tmp_path, content, overwrite):
    """A STAC item, say, that has the name of a record is refused before any work."""
    record_path(tmp_path / "a.tif").write_text(content)
    with pytest.raises(FileError, match="no record of geotools"):
        write_raster(tmp_path / "a.tif", overwrite=overwrite)
    with pytest.raises(FileError, match="no record of geotools"):
        write_layer(tmp_path / "a.tif", points(), layer="a", overwrite=overwrite)
    assert os.listdir(tmp_path) == ["a.tif.json"]
    assert record_path(tmp_path / "a.tif").read_text() == content


def test_the_record_of_a_file_that_is_gone_is_no_obstacle(tmp_path):
    write_raster(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    write_raster(tmp_path / "a.tif", value=5)
    assert read_record(tmp_path / "a.tif").sha256 == sha256(tmp_path / "a.tif")


def test_records_of_earlier_versions_are_known(tmp_path):
    """Schema 1 had the SHA-256 alone."""
    path = tmp_path / "a.tif"
    write_raster(path)
    text = record_path(path).read_text().replace('"schema": 2', '"schema": 1')
    record_path(path).write_text(text)
    assert read_record(path).fits(path)


def test_an_uncompressed_raster_is_told_by_its_crc32(tmp_path):
    """That of zlib over all bytes, which reading the cells back tells; a changed byte is seen."""
    path = tmp_path / "a.tif"
    write_raster(path, compress="none")
    record = read_record(path)
    data = path.read_bytes()
    if can_write_plain():
        assert (record.sha256, record.crc32) == (None, f"{zlib.crc32(data):08x}")
    assert record.fits(path)
    for place in (0, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert not record.fits(path)
    path.write_bytes(data + b"\0")
    assert not record.fits(path)
    path.unlink()
    with pytest.raises(FileError, match="cannot be read"):
        record.fits(path)


@pytest.mark.parametrize("wrong", ["0" * 7, "0" * 9, "0000000G", "", None, 5])
def test_a_digest_of_another_form_is_no_record(tmp_path, wrong):
    """Eight hexadecimal digits are a CRC-32, nothing else is."""
    record = Record("a.tif", 3, "1", crc32="0" * 8).to_json()
    damaged = json.dumps(json.loads(record) | {"crc32": wrong})
    record_path(tmp_path / "a.tif").write_text(damaged)
    with pytest.raises(FileError, match="no record of geotools"):
        read_record(tmp_path / "a.tif")


def test_records_of_later_versions_are_told(tmp_path):
    path = tmp_path / "a.tif"
    write_raster(path)
    text = record_path(path).read_text().replace('"schema": 2', '"schema": 3')
    record_path(path).write_text(text)
    with pytest.raises(FileError, match="update geotools"):
        read_record(path)


@pytest.mark.parametrize("failing", ["hash", "rename", "body"])
def test_an_error_leaves_the_old_record(tmp_path, monkeypatch, failing):
    """Whatever fails, the old file stands beside its own record, and nothing else is left."""
    path = tmp_path / "a.tif"
    write_raster(path)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    replace = os.replace

    def refuse(source, target):
        if Path(target) == path:
            raise OSError(28, "No space left on device")
        replace(source, target)

    if failing == "rename":
        monkeypatch.setattr("geotools.io.atomic.os.replace", refuse)
    if failing == "hash":
        monkeypatch.setattr(
            "geotools.io.records.sha256", lambda path: (_ for _ in ()).throw(OSError(5, "I/O"))
        )

    def write():
        with create_geotiff(
            path, make_grid(20, 20), bands=["a"], dtype="float32", nodata=None, overwrite=True
        ) as writer:
            writer.write(DATA + 1, Window(0, 0, 20, 20))
            if failing == "body":
                raise RuntimeError

    with pytest.raises((FileError, RuntimeError)):
        write()
    monkeypatch.undo()
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


KILLED = """
import os, sys
from pathlib import Path
from geotools.io import atomic, records
calls, at = 0, int(sys.argv[2])
def counted(original):
    def call(*arguments):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
        return original(*arguments)
    return call
os.replace = counted(os.replace)
os.unlink = counted(os.unlink)
os.fsync = counted(os.fsync)
path = Path(sys.argv[1])
with records.Recorder(path) as recorder, atomic.write_atomic(path, overwrite=True) as part:
    part.write_text("new")
    recorder.write(part, made={})
    recorder.put_aside()
"""


def test_a_killed_run_leaves_no_wrong_record(tmp_path):
    """Ended before each rename, removal and sync: old or new file, its own record or none."""
    path = tmp_path / "a.txt"
    seen = set()
    for at in itertools.count(1):
        for file in tmp_path.iterdir():
            file.unlink()
        with Recorder(path) as recorder, write_atomic(path) as part:
            part.write_text("old")
            recorder.write(part, made={})
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(at)], capture_output=True, text=True
        )
        assert done.returncode in (0, 9), done.stderr
        record = read_record(path)
        assert record is None or record.sha256 == sha256(path)
        seen.add((path.read_text(), record is not None, done.returncode))
        with Recorder(path) as recorder, write_atomic(path, overwrite=True) as part:
            part.write_text("next")
            recorder.write(part, made={})
            recorder.put_aside()
        assert read_record(path).sha256 == sha256(path)
        assert sorted(os.listdir(tmp_path)) == ["a.txt", "a.txt.json"], "rests of the dead are gone"
        if not done.returncode:
            break
    assert {("old", True, 9), ("old", False, 9), ("new", False, 9), ("new", True, 0)} <= seen


@pytest.mark.parametrize("digest", [{"sha256": "0" * 64}, {"crc32": "0" * 8}])
def test_a_record_is_read_as_it_was_written(tmp_path, digest):
    """The text of a record is that of its fields, with one of the two digests."""
    made = made_from({"quantity": "b"}, method="seismicity")
    record = Record("a.tif", 3, "1", **digest, made=made)
    record_path(tmp_path / "a.tif").write_text(record.to_json())
    assert read_record(tmp_path / "a.tif") == record
    assert digest.keys() == {"sha256", "crc32"} & json.loads(record.to_json()).keys()
    assert record.made == {"method": "seismicity", "inputs": [], "tags": {"quantity": "b"}}
