"""Desktop: all that the plugin shows, and takes away again."""

from ..algorithms.outputs import ON_LOADED
from .layer_actions import LayerActions
from .options import EnginePageFactory
from .time import set_time

__all__ = ["Desktop"]


class Desktop:
    """Options page, entries of menus, and the time of earthquakes."""

    def __init__(self, iface):
        self._iface = iface
        self.factory = EnginePageFactory()
        iface.registerOptionsWidgetFactory(self.factory)
        self.layer_actions = LayerActions(iface, self.open_dialog)
        ON_LOADED.append(self.show_time)

    def open_dialog(self, algorithm, parameters):
        """Opens the dialog of an algorithm with values filled in; results are loaded."""
        import processing

        processing.execAlgorithmDialog(algorithm, parameters)

    def show_time(self, layer):
        """Sets the temporal controller to a layer of earthquakes."""
        set_time(layer, self._iface.mapCanvas().temporalController())

    def remove(self):
        """Takes everything away."""
        ON_LOADED.remove(self.show_time)
        self.layer_actions.remove()
        self._iface.unregisterOptionsWidgetFactory(self.factory)
