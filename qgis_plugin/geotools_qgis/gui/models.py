"""ModelList: the models that there are, each with its card."""

import os

from qgis.core import QgsSettings
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
)

from ..algorithms.pages import card_page
from ..engine.discovery import SETTING, EngineError, find_engine
from ..engine.process import run
from .tasks import EngineTask, start_task

__all__ = ["FOLDER", "ModelList", "models_in"]

FOLDER = "geotools/models"
"""Setting: the folder whose models are listed beside those that come with the engine."""


def models_in(folder):
    """Paths of the ONNX files of a folder and of the folders of trainings in it, sorted."""
    found = []
    for place, folders, names in os.walk(folder):
        depth = os.path.relpath(place, folder).count(os.sep)
        if depth > 1:
            folders.clear()
        found += [os.path.join(place, name) for name in names if name.lower().endswith(".onnx")]
    return sorted(found)


class ModelList(QDialog):
    """Names to the left, the card of the chosen one to the right, and what can be done with it."""

    def __init__(self, open_dialog, parent=None):
        """
        Args:
            open_dialog: called with the id of an algorithm and values of its parameters.
        """
        super().__init__(parent)
        self.setWindowTitle("Models of geotools")
        self.resize(900, 560)
        self._open = open_dialog
        self._task = None
        self._wanted = ""
        self._cards = {}
        self._shipped = []
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.GetDirectory)
        self.folder.setFilePath(QgsSettings().value(FOLDER, "", type=str))
        self.names = QListWidget()
        self.card = QTextBrowser()
        self.use = QPushButton("Map with this model…")
        self.use.setEnabled(False)
        split = QSplitter()
        split.addWidget(self.names)
        split.addWidget(self.card)
        split.setSizes([260, 640])
        row = QHBoxLayout()
        row.addWidget(QLabel("Also those in"))
        row.addWidget(self.folder)
        row.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.addWidget(split)
        layout.addLayout(row)
        self.names.currentItemChanged.connect(self._chosen)
        self.folder.fileChanged.connect(self._folder_changed)
        self.use.clicked.connect(self._use)
        self._ask("", ["doctor", "--json"])

    def listed(self):
        """What is listed: names of models that come with the engine, then paths."""
        role = Qt.ItemDataRole.UserRole
        return [self.names.item(row).data(role) for row in range(self.names.count())]

    def busy(self):
        """Whether the engine is being asked."""
        return self._task is not None

    def _ask(self, model, words):
        """Asks the engine for a card, or with an empty name for the names; one after the other."""
        try:
            engine = find_engine(setting=QgsSettings().value(SETTING, "", type=str))
        except EngineError as error:
            self.card.setPlainText(str(error))
            return
        title = f"Read the card of {model}" if model else "List the models of geotools"
        task = self._task = EngineTask(title, lambda task: run(engine, words, task).result)

        def ended(found, error):
            self._task = None
            if error:
                self._cards[model] = ""
                self.card.setPlainText(error)
            elif model:
                self._cards[model] = card_page(found)
            else:
                self._shipped = found.get("models", [])
                self._fill()
            self._show_wanted()

        task.ended.connect(ended)
        start_task(task)

    def _fill(self):
        self.names.clear()
        folder = self.folder.filePath()
        paths = models_in(folder) if os.path.isdir(folder) else []
        for model in [*self._shipped, *paths]:
            title = os.path.relpath(model, folder) if model in paths else model
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, model)
            self.names.addItem(item)

    def _folder_changed(self, path):
        QgsSettings().setValue(FOLDER, path)
        self._fill()

    def _chosen(self, item, _=None):
        self._wanted = item.data(Qt.ItemDataRole.UserRole) if item is not None else ""
        self.use.setEnabled(bool(self._wanted))
        self._show_wanted()

    def _show_wanted(self):
        model = self._wanted
        if not model or self._task is not None:
            return
        if model not in self._cards:
            self.card.setPlainText("…")
            self._ask(model, ["info", model, "--json"])
        elif self._cards[model]:
            self.card.setHtml(self._cards[model])

    def _use(self):
        self._open("geotools:predict", {"MODEL": self._wanted})
