"""Started inside a real QGIS with --code: a user maps landforms, cancels a run, looks at events.

Writes what it saw as JSON to the file that GEOTOOLS_SEEN names, pictures into the folder beside it,
and ends QGIS. `test_real_desktop.py` reads both.
"""

import json
import os
import traceback

import processing
from qgis.core import (
    QgsApplication,
    QgsProject,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
)
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QPushButton
from qgis.utils import iface, plugins

SEEN = os.environ["GEOTOOLS_SEEN"]
FOLDER = os.path.dirname(SEEN)
seen = {}
kept = []
"""Dialogs, which would vanish without a reference."""


def finish():
    with open(SEEN, "w", encoding="utf-8") as file:
        json.dump(seen, file, ensure_ascii=False, indent=1, default=str)
    QTimer.singleShot(20000, lambda: os._exit(3))  # a question on the way out would wait for ever
    QTimer.singleShot(2000, leave)


def leave():
    QgsProject.instance().clear()  # layers below /tmp would be asked about
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def stuck():
    seen["failure"] = f"nothing more happened in {seen.get('step')}"
    finish()


def guarded(function):
    """A failure is written down and ends QGIS, which would otherwise wait for ever."""

    def call():
        if function.__name__ not in ("<lambda>", "look"):
            seen["step"] = function.__name__
        try:
            function()
        except Exception:
            seen["failure"] = traceback.format_exc()
            finish()

    return call


def later(milliseconds, function):
    QTimer.singleShot(milliseconds, guarded(function))


def when(ready, function):
    """Calls a function as soon as something is true."""

    def look():
        if ready():
            function()
        else:
            later(200, look)

    later(200, look)


def grab(widget, name):
    widget.grab().save(os.path.join(FOLDER, name))


def button(dialog, *titles):
    return next(
        one for one in dialog.findChildren(QPushButton)
        if one.text().replace("&", "") in titles and one.isVisible()
    )  # fmt: skip


def layer_of(path):
    for layer in QgsProject.instance().mapLayers().values():
        if layer.source().split("|")[0] == path:
            return layer
    return None


def open_dialog(algorithm, values):
    made = processing.createAlgorithmDialog(algorithm, values)
    kept.append(made)
    made.show()
    return made


@guarded
def begin():
    iface.mainWindow().resize(1400, 860)
    plugin = plugins["geotools_qgis"]
    seen["actions"] = [one.text() for one in plugin.desktop.layer_actions.actions()]
    seen["provider"] = QgsApplication.processingRegistry().providerById("geotools").name()
    dem = QgsRasterLayer(os.environ["GEOTOOLS_DEM"], "elevation")
    QgsProject.instance().addMapLayer(dem)
    iface.setActiveLayer(dem)
    iface.zoomToActiveLayer()
    output = os.path.join(FOLDER, "landforms.tif")
    dialog = open_dialog("geotools:landforms", {"INPUT": dem.id(), "OUTPUT": output})
    later(1500, lambda: grab(dialog, "dialog.png"))
    later(2500, lambda: button(dialog, "Run").click())
    when(lambda: layer_of(output) is not None, lambda: later(2500, lambda: mapped(dialog, output)))


def mapped(dialog, output):
    layer = layer_of(output)
    grab(dialog, "log.png")
    dialog.close()
    iface.mapCanvas().refresh()
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    model = iface.layerTreeView().layerTreeModel()
    seen["name"], seen["group"] = layer.name(), node.parent().name()
    seen["legend"] = [one.data(0) for one in model.layerLegendNodes(node)]
    seen["abstract"] = layer.metadata().abstract()
    later(2500, lambda: (grab(iface.mainWindow(), "landforms.png"), part()))


def entry(title):
    """The entry of the menu of layers that begins so."""
    actions = plugins["geotools_qgis"].desktop.layer_actions.actions()
    return next(one for one in actions if one.text().startswith(title))


def dialog_of(algorithm):
    """The dialog that an entry has opened, which waits for an answer; None before it is there."""
    for one in QApplication.topLevelWidgets():
        if one.isVisible() and hasattr(one, "algorithm") and one.algorithm().id() == algorithm:
            return one
    return None


def part():
    dem = QgsProject.instance().mapLayersByName("elevation")[0]
    iface.setActiveLayer(dem)
    extent = dem.extent()
    extent.scale(0.5)
    iface.mapCanvas().setExtent(extent)
    when(lambda: dialog_of("geotools:landforms") is not None, lambda: later(500, opened))
    entry("Map landforms of the visible").trigger()  # comes back when the dialog is closed


def opened():
    dialog = dialog_of("geotools:landforms")
    values = dialog.createProcessingParameters()
    seen["part"] = {name: str(values[name]) for name in ("INPUT", "EXTENT")}
    canvas = iface.mapCanvas().extent()
    seen["canvas"] = [canvas.xMinimum(), canvas.xMaximum(), canvas.yMinimum(), canvas.yMaximum()]
    dialog.close()
    later(500, cancel)


def cancel():
    output = os.path.join(FOLDER, "cancelled.tif")
    dialog = open_dialog("geotools:landforms", {
        "INPUT": os.environ["GEOTOOLS_LARGE"], "METHOD": "geomorphons", "SEARCH": 60, "TILE": 64,
        "THREADS": 1, "OUTPUT": output,
    })  # fmt: skip
    later(800, lambda: button(dialog, "Run").click())
    hidden = lambda: any("cancelled" in one for one in os.listdir(FOLDER))  # noqa: E731
    when(hidden, lambda: (button(dialog, "Cancel").click(), after_cancel(dialog)))


def after_cancel(dialog):
    run = next(
        one for one in dialog.findChildren(QPushButton)
        if one.text().replace("&", "") in ("Run", "Change Parameters")
    )  # fmt: skip
    when(run.isEnabled, lambda: later(500, lambda: cancelled(dialog)))


def cancelled(dialog):
    seen["left"] = [one for one in os.listdir(FOLDER) if "cancelled" in one]
    dialog.close()
    events()


def events():
    output = os.path.join(FOLDER, "events.gpkg")
    values = {"INPUT": os.environ["GEOTOOLS_CATALOG"], "OUTPUT": output}
    dialog = open_dialog("geotools:events", values)
    later(800, lambda: button(dialog, "Run").click())
    when(lambda: layer_of(output) is not None, lambda: later(2000, lambda: shown(dialog, output)))


def shown(dialog, output):
    dialog.close()
    layer = layer_of(output)
    iface.setActiveLayer(layer)
    iface.zoomToActiveLayer()
    seen["temporal"] = layer.temporalProperties().isActive()
    controller = iface.mapCanvas().temporalController()
    span = controller.temporalExtents()
    seen["controller"] = [span.begin().isValid(), span.begin().date().year(),
                          span.end().date().year()]  # fmt: skip
    later(2500, lambda: (grab(iface.mainWindow(), "events.png"), forecast(layer)))


def forecast(layer):
    iface.setActiveLayer(layer)
    when(lambda: dialog_of("geotools:forecast") is not None, lambda: later(500, forecast_opened))
    entry("Forecast from this layer").trigger()


def forecast_opened():
    dialog = dialog_of("geotools:forecast")
    output = os.path.join(FOLDER, "forecast.tif")
    values = dialog.createProcessingParameters()
    seen["forecast layer"] = str(values["LAYER"])
    dialog.setParameters({**values, "MODEL": "generic", "OUTPUT": output})
    button(dialog, "Run").click()
    when(lambda: layer_of(output) is not None, lambda: forecast_made(dialog, output))


def forecast_made(dialog, output):
    dialog.close()
    layer = layer_of(output)
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    model = iface.layerTreeView().layerTreeModel()
    seen["ramp"] = [str(one.data(0)) for one in model.layerLegendNodes(node)]
    shown = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
    seen["steps"] = [one.value for one in shown]
    window = layer.temporalProperties().fixedTemporalRange()
    span = iface.mapCanvas().temporalController().temporalExtents()
    seen["window ends"] = [window.end().toString(), span.end().toString()]
    panel = iface.mainWindow().findChild(QDockWidget, "Temporal Controller")
    panel.show()
    iface.mapCanvas().temporalController().setNavigationMode(QgsTemporalNavigationObject.Animated)
    iface.mapCanvas().temporalController().skipToEnd()
    iface.setActiveLayer(layer)
    iface.zoomToActiveLayer()
    later(2500, lambda: (grab(iface.mainWindow(), "forecast.png"), options()))


def options():
    page = plugins["geotools_qgis"].desktop.factory.createWidget(None)
    kept.append(page)
    page.resize(900, 600)
    page.show()
    page.start_check()
    when(lambda: page.check.isEnabled(), lambda: (grab(page, "options.png"), checked(page)))


def checked(page):
    seen["engine"] = page.found.text()
    seen["doctor"] = page.log.toPlainText()
    page.close()
    finish()


QTimer.singleShot(400000, stuck)
if iface.mainWindow().isVisible():
    later(1000, begin)
else:
    iface.initializationCompleted.connect(lambda: later(1000, begin))
QApplication.setQuitOnLastWindowClosed(True)
