"""From files to maps: open, compute by tiles, write. What scripts, command line and QGIS call.

Every function takes the names of inputs and outputs, checks all of them before it reads a cell,
and leaves complete outputs or none. The names below are imported when they are used, so that one
kind of map does not load what another needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geotools.maps.area import AreaOptions
    from geotools.maps.events import EventMap, EventSelection, map_events
    from geotools.maps.inputs import DemOptions
    from geotools.maps.landforms import LandformMap, map_landforms, order_landforms
    from geotools.maps.mappers import Geomorphons
    from geotools.maps.polygons import Polygons
    from geotools.maps.predict import PredictionMap, map_predictions
    from geotools.maps.predict_inputs import RasterOptions
    from geotools.maps.predict_order import Order, order_predictions
    from geotools.maps.predict_outputs import LayerFiles
    from geotools.maps.predict_rows import TablePrediction, predict_table
    from geotools.maps.preflight import Preflight, check_order
    from geotools.maps.terrain import TerrainMap, TerrainSettings, map_terrain

__all__ = [
    "AreaOptions",
    "DemOptions",
    "EventMap",
    "EventSelection",
    "Geomorphons",
    "LandformMap",
    "LayerFiles",
    "Order",
    "Polygons",
    "PredictionMap",
    "Preflight",
    "RasterOptions",
    "TablePrediction",
    "TerrainMap",
    "TerrainSettings",
    "check_order",
    "map_events",
    "map_landforms",
    "map_predictions",
    "map_terrain",
    "order_landforms",
    "order_predictions",
    "predict_table",
]

_HOMES = {
    "area": ("AreaOptions",),
    "events": (
        "EventMap",
        "EventSelection",
        "map_events",
    ),
    "inputs": ("DemOptions",),
    "landforms": (
        "LandformMap",
        "map_landforms",
        "order_landforms",
    ),
    "mappers": ("Geomorphons",),
    "polygons": ("Polygons",),
    "predict": (
        "PredictionMap",
        "map_predictions",
    ),
    "predict_inputs": ("RasterOptions",),
    "predict_order": ("Order", "order_predictions"),
    "predict_outputs": ("LayerFiles",),
    "predict_rows": (
        "TablePrediction",
        "predict_table",
    ),
    "preflight": ("Preflight", "check_order"),
    "terrain": (
        "TerrainMap",
        "TerrainSettings",
        "map_terrain",
    ),
}
"""Module and the names that live in it."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"geotools.maps.{module}"), name)
    raise AttributeError(f"module 'geotools.maps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
