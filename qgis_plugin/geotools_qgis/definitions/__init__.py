"""All algorithms of the plugin, as plain values."""

from .earthquakes import EVENTS, FORECAST, SEISMICITY
from .engine import BATCH, DOCTOR, MODEL_INFO
from .evaluation import EVALUATE, EVALUATE_FORECAST
from .landforms import LANDFORMS
from .predict import PREDICT
from .terrain import TERRAIN
from .training import TRAIN

DEFINITIONS = (
    DOCTOR, TERRAIN, LANDFORMS, PREDICT, MODEL_INFO, TRAIN, EVALUATE, EVENTS, SEISMICITY, FORECAST,
    EVALUATE_FORECAST, BATCH,
)  # fmt: skip
"""In the order of the toolbox's groups."""
