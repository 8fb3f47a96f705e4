"""geotools_qgis.gui: what the desktop shows, as far as a QGIS without one can tell."""

import os
import shutil
import sys
import time
import zipfile

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.engine.discovery import EngineError, find_engine
from geotools_qgis.engine.managed import create, find_python, install_words, proxy_of
from geotools_qgis.engine.process import Cancelled
from geotools_qgis.gui.layer_actions import forecast_parameters, landform_parameters
from geotools_qgis.gui.options import EnginePage
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsRasterLayer,
    QgsRectangle,
    QgsSettings,
)
from qgis.PyQt.QtCore import QSettings
from qgis.PyQt.QtWidgets import QApplication
from sample_layers import hills, point_layer, write_tif


class Listener:
    def __init__(self, *, stop_at: str = "never"):
        self.lines, self.stop_at = [], stop_at

    def line(self, text):
        self.lines.append(text)

    def is_cancelled(self):
        return any(self.stop_at in line for line in self.lines)


def wheel(folder):
    """A package geotools that can say its version and nothing else."""
    path = folder / "geotools_ml-9.9-py3-none-any.whl"
    about = "geotools_ml-9.9.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("geotools/__init__.py", "")
        archive.writestr("geotools/__main__.py", "print('geotools 9.9')\n")
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: geotools-ml\nVersion: 9.9\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


def wait_for(task_of):
    """Lets Qt work until a page has no task any more."""
    while task_of() is not None:
        QApplication.processEvents()
        time.sleep(0.02)  # lets the thread of the engine run


def test_an_environment_is_made_and_found(qgis_app, monkeypatch, folder):
    """Create on the page makes one in the home folder, which is the engine then."""
    monkeypatch.delenv("GEOTOOLS_PYTHON", raising=False)
    monkeypatch.setenv("HOME", str(folder))
    page = EnginePage()
    page.source.setText(str(wheel(folder)))
    page.start_create()
    assert page.stop.isEnabled()
    assert not page.make.isEnabled()
    wait_for(lambda: page._task)
    managed = folder / ".geotools" / "engine"
    assert "geotools 9.9" in page.log.toPlainText()
    assert page.found.text() == f"{managed / 'bin' / 'python'} (environment made by the plugin)"
    assert page.make.isEnabled()
    found = find_engine({"PATH": ""}, "", str(managed))
    assert found.command == (str(managed / "bin" / "python"), "-m", "geotools")


def test_an_environment_that_fails_or_is_cancelled_leaves_nothing(folder):
    """No half environment is taken for an engine; the sentence says why."""
    managed = folder / "engine"
    with pytest.raises(EngineError, match="could not be made"):
        create(str(managed), sys.executable, str(folder / "no.whl"), Listener())
    assert not managed.exists()
    with pytest.raises(Cancelled):
        create(str(managed), sys.executable, str(wheel(folder)), Listener(stop_at="pip install"))
    assert not managed.exists()


@pytest.mark.parametrize(
    ("package", "system", "from_pytorch"),
    [
        ("geotools-ml", "linux", False),
        ("geotools-ml[train]", "linux", True),
        ("geotools-ml[train]", "win32", False),
    ],
)
def test_trainings_bring_no_cuda(package, system, from_pytorch):
    """On Linux PyTorch's own index for CPUs is asked too; elsewhere PyPI has the CPU build."""
    words = install_words(package, system)
    assert package in words
    assert ("--extra-index-url" in words) == from_pytorch


def test_an_interpreter_of_this_machine_is_found(tmp_path):
    """One of 3.11 or later; without any, a sentence."""
    assert os.path.isfile(find_python())
    with pytest.raises(EngineError, match=r"No Python 3\.11"):
        find_python({"PATH": str(tmp_path)})


def test_the_proxy_of_qgis_is_told_to_pip(tmp_path):
    """Host, port and login as the variables that pip reads; nothing when it is off."""
    settings = QSettings(str(tmp_path / "a.ini"), QSettings.Format.IniFormat)
    assert proxy_of(settings) == {}
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyHost", "proxy.example")
    settings.setValue("proxy/proxyPort", "3128")
    settings.setValue("proxy/proxyUser", "a@b")
    assert proxy_of(settings)["HTTPS_PROXY"] == "http://a%40b:@proxy.example:3128"


def test_the_page_checks_the_engine_and_copies_what_it_found(qgis_app, engine):
    """Check shows the doctor's findings; they go into the clipboard with the interpreter."""
    page = EnginePage()
    assert page.found.text().startswith(engine)
    page.start_check()
    assert not page.check.isEnabled()
    wait_for(lambda: page._task)
    assert page.check.isEnabled()
    assert "ok    writing" in page.log.toPlainText()
    page.copy_log()
    first, _, third, *others = QApplication.clipboard().text().splitlines()
    assert first.startswith(f"Plugin 0.1.0, QGIS {Qgis.QGIS_VERSION}, Qt ")
    assert third.startswith(f"Engine: {engine}")
    assert "ok    writing: a GeoTIFF was written and read back" in others


def test_the_page_says_what_is_wrong_with_a_choice(qgis_app, monkeypatch, folder):
    """A file that is not there, or no geotools, is a sentence on the page."""
    monkeypatch.delenv("GEOTOOLS_PYTHON")
    page = EnginePage()
    page.python.setFilePath(str(folder / "none"))
    assert "does not exist" in page.found.text()
    bare = folder / "bare"
    bare.write_text("#!/bin/sh\nexec " + shutil.which("python3", path="/usr/bin") + ' "$@"\n')
    bare.chmod(0o755)
    page.python.setFilePath(str(bare))
    page.start_check()
    wait_for(lambda: page._task)
    assert "has no geotools" in page.log.toPlainText()


def test_the_choice_is_kept_with_ok(qgis_app, folder):
    """What is chosen is a setting afterwards."""
    page = EnginePage()
    page.python.setFilePath(str(folder))
    page.apply()
    assert QgsSettings().value("geotools/python") == str(folder)
    QgsSettings().remove("geotools/python")


def test_menus_of_layers_fill_in_the_dialogs(qgis_app, dem, run, folder):
    """The layer, and the visible extent with its CRS, are values that the algorithms take."""
    from qgis.core import QgsProject

    layer = QgsRasterLayer(str(dem), "dem")
    QgsProject.instance().addMapLayer(layer)
    crs = QgsCoordinateReferenceSystem("EPSG:32633")
    values = landform_parameters(layer, QgsRectangle(500300, 4996000, 502000, 4999000), crs)
    made, _ = run("landforms", {
        **values, "METHOD": "geomorphons", "OUTPUT": str(folder / "out.tif"),
    })  # fmt: skip
    edge = QgsRasterLayer(made["OUTPUT"], "out").extent().xMaximum()
    assert 502000 <= edge < 502030
    points = point_layer()
    QgsProject.instance().addMapLayer(points)
    made, _ = run("events", {**forecast_parameters(points), "OUTPUT": str(folder / "e.gpkg")})
    assert made["COUNT"] == 400
    QgsProject.instance().clear()


def test_the_controller_spans_the_earthquakes(qgis_app, tmp_path):
    """Range of the layer, frames of a readable length; then on to a forecast's window."""
    from geotools_qgis.gui.time import frame_days, set_time
    from qgis.core import QgsDateTimeRange, QgsTemporalNavigationObject

    assert [frame_days(days) for days in (2, 30, 365, 3650, 36500)] == [1 / 24, 1, 7, 91, 365]
    controller = QgsTemporalNavigationObject()
    layer = point_layer()
    set_time(layer, controller)
    assert controller.temporalExtents().isInfinite()
    layer.temporalProperties().setStartField("time")
    layer.temporalProperties().setMode(
        layer.temporalProperties().ModeFeatureDateTimeInstantFromField
    )
    layer.temporalProperties().setIsActive(True)
    set_time(layer, controller)
    span = controller.temporalExtents()
    assert (span.begin().date().year(), span.end().date().year()) == (2010, 2019)
    assert controller.frameDuration().days() == 91
    assert controller.frameDuration().originalDuration() == 91  # not so many seconds
    path = write_tif(tmp_path / "forecast.tif", hills(5, 5))
    forecast = QgsRasterLayer(str(path), "forecast")
    set_time(forecast, controller)
    assert controller.temporalExtents() == span
    properties = forecast.temporalProperties()
    properties.setMode(properties.ModeFixedTemporalRange)
    end = span.end().addDays(30)
    properties.setFixedTemporalRange(QgsDateTimeRange(span.end(), end))
    properties.setIsActive(True)
    set_time(forecast, controller)
    assert controller.temporalExtents() == QgsDateTimeRange(span.begin(), end)
    set_time(forecast, QgsTemporalNavigationObject())  # has no range to be made longer
