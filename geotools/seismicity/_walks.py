# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled walks over a `SphereIndex`: which bins a circle touches.

What is done with the events in them is in `_windows` and `_circles`.
"""

from __future__ import annotations

import math

from geotools.compiled import compiled

__all__ = ["bin_columns", "bin_rows"]


@compiled()
def bin_rows(
    latitude: float, angle_deg: float, south_deg: float, size_deg: float, rows: int
) -> tuple[int, int]:
    """First row of bins that a circle touches, and the row after the last."""
    first = math.floor((latitude - angle_deg - south_deg) / size_deg)
    last = math.floor((latitude + angle_deg - south_deg) / size_deg)
    return max(first, 0), min(last, rows - 1) + 1


@compiled()
def bin_columns(longitude: float, latitude: float, angle_deg: float, cols: int) -> tuple[int, int]:
    """First column of bins that a circle touches, from 0 up, and how many; they go round."""
    if abs(latitude) + angle_deg >= 89.9:
        return 0, cols
    # the meridian that touches the circle: sin(dlon) = sin(angle) / cos(latitude)
    sine = math.sin(math.radians(angle_deg)) / math.cos(math.radians(latitude))
    half = math.degrees(math.asin(min(sine, 1.0))) + 1e-9
    width = 360.0 / cols
    first = math.floor((longitude - half + 180.0) / width)
    last = math.floor((longitude + half + 180.0) / width)
    return first % cols, min(last - first + 1, cols)
