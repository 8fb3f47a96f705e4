# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled walks along the eight rays from a cell: distances and horizons.

What is made of the horizons is in `_forms` (geomorphons) and `_openness`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]

GRASS, WHITEBOX, PAPER = 0, 1, 2

# Directions E W N S NE NW SE SW: row step, column step, kind of distance.
ROW_STEP = (0, 0, -1, 1, -1, -1, 1, 1)
COL_STEP = (1, -1, 0, 0, 1, -1, 1, -1)
KIND = (0, 0, 1, 2, 3, 3, 4, 4)


@compiled()
def distances(
    x: Array,
    y: Array,
    row: int,
    longest: int,
    dialect: int,
    search_m: float,
    search: int,
    dist: Array,
    last: Array,
) -> None:
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


@compiled()
def _one_step(base: Array, a: Array, ka: np.float32, zenith: Array, nadir: Array) -> None:
    """Raise and lower the extremes by one step of the ray, for a strip of cells."""
    for c in range(base.size):
        s = (a[c] - base[c]) * ka
        high, low = zenith[c], nadir[c]
        zenith[c] = s if s > high else high  # NaN leaves the extreme as it is
        nadir[c] = s if s < low else low


@compiled()
def _four_steps(
    base: Array,
    a: Array,
    b: Array,
    d: Array,
    e: Array,
    ka: np.float32,
    kb: np.float32,
    kd: np.float32,
    ke: np.float32,
    zenith: Array,
    nadir: Array,
) -> None:
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


@compiled()
def horizons(
    z: Array,
    row: int,
    col: int,
    width: int,
    dr: int,
    dc: int,
    dist: Array,
    first: int,
    last: int,
    zenith: Array,
    nadir: Array,
) -> None:
    """Write the tangents of the highest and lowest angle along a ray, for a strip of cells.

    Cells are looked at step by step, for the whole strip at once, so that the extremes of many
    cells are taken in one instruction; -inf and inf where nothing is seen.
    """
    base = z[row, col : col + width]
    zenith[:width] = -np.inf
    nadir[:width] = np.inf
    j = first
    while j + 3 <= last:
        c = col + j * dc
        _four_steps(
            base,
            z[row + j * dr, c : c + width],
            z[row + (j + 1) * dr, c + dc : c + dc + width],
            z[row + (j + 2) * dr, c + 2 * dc : c + 2 * dc + width],
            z[row + (j + 3) * dr, c + 3 * dc : c + 3 * dc + width],
            np.float32(1 / dist[j]),
            np.float32(1 / dist[j + 1]),
            np.float32(1 / dist[j + 2]),
            np.float32(1 / dist[j + 3]),
            zenith,
            nadir,
        )
        j += 4
    while j <= last:
        c = col + j * dc
        _one_step(base, z[row + j * dr, c : c + width], np.float32(1 / dist[j]), zenith, nadir)
        j += 1
