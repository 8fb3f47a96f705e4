"""The provider: all algorithms under the id `geotools`."""

import os

from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.all import ALGORITHMS

__all__ = ["ICON", "GeotoolsProvider", "example_models"]

_HERE = os.path.dirname(__file__)

ICON = os.path.join(_HERE, "icon.svg")


def example_models():
    """Paths of the models of the model designer that come with the plugin."""
    folder = os.path.join(_HERE, "models")
    return [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if name.endswith(".model3")
    ]


class GeotoolsProvider(QgsProcessingProvider):
    """Landforms, terrain, models, training and earthquakes."""

    def loadAlgorithms(self):
        """Adds all of them and the example models; nothing of the engine is looked for."""
        for make in ALGORITHMS:
            self.addAlgorithm(make())
        for path in example_models():
            model = QgsProcessingModelAlgorithm()
            if model.fromFile(path):
                self.addAlgorithm(model)

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
