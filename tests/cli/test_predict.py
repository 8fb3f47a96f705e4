"""geotools predict: the command, what it refuses, and how it tells of it."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import image_model, neighbourhood_model, row_model

from geotools import cli
from geotools.spec import SourceInfo

NAMED = {"model_type": '"Segmentor"', "class_names": '{"0": "water", "1": "land"}'}


def run(capsys, *arguments):
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Models and rasters of all kinds."""
    monkeypatch.chdir(tmp_path)
    terrain = make_terrain(40, 50)
    write_tif(tmp_path / "dem.tif", terrain)
    rgb = np.random.default_rng(0).integers(0, 256, (4, 40, 50)).astype(np.uint8)
    write_tif(tmp_path / "rgb.tif", rgb, make_grid(50, 40, cell=0.05),
              photometric="MINISBLACK")  # fmt: skip
    (tmp_path / "dem.onnx").write_bytes(neighbourhood_model())
    (tmp_path / "bare.onnx").write_bytes(image_model(channels=2, side="s"))
    (tmp_path / "named.onnx").write_bytes(
        image_model(bands=4, channels=1, metadata={**NAMED, "resolution": "5"})
    )
    sources = tuple(SourceInfo(name, ("1",), (1,), 1) for name in ("a", "b"))
    (tmp_path / "two.onnx").write_bytes(row_model(sources=sources))
    (tmp_path / "rows.onnx").write_bytes(row_model(parameters={"table": True}))
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "text.tif").write_text("hello")
    return tmp_path


def test_a_model_without_metadata(folder, capsys):
    """Bands, scale and classes by flags; class codes and colours in the file."""
    code, out, err = run(
        capsys, "predict", "bare.onnx", "rgb.tif", "-o", "out.tif", "--bands", "3,2,1",
        "--scale", "1/510", "--classes", "5=water,9=forest", "--tile-size", "64", "--confidence",
    )  # fmt: skip
    assert (code, err) == (0, "") or "classifying" in err
    assert "2 classes by bare" in out
    with rasterio.open("out.tif") as dataset:
        codes, sure = dataset.read()
        assert set(dataset.colormap(1)) >= {5, 9}
        assert "tile=64 x 64" in dataset.tags()["GEOTOOLS_PARAMETERS"]
    assert set(np.unique(codes)) == {9}  # twice the mean is more than the mean
    with rasterio.open("rgb.tif") as dataset:
        mean = dataset.read([3, 2, 1]).mean(axis=0)
    assert np.abs(sure - 2 * mean / 510 * 100).max() < 1


def test_layers_to_files_of_their_own(folder, capsys):
    """Entropy, probabilities and confidence go where they are told to, and are told of."""
    code, out, _ = run(
        capsys, "predict", "dem.onnx", "dem.tif", "-o", "out.tif", "--confidence-file", "c.tif",
        "--entropy-file", "e.tif", "--probabilities-file", "p.tif",
    )  # fmt: skip
    assert code == 0
    assert "out.tif and p.tif and e.tif and c.tif" in out
    assert sorted(path.name for path in folder.glob("*.tif")) == [
        "c.tif", "dem.tif", "e.tif", "out.tif", "p.tif", "rgb.tif", "text.tif",
    ]  # fmt: skip


def test_progress_as_json(folder):
    """One object a line, the result last, with its outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "geotools", "predict", "dem.onnx", "dem.tif", "-o", "out.tif",
         "--polygons", "out.gpkg", "--probabilities", "--progress", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["event"] for line in lines} == {"progress", "result"}
    assert lines[-1]["outputs"] == ["out.tif", "out.gpkg", "out_probabilities.tif"]
    assert all((folder / name).exists() for name in lines[-1]["outputs"])
    assert set(lines[-1]["area_m2"]) == {"low", "high"}


def test_the_resolution_of_a_foreign_model(folder, capsys):
    """A warning where cells differ more than twofold; --resample brings the raster there."""
    common = ("predict", "named.onnx", "rgb.tif", "--classes", "roof", "--overwrite")
    code, _, err = run(capsys, *common, "-o", "a.tif")
    assert (code, "Warning" in err) == (0, False)
    code, _, err = run(capsys, *common, "-o", "a.tif", "--resolution", "15")
    assert code == 0
    assert "made for 0.075 to 0.3 m" in err
    code, _, err = run(capsys, *common, "-o", "a.tif", "--resolution", "15", "--resample")
    assert (code, "Warning" in err) == (0, False)
    with rasterio.open("a.tif") as dataset:
        assert dataset.shape == (14, 17)
        assert dataset.transform.a == pytest.approx(0.15)
    code, _, err = run(capsys, "predict", "bare.onnx", "rgb.tif", "-o", "b.tif", "--bands", "1,2,3",
                       "--scale", "1/510", "--classes", "a,b", "--resample")  # fmt: skip
    assert code == 1
    assert "names no cell size" in err


def test_a_table(folder, capsys):
    """A table in, a table out, with the same columns and two more."""
    (folder / "rows.csv").write_text("a,b\n1,2\n-1,-2\n")
    code, out, _ = run(capsys, "predict", "rows.onnx", "rows.csv", "-o", "out.csv")
    assert code == 0
    assert "2 rows by rows" in out
    lines = (folder / "out.csv").read_text().splitlines()
    assert lines[0] == "a,b,class,confidence"
    assert [line.split(",")[2] for line in lines[1:]] == ["high", "low"]


CASES = {
    "no model": ("no.onnx does not exist", "no.onnx", "dem.tif"),
    "no shipped model": ("There is no model landform:", "landform", "dem.tif"),
    "a model of text": ("not an ONNX model", "text.onnx", "dem.tif"),
    "a forecast model": ("takes no raster|not a raster", "seismicity-california-v1", "dem.tif"),
    "no raster": ("does not exist", "dem.onnx", "no.tif"),
    "a raster of text": ("cannot be opened as a raster", "dem.onnx", "text.tif"),
    "a raster for a table": ("give it one, .csv", "rows.onnx", "dem.tif"),
    "too many rasters": ("takes 1 rasters, 2 are given", "dem.onnx", "dem.tif", "rgb.tif"),
    "too few rasters": (r"in this order, 1\. a \(bands 1\); 2\. b", "two.onnx", "dem.tif"),
    "wrong bands": ("rgb.tif has 4 bands", "two.onnx", "rgb.tif", "rgb.tif"),
    "bands of an elevation": ("4 bands .* --bands 1", "dem.onnx", "rgb.tif"),
    "a band that is not there": ("not a band 9", "dem.onnx", "rgb.tif", "--bands", "9"),
    "nothing known": ("does not say enough", "bare.onnx", "rgb.tif"),
    "four bands for three": (
        "--bands 1,2,3", "bare.onnx", "rgb.tif", "--scale", "1", "--classes", "a,b",
    ),
    "settings for our own": ("says itself", "dem.onnx", "dem.tif", "--scale", "1/255"),
    "a tile of its own": (
        "leave --tile out", "named.onnx", "rgb.tif", "--classes", "roof", "--tile", "64",
    ),
    "a table": ("not made from a table", "dem.onnx", "rows.csv"),
    "one class too many": ("2 classes apart", "named.onnx", "rgb.tif", "--classes", "a,b,c"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input(folder, capsys, name):
    """One sentence, exit 1, nothing written."""
    words, *arguments = CASES[name]
    (folder / "rows.csv").write_text("a,b\n1,2\n")
    before = sorted(folder.iterdir())
    output = "out.csv" if "rows.csv" in arguments else "out.tif"
    code, out, err = run(capsys, "predict", *arguments, "-o", output, "--progress", "none")
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert re.search(words, err), err
    assert sorted(folder.iterdir()) == before


USAGE = {
    "no raster": ("dem.onnx",),
    "min-area alone": ("dem.onnx", "dem.tif", "--min-area", "9"),
    "bands of words": ("dem.onnx", "dem.tif", "--bands", "red"),
    "band 0": ("dem.onnx", "dem.tif", "--bands", "0"),
    "scale of words": ("bare.onnx", "dem.tif", "--scale", "1/0"),
    "mixed classes": ("bare.onnx", "dem.tif", "--classes", "1=a,b"),
    "a code beyond": ("bare.onnx", "dem.tif", "--classes", "300=a"),
    "polygons of a table": ("dem.onnx", "rows.csv", "--polygons", "a.gpkg"),
    "two tables": ("dem.onnx", "rows.csv", "more.csv"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage(folder, capsys, name):
    """Exit 2, and what is to be given."""
    code, out, err = run(capsys, "predict", *USAGE[name], "-o", "out.tif")
    assert (code, out) == (2, "")
    assert "Error" in err


OTHER_CELLS = {"dummy_recognition_model": (1, 224), "dummy_superresolution_model": (2, 1)}
"""Output cells along an input cell, and the reverse."""
RED = "one_output_sigmoid_red_detector"


def dummies(shared):
    found = sorted((shared / "onnx_deepness_dummies").glob("*.onnx"))
    if len(found) != 17:
        pytest.skip("the 17 models are not there")
    return found


@pytest.mark.parametrize("number", range(17))
def test_other_peoples_models(shared, tmp_path, capsys, number):
    """Each runs on the orthophoto, to the last cell, on the grid of its own cells."""
    file = dummies(shared)[number]
    image = file.parent / "dummy_fotomap_small.tif"
    name = file.stem.removeprefix("dummy_model__")
    common = ("predict", file, image, "-o", tmp_path / "out.tif", "--progress", "none")
    code, _, err = run(capsys, *common)
    if code and "does not say enough" in err:
        names = "a,b,c" if name.endswith("__dummy_model") else "a,b"
        code, _, err = run(
            capsys, *common, "--bands", "1,2,3", "--scale", "1/255", "--classes", names
        )
    if name in OTHER_CELLS:
        code, _, err = run(
            capsys, *common, "--bands", "1,2,3", "--scale", "1/255", "--values", "--overwrite"
        )
        assert code == 0, err
        finer, coarser = OTHER_CELLS[name]
        with rasterio.open(tmp_path / "out.tif") as dataset:
            assert dataset.shape == (-(-841 * finer // coarser), -(-1243 * finer // coarser))
            assert np.isfinite(dataset.read(1)).all()
        return
    assert code == 0, err
    with rasterio.open(tmp_path / "out.tif") as dataset, rasterio.open(image) as origin:
        codes, colors = dataset.read(1), origin.read([1, 2, 3])
        valid = origin.dataset_mask() > 0
        assert dataset.transform == origin.transform
    if "regression_model" in name and codes.dtype == np.float32:
        assert np.array_equal(np.isfinite(codes), valid)
    else:
        assert np.array_equal(codes > 0, valid)
    if name == RED:  # sigmoid of red - 0.5, or the like: a threshold of red
        red = colors[0][valid]
        assert red[codes[valid] == 2].min() >= red[codes[valid] == 1].max()


def test_a_part_of_a_map(folder, capsys):
    """A rectangle and a mask by flags; what makes no sense is told without reading anything."""
    with rasterio.open("dem.tif") as dataset:
        left, bottom, right, top = dataset.bounds
    bbox = f"{left + 31},{bottom + 31},{right - 31},{top - 31}"
    code, out, _ = run(capsys, "predict", "dem.onnx", "dem.tif", "-o", "out.tif", "--bbox", bbox,
                       "--tta", "--with", "dem.onnx", "--device", "cpu")  # fmt: skip
    assert code == 0
    assert "on cpu" in out
    with rasterio.open("out.tif") as dataset:
        assert dataset.shape == (38, 48)
    common = ("predict", "dem.onnx", "dem.tif", "-o", "no.tif")
    for arguments, code, said in (
        (("--bbox", "1,2,3"), 2, "is not understood: give LEFT,BOTTOM,RIGHT,TOP"),
        (("--bbox-crs", "EPSG:4326"), 2, "--bbox-crs belongs to --bbox"),
        (("--mask-layer", "a"), 2, "--mask-layer belongs to --mask"),
        (("--bbox", "0,0,1,1"), 1, "lies outside"),
        (("--bbox", "4,4,1,1"), 1, "has no inside"),
        (("--device", "abacus"), 1, "is unknown"),
    ):
        found, _, err = run(capsys, *common, *arguments)
        assert (found, said in err) == (code, True), err
    assert not (folder / "no.tif").exists()


def test_what_a_run_would_take(folder, capsys):
    """As text; as one JSON object; nothing is written. Seams are measured by a real run."""
    common = ("predict", "dem.onnx", "dem.tif", "-o", "out.tif")
    code, out, _ = run(capsys, *common, "--dry-run")
    assert code == 0
    assert "map: 50 x 40 cells in EPSG:32633" in out
    done = subprocess.run(
        [sys.executable, "-m", "geotools", *common, "--dry-run", "--progress", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["preflight"]["units"] == 1
    assert not (folder / "out.tif").exists()
    code, out, _ = run(capsys, *common, "--seams", "--tile", "16")
    assert code == 0
    assert "100 % of the classes agree" in out
