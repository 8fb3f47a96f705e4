"""The plugin in the real desktop, under Xvfb: Run, legend, Cancel, options, as a user sees them."""

import json
import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from sample_layers import ROOT, hills, write_tif

PICTURES = (
    "dialog.png", "log.png", "landforms.png", "events.png", "forecast.png", "options.png",
)  # fmt: skip

INI = """[PythonPlugins]
geotools_qgis=true

[Processing]
Configuration\\RESULTS_GROUP_NAME=

[qgis]
checkVersion=false
showTips{0}=false
showTips322=false
"""


@pytest.fixture(scope="module")
def desktop(tmp_path_factory, engine):
    """The folder of what the script in QGIS has left, and what it saw."""
    from qgis.core import Qgis

    program = shutil.which("qgis.bin") or shutil.which("qgis")
    screen = shutil.which("xvfb-run")
    if program is None or screen is None:
        pytest.skip("no desktop of QGIS, or no xvfb-run")
    home = tmp_path_factory.mktemp("desktop")
    profile = home / "profiles" / "default" / "QGIS"
    profile.mkdir(parents=True)
    version = "".join(Qgis.QGIS_VERSION.split(".")[:2])
    (profile / "QGIS3.ini").write_text(INI.format(version))
    (home / "run").mkdir(mode=0o700)
    folder = home / "a b"
    folder.mkdir()
    dem = write_tif(folder / "dem.tif", hills(220, 260))
    large = write_tif(folder / "large.tif", hills(3000, 3000))
    catalog = write_catalog(folder / "catalog.csv")
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1",
        "XDG_RUNTIME_DIR": str(home / "run"), "QGIS_PLUGINPATH": str(ROOT / "qgis_plugin"),
        "GEOTOOLS_PYTHON": engine, "GEOTOOLS_SEEN": str(folder / "seen.json"),
        "GEOTOOLS_DEM": os.environ.get("GEOTOOLS_DEM", str(dem)), "GEOTOOLS_LARGE": str(large),
        "GEOTOOLS_CATALOG": os.environ.get("GEOTOOLS_CATALOG", str(catalog)),
    }  # fmt: skip
    script = Path(__file__).parent / "desktop_script.py"
    done = subprocess.run(
        [screen, "-a", "-s", "-screen 0 1440x900x24 -nolisten tcp", program, "--nologo",
         "--noversioncheck", "--profiles-path", str(home), "--code", str(script)],
        env=environment, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (folder / "seen.json").is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    seen = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    kept = os.environ.get("GEOTOOLS_PICTURES")
    if kept:
        os.makedirs(kept, exist_ok=True)
        for name in PICTURES:
            if (folder / name).is_file():
                shutil.copy(folder / name, kept)
    assert "failure" not in seen, seen["failure"]
    return folder, seen


def write_catalog(path: Path) -> Path:
    from sample_layers import events

    rows = [f"{moment.isoformat()}Z,{x},{y},{z},{m}" for moment, x, y, z, m in events()]
    path.write_text("time,longitude,latitude,depth,magnitude\n" + "\n".join(rows) + "\n")
    return path


def test_a_user_maps_landforms(desktop):
    """Run in the dialog loads a layer with name, group, ten named classes and what made it."""
    folder, seen = desktop
    assert seen["name"].lower() == "landforms"
    assert seen["group"] == "geotools"
    forms = ["flat", "peak", "ridge", "shoulder", "spur", "slope", "hollow", "footslope", "valley",
             "pit"]  # fmt: skip
    assert seen["legend"][-10:] == forms
    assert len(seen["legend"]) <= 11  # with the name of the band
    assert "geotools landforms" in seen["abstract"]
    assert (folder / "landforms.tif").is_file()


def test_cancel_in_the_dialog_leaves_nothing(desktop):
    """After Cancel there is no file of that run."""
    assert desktop[1]["left"] == []


def test_events_set_the_time(desktop):
    """Loaded earthquakes are temporal, and the temporal controller spans them."""
    _, seen = desktop
    assert seen["temporal"] is True
    assert seen["controller"] == [True, 2010, 2019]


def test_entries_of_layers_open_dialogs_filled_in(desktop):
    """The layer, and of what is visible the extent with its CRS; of points the earthquakes."""
    _, seen = desktop
    assert seen["part"]["INPUT"].startswith("elevation")
    edges, _, crs = seen["part"]["EXTENT"].partition(" [")
    assert [float(edge) for edge in edges.split(",")] == pytest.approx(seen["canvas"])
    assert crs.startswith("EPSG:")
    assert seen["forecast layer"].lower().startswith(("earthquakes", "events"))


def test_a_forecast_has_a_logarithmic_ramp_and_its_time(desktop):
    """Steps of the same ratio; the temporal controller reaches to the end of the window."""
    folder, seen = desktop
    assert (folder / "forecast.tif").is_file()
    steps = seen["steps"]
    assert [float(label) for label in seen["ramp"][1:]] == pytest.approx(steps)
    ratios = [after / before for before, after in pairwise(steps)]
    assert steps[0] > 0
    assert max(ratios) == pytest.approx(min(ratios), rel=0.2)
    assert seen["window ends"][0] == seen["window ends"][1]


def test_menus_and_options_are_there(desktop):
    """Entries for layers; the options page finds an engine that works."""
    folder, seen = desktop
    assert [text.partition(" of")[0] for text in seen["actions"]] == [
        "Map landforms", "Map landforms", "Forecast from this layer…",
    ]  # fmt: skip
    assert "GEOTOOLS_PYTHON" in seen["engine"]
    assert "ok    writing" in seen["doctor"]
    for name in PICTURES:
        assert (folder / name).stat().st_size > 5000
