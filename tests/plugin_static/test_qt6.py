"""The plugin under Qt 6, of which QGIS 4 is made, without QGIS."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "qgis_plugin" / "geotools_qgis"

if importlib.util.find_spec("PyQt6") is None:
    pytest.skip("PyQt6 is not installed here; .ci/run installs it", allow_module_level=True)

ENGINE = """
import json, sys
def tell(**one): print(json.dumps({"schema": 1, **one}), flush=True)
tell(event="info", message="Höhe")
if "slowly" in sys.argv:
    tell(event="progress", stage="map", done=1, total=2)
    sys.stdin.read()
tell(event="result", message="done")
"""


def under_qt6(script, *words):
    return subprocess.run(
        [sys.executable, str(HERE / script), *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def look_at(folder, text):
    package = folder / "some"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text(text)
    return under_qt6("under_qt6.py", package)


def test_every_module_imports_and_names_what_qt_6_has():
    """No module fails, and no name of Qt is missing, also in what is not called here."""
    done = under_qt6("under_qt6.py", FOLDER)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("from qgis.PyQt.QtCore import Qt\nf = lambda: Qt.AlignCenter", "has no Qt.AlignCenter"),
        ("from qgis.PyQt.QtCore import QProcess as P\nx = lambda p: p.state() == P.NotRunning",
         "has no P.NotRunning"),
        ("from qgis.PyQt import QtCore\ndef f(): QtCore.Qt.UserRole", "has no QtCore.Qt.UserRole"),
        ("from qgis.PyQt.QtWidgets import QDialog\nclass D(QDialog):\n"
         "    def f(self): return self.Accepted", "Accepted is a member of an enum"),
        ("def f(painter): painter.setRenderHint(painter.Antialiasing)", "Antialiasing is a member"),
        ("def f(dialog): dialog.exec_()", "exec_() is gone, write exec()"),
        ("from qgis.PyQt.QtWidgets import QAction", "cannot import name 'QAction'"),
        ("from qgis.PyQt.QtCore import QRegExp", "cannot import name 'QRegExp'"),
        ("from qgis.PyQt.QtGui import QFont\nBOLD = QFont.Bold", "has no attribute 'Bold'"),
    ],
)  # fmt: skip
def test_what_qt_6_has_not_is_found(tmp_path, text, finding):
    """Enums without their name, methods and classes of Qt 5 alone."""
    done = look_at(tmp_path, text)
    assert done.returncode == 1, done.stderr
    assert finding in done.stdout


def test_what_both_have_is_not_found(tmp_path):
    """Enums by name, members of QGIS's own enums, a name with a fallback."""
    done = look_at(
        tmp_path,
        "from qgis.core import QgsTask, QgsFileWidget\n"
        "from qgis.PyQt.QtCore import Qt, QDateTime\n"
        "try:\n    from qgis.PyQt.QtGui import QAction\n"
        "except ImportError:\n    from qgis.PyQt.QtWidgets import QAction\n"
        "def f(box, text):\n"
        "    box.setRole(Qt.ItemDataRole.UserRole, QgsTask.CanCancel, QgsFileWidget.Yes)\n"
        "    box.show(box.StandardButton.Yes)\n"
        "    return QDateTime.fromString(text, Qt.DateFormat.ISODate).date().year()\n",
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_windows_and_processes_work_under_qt_6(tmp_path):
    """Panels are laid out and drawn, an engine is run and cancelled, tasks tell of their end."""
    engine = tmp_path / "engine.py"
    engine.write_text(ENGINE, encoding="utf-8")
    done = under_qt6("windows_under_qt6.py", FOLDER, engine)
    assert done.returncode == 0, done.stdout + done.stderr
