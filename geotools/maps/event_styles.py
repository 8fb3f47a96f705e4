"""How maps of seismicity are drawn: colours for what a sample of their cells holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.io.ramps import RAMP, Stop, log_stops, pseudocolor_qml

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["style_of"]

_DIVERGING = ("#b2182b", "#f4a582", "#f7f7f7", "#92c5de", "#2166ac")
"""More than before is red, less is blue, the same is white."""

_SHOWN = (2, 98)
"""Percentiles between which colours differ; a few odd cells would eat up the ramp."""


def style_of(values: NDArray[np.floating], scale: str) -> str:
    """A QGIS style of band 1, for values such as these.

    Args:
        values: a sample of the cells; those that are not finite are left out.
        scale: log for what spans decades and may be 0, diverging for what has a middle at 0,
            linear for anything else.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if scale == "log":
        known = known[known > 0]
    low, high = np.percentile(known, _SHOWN) if known.size else (0.0, 1.0)
    if scale == "log" and known.size:
        return pseudocolor_qml(log_stops(float(low), float(high)), by_stops=True)
    colors: tuple[str, ...] = RAMP
    if scale == "diverging":
        high = max(abs(low), abs(high), 1e-9)
        low, colors = -high, _DIVERGING
    if not high > low:
        low, high = low - 0.5, high + 0.5
    places = np.linspace(low, high, len(colors))
    return pseudocolor_qml(
        [
            Stop(float(place), color, f"{place:.3g}")
            for place, color in zip(places, colors, strict=True)
        ]
    )
