"""The provider: all algorithms under the id `geotools`."""

import os

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.all import ALGORITHMS

__all__ = ["ICON", "GeotoolsProvider"]

ICON = os.path.join(os.path.dirname(__file__), "icon.svg")


class GeotoolsProvider(QgsProcessingProvider):
    """Landforms, terrain, models, training and earthquakes."""

    def loadAlgorithms(self):
        """Adds all of them; nothing of the engine is looked for."""
        for make in ALGORITHMS:
            self.addAlgorithm(make())

    def id(self):
        """What ids of algorithms begin with."""
        return "geotools"

    def name(self):
        """What the toolbox calls it."""
        return "geotools"

    def longName(self):
        """The same with what it is for."""
        return "geotools: landforms, models, earthquakes"

    def icon(self):
        """Of the toolbox."""
        return QIcon(ICON)

    def svgIconPath(self):
        """The same for the model designer."""
        return ICON

    def supportedOutputRasterLayerExtensions(self):
        """GeoTIFF alone."""
        return ["tif"]

    def supportedOutputVectorLayerExtensions(self):
        """GeoPackage alone."""
        return ["gpkg"]

    def defaultVectorFileExtension(self, hasGeometry=True):
        """Of temporary layers."""
        return "gpkg"

    def defaultRasterFileExtension(self):
        """Of temporary rasters."""
        return "tif"

    def supportsNonFileBasedOutput(self):
        """No memory layers: another process writes."""
        return False
