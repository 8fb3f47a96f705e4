"""Bad input: one sentence, exit 1, nothing written."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import neighbourhood_model

from geotools import cli


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def make_inputs(folder: Path) -> None:
    terrain = make_terrain(20, 30)
    write_tif(folder / "good.tif", terrain)
    write_tif(folder / "no_crs.tif", terrain, crs=None)
    write_tif(folder / "image.tif", np.ones((3, 20, 30), np.uint8))
    write_tif(folder / "empty.tif", np.full((20, 30), -1, np.int16), nodata=-1)
    write_tif(folder / "one_cell.tif", np.ones((1, 1), np.float32))
    write_tif(folder / "undeclared.tif", np.where(terrain > 900, -32768, terrain))
    with rasterio.open(write_tif(folder / "palette.tif", np.ones((9, 9), np.uint8)), "r+") as file:
        file.write_colormap(1, {1: (255, 0, 0, 255)})
    (folder / "text.tif").write_text("hello")
    (folder / "taken.qml").write_text("somebody's")
    write_tif(folder / "minus.tif", np.where(terrain > 900, -9999, terrain))
    with rasterio.open(write_tif(folder / "cubits.tif", terrain), "r+") as file:
        file.set_band_unit(1, "cubits")
    (folder / "mosaic.vrt").write_text(VRT)
    (folder / "text.onnx").write_text("hello")
    (folder / "three.onnx").write_bytes(neighbourhood_model(bands=3))
    (folder / "bare.onnx").write_bytes(
        neighbourhood_model().replace(b"\x08geotools", b"\x08geotoolz")
    )
    (folder / "folder.tif").mkdir()
    (folder / "exists.tif").write_text("somebody's")
    (folder / "exists.gpkg").write_text("somebody's")


VRT = """<VRTDataset rasterXSize="30" rasterYSize="20"><SRS>EPSG:32633</SRS>
<GeoTransform>500000, 30, 0, 5000000, 0, -30</GeoTransform>
<VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">good.tif</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""

EXACT = ("--method", "geomorphons")
CASES = {
    # name: (words of the sentence, DEM, output, more flags)
    "no such file": ("does not exist", "nothing.tif", "out.tif", EXACT),
    "not a raster": ("cannot be opened as a raster", "text.tif", "out.tif", EXACT),
    "a folder": ("is a folder", "folder.tif", "out.tif", EXACT),
    "a web address": ("not a local file", "https://example.com/a.tif", "out.tif", EXACT),
    "no CRS": ("--crs", "no_crs.tif", "out.tif", EXACT),
    "unknown CRS": ("is not a CRS", "no_crs.tif", "out.tif", (*EXACT, "--crs", "EPSG:0")),
    "an image": ("3 bands", "image.tif", "out.tif", EXACT),
    "a band that is not there": ("not a band 7", "image.tif", "out.tif", (*EXACT, "--band", "7")),
    "a palette": ("colour table", "palette.tif", "out.tif", EXACT),
    "all nodata": ("no valid cell", "empty.tif", "out.tif", EXACT),
    "one cell": ("at least 3 x 3", "one_cell.tif", "out.tif", EXACT),
    "nodata not declared": ("--nodata -32768", "undeclared.tif", "out.tif", EXACT),
    "no output folder": ("does not exist", "good.tif", "no/out.tif", EXACT),
    "output is a folder": ("is a folder", "good.tif", "folder.tif", EXACT),
    "output is the input": ("is the input itself", "good.tif", "good.tif", (*EXACT, "--overwrite")),
    "output exists": ("--overwrite", "good.tif", "exists.tif", EXACT),
    "sidecar exists": ("taken.qml exists", "good.tif", "taken.tif", EXACT),
    "no name of a GeoTIFF": (".tif", "good.tif", "out.png", EXACT),
    "too long a name": ("too long", "good.tif", "a" * 300 + ".tif", EXACT),
    "source of a VRT": (
        "belongs to the input", "mosaic.vrt", "good.tif", (*EXACT, "--overwrite"),
    ),
    "an unknown unit": ("--z-factor", "cubits.tif", "out.tif", EXACT),
    "metres as degrees": (
        "beyond the poles", "no_crs.tif", "out.tif", (*EXACT, "--crs", "EPSG:4326"),
    ),
    "-9999 not declared": ("--nodata -9999", "minus.tif", "out.tif", EXACT),
    "negative search": ("at least 1", "good.tif", "out.tif", (*EXACT, "--search", "-3")),
    "polygons exist": ("--overwrite", "good.tif", "out.tif", (*EXACT, "--polygons", "exists.gpkg")),
    "polygons are no layer": (".gpkg", "good.tif", "out.tif", (*EXACT, "--polygons", "out.shp")),
    "polygons are the raster": (
        "two names", "good.tif", "a.gpkg", (*EXACT, "--polygons", "a.gpkg"),
    ),
    "polygons over a text": (
        "GeoPackage", "good.tif", "out.tif", (*EXACT, "--polygons", "exists.gpkg", "--overwrite"),
    ),
    "negative area": (
        "--min-area", "good.tif", "out.tif", (*EXACT, "--polygons", "a.gpkg", "--min-area", "-1"),
    ),
    "no such model": ("does not exist", "good.tif", "out.tif", ("--model", "no.onnx")),
    "not a model": ("not an ONNX model", "good.tif", "out.tif", ("--model", "text.onnx")),
    "a model of three bands": ("takes 3 bands", "good.tif", "out.tif", ("--model", "three.onnx")),
    "a model without spec": ("no geotools spec", "good.tif", "out.tif", ("--model", "bare.onnx")),
    "search too small": ("at least 1", "good.tif", "out.tif", (*EXACT, "--search", "0")),
    "skip too large": ("below the search", "good.tif", "out.tif", (*EXACT, "--skip", "10")),
    "flat threshold": ("between 0 and 90", "good.tif", "out.tif", (*EXACT, "--flat", "95")),
    "confidence of the exact": ("no confidence", "good.tif", "out.tif", (*EXACT, "--confidence")),
    "a file of it": (
        "no confidence", "good.tif", "out.tif", (*EXACT, "--confidence-file", "c.tif"),
    ),
    "no size": ("memory size", "good.tif", "out.tif", (*EXACT, "--memory", "much")),
    "too little memory": ("raise --memory", "good.tif", "out.tif", (*EXACT, "--memory", "1M")),
    "no threads": ("threads", "good.tif", "out.tif", (*EXACT, "--threads", "0")),
    "tiny tile": ("tile", "good.tif", "out.tif", (*EXACT, "--tile", "1")),
    "z factor": ("z factor", "good.tif", "out.tif", (*EXACT, "--z-factor", "0")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_sentence(tmp_path, monkeypatch, capsys, name):
    """Exit 1, one line on stderr with what to do, and the folder as it was."""
    words, dem, output, flags = CASES[name]
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    code, out, err = run(capsys, "landforms", dem, "-o", output, "--progress", "none", *flags)
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert words in err
    after = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before


USAGE = {
    "no output": ("--output", ("landforms", "good.tif")),
    "unknown flag": ("No such option", ("landforms", "good.tif", "-o", "a.tif", "--fast")),
    "unknown command": ("No such command", ("landform", "good.tif")),
    "search of the model": (
        "--method geomorphons", ("landforms", "good.tif", "-o", "a.tif", "--search", "5"),
    ),
    "area without polygons": (
        "--polygons", ("landforms", "good.tif", "-o", "a.tif", "--min-area", "5"),
    ),
    "model of the exact": (
        "--method model",
        ("landforms", "good.tif", "-o", "a.tif", "--method", "geomorphons", "--model", "m.onnx"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_exits_2(capsys, name):
    """Flags that do not go together say which."""
    words, arguments = USAGE[name]
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert words in err


@pytest.fixture
def mounted(tmp_path):
    """A function that mounts a small file system with these options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounts = []

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system can be mounted by root alone")
        mounts.append(folder)
        return folder

    yield mount
    for each in mounts:
        subprocess.run(["umount", each], check=True)


def test_folder_that_is_not_writable(tmp_path, capsys, mounted):
    """A read-only output folder is refused before any work."""
    make_inputs(tmp_path)
    code, _, err = run(
        capsys, "landforms", tmp_path / "good.tif", "-o", mounted("ro") / "a.tif",
        "--progress", "none", *EXACT,
    )  # fmt: skip
    assert code == 1
    assert "not writable" in err


@pytest.mark.parametrize("size", ["100k", "300k", "900k", "2m"])
def test_full_disk(tmp_path, capsys, mounted, size):
    """Wherever the disk gets full, in raster or polygons: one sentence, the disk as it was."""
    noise = np.random.default_rng(0).normal(500, 50, (700, 700)).astype(np.float32)
    dem = write_tif(tmp_path / "dem.tif", noise)
    disk = mounted(f"size={size}")
    (disk / "a.tif").write_text("old")
    code, out, err = run(
        capsys, "landforms", dem, "-o", disk / "a.tif", "--polygons", disk / "a.gpkg",
        "--overwrite", "--progress", "none", *EXACT,
    )  # fmt: skip
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert os.listdir(disk) == ["a.tif"]
    assert (disk / "a.tif").read_text() == "old"


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_cancelling_leaves_nothing(tmp_path, signal_name):
    """Ctrl-C in the middle: exit 130, one line, neither outputs nor temporary files."""
    import signal

    write_tif(tmp_path / "dem.tif", np.tile(make_terrain(500, 500), (6, 6)))
    process = subprocess.Popen(
        [sys.executable, "-m", "geotools", "landforms", "dem.tif", "-o", "a.tif", "--polygons",
         "a.gpkg", "--method", "geomorphons", "--search", "200", "--tile", "256",
         "--progress", "plain"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "classifying" in process.stderr.readline()
    process.send_signal(getattr(signal, signal_name))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "Error: Cancelled: no output is half written."
    assert os.listdir(tmp_path) == ["dem.tif"]


def test_killing_leaves_no_output(tmp_path):
    """After kill -9 there is no file under the outputs' names."""
    write_tif(tmp_path / "dem.tif", np.tile(make_terrain(500, 500), (4, 4)), make_grid(2000, 2000))
    process = subprocess.Popen(
        [sys.executable, "-m", "geotools", "landforms", "dem.tif", "-o", "a.tif",
         "--method", "geomorphons", "--search", "200", "--tile", "256", "--progress", "plain"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "classifying" in process.stderr.readline()
    time.sleep(0.2)
    process.kill()
    process.communicate()
    assert not {"a.tif", "a.qml", "a.tif.aux.xml"} & set(os.listdir(tmp_path))
