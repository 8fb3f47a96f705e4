"""TrainingPanel: a training by its configuration, with its losses while it runs and its confusion
matrix at the end.
"""

import os

from qgis.core import QgsSettings
from qgis.gui import QgsDockWidget, QgsFileWidget
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from ..definitions.training import LEARNERS
from ..engine.discovery import SETTING, EngineError, find_engine
from ..engine.process import run
from .charts import CurveView, fill_confusion
from .tasks import EngineTask, start_task

__all__ = ["TrainingPanel"]


class TrainingPanel(QgsDockWidget):
    """Configuration, folder and learner; Train, Stop, the report and the map."""

    def __init__(self, open_dialog, parent=None):
        """
        Args:
            open_dialog: called with the id of an algorithm and values of its parameters.
        """
        super().__init__("Training of geotools", parent)
        self.setObjectName("GeotoolsTraining")
        self._open = open_dialog
        self._task = None
        self.config = QgsFileWidget()
        self.config.setFilter("TOML (*.toml)")
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.GetDirectory)
        self.learner = QComboBox()
        self.learner.addItem("as the configuration says", "")
        for name in LEARNERS:
            self.learner.addItem(name, name)
        self.train = QPushButton("Train")
        self.stop = QPushButton("Stop")
        self.layers = QPushButton("From layers…")
        self.report = QPushButton("Report")
        self.map = QPushButton("Map…")
        self.bar = QProgressBar()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.curves = CurveView()
        self.confusion = QTableWidget()
        self._lay_out()
        self.train.clicked.connect(self.start)
        self.stop.clicked.connect(self.cancel)
        self.layers.clicked.connect(lambda: self._open("geotools:train", {}))
        self.report.clicked.connect(self._show_report)
        self.map.clicked.connect(self._map)
        self._busy(False)

    def start(self):
        """Trains; a training that was stopped goes on."""
        config, folder = self.config.filePath().strip(), self.folder.filePath().strip()
        if not config or not folder:
            self.said.setText("Choose a configuration and a folder, or train from layers.")
            return
        try:
            engine = find_engine(setting=QgsSettings().value(SETTING, "", type=str))
        except EngineError as error:
            self.said.setText(str(error))
            return
        words = ["train", config, "--output", folder, "--progress", "json"]
        if self.learner.currentData():
            words += ["--learner", self.learner.currentData()]
        self.curves.clear()
        self.confusion.setRowCount(0)
        task = self._task = EngineTask(
            f"Train {os.path.basename(folder)}", lambda task: run(engine, words, task).result
        )
        task.said.connect(self.said.setText)
        task.learned.connect(self.curves.add)
        task.progressChanged.connect(lambda percent: self.bar.setValue(int(percent)))
        task.ended.connect(self._ended)
        self._busy(True)
        start_task(task)

    def cancel(self):
        """Stops; the same folder goes on from there."""
        if self._task is not None:
            self._task.cancel()

    def busy(self):
        """Whether it trains."""
        return self._task is not None

    def _ended(self, found, error):
        self._task = None
        self._busy(False)
        if error:
            self.said.setText(error)
            return
        self.bar.setValue(100)
        self.said.setText(found.get("message", ""))
        fill_confusion(self.confusion, found)

    def _busy(self, busy):
        self.train.setEnabled(not busy)
        self.stop.setEnabled(busy)
        done = os.path.isfile(os.path.join(self.folder.filePath(), "evaluation.json"))
        for button in (self.report, self.map):
            button.setEnabled(not busy and done)

    def _show_report(self):
        path = os.path.join(self.folder.filePath(), "report.html")
        QDesktopServices.openUrl(QUrl.fromLocalFile(path))

    def _map(self):
        model = os.path.join(self.folder.filePath(), "model.onnx")
        self._open("geotools:predict", {"MODEL": model})

    def _lay_out(self):
        form = QFormLayout()
        form.addRow("Configuration", self.config)
        form.addRow("Folder", self.folder)
        form.addRow("Learner", self.learner)
        buttons = QHBoxLayout()
        for button in (self.train, self.stop, self.layers, self.report, self.map):
            buttons.addWidget(button)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.addLayout(form)
        layout.addLayout(buttons)
        for widget in (self.bar, self.said, self.curves, self.confusion):
            layout.addWidget(widget)
        self.setWidget(inside)
