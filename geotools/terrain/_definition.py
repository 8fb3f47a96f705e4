# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Geomorphons by their plain definition, ray by ray and cell by cell, with true angles.

`digit` decides where the fast way of `_forms` cannot; the whole is the oracle of the tests.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.terrain._rays import COL_STEP, GRASS, KIND, ROW_STEP, WHITEBOX, distances

Array = NDArray[Any]


@compiled()
def digit(
    z: Array,
    row: int,
    col: int,
    dr: int,
    dc: int,
    dist: Array,
    first: int,
    last: int,
    dialect: int,
    flat: float,
    flat_m: float,
) -> int:
    """+1 for a higher, -1 for a lower, 0 for a level direction, by the definition."""
    if math.isnan(z[row + dr, col + dc]):
        return 0
    centre = np.float64(z[row, col])
    zenith, nadir = -math.pi / 2, math.pi / 2
    zenith_m = nadir_m = 0.0
    for j in range(first, last + 1):
        height = np.float64(z[row + j * dr, col + j * dc]) - centre
        angle = math.atan2(height, dist[j])
        if angle > zenith:
            zenith, zenith_m = angle, dist[j]
        if angle < nadir:
            nadir, nadir_m = angle, dist[j]
    if zenith_m == 0.0:
        return 0  # nothing seen
    zenith_flat = nadir_flat = flat
    if 0 < flat_m < zenith_m:
        zenith_flat = math.atan2(flat_m * math.tan(flat), zenith_m)
    if 0 < flat_m < nadir_m:
        nadir_flat = math.atan2(flat_m * math.tan(flat), nadir_m)
    if dialect == GRASS:
        if abs(zenith) > zenith_flat or abs(nadir) > nadir_flat:
            if abs(zenith) > abs(nadir):
                return 1
            if abs(zenith) < abs(nadir):
                return -1
        return 0
    if dialect == WHITEBOX:
        zenith, nadir = max(zenith, 0.0), min(nadir, 0.0)
    total = zenith + nadir
    limit = zenith_flat if total > 0 else nadir_flat
    if total > limit:
        return 1
    if total < -limit:
        return -1
    return 0


@compiled()
def forms_by_definition(
    z: Array,
    pad: int,
    start: int,
    stop: int,
    x: Array,
    y: Array,
    uniform: int,
    dialect: int,
    search_m: float,
    search: int,
    skip: int,
    flat: float,
    flat_m: float,
    lookup: Array,
    forms: Array,
    dist: Array,
    last: Array,
    horizon: Array,
    marks: Array,
) -> None:
    """The same, ray by ray and cell by cell: the oracle of the tests."""
    for row in range(start, stop):
        distances(x, y, row, pad, dialect, search_m, search, dist, last)
        for col in range(forms.shape[1]):
            if math.isnan(z[row + pad, col + pad]):
                forms[row, col] = 0
                continue
            counts = 0
            for k in range(8):
                kind = KIND[k]
                sign = digit(
                    z, row + pad, col + pad, ROW_STEP[k], COL_STEP[k], dist[kind], skip + 1,
                    last[kind], dialect, flat, flat_m,
                )  # fmt: skip
                counts += 1 if sign > 0 else (16 if sign < 0 else 0)
            forms[row, col] = lookup[counts]
