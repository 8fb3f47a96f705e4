"""The plugin: registers the provider, and in a desktop what is shown around it."""

from qgis.core import QgsApplication

from .provider import GeotoolsProvider

__all__ = ["GeotoolsPlugin"]


class GeotoolsPlugin:
    """What QGIS starts and unloads."""

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.desktop = None

    def initProcessing(self):
        """Registers the algorithms; all that qgis_process calls, where `iface` is None."""
        if self.provider is None:
            self.provider = GeotoolsProvider()
            QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        """The same, with what the desktop shows."""
        self.initProcessing()
        from .gui.desktop import Desktop

        self.desktop = Desktop(self.iface)

    def unload(self):
        """Takes everything away again."""
        if self.desktop is not None:
            self.desktop.remove()
            self.desktop = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
