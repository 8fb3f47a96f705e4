# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of square windows: sums and extremes at a cost that does not depend on the radius.

What is made of them is in `windows`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]

# Elevations are summed as whole multiples of 2^-16 m, exactly what float32 holds above 128 m.
# Sums of fewer than 2^20 of them below 2^15 m are exact in float64, in whatever order.
_STEPS = 65536.0

_LEVEL = 1e-9  # m2: variances below this are the rounding of level ground


@compiled()
def _take_row(
    z: Array,
    row: int,
    sign: float,
    reference: float,
    scale: float,
    counts: Array,
    sums: Array,
    squares: Array,
) -> None:
    """Add (sign 1) or remove (sign -1) a row to the sums of each column."""
    for c in range(z.shape[1]):
        value = np.float64(z[row, c])
        known = value == value
        d = np.floor(value * scale * _STEPS + 0.5) / _STEPS - reference
        d = d if known else 0.0
        counts[c] += sign if known else 0.0
        sums[c] += sign * d
        squares[c] += sign * (d * d)


@compiled(error_model="numpy")  # no check of each division
def moments_of_rows(
    z: Array,
    radius: int,
    start: int,
    stop: int,
    top: int,
    left: int,
    reference: float,
    scale: float,
    tpi: Array,
    dev: Array,
    columns: Array,
) -> None:
    """Write z - mean of the others to `tpi`, (z - mean) / sd to `dev`, where they have rows.

    They begin with row `top` and column `left` of z. Room to work in: columns (3, cols) float64.
    """
    rows, cols = z.shape
    right = left + max(tpi.shape[1], dev.shape[1])
    columns[:] = 0
    counts, sums, squares = columns[0], columns[1], columns[2]
    for row in range(max(start - radius, 0), min(start + radius, rows)):
        _take_row(z, row, 1.0, reference, scale, counts, sums, squares)
    for row in range(start, stop):
        if row + radius < rows:
            _take_row(z, row + radius, 1.0, reference, scale, counts, sums, squares)
        if row - radius - 1 >= max(start - radius, 0):
            _take_row(z, row - radius - 1, -1.0, reference, scale, counts, sums, squares)
        n = s = q = 0.0
        for c in range(min(radius, cols)):
            n += counts[c]
            s += sums[c]
            q += squares[c]
        for c in range(cols):
            if c + radius < cols:
                n += counts[c + radius]
                s += sums[c + radius]
                q += squares[c + radius]
            if c - radius - 1 >= 0:
                n -= counts[c - radius - 1]
                s -= sums[c - radius - 1]
                q -= squares[c - radius - 1]
            if c < left or c >= right:
                continue
            value = np.float64(z[row, c])
            d = np.floor(value * scale * _STEPS + 0.5) / _STEPS - reference
            if tpi.shape[0] > 0:
                tpi[row - top, c - left] = d - (s - d) / (n - 1.0) if n > 1.0 else np.nan
            if dev.shape[0] > 0:
                if value == value:
                    mean = s / n
                    variance = q / n - mean * mean
                    level = variance <= _LEVEL
                    dev[row - top, c - left] = 0.0 if level else (d - mean) / math.sqrt(variance)
                else:
                    dev[row - top, c - left] = np.nan


@compiled()
def _steps_of_row(
    z: Array, row: int, reference: float, scale: float, known: Array, steps: Array
) -> None:
    """Elevations of a row less the reference, and 1 where there are any; 0 elsewhere."""
    if row < 0 or row >= z.shape[0]:
        known[:] = 0.0
        steps[:] = 0.0
        return
    known[0] = known[known.size - 1] = steps[0] = steps[known.size - 1] = 0.0
    source = z[row]
    inner_known, inner_steps = known[1:-1], steps[1:-1]
    for c in range(source.size):
        value = np.float64(source[c])
        d = np.floor(value * scale * _STEPS + 0.5) / _STEPS - reference
        inner_known[c] = 1.0 if value == value else 0.0
        inner_steps[c] = d if value == value else 0.0


@compiled(error_model="numpy")
def nearest_tpi_of_rows(
    z: Array,
    start: int,
    stop: int,
    top: int,
    left: int,
    reference: float,
    scale: float,
    tpi: Array,
    known: Array,
    steps: Array,
    sums: Array,
) -> None:
    """What `moments_of_rows` writes to `tpi` at radius 1, to the last bit: many cells at once.

    Room to work in, float64: known and steps (3, cols + 2), sums (2, cols + 2).
    """
    for row in range(start - 1, start + 1):
        _steps_of_row(z, row, reference, scale, known[row % 3], steps[row % 3])
    for row in range(start, stop):
        below = (row + 1) % 3
        _steps_of_row(z, row + 1, reference, scale, known[below], steps[below])
        counts, totals = sums[0], sums[1]
        for c in range(counts.size):
            counts[c] = known[0, c] + known[1, c] + known[2, c]
            totals[c] = steps[0, c] + steps[1, c] + steps[2, c]
        out = tpi[row - top]
        here, valid = steps[row % 3, left:], known[row % 3, left:]
        counts, totals = counts[left:], totals[left:]
        for c in range(out.size):
            n = counts[c] + counts[c + 1] + counts[c + 2]
            s = totals[c] + totals[c + 1] + totals[c + 2]
            d = here[c + 1]
            value = d - (s - d) / (n - 1.0)
            out[c] = value if n > 1.0 and valid[c + 1] > 0.0 else np.nan


@compiled()
def _highest_along_row(
    z: Array, row: int, sign: np.float32, radius: int, ahead: Array, behind: Array, out: Array
) -> None:
    """Write the highest of sign * z within `radius` columns; -inf where none is valid.

    Van Herk 1992: blocks as long as the window, maxima from the block's start (`ahead`) and to
    its end (`behind`); a window is the end of one block and the start of the next.
    """
    cols, width = out.shape[0], 2 * radius + 1
    total = ahead.shape[0]  # cols + 2 radius, up to whole blocks
    for i in range(total):
        c = i - radius
        value = -np.inf
        if 0 <= c < cols:
            seen = sign * z[row, c]
            value = seen if seen == seen else -np.inf
        behind[i] = value
    for block in range(0, total, width):
        high = np.float32(-np.inf)
        for i in range(block, block + width):
            high = behind[i] if behind[i] > high else high
            ahead[i] = high
        high = np.float32(-np.inf)
        for i in range(block + width - 1, block - 1, -1):
            high = behind[i] if behind[i] > high else high
            behind[i] = high
    for c in range(cols):
        first, last = behind[c], ahead[c + width - 1]
        out[c] = first if first > last else last


@compiled()
def add_highest_of_rows(
    z: Array,
    sign: np.float32,
    radius: int,
    start: int,
    stop: int,
    out: Array,
    along: Array,
    kept: Array,
    front: Array,
) -> None:
    """Add the highest of sign * z in each window to rows `start` to `stop` of `out`.

    Room to work in, float32: along (2, cols + 2 radius, up to whole windows), kept (window, cols),
    this block's rows and below them the last block's; front (cols,), highest since the start of
    this block.
    """
    rows, cols = z.shape
    width = 2 * radius + 1
    ahead, behind = along[0], along[1]
    for k in range(stop - start + 2 * radius):
        row, at = start - radius + k, k % width
        here = kept[at]
        if 0 <= row < rows:
            _highest_along_row(z, row, sign, radius, ahead, behind, here)
        else:
            here[:] = -np.inf
        if at == 0:
            for c in range(cols):
                front[c] = here[c]
        else:
            for c in range(cols):
                front[c] = here[c] if here[c] > front[c] else front[c]
        if k >= width - 1:
            target = out[row - radius]
            if at == width - 1:
                for c in range(cols):
                    target[c] += front[c]
            else:
                rest = kept[at + 1]  # highest from there to the end of the last block
                for c in range(cols):
                    target[c] += front[c] if front[c] > rest[c] else rest[c]
        if at == width - 1:
            for i in range(width - 2, -1, -1):
                for c in range(cols):
                    below = kept[i + 1, c]
                    kept[i, c] = kept[i, c] if kept[i, c] > below else below
