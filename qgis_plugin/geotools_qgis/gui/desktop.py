"""Desktop: all that the plugin shows, and takes away again."""

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from ..algorithms.outputs import ON_LOADED
from ..provider import ICON
from .layer_actions import LayerActions, QAction
from .models import ModelList
from .options import EnginePageFactory
from .time import set_time
from .training import TrainingPanel

__all__ = ["Desktop"]

_MENU = "geotools"


class Desktop:
    """Options page, menus, the panel of trainings, the list of models, the time of earthquakes."""

    def __init__(self, iface):
        self._iface = iface
        self.factory = EnginePageFactory()
        iface.registerOptionsWidgetFactory(self.factory)
        self.layer_actions = LayerActions(iface, self.open_dialog)
        self.models = None
        self.training = None
        self._entries = []
        self._add("Models…", self.show_models)
        self._add("Training", self.show_training)
        ON_LOADED.append(self.show_time)

    def open_dialog(self, algorithm, parameters):
        """Opens the dialog of an algorithm with values filled in; results are loaded."""
        import processing

        processing.execAlgorithmDialog(algorithm, parameters)

    def show_models(self):
        """Opens the list of models."""
        self.models = ModelList(self.open_dialog, self._iface.mainWindow())
        self.models.show()

    def show_training(self):
        """Opens the panel of trainings, made when it is first wanted."""
        if self.training is None:
            self.training = TrainingPanel(self.open_dialog, self._iface.mainWindow())
            self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.training)
        self.training.setUserVisible(True)

    def show_time(self, layer):
        """Sets the temporal controller to a layer of earthquakes, or on to a forecast."""
        set_time(layer, self._iface.mapCanvas().temporalController())

    def remove(self):
        """Takes everything away."""
        ON_LOADED.remove(self.show_time)
        for action in self._entries:
            self._iface.removePluginMenu(_MENU, action)
        if self.training is not None:
            self.training.cancel()
            self._iface.removeDockWidget(self.training)
        self.layer_actions.remove()
        self._iface.unregisterOptionsWidgetFactory(self.factory)

    def _add(self, title, function):
        action = QAction(QIcon(ICON), title, self._iface.mainWindow())
        action.triggered.connect(lambda _=False: function())
        self._iface.addPluginToMenu(_MENU, action)
        self._entries.append(action)
