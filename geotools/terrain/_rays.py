"""Compiled loops along the eight rays of a geomorphon; rules and settings are in `geomorphons`.

Each direction is first done in float32 for a strip of cells at once, by tangents instead of
angles. Where rounding could decide (ties, or an angle at the threshold) the ray is done again in
float64 with true angles, so that the result is that of the plain definition, `digit`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

GRASS, WHITEBOX, PAPER = 0, 1, 2

# Relative slack within which float32 cannot be trusted: a tangent has two roundings of 2^-24 and
# one of the distance, a sum of two has twice that; ten times this is one part in a million.
_SLACK = 1e-6

_STRIP = 512  # columns done at once: their rows stay in the cache

# Directions E W N S NE NW SE SW: row step, column step, kind of distance.
_ROW_STEP = (0, 0, -1, 1, -1, -1, 1, 1)
_COL_STEP = (1, -1, 0, 0, 1, -1, 1, -1)
_KIND = (0, 0, 1, 2, 3, 3, 4, 4)


@njit(nogil=True, cache=True)
def distances(x, y, row, longest, dialect, search_m, search, dist, last):
    """Fill metres from the cell to each step (5, longest + 1), and the last step of each kind."""
    rows = x.shape[0]
    for kind in range(5):
        step = -1 if kind in (1, 3) else 1
        along = 0.0  # metres north or south of the cell
        last[kind] = 0
        for j in range(1, longest + 1):
            here = min(max(row + step * (j - 1), 0), rows - 1)
            there = min(max(row + step * j, 0), rows - 1)
            if y[here] == y[row] and along == (j - 1) * y[row]:
                along = j * 0.5 * (y[here] + y[there])
            else:
                along += 0.5 * (y[here] + y[there])
            if kind == 0:
                d = j * x[row]
            elif kind <= 2:
                d = along
            else:
                d = math.hypot(j * 0.5 * (x[row] + x[there]), along)
            dist[kind, j] = d
            if dialect == GRASS:
                inside = d < search_m
            elif dialect == WHITEBOX:
                inside = j <= search
            else:
                inside = d <= search_m * (1 + 1e-12)
            if not inside:
                break
            last[kind] = j


@njit(nogil=True, cache=True)
def digit(z, row, col, dr, dc, dist, first, last, dialect, flat, flat_m):
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


@njit(nogil=True, cache=True)
def _one_step(base, a, ka, zenith, nadir):
    """Raise and lower the extremes by one step of the ray, for a strip of cells."""
    for c in range(base.size):
        s = (a[c] - base[c]) * ka
        high, low = zenith[c], nadir[c]
        zenith[c] = s if s > high else high  # NaN leaves the extreme as it is
        nadir[c] = s if s < low else low


@njit(nogil=True, cache=True)
def _four_steps(base, a, b, d, e, ka, kb, kd, ke, zenith, nadir):
    """The same for four steps at once: fewer loads and stores."""
    for c in range(base.size):
        v, high, low = base[c], zenith[c], nadir[c]
        s, t, u, w = (a[c] - v) * ka, (b[c] - v) * kb, (d[c] - v) * kd, (e[c] - v) * ke
        high = s if s > high else high
        low = s if s < low else low
        high = t if t > high else high
        low = t if t < low else low
        high = u if u > high else high
        low = u if u < low else low
        high = w if w > high else high
        low = w if w < low else low
        zenith[c], nadir[c] = high, low


@njit(nogil=True, cache=True)
def _decide_larger(zenith, nadir, nearest, tan_low, tan_high, bit, counts, unsure):
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


@njit(nogil=True, cache=True)
def _decide_sum(zenith, nadir, nearest, clamp, tan_low, tan_high, bit, counts, unsure):
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


@njit(nogil=True, cache=True)
def forms_of_rows(
    z, pad, start, stop, x, y, uniform, dialect, search_m, search, skip, flat, flat_m, lookup, forms
):
    """Write the forms of rows `start` to `stop`; `z` has `pad` NaN cells on every side."""
    cols = forms.shape[1]
    first = skip + 1
    dist = np.zeros((5, pad + 1))
    last = np.zeros(5, np.int64)
    zenith = np.empty(_STRIP, np.float32)
    nadir = np.empty(_STRIP, np.float32)
    counts = np.empty(_STRIP, np.int32)
    unsure = np.empty(_STRIP, np.int32)
    for left in range(0, cols, _STRIP):
        width = min(_STRIP, cols - left)
        for row in range(start, stop):
            if not uniform or row == start:
                distances(x, y, row, pad, dialect, search_m, search, dist, last)
            r, c0 = row + pad, left + pad
            base = z[r, c0 : c0 + width]
            counts[:width] = 0
            unsure[:width] = 0
            for k in range(8):
                dr, dc, kind = _ROW_STEP[k], _COL_STEP[k], _KIND[k]
                end = last[kind]
                if end < first:
                    continue
                zenith[:width] = -np.inf
                nadir[:width] = np.inf
                j = first
                while j + 3 <= end:
                    c = c0 + j * dc
                    _four_steps(
                        base,
                        z[r + j * dr, c : c + width],
                        z[r + (j + 1) * dr, c + dc : c + dc + width],
                        z[r + (j + 2) * dr, c + 2 * dc : c + 2 * dc + width],
                        z[r + (j + 3) * dr, c + 3 * dc : c + 3 * dc + width],
                        np.float32(1 / dist[kind, j]),
                        np.float32(1 / dist[kind, j + 1]),
                        np.float32(1 / dist[kind, j + 2]),
                        np.float32(1 / dist[kind, j + 3]),
                        zenith,
                        nadir,
                    )
                    j += 4
                while j <= end:
                    c = c0 + j * dc
                    inverse = np.float32(1 / dist[kind, j])
                    _one_step(base, z[r + j * dr, c : c + width], inverse, zenith, nadir)
                    j += 1
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
                            kind = _KIND[k]
                            sign = digit(
                                z, r, c0 + c, _ROW_STEP[k], _COL_STEP[k], dist[kind], first,
                                last[kind], dialect, flat, flat_m,
                            )  # fmt: skip
                            counts[c] += 1 if sign > 0 else (16 if sign < 0 else 0)
                form = lookup[counts[c]]
                forms[row, left + c] = form if base[c] == base[c] else 0


@njit(nogil=True, cache=True)
def forms_by_definition(
    z, pad, start, stop, x, y, uniform, dialect, search_m, search, skip, flat, flat_m, lookup, forms
):
    """The same, ray by ray and cell by cell: the oracle of the tests."""
    dist = np.zeros((5, pad + 1))
    last = np.zeros(5, np.int64)
    for row in range(start, stop):
        distances(x, y, row, pad, dialect, search_m, search, dist, last)
        for col in range(forms.shape[1]):
            if math.isnan(z[row + pad, col + pad]):
                forms[row, col] = 0
                continue
            counts = 0
            for k in range(8):
                kind = _KIND[k]
                sign = digit(
                    z, row + pad, col + pad, _ROW_STEP[k], _COL_STEP[k], dist[kind], skip + 1,
                    last[kind], dialect, flat, flat_m,
                )  # fmt: skip
                counts += 1 if sign > 0 else (16 if sign < 0 else 0)
            forms[row, col] = lookup[counts]
