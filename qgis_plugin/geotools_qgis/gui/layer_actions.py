"""Entries in the menu of layers: algorithms that open with the layer filled in."""

from qgis.core import QgsMapLayerType, QgsWkbTypes
from qgis.PyQt.QtGui import QIcon

try:
    from qgis.PyQt.QtGui import QAction  # Qt 6
except ImportError:
    from qgis.PyQt.QtWidgets import QAction

from ..provider import ICON

__all__ = ["LayerActions", "forecast_parameters", "landform_parameters"]


def landform_parameters(layer, extent=None, crs=None):
    """Values of the landform dialog for a raster layer, and for a part of it.

    Args:
        extent: rectangle in `crs`; None: the whole layer.
    """
    values = {"INPUT": layer.id()}
    if extent is not None:
        edges = (extent.xMinimum(), extent.xMaximum(), extent.yMinimum(), extent.yMaximum())
        values["EXTENT"] = ",".join(f"{edge:.12g}" for edge in edges) + f" [{crs.authid()}]"
    return values


def forecast_parameters(layer):
    """Values of the forecast dialog for a layer of points."""
    return {"LAYER": layer.id()}


class LayerActions:
    """The entries, from when the plugin starts until it is unloaded."""

    def __init__(self, iface, open_dialog):
        """
        Args:
            open_dialog: called with the id of an algorithm and values of its parameters.
        """
        self._iface, self._open = iface, open_dialog
        self._actions = []
        self._add("Map landforms of this layer…", QgsMapLayerType.RasterLayer, self._whole)
        self._add("Map landforms of the visible extent…", QgsMapLayerType.RasterLayer, self._part)
        self._add("Forecast from this layer…", QgsMapLayerType.VectorLayer, self._forecast)

    def remove(self):
        """Takes the entries away."""
        for action in self._actions:
            self._iface.removeCustomActionForLayerType(action)
        self._actions = []

    def actions(self):
        """The entries, in their order."""
        return list(self._actions)

    def _add(self, title, kind, function):
        action = QAction(QIcon(ICON), title, self._iface.mainWindow())
        action.triggered.connect(lambda _=False: function())
        self._iface.addCustomActionForLayerType(action, "geotools", kind, True)
        self._actions.append(action)

    def _whole(self):
        layer = self._iface.activeLayer()
        if layer is not None:
            self._open("geotools:landforms", landform_parameters(layer))

    def _part(self):
        layer, canvas = self._iface.activeLayer(), self._iface.mapCanvas()
        if layer is not None:
            crs = canvas.mapSettings().destinationCrs()
            self._open("geotools:landforms", landform_parameters(layer, canvas.extent(), crs))

    def _forecast(self):
        layer = self._iface.activeLayer()
        if layer is None:
            return
        if layer.geometryType() != QgsWkbTypes.PointGeometry:
            self._iface.messageBar().pushMessage(
                "geotools", f"{layer.name()} has no points: a forecast needs earthquakes as points."
            )
            return
        self._open("geotools:forecast", forecast_parameters(layer))
