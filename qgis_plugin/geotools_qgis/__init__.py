"""The QGIS plugin of geotools: its command line in the Processing toolbox.

Nothing is imported before QGIS asks for the plugin, and the engine never: it runs as a process of
its own, in a Python of its own.
"""


def classFactory(iface):
    """The plugin, as QGIS calls for it; `iface` is None without a desktop."""
    from .plugin import GeotoolsPlugin

    return GeotoolsPlugin(iface)
