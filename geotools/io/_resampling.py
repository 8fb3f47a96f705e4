# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of resampling: a cell's value from the cells around its place, or under it.

What they are called for is in `resampling`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]

_SLIVER = 1e-6  # shares of a cell below this are rounding
_NOWHERE = -1e11  # places that the other CRS does not have are farther out
_A = -0.5  # cubic convolution, Keys 1981, of third order


@compiled()
def _keys(t: float) -> float:
    """Weight at distance t: Keys 1981, eq. 4."""
    t = abs(t)
    if t <= 1:
        return ((_A + 2) * t - (_A + 3)) * t * t + 1
    if t < 2:
        return ((_A * t - 5 * _A) * t + 8 * _A) * t - 4 * _A
    return 0.0


@compiled(error_model="numpy")  # no check of each division
def between(
    z: Array, col_off: int, row_off: int, cubic: int, cols: Array, rows: Array, out: Array
) -> None:
    """Write the bilinear or cubic value at each place; NaN where the cell that holds it is.

    Bilinear leaves unknown cells out; cubic is bilinear where one of the sixteen is unknown.
    """
    height, width = z.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.nan
            x, y = cols[i, j], rows[i, j]
            c = math.floor(x + _SLIVER) - col_off
            r = math.floor(y + _SLIVER) - row_off
            if c < 0 or r < 0 or c >= width or r >= height or math.isnan(z[r, c]):
                continue
            left, top = math.floor(x - 0.5), math.floor(y - 0.5)
            fx, fy = x - 0.5 - left, y - 0.5 - top
            c, r = int(left) - col_off, int(top) - row_off
            if cubic == 1 and c >= 1 and r >= 1 and c + 2 < width and r + 2 < height:
                total = weight = 0.0
                for m in range(-1, 3):
                    wy = _keys(fy - m)
                    for n in range(-1, 3):
                        w = wy * _keys(fx - n)
                        total += w * z[r + m, c + n]
                        weight += w
                if not math.isnan(total):
                    out[i, j] = total / weight
                    continue
            total = weight = 0.0
            for m in range(2):
                for n in range(2):
                    if 0 <= r + m < height and 0 <= c + n < width:
                        value = z[r + m, c + n]
                        w = (fy if m else 1 - fy) * (fx if n else 1 - fx)
                        if w > 0 and value == value:
                            total += w * value
                            weight += w
            out[i, j] = total / weight


@compiled()
def _ordered(values: Array, shares: Array, count: int) -> None:
    """Sort values, and their shares with them: Shell 1959, gaps of Ciura 2001 and beyond."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap >= 1:
        for k in range(gap, count):
            value, share = values[k], shares[k]
            n = k
            while n >= gap and values[n - gap] > value:
                values[n], shares[n] = values[n - gap], shares[n - gap]
                n -= gap
            values[n], shares[n] = value, share
        gap //= 3


AVERAGE, LOWEST, HIGHEST, MODE, MEDIAN = 0, 1, 2, 3, 4


@compiled()
def _commonest(values: Array, shares: Array, count: int) -> float:
    """The value with the largest share; the smallest of several."""
    best = values[0]
    largest = 0.0
    k = 0
    while k < count:
        value, share = values[k], 0.0
        while k < count and values[k] == value:
            share += shares[k]
            k += 1
        if share > largest + _SLIVER:
            best, largest = value, share
    return best


@compiled()
def _middle(values: Array, shares: Array, count: int, known: float) -> float:
    """The value at which half of the shares is reached."""
    reached = 0.0
    for k in range(count):
        reached += shares[k]
        if reached >= known / 2:
            return values[k]
    return values[count - 1]


@compiled()
def _sides(cols: Array, i: int, j: int, around: float, seam: float) -> tuple[float, float]:
    """Left and right side of the box around the corners of a cell.

    Columns that go round, `around` of them (0 for none), jump back at `seam`; a box across it is
    taken on the side where more of it lies.
    """
    nw, ne, sw, se = cols[i, j], cols[i, j + 1], cols[i + 1, j], cols[i + 1, j + 1]
    left, right = min(nw, ne, sw, se), max(nw, ne, sw, se)
    if around > 0 and right - left > around / 2:
        middle = left + around / 2
        nw, ne = nw + around * (nw < middle), ne + around * (ne < middle)
        sw, se = sw + around * (sw < middle), se + around * (se < middle)
        left, right = min(nw, ne, sw, se), max(nw, ne, sw, se)
        if left + right > 2 * seam:
            left, right = left - around, right - around
    return left, right


@compiled(error_model="numpy")  # as `between`
def under(
    z: Array,
    col_off: int,
    row_off: int,
    what: int,
    least: float,
    around: float,
    seam: float,
    cols: Array,
    rows: Array,
    values: Array,
    shares: Array,
    out: Array,
) -> None:
    """Write what the cells under each cell come to; NaN where less than `least` of it is known.

    A cell is the box around its corners (rows + 1, cols + 1); for `around` and `seam` see `_sides`.
    Room to work in: values and shares, for
    mode and median as long as there are cells in a box.
    """
    height, width = z.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            left, right = _sides(cols, i, j, around, seam)
            top = min(rows[i, j], rows[i, j + 1], rows[i + 1, j], rows[i + 1, j + 1])
            bottom = max(rows[i, j], rows[i, j + 1], rows[i + 1, j], rows[i + 1, j + 1])
            if left < _NOWHERE or top < _NOWHERE:
                out[i, j] = np.nan
                continue
            total = known = 0.0
            low, high = np.inf, -np.inf
            count = 0
            for r in range(max(math.floor(top), row_off), min(math.ceil(bottom), row_off + height)):
                wy = min(bottom, r + 1.0) - max(top, float(r))
                for c in range(
                    max(math.floor(left), col_off), min(math.ceil(right), col_off + width)
                ):
                    wx = min(right, c + 1.0) - max(left, float(c))
                    value = z[r - row_off, c - col_off]
                    if wx < _SLIVER or wy < _SLIVER or math.isnan(value):
                        continue
                    known += wx * wy
                    total += wx * wy * value
                    low, high = min(low, value), max(high, value)
                    if what >= MODE:
                        values[count], shares[count] = value, wx * wy
                        count += 1
            if known < least * (right - left) * (bottom - top) or known == 0.0:
                out[i, j] = np.nan
            elif what == AVERAGE:
                out[i, j] = total / known
            elif what == LOWEST:
                out[i, j] = low
            elif what == HIGHEST:
                out[i, j] = high
            else:
                _ordered(values, shares, count)
                out[i, j] = (
                    _commonest(values, shares, count)
                    if what == MODE
                    else _middle(values, shares, count, known)
                )
