"""geotools: from elevation models and earthquake catalogs to maps that say how good they are.

The names below are imported when they are used, so that `import geotools` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geotools.batch.entries import BatchReport
    from geotools.batch.run import run_batch
    from geotools.convert import polygonize
    from geotools.dem import Dem
    from geotools.effort import Effort
    from geotools.engine.execute import Shard
    from geotools.engine.run import Running
    from geotools.errors import (
        EventsError,
        FileError,
        GeotoolsError,
        GridError,
        MissingExtraError,
        ModelError,
        RasterError,
    )
    from geotools.forecast import Forecast
    from geotools.grid import Grid, Tile, TileScheme, Window
    from geotools.inference.augmented import augmented
    from geotools.inference.choosing import choose_forecaster
    from geotools.inference.ensemble import ensemble
    from geotools.inference.forecast import Forecaster
    from geotools.inference.issued import Issued
    from geotools.inference.model import Model, open_model, shipped_model, shipped_models
    from geotools.inference.opening import open_any
    from geotools.inference.predict import predict, predict_window
    from geotools.inference.sessions import SessionOptions
    from geotools.inference.terms import ForeignSettings
    from geotools.io.catalogs import (
        ReadReport,
        events_from_obspy,
        events_to_obspy,
        read_catalog,
        read_events,
    )
    from geotools.io.catalogs.writing import write_events
    from geotools.io.geopackage import read_layer, write_layer
    from geotools.io.geotiff import open_raster
    from geotools.io.writing import create_geotiff
    from geotools.maps import (
        AreaOptions,
        DemOptions,
        EventMap,
        EventSelection,
        Geomorphons,
        LayerFiles,
        Polygons,
        PredictionMap,
        RasterOptions,
        TablePrediction,
        TerrainSettings,
        map_events,
        map_landforms,
        map_predictions,
        map_terrain,
        predict_table,
    )
    from geotools.maps.evaluation import evaluate_forecast
    from geotools.maps.evaluation_map import MapEvaluation, evaluate_map
    from geotools.maps.evaluation_run import EvaluationPeriod
    from geotools.maps.event_choice import SeismicitySettings
    from geotools.maps.event_grids import MapPlace
    from geotools.maps.export import Export, export_for
    from geotools.maps.forecast import map_forecast
    from geotools.maps.merge import merge_job
    from geotools.maps.quantize import quantize_for
    from geotools.maps.seismicity import map_seismicity
    from geotools.maps.train import Training, train
    from geotools.pictures import forecast_picture, landform_picture
    from geotools.raster import Raster, Sink, Source
    from geotools.spec import ClassInfo, ModelSpec
    from geotools.stream import map_tiles
    from geotools.verification import Verification, verify

__all__ = [
    "AreaOptions",
    "BatchReport",
    "ClassInfo",
    "Dem",
    "DemOptions",
    "Effort",
    "EvaluationPeriod",
    "EventMap",
    "EventSelection",
    "EventsError",
    "Export",
    "FileError",
    "Forecast",
    "Forecaster",
    "ForeignSettings",
    "Geomorphons",
    "GeotoolsError",
    "Grid",
    "GridError",
    "Issued",
    "LayerFiles",
    "MapEvaluation",
    "MapPlace",
    "MissingExtraError",
    "Model",
    "ModelError",
    "ModelSpec",
    "Polygons",
    "PredictionMap",
    "Raster",
    "RasterError",
    "RasterOptions",
    "ReadReport",
    "Running",
    "SeismicitySettings",
    "SessionOptions",
    "Shard",
    "Sink",
    "Source",
    "TablePrediction",
    "TerrainSettings",
    "Tile",
    "TileScheme",
    "Training",
    "Verification",
    "Window",
    "augmented",
    "choose_forecaster",
    "create_geotiff",
    "ensemble",
    "evaluate_forecast",
    "evaluate_map",
    "events_from_obspy",
    "events_to_obspy",
    "export_for",
    "forecast_picture",
    "landform_picture",
    "map_events",
    "map_forecast",
    "map_landforms",
    "map_predictions",
    "map_seismicity",
    "map_terrain",
    "map_tiles",
    "merge_job",
    "open_any",
    "open_model",
    "open_raster",
    "polygonize",
    "predict",
    "predict_table",
    "predict_window",
    "quantize_for",
    "read_catalog",
    "read_events",
    "read_layer",
    "run_batch",
    "shipped_model",
    "shipped_models",
    "train",
    "verify",
    "write_events",
    "write_layer",
]

_HOMES = {
    "batch.entries": ("BatchReport",),
    "batch.run": ("run_batch",),
    "convert": ("polygonize",),
    "dem": ("Dem",),
    "effort": ("Effort",),
    "engine.execute": ("Shard",),
    "engine.run": ("Running",),
    "errors": (
        "EventsError",
        "FileError",
        "GeotoolsError",
        "GridError",
        "MissingExtraError",
        "ModelError",
        "RasterError",
    ),
    "forecast": ("Forecast",),
    "grid": ("Grid", "Tile", "TileScheme", "Window"),
    "inference.augmented": ("augmented",),
    "inference.choosing": ("choose_forecaster",),
    "inference.ensemble": ("ensemble",),
    "inference.forecast": ("Forecaster",),
    "inference.issued": ("Issued",),
    "inference.model": ("Model", "open_model", "shipped_model", "shipped_models"),
    "inference.opening": ("open_any",),
    "inference.predict": ("predict", "predict_window"),
    "inference.sessions": ("SessionOptions",),
    "inference.terms": ("ForeignSettings",),
    "io.catalogs": (
        "ReadReport",
        "events_from_obspy",
        "events_to_obspy",
        "read_catalog",
        "read_events",
    ),
    "io.catalogs.writing": ("write_events",),
    "io.geopackage": ("read_layer", "write_layer"),
    "io.geotiff": ("open_raster",),
    "io.writing": ("create_geotiff",),
    "maps": (
        "AreaOptions",
        "DemOptions",
        "EventMap",
        "EventSelection",
        "Geomorphons",
        "LayerFiles",
        "Polygons",
        "PredictionMap",
        "RasterOptions",
        "TablePrediction",
        "TerrainSettings",
        "map_events",
        "map_landforms",
        "map_predictions",
        "map_terrain",
        "predict_table",
    ),
    "maps.event_choice": ("SeismicitySettings",),
    "maps.event_grids": ("MapPlace",),
    "maps.evaluation": ("evaluate_forecast",),
    "maps.evaluation_map": ("MapEvaluation", "evaluate_map"),
    "maps.evaluation_run": ("EvaluationPeriod",),
    "maps.export": ("Export", "export_for"),
    "maps.forecast": ("map_forecast",),
    "maps.merge": ("merge_job",),
    "maps.quantize": ("quantize_for",),
    "maps.seismicity": ("map_seismicity",),
    "maps.train": ("Training", "train"),
    "pictures": ("forecast_picture", "landform_picture"),
    "raster": ("Raster", "Sink", "Source"),
    "spec": ("ClassInfo", "ModelSpec"),
    "stream": ("map_tiles",),
    "verification": ("Verification", "verify"),
}
"""Module and the public names that live in it."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"geotools.{module}"), name)
    raise AttributeError(f"module 'geotools' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
