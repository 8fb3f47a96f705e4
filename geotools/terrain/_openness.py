# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of openness; the rays are those of `_rays`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.terrain._rays import COL_STEP, KIND, PAPER, ROW_STEP, distances, horizons

Array = NDArray[Any]


# Bounds of the reductions and coefficients of the odd polynomial of atanf in S. L. Moshier's
# Cephes library: right to 2e-7.
_ZERO, _ONE, _INFINITE = np.float32(0), np.float32(1), np.float32(np.inf)
_STEEP, _MIDDLE = np.float32(2.414213562373095), np.float32(0.4142135623730950)
_HALF_PI, _QUARTER_PI = np.float32(math.pi / 2), np.float32(math.pi / 4)
_C9, _C7 = np.float32(8.05374449538e-2), np.float32(1.38776856032e-1)
_C5, _C3 = np.float32(1.99777106478e-1), np.float32(3.33329491539e-1)
_DEGREES = np.float32(180 / math.pi)


@compiled(error_model="numpy")  # no check of each division: many at once
def _add_angles(tangents: Array, sign: np.float32, total: Array, seen: Array) -> None:
    """Add arc tangent in degrees of sign * tangents to `total`, one to `seen`; not where infinite.

    Reduced to |x| <= tan(pi/8), then the polynomial, for many cells at once.
    """
    for c in range(total.size):
        tangent = tangents[c] * sign
        size = abs(tangent)
        known = size < _INFINITE
        middle = size > _MIDDLE
        steep = size > _STEEP
        top = size - _ONE if middle else size
        bottom = size + _ONE if middle else _ONE
        offset = _QUARTER_PI if middle else _ZERO
        top = -_ONE if steep else top
        bottom = size if steep else bottom
        offset = _HALF_PI if steep else offset
        v = top / bottom
        w = v * v
        p = ((_C9 * w - _C7) * w + _C5) * w - _C3
        angle = (p * w * v + v + offset) * _DEGREES
        angle = angle if tangent > _ZERO else -angle
        total[c] += angle if known else _ZERO
        seen[c] += _ONE if known else _ZERO


@compiled()
def openness_of_rows(
    z: Array,
    pad: int,
    start: int,
    stop: int,
    x: Array,
    y: Array,
    uniform: int,
    search_m: float,
    scale: float,
    positive: Array,
    negative: Array,
    cols: int,
    dist: Array,
    last: Array,
    sums: Array,
) -> None:
    """Write rows `start` to `stop` of both opennesses, in degrees, where they have rows.

    Room to work in: dist (5, pad + 1) float64, last (5,) int64, sums (6, strip) float32.
    """
    zenith, nadir, up, down = sums[0], sums[1], sums[2], sums[3]
    seen_up, seen_down = sums[4], sums[5]
    strip = sums.shape[1]
    for left in range(0, cols, strip):
        width = min(strip, cols - left)
        for row in range(start, stop):
            if uniform == 0 or row == start:
                distances(x, y, row, pad, PAPER, search_m, 0, dist, last)
            up[:] = 0
            down[:] = 0
            seen_up[:] = 0
            seen_down[:] = 0
            for k in range(8):
                kind = KIND[k]
                horizons(
                    z, row + pad, left + pad, width, ROW_STEP[k], COL_STEP[k], dist[kind],
                    1, last[kind], zenith, nadir,
                )  # fmt: skip
                if positive.shape[0] > 0:
                    _add_angles(zenith[:width], np.float32(scale), up[:width], seen_up[:width])
                if negative.shape[0] > 0:
                    _add_angles(nadir[:width], np.float32(scale), down[:width], seen_down[:width])
            base = z[row + pad, left + pad : left + pad + width]
            for c in range(width):
                void = base[c] != base[c]
                if positive.shape[0] > 0:
                    n = seen_up[c]
                    value = np.float32(90) - up[c] / n if n > 0 else np.float32(np.nan)
                    positive[row, left + c] = np.float32(np.nan) if void else value
                if negative.shape[0] > 0:
                    n = seen_down[c]
                    value = np.float32(90) + down[c] / n if n > 0 else np.float32(np.nan)
                    negative[row, left + c] = np.float32(np.nan) if void else value
