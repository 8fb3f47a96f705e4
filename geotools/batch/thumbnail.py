"""thumbnail: a small picture of a finished map, as an address that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation.drawing import data_uri
from geotools.evaluation.palette_png import palette_png
from geotools.io.ramps import RAMP
from geotools.io.thinned import read_thinned
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["thumbnail"]

_SIDE = 200
"""Cells."""

_CLEAR = (0, 0, 0, 0)
_STEPS = 64
"""Colours of a map of values."""


def thumbnail(
    path: Path, classes: Sequence[ClassInfo], *, logarithmic: bool = False
) -> tuple[str, float]:
    """A PNG as a data URI, and how much wider than high it lies on the ground.

    Args:
        path: the finished GeoTIFF; band 1 is shown.
        classes: of a class map; without any the values are shown, in greys as QGIS shows them.
        logarithmic: values that span decades, in the colours of a forecast.

    Raises:
        FileError, GridError: it cannot be read.
    """
    small = read_thinned(path, _SIDE)
    data, valid = small.data[0], small.valid
    if classes:
        colours = [_CLEAR, *((*info.rgb, 255) for info in classes)]
        index = np.zeros(data.shape, np.uint8)
        for place, info in enumerate(classes, 1):
            index[valid & (data == info.code)] = place
    else:
        colours = [_CLEAR, *(_forecast_colours() if logarithmic else _greys())]
        index = _steps(data.astype(np.float64), valid, logarithmic)
    x_m, y_m = small.grid.cell_size_m()
    middle = small.grid.height // 2
    ratio = float(x_m[middle] * small.grid.width / (y_m[middle] * small.grid.height))
    return data_uri(palette_png(index, colours), "image/png"), ratio


def _steps(
    values: NDArray[np.float64], valid: NDArray[np.bool_], logarithmic: bool
) -> NDArray[np.uint8]:
    """1 to 64 between the values that nearly all lie between; 0 where there is none."""
    if logarithmic:
        valid = valid & (values > 0)
        values = np.log(np.where(valid, values, 1.0))
    index = np.zeros(values.shape, np.uint8)
    if valid.any():
        low, high = np.percentile(values[valid], [25 if logarithmic else 2, 98])
        share = (values[valid] - low) / max(float(high - low), 1e-12)
        index[valid] = 1 + np.clip(share * _STEPS, 0, _STEPS - 1).astype(np.uint8)
    return index


def _greys() -> list[tuple[int, int, int, int]]:
    return [(level, level, level, 255) for level in np.linspace(0, 255, _STEPS).astype(int)]


def _forecast_colours() -> list[tuple[int, int, int, int]]:
    """The ramp of the forecasts' style, in 64 steps."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in RAMP])
    places = np.linspace(0, len(stops) - 1, _STEPS)
    parts = [np.interp(places, np.arange(len(stops)), stops[:, band]) for band in range(3)]
    return [(int(r), int(g), int(b), 255) for r, g, b in zip(*parts, strict=True)]
