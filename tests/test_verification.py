"""geotools.verification, and geotools verify."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import neighbourhood_model

import geotools
from geotools import cli
from geotools.errors import FileError
from geotools.grid import TileScheme
from geotools.inference.model import shipped_models
from geotools.io.geopackage import write_layer
from geotools.io.records import record_path
from geotools.io.writing import create_geotiff


@pytest.fixture
def raster(tmp_path):
    """A GeoTIFF with two bands, an overview and a record."""
    path, grid = tmp_path / "a.tif", make_grid(700, 600)
    data = np.stack([make_terrain(600, 700, seed=seed) for seed in (1, 2)])
    with create_geotiff(
        path, grid, bands=["a", "b"], dtype="float32", nodata=None, compress="zstd"
    ) as writer:
        for tile in TileScheme(512).tiles(grid):
            writer.write(data[:, *tile.write.slices()], tile.write)
    return path


@pytest.fixture
def layers(tmp_path):
    """A GeoPackage with a record."""
    path, at = tmp_path / "a.gpkg", np.arange(500)
    frame = geopandas.GeoDataFrame({"a": at}, geometry=shapely.points(at, at), crs=32633)
    write_layer(path, frame, layer="points")
    return path


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", "verify", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_files_as_they_were_written_are_whole(raster, layers, capsys):
    """Exit 0 and a sentence for each, wherever they have been moved to with their records."""
    moved = raster.with_name("moved.tif")
    for ending in ("", ".json"):
        shutil.move(f"{raster}{ending}", f"{moved}{ending}")
    for path in (moved, layers):
        found = geotools.verify(path)
        assert found.whole
        assert found.state == "whole"
        assert found.record.size == path.stat().st_size
    code, out, err = run(capsys, moved, layers)
    assert (code, err) == (0, "")
    assert out.count("is whole") == out.count("\n") == 2


def test_an_uncompressed_raster_is_told_by_its_crc32(tmp_path):
    """Whole as it was written; a changed cell is told, though all can be read."""
    path = tmp_path / "a.tif"
    grid, data = make_grid(700, 600), make_terrain(600, 700)[None]
    with create_geotiff(
        path, grid, bands=["a"], dtype="float32", nodata=None, compress="none"
    ) as writer:
        writer.write(data, grid.window)
    assert geotools.verify(path).whole
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\1")
    found = geotools.verify(path)
    assert found.state == "changed"
    assert f"another {found.record.digest}" in found.sentence


def test_a_layer_that_was_edited_has_changed(layers):
    """An edit by another program is told, and that nothing is damaged."""
    with closing(sqlite3.connect(layers)) as database, database:
        database.execute("UPDATE gpkg_contents SET description = 'edited'")
    before = sorted(os.listdir(layers.parent))
    found = geotools.verify(layers)
    assert found.state == "changed"
    assert "SQLite finds no damage" in found.sentence
    assert sorted(os.listdir(layers.parent)) == before


def test_a_layer_in_use_is_no_puzzle(layers):
    """A file with a journal beside it is in use, or left unfinished: the sentence says so."""
    with layers.open("ab") as file:
        file.write(b"\0")
    Path(f"{layers}-wal").touch()
    assert "open in another program" in geotools.verify(layers).sentence


def test_a_record_of_another_version_is_told(raster):
    """An old record beside a new file does not fit, though both are in order."""
    old = record_path(raster).read_text()
    with rasterio.open(raster, "r+") as dataset:
        dataset.update_tags(a="b")
    assert record_path(raster).read_text() == old
    found = geotools.verify(raster)
    assert found.state == "changed"
    assert "belongs to another version" in found.sentence
    assert "700 x 600 cells of 2 bands can be read" in found.sentence


def test_unreadable_blocks_are_named(raster):
    """Band and window of the first block, and how many there are."""
    with rasterio.open(raster) as dataset:
        first = int(dataset.get_tag_item("BLOCK_OFFSET_1_0", "TIFF", bidx=2))
        second = int(dataset.get_tag_item("BLOCK_OFFSET_0_1", "TIFF", bidx=2))
    with raster.open("r+b") as file:
        for offset in (first, second):
            file.seek(offset + 10)
            file.write(b"\xff" * 2000)
    found = geotools.verify(raster)
    assert found.state == "damaged"
    assert "band 2, columns 512 to 700, rows 0 to 512" in found.sentence
    assert [(block.band, block.overview) for block in found.damaged] == [(2, 0)] * 2
    record_path(raster).unlink()
    without = geotools.verify(raster)
    assert without.state == "damaged"
    assert without.damaged == found.damaged


def test_a_damaged_overview_is_named(raster):
    """Overviews are read as well."""
    with rasterio.open(raster, OVERVIEW_LEVEL=0) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    with raster.open("r+b") as file:
        file.seek(offset + 10)
        file.write(b"\xff" * 2000)
    assert "overview 1, band 1, columns 0 to 350" in geotools.verify(raster).sentence


def test_missing_bytes_are_told(raster, layers):
    """A file that was cut says how many bytes it has, and how many it should have."""
    for path in (raster, layers):
        size = path.stat().st_size
        os.truncate(path, size // 2)
        found = geotools.verify(path)
        assert found.state == "truncated"
        assert f"{size // 2:,} bytes, written were {size:,}" in found.sentence


def test_without_a_record_everything_is_read(raster, layers, tmp_path, capsys):
    """Exit 1: nothing unreadable, but changes cannot be told; whoever wrote the file."""
    foreign = write_tif(tmp_path / "b.tif", np.ones((20, 30), np.uint8))
    for path in (raster, layers):
        record_path(path).unlink()
    for path, words in (
        (raster, "700 x 600 cells of 2 bands can be read"),
        (layers, "SQLite finds no damage"),
        (foreign, "30 x 20 cells of 1 band can be read"),
    ):
        found = geotools.verify(path)
        assert found.state == "no record"
        assert words in found.sentence
        code, out, err = run(capsys, path)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1
        assert "no record" in err


def test_something_else_of_the_name_is_no_record(raster):
    record_path(raster).write_text('{"type": "Feature"}')
    found = geotools.verify(raster)
    assert found.state == "no record"
    assert "no record of geotools" in found.sentence


def test_what_is_no_raster_is_damaged(tmp_path):
    (tmp_path / "a.tif").write_text("hello")
    (tmp_path / "a.gpkg").write_text("hello")
    for path in tmp_path.iterdir():
        assert geotools.verify(path).state == "damaged"


def test_every_file_is_looked_at(raster, layers, tmp_path, capsys):
    """One that is missing or wrong makes the exit 1, and the others are told all the same."""
    os.truncate(raster, 1000)
    code, out, err = run(capsys, tmp_path / "none.tif", raster, layers, "--json")
    assert code == 1
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["state"] for one in told] == ["missing", "truncated", "whole"]
    assert [one["whole"] for one in told] == [False, False, True]
    assert told[2]["record"]["file"] == "a.gpkg"
    assert err == ""
    code, out, err = run(capsys, tmp_path / "none.tif", layers)
    assert (code, out.count("\n"), err.count("\n")) == (1, 1, 1)
    with pytest.raises(FileError, match="does not exist"):
        geotools.verify(tmp_path)


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_are_those_of_their_cards(name):
    """They load, run, and have the SHA-256 that the card says."""
    found = geotools.verify(shipped_models()[name])
    assert found.whole
    assert f"SHA-256 in {name}.md" in found.sentence


def test_models_are_compared_with_what_is_written_beside_them(tmp_path):
    """By a card or a STAC item; without either they can still be loaded and run."""
    path = tmp_path / "m.onnx"
    path.write_bytes(neighbourhood_model())
    assert "no SHA-256 of it is written" in geotools.verify(path).sentence
    item = {"assets": {"model": {"href": "m.onnx", "file:checksum": "1220" + "0" * 64}}}
    (tmp_path / "m.stac.json").write_text(json.dumps(item))
    found = geotools.verify(path)
    assert found.state == "changed"
    assert "m.stac.json" in found.sentence
    path.write_bytes(path.read_bytes()[:-20])
    assert geotools.verify(path).state == "damaged"


def test_info_mentions_the_record(raster, layers):
    """What stands beside a file is named where the file is described."""
    for path in (raster, layers):
        done = subprocess.run(
            [sys.executable, "-m", "geotools", "info", path], capture_output=True, text=True
        )
        assert f"record: {path.name}.json" in done.stdout
