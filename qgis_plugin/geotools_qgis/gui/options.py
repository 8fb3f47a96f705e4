"""The page `geotools` of QGIS's options: which engine is used, a new one, whether it works."""

import configparser
import os
import platform

from qgis.core import Qgis, QgsSettings
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QT_VERSION_STR
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QApplication,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from ..algorithms.pages import lines_of
from ..engine.discovery import SETTING, VARIABLE, EngineError, find_engine, managed_folder
from ..engine.environment import clean_environment
from ..engine.managed import EXTRAS, create, find_python, proxy_of
from ..engine.process import run
from ..provider import ICON
from .tasks import EngineTask, start_task

__all__ = ["EnginePage", "EnginePageFactory"]


def _about():
    """Lines about the plugin and what it runs in, for whoever answers a question."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(os.path.join(os.path.dirname(ICON), "metadata.txt"), encoding="utf-8")
    return [
        f"Plugin {metadata.get('general', 'version', fallback='?')}, QGIS {Qgis.QGIS_VERSION}, "
        f"Qt {QT_VERSION_STR}, Python {platform.python_version()}",
        platform.platform(),
    ]


class EnginePageFactory(QgsOptionsWidgetFactory):
    """Makes the page when the options are opened."""

    def __init__(self):
        super().__init__("geotools", QIcon(ICON))

    def icon(self):
        return QIcon(ICON)

    def createWidget(self, parent):
        return EnginePage(parent)


class EnginePage(QgsOptionsPageWidget):
    """Choose or create the environment, check it, copy what was found."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._task = None
        self.python = QgsFileWidget()
        self.python.setFilter("Interpreter (*)")
        self.python.setFilePath(QgsSettings().value(SETTING, "", type=str))
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.what = QComboBox()
        for title, package in EXTRAS.items():
            self.what.addItem(title, package)
        self.source = QLineEdit()
        self.source.setPlaceholderText("or a path of the package, or of a wheel")
        self.make = QPushButton("Create")
        self.check = QPushButton("Check")
        self.copy = QPushButton("Copy diagnostics")
        self.stop = QPushButton("Stop")
        self.stop.setEnabled(False)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self._lay_out()
        self.python.fileChanged.connect(self.show_found)
        self.check.clicked.connect(self.start_check)
        self.make.clicked.connect(self.start_create)
        self.copy.clicked.connect(self.copy_log)
        self.stop.clicked.connect(self.stop_task)
        self.show_found()

    def apply(self):
        """Keeps the choice, when the options are closed with OK."""
        QgsSettings().setValue(SETTING, self.python.filePath().strip())

    def engine(self):
        """The engine as it would be with what is chosen here.

        Raises:
            EngineError: there is none.
        """
        return find_engine(setting=self.python.filePath().strip())

    def show_found(self, _=None):
        """Says which engine is used with this choice."""
        try:
            engine = self.engine()
            text = f"{engine.program} ({engine.origin})"
        except EngineError as error:
            text = str(error)
        self.found.setText(text)

    def start_check(self):
        """Runs the doctor and shows what it finds."""
        try:
            engine = self.engine()
        except EngineError as error:
            self.log.setPlainText(str(error))
            return
        self._start(
            "Check the engine of geotools",
            lambda task: run(engine, ["doctor", "--json"], task).result,
            lambda found: self.log.setPlainText("\n".join(lines_of(found))),
        )

    def start_create(self):
        """Makes the managed environment."""
        package = self.source.text().strip() or self.what.currentData()
        variables = {**clean_environment(), **proxy_of(QgsSettings())}
        self._start(
            "Create the engine of geotools",
            lambda task: create(
                managed_folder(), find_python(), package, task, environment=variables
            ),
            self._created,
        )

    def copy_log(self):
        """Puts the findings into the clipboard, for a question or a report."""
        QApplication.clipboard().setText("\n".join([*_about(), *self._told()]))

    def stop_task(self):
        """Cancels what runs."""
        if self._task is not None:
            self._task.cancel()

    def _told(self):
        return [f"Engine: {self.found.text()}", self.log.toPlainText() or "Not checked."]

    def _created(self, python):
        self.python.setFilePath("")
        self.log.appendPlainText(f"{python} is there.")
        self.show_found()

    def _start(self, title, function, done):
        self.log.clear()
        self._busy(True)
        task = self._task = EngineTask(title, function)
        task.said.connect(self.log.appendPlainText)

        def ended(value, error):
            self._task = None
            self._busy(False)
            if error:
                self.log.appendPlainText(error)
            else:
                done(value)

        task.ended.connect(ended)
        start_task(task)

    def _busy(self, busy):
        for button in (self.make, self.check):
            button.setEnabled(not busy)
        self.stop.setEnabled(busy)

    def _lay_out(self):
        about = QLabel(
            "geotools runs as a process of its own, in a Python 3.11 or later that has the package "
            f"geotools-ml. The variable {VARIABLE} goes before this choice; without either, the "
            f"environment in {managed_folder()} and then the command geotools on the path is used."
        )
        about.setWordWrap(True)
        create_row = QHBoxLayout()
        for widget in (self.what, self.source, self.make):
            create_row.addWidget(widget)
        form = QFormLayout()
        form.addRow("Python interpreter", self.python)
        form.addRow("In use", self.found)
        form.addRow("Create one for", create_row)
        buttons = QHBoxLayout()
        for widget in (self.check, self.copy, self.stop):
            buttons.addWidget(widget)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(about)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.log)
