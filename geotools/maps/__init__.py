"""From files to maps: open, compute by tiles, write. What scripts, command line and QGIS call.

Every function takes the names of inputs and outputs, checks all of them before it reads a cell,
and leaves complete outputs or none.
"""

from geotools.maps.events import EventMap, EventSelection, map_events
from geotools.maps.inputs import DemOptions
from geotools.maps.landforms import LandformMap, Polygons, map_landforms
from geotools.maps.mappers import Geomorphons
from geotools.maps.terrain import TerrainMap, TerrainSettings, map_terrain

__all__ = [
    "DemOptions",
    "EventMap",
    "EventSelection",
    "Geomorphons",
    "LandformMap",
    "Polygons",
    "TerrainMap",
    "TerrainSettings",
    "map_events",
    "map_landforms",
    "map_terrain",
]
