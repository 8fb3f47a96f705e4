"""Work of the engine behind the desktop: it runs in a thread, its words arrive in the main one."""

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..engine.discovery import EngineError
from ..engine.process import Cancelled

__all__ = ["EngineTask", "start_task"]

_RUNNING = set()
"""Tasks that run; without a reference of ours they are collected."""


class EngineTask(QgsTask):
    """A function of the engine as a task of QGIS; it is also the function's listener."""

    said = pyqtSignal(str)
    """A line of the log, an information or a warning."""
    learned = pyqtSignal(str, int, dict)
    """Stage, number of an epoch, and its losses and score by name."""
    ended = pyqtSignal(object, str)
    """The function's value and an empty text; or None and a sentence."""

    def __init__(self, title, function):
        super().__init__(title, QgsTask.CanCancel)
        self._function = function
        self._value, self._error = None, ""

    def run(self):
        """Calls the function, in a thread of QGIS."""
        try:
            self._value = self._function(self)
        except Cancelled:
            self._error = "Cancelled."
        except (EngineError, OSError) as error:
            self._error = str(error)
        return not self._error

    def finished(self, result):
        """Tells of the end, in the main thread."""
        _RUNNING.discard(self)
        self.ended.emit(self._value if result else None, self._error)

    def info(self, text):
        self.said.emit(text)

    def warning(self, text):
        self.said.emit(f"Warning: {text}")

    def line(self, text):
        self.said.emit(text)

    def stage(self, text):
        self.said.emit(text)

    def progress(self, percent):
        self.setProgress(percent)

    def figures(self, stage, number, values):
        self.learned.emit(stage, number, values)

    def is_cancelled(self):
        return self.isCanceled()


def start_task(task):
    """Hands a task to QGIS and keeps it until it has ended."""
    _RUNNING.add(task)
    QgsApplication.taskManager().addTask(task)
