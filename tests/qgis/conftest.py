"""A QGIS without a window, the plugin in it, and its engine."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = "/usr/share/qgis/python/plugins"

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "GEOTOOLS_PYTHON" not in os.environ and (ROOT / ".venv/bin/python").is_file():
    os.environ["GEOTOOLS_PYTHON"] = str(ROOT / ".venv/bin/python")
if PLUGINS not in sys.path and os.path.isdir(PLUGINS):
    sys.path.append(PLUGINS)


@pytest.fixture(scope="session")
def engine() -> str:
    """The interpreter of the engine."""
    found = os.environ.get("GEOTOOLS_PYTHON", "")
    if not os.path.isfile(found):
        pytest.skip("no engine: set GEOTOOLS_PYTHON to a Python with geotools")
    return found


@pytest.fixture(scope="session")
def cli(engine):
    """Runs the command line, as somebody does who has no QGIS."""
    from geotools_qgis.engine.environment import clean_environment

    def run(*words: object) -> None:
        done = subprocess.run(
            [engine, "-m", "geotools", *map(str, words)],
            capture_output=True, text=True, check=False, env=clean_environment(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def provider(qgis_app, qgis_processing):
    """The provider, registered as QGIS does it."""
    from geotools_qgis import classFactory
    from qgis.core import QgsApplication

    plugin = classFactory(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("geotools")
    plugin.unload()


@pytest.fixture
def run(provider, engine):
    """Runs an algorithm by its name; gives its results and what it told."""
    import processing
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject

    def call(name, parameters, feedback=None, context=None):
        context = context or QgsProcessingContext()
        context.setProject(QgsProject.instance())
        feedback = feedback or QgsProcessingFeedback(False)
        made = processing.run(f"geotools:{name}", parameters, context=context, feedback=feedback)
        return made, feedback.textLog()

    return call


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder whose name has spaces and letters of the world."""
    made = tmp_path / "a b" / "höhe 高度"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def dem(folder) -> Path:
    """A projected elevation model with cells of 30 m."""
    from sample_layers import hills, write_tif

    return write_tif(folder / "dem.tif", hills(150, 170))


@pytest.fixture
def catalog(folder) -> Path:
    """A CSV of earthquakes."""
    from sample_layers import events

    path = folder / "catalog.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["time", "longitude", "latitude", "depth", "magnitude"])
        for moment, *rest in events():
            table.writerow([moment.isoformat() + "Z", *map(float, rest)])
    return path
