"""Draws what the plugin shows, and runs a process as it does, under Qt 6.

`python windows_under_qt6.py PACKAGE ENGINE` in a process of its own; the engine is any program. It
fails when Qt 6 refuses something; that the widgets do what they should is tried in QGIS.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from under_qt6 import install

if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
    from PyQt6.QtWidgets import QApplication, QTableWidget

    application = QApplication([])
    from geotools_qgis.engine.discovery import Engine
    from geotools_qgis.engine.managed import find_python
    from geotools_qgis.engine.process import Cancelled, run
    from geotools_qgis.gui.charts import CurveView, fill_confusion
    from geotools_qgis.gui.models import ModelList
    from geotools_qgis.gui.options import EnginePage
    from geotools_qgis.gui.tasks import EngineTask
    from geotools_qgis.gui.training import TrainingPanel

    curves = CurveView()
    curves.add("fit", 1, {"training loss": 0.9, "validation loss": 1})
    curves.grab()
    for epoch in (2, 3):
        curves.add("fit", epoch, {"training loss": 0.5, "validation loss": 0.6})
    table = QTableWidget()
    fill_confusion(
        table, {"classes": [{"name": "a"}, {"name": "b"}], "confusion": [[3, 1], [0, 2]]}
    )
    panel = TrainingPanel(print)
    panel.start()
    page = EnginePage()
    page.copy_log()
    page.start_check()
    models = ModelList(print)
    models._shipped = ["landforms-v1"]
    models._fill()
    assert models.listed() == ["landforms-v1"]
    for widget in (curves, table, panel, page, models):
        widget.resize(500, 400)
        assert not widget.grab().isNull()

    class Listener:
        """Keeps what is said; presses Cancel at the first progress."""

        def __init__(self):
            self.lines, self.stopped = [], False

        def line(self, text):
            self.lines.append(text)

        info = warning = stage = line

        def progress(self, percent):
            self.stopped = True

        def is_cancelled(self):
            return self.stopped

    engine = Engine((sys.executable, sys.argv[2]), "a test")
    listener = Listener()
    assert run(engine, ["well"], listener).result["message"] == "done"
    assert "Höhe" in listener.lines
    try:
        run(engine, ["slowly"], listener)
        raise SystemExit("it was not cancelled")
    except Cancelled:
        pass
    assert os.path.isfile(find_python())
    said = []
    task = EngineTask("a task", lambda task: task.line("a line") or 5)
    task.said.connect(said.append)
    task.ended.connect(lambda value, error: said.append((value, error)))
    task.finished(task.run())
    assert said == ["a line", (5, "")]
    os._exit(0)  # stand-ins outlive the application
