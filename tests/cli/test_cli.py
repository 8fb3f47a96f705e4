"""geotools.cli: what commands print, write and import."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from conftest import make_terrain, write_tif

HEAVY = ("torch", "sklearn", "obspy", "dask", "onnx", "numba", "rasterio", "pandas", "matplotlib")


def geotools(*arguments: object, cwd=None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geotools", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_help_imports_nothing_heavy():
    """The command line and the package answer before any large library is there."""
    assert not loaded_after("import geotools, geotools.cli") & set(HEAVY)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="loops are kept on Linux alone")
def test_terrain_imports_what_it_needs(tmp_path):
    """Half of a short run is imports: no library for other jobs is among them."""
    write_tif(tmp_path / "dem.tif", make_terrain(40, 50))
    arguments = ["terrain", str(tmp_path / "dem.tif"), "-o", str(tmp_path / "out.tif")]
    assert geotools(*arguments).returncode == 0  # from now on its loops are kept
    arguments += ["--overwrite", "--progress", "none"]
    loaded = loaded_after(
        f"import sys; sys.argv[1:] = {arguments}\nfrom geotools.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code"
    )
    assert "geotools.terrain.stencils" in loaded
    unneeded = {"numba", "pandas", "shapely", "scipy", "onnxruntime", "matplotlib", "rich"}
    unneeded |= {"geotools.spec", "geotools.terrain.geomorphons", "geotools.engine"}
    assert not loaded & unneeded


def test_inference_needs_no_training_library():
    """Mapping imports neither torch nor scikit-learn nor onnx nor ObsPy nor Dask."""
    loaded = loaded_after("import geotools.maps, geotools.inference.predict, geotools.pictures")
    assert not loaded & {"torch", "sklearn", "onnx", "obspy", "dask"}


def test_help_lists_the_commands():
    """--help names every command; every command has a --help."""
    text = geotools("--help").stdout
    for name in ("demo", "doctor", "info", "landforms", "terrain"):
        assert name in text
        assert geotools(name, "--help").returncode == 0


def test_landforms_and_info(dem_tif, tmp_path):
    """The exact map by command line, described by info as lines and as JSON."""
    done = geotools(
        "landforms", dem_tif, "-o", "out.tif", "--polygons", "out.gpkg", "--method", "geomorphons",
        "--search", 7, "--min-area", 5000, "--simplify", 40, "--progress", "plain", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "out.tif and out.gpkg" in done.stdout
    assert "s left" in done.stderr
    lines = geotools("info", tmp_path / "out.tif").stdout
    assert "GEOTOOLS_METHOD: geomorphons" in lines
    raster = json.loads(geotools("info", tmp_path / "out.tif", "--json").stdout)
    assert raster["kind"] == "raster"
    assert raster["bands"][0]["name"] == "landform"
    assert "search=7" in raster["tags"]["GEOTOOLS_PARAMETERS"]
    layers = json.loads(geotools("info", tmp_path / "out.gpkg", "--json").stdout)
    assert layers["layers"][0]["name"] == "landforms"


def test_json_progress_is_one_object_a_line(dem_tif, tmp_path):
    """--progress json: progress, then a result, each with the schema, and nothing else."""
    done = geotools(
        "landforms", dem_tif, "-o", "out.tif", "--method", "geomorphons", "--tile", 64,
        "--progress", "json", cwd=tmp_path,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["schema"] for event in events} == {1}
    assert [event["event"] for event in events] == ["progress"] * 9 + ["result"]
    assert events[8]["done"] == events[8]["total"] == 9
    assert events[-1]["outputs"] == ["out.tif"]
    assert set(events[-1]["area_m2"]) >= {"flat", "pit"}


def test_json_errors_are_events(tmp_path):
    """An error is an event as well, with exit 1."""
    done = geotools("landforms", "no.tif", "-o", "out.tif", "--progress", "json", cwd=tmp_path)
    assert done.returncode == 1
    (event,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert event["event"] == "error"
    assert "does not exist" in event["message"]


@pytest.mark.parametrize("name", ["a b.tif", "höhe.tif", "高度.tif"])
def test_paths_with_spaces_and_letters_of_the_world(tmp_path, name):
    """Any file name will do."""
    write_tif(tmp_path / name, make_terrain(20, 20))
    done = geotools("landforms", name, "-o", f"out {name}", "--method", "geomorphons", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / f"out {name}") as dataset:
        assert np.isin(dataset.read(1), range(1, 11)).all()


def test_info_on_what_is_nothing(tmp_path):
    """A file of no kind, and one that is not there, are one sentence."""
    (tmp_path / "a.txt").write_text("hello")
    for name in ("a.txt", "b.tif"):
        done = geotools("info", tmp_path / name)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1


def test_doctor_names_the_device(tmp_path):
    """Which devices there are and on which one models run, in lines and as JSON."""
    done = geotools("doctor", "--json", cwd=tmp_path)
    found = {one["what"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["ONNX Runtime devices"]["detail"].endswith("cpu")
    assert found["device"]["ok"]
    assert found["device"]["detail"]
