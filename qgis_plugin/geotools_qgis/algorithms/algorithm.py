"""EngineAlgorithm: a Definition as an algorithm of Processing, run by the engine."""

import html
import os
import re
import shlex

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsSettings,
)
from qgis.PyQt.QtCore import QCoreApplication, QUrl
from qgis.PyQt.QtGui import QIcon

from ..definitions.option import GROUPS, OUTPUTS
from ..engine.discovery import SETTING, EngineError, find_engine
from ..engine.leftovers import remove, unfinished
from ..engine.process import Cancelled, EngineCrash, run
from .outputs import finish_layers
from .parameters import make_parameter
from .words import Words, is_set

__all__ = ["EngineAlgorithm"]

_HERE = os.path.dirname(os.path.dirname(__file__))
_ICON = os.path.join(_HERE, "icon.svg")
_ENDINGS = {"raster_out": ".tif", "vector_out": ".gpkg"}
_WINDOWS = re.compile(r"^[A-Za-z]:")


class EngineAlgorithm(QgsProcessingAlgorithm):
    """One command of the engine in the toolbox."""

    definition = None
    """What it is; set by each subclass."""

    def __init__(self):
        super().__init__()
        self._words = []

    def createInstance(self):
        """Another one, for another run."""
        return type(self)()

    def name(self):
        """Id behind `geotools:`."""
        return self.definition.name

    def displayName(self):
        """What the toolbox calls it."""
        return self.tr(self.definition.title)

    def group(self):
        """Title of its group."""
        return self.tr(GROUPS[self.definition.group])

    def groupId(self):
        """Id of its group."""
        return self.definition.group

    def tags(self):
        """Words by which it is found."""
        return ["geotools", *self.definition.tags]

    def icon(self):
        """That of the plugin."""
        return QIcon(_ICON)

    def svgIconPath(self):
        """The same for the model designer."""
        return _ICON

    def shortHelpString(self):
        """What it does, what each parameter means, and its twin on the command line."""
        about = html.escape(self.definition.about)
        rows = "".join(
            f"<h3>{html.escape(one.label)}</h3><p>{html.escape(one.help)}</p>"
            for one in self.definition.options
        )
        twin = " ".join(self.definition.command)
        return (
            f"<p>{about}</p>{rows}<p>On the command line: <code>geotools {twin} --help</code></p>"
        )

    def helpUrl(self):
        """The page that comes with the plugin."""
        page = os.path.join(_HERE, "help", f"{self.definition.name}.html")
        return QUrl.fromLocalFile(page).toString()

    def tr(self, text):
        """A text in the user's language."""
        return QCoreApplication.translate("geotools", text)

    def initAlgorithm(self, config=None):
        """Declares parameters and outputs."""
        for option in self.definition.options:
            self.addParameter(make_parameter(option))
        for figure in self.definition.figures:
            kind = QgsProcessingOutputString if figure.text else QgsProcessingOutputNumber
            self.addOutput(kind(figure.name, figure.label))
        self.addOutput(QgsProcessingOutputString("SUMMARY", "Summary"))

    def checkParameterValues(self, parameters, context):
        """Cheap checks before a run: exactly one catalog, and names of outputs."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        if any(one.kind == "events" for one in self.definition.options):
            given = [name for name in ("INPUT", "LAYER") if is_set(parameters, name)]
            if len(given) != 1:
                return False, self.tr("Give either a catalog file or a layer of points.")
        return True, ""

    def prepareAlgorithm(self, parameters, context, feedback):
        """Reads layers, in the main thread, into the words of the command."""
        self._words = Words(self, parameters, context, feedback).of(self.definition)
        return True

    def processAlgorithm(self, parameters, context, feedback):
        """Runs the engine, in a worker thread; no layer and no widget is touched."""
        outputs = self._outputs(parameters, context)
        words = [*self._words]
        for option in self.definition.options:
            if option.name in outputs and option.flag:
                words += [option.flag, outputs[option.name]]
        words += self.always()
        result = self._run(words, outputs, feedback)
        self.after(result, outputs)
        names = {one.name: self.tr(one.label) for one in self.definition.options}
        finish_layers(self, outputs, result, words, context, names)
        made = {name: path for name, path in outputs.items() if os.path.exists(path)}
        for figure in self.definition.figures:
            value = self.figure(figure.path, result, outputs)
            if value is not None:
                made[figure.name] = value
        return {**made, "SUMMARY": result.get("message", "")}

    def always(self):
        """Words that every run gets."""
        return ["--overwrite", "--progress", "json"]

    def after(self, result, outputs):
        """What is left to do with the engine's result."""

    def figure(self, path, result, outputs):
        """A number or a text out of the result; None when it is not there."""
        value = result
        for key in path:
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, dict):
                value = value.get(key)
            else:
                return None
        return int(value) if isinstance(value, bool) else value

    def _outputs(self, parameters, context):
        """Path by name of each output that is wanted."""
        found = {}
        for option in self.definition.options:
            if option.kind not in (*OUTPUTS, "page_out"):
                continue
            if not is_set(parameters, option.name):
                continue
            if option.kind in _ENDINGS:
                path = self.parameterAsOutputLayer(parameters, option.name, context)
            elif option.kind == "folder_out":
                path = self.parameterAsString(parameters, option.name, context)
            else:
                path = self.parameterAsFileOutput(parameters, option.name, context)
            if not path:
                continue
            if not _WINDOWS.match(path) and re.match(r"^[a-z]+:", path):
                raise QgsProcessingException(
                    f"{option.label} cannot be written to {path}: save it to a file."
                )
            found[option.name] = path
        return found

    def _run(self, words, outputs, feedback):
        before = unfinished(outputs.values())
        try:
            engine = find_engine(setting=QgsSettings().value(SETTING, "", type=str))
            feedback.pushCommandInfo(f"geotools {shlex.join(words)}")
            feedback.pushDebugInfo(f"Engine: {engine.program} ({engine.origin})")
            outcome = run(engine, words, _Listener(feedback))
        except Cancelled:
            remove(unfinished(outputs.values()) - before)  # where it had to be killed
            raise QgsProcessingException(
                "Cancelled: the engine has ended and nothing is left half written."
            ) from None
        except EngineError as error:
            if isinstance(error, EngineCrash):
                remove(unfinished(outputs.values()) - before)
            raise QgsProcessingException(str(error)) from None
        if outcome.result.get("message"):
            feedback.pushInfo(outcome.result["message"])
        return outcome.result


class _Listener:
    """What the engine says, in the dialog."""

    def __init__(self, feedback):
        self._feedback = feedback

    def info(self, text):
        self._feedback.pushInfo(text)

    def warning(self, text):
        self._feedback.pushWarning(text)

    def line(self, text):
        self._feedback.pushConsoleInfo(text)

    def stage(self, text):
        self._feedback.setProgressText(text)

    def progress(self, percent):
        self._feedback.setProgress(percent)

    def is_cancelled(self):
        return self._feedback.isCanceled()
