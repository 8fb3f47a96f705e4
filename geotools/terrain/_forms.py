# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled forms of geomorphons; rules and settings are in `geomorphons`.

Each direction is first done in float32 for a strip of cells at once, by tangents instead of
angles. Where rounding could decide (ties, or an angle at the threshold) the ray is done again in
float64 with true angles, so that the result is that of the plain definition, `digit`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.terrain._definition import digit
from geotools.terrain._rays import (
    COL_STEP,
    GRASS,
    KIND,
    ROW_STEP,
    WHITEBOX,
    distances,
    horizons,
)

Array = NDArray[Any]

# Relative slack within which float32 cannot be trusted: a tangent has two roundings of 2^-24 and
# one of the distance, a sum of two has twice that; ten times this is one part in a million.
_SLACK = 1e-6


@compiled()
def _decide_larger(
    zenith: Array,
    nadir: Array,
    nearest: Array,
    tan_low: np.float32,
    tan_high: np.float32,
    bit: np.int32,
    counts: Array,
    unsure: Array,
) -> None:
    """Count the direction by the larger of the two angles; set `bit` where it is too close."""
    slack = np.float32(_SLACK)
    for c in range(counts.size):
        up, down = abs(zenith[c]), abs(nadir[c])
        size = zenith[c] if zenith[c] > -nadir[c] else -nadir[c]  # -inf when nothing is seen
        seen = nearest[c] == nearest[c]
        clear = seen & (size > tan_high) & (abs(up - down) > slack * size)
        close = seen & (size >= tan_low) & ~clear
        counts[c] += np.int32(clear) * (np.int32(1) if up > down else np.int32(16))
        unsure[c] |= np.int32(close) * bit


@compiled()
def _decide_sum(
    zenith: Array,
    nadir: Array,
    nearest: Array,
    clamp: bool,
    tan_low: np.float32,
    tan_high: np.float32,
    bit: np.int32,
    counts: Array,
    unsure: Array,
) -> None:
    """Count the direction by the sum of the two angles; set `bit` where it is too close.

    tan(a + b) = (tan a + tan b) / (1 - tan a tan b), compared without dividing.
    """
    slack, zero, one = np.float32(_SLACK), np.float32(0), np.float32(1)
    for c in range(counts.size):
        high, low = zenith[c], nadir[c]
        seen = (nearest[c] == nearest[c]) & (high >= low)
        if clamp:
            high = high if high > zero else zero
            low = low if low < zero else zero
        total = abs(high + low)
        factor = one - high * low
        margin = slack * (abs(high) + abs(low) + tan_high * (one + abs(high * low)))
        clear = seen & (total > tan_high * factor + margin) & (total > margin)
        close = seen & (total >= tan_low * factor - margin) & ~clear
        counts[c] += np.int32(clear) * (np.int32(1) if high + low > zero else np.int32(16))
        unsure[c] |= np.int32(close) * bit


@compiled()
def forms_of_rows(
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
    """Write the forms of rows `start` to `stop`; `z` has `pad` NaN cells on every side.

    Room to work in: dist (5, pad + 1) float64, last (5,) int64, horizon (2, strip) float32, marks
    (2, strip) int32. A loop that allocates none can be kept as machine code.
    """
    cols = forms.shape[1]
    first = skip + 1
    zenith, nadir = horizon[0], horizon[1]
    counts, unsure = marks[0], marks[1]
    # Equal strips: a narrow one at the end would cost nearly as much as a whole one.
    even = -(-cols // -(-cols // horizon.shape[1]))
    for left in range(0, cols, even):
        width = min(even, cols - left)
        for row in range(start, stop):
            if uniform == 0 or row == start:
                distances(x, y, row, pad, dialect, search_m, search, dist, last)
            r, c0 = row + pad, left + pad
            base = z[r, c0 : c0 + width]
            counts[:width] = 0
            unsure[:width] = 0
            for k in range(8):
                dr, dc, kind = ROW_STEP[k], COL_STEP[k], KIND[k]
                end = last[kind]
                if end < first or (dialect == GRASS and end == first):
                    continue  # nothing to see, or one cell: up and down are the same
                horizons(z, r, c0, width, dr, dc, dist[kind], first, end, zenith, nadir)
                tan_high = np.float32(math.tan(flat) * (1 + _SLACK))
                least = math.tan(flat)
                if 0 < flat_m < dist[kind, end]:
                    least *= flat_m / dist[kind, end]
                tan_low = np.float32(least * (1 - _SLACK))
                nearest = z[r + dr, c0 + dc : c0 + dc + width]
                bit = np.int32(1 << k)
                if dialect == GRASS:
                    _decide_larger(
                        zenith[:width], nadir[:width], nearest, tan_low, tan_high, bit,
                        counts[:width], unsure[:width],
                    )  # fmt: skip
                else:
                    _decide_sum(
                        zenith[:width], nadir[:width], nearest, dialect == WHITEBOX, tan_low,
                        tan_high, bit, counts[:width], unsure[:width],
                    )  # fmt: skip
            for c in range(width):
                if unsure[c] != 0:
                    for k in range(8):
                        if unsure[c] >> k & 1:
                            kind = KIND[k]
                            sign = digit(
                                z, r, c0 + c, ROW_STEP[k], COL_STEP[k], dist[kind], first,
                                last[kind], dialect, flat, flat_m,
                            )  # fmt: skip
                            counts[c] += 1 if sign > 0 else (16 if sign < 0 else 0)
                form = lookup[counts[c]]
                forms[row, left + c] = form if base[c] == base[c] else 0
