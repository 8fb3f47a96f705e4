# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of attributes of a cell and its eight neighbours, a strip of a row at a time.

What the strips share (gradient, second derivatives) is taken once, in the cache; formulas and
their sources are in `attributes`, what may be asked for is in `stencils`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]

# Places of the loops' numbers in `numbers`, float32.
Z_FACTOR, WEIGHT, HORN, STEEP, CURVED, LIGHT_EAST, LIGHT_NORTH, LIGHT_UP, IN_PERCENT, SCALE = range(
    10
)

_ZERO, _ONE, _TWO, _FOUR = np.float32(0), np.float32(1), np.float32(2), np.float32(4)
_TINY = np.float32(1e-36)  # below every square of a gradient that float32 elevations can have
_DEGREES = np.float32(180 / math.pi)
_RIGHT, _STRAIGHT, _ROUND = np.float32(90), np.float32(180), np.float32(360)

# Bound of the reduction and coefficients of the odd polynomial of atanf in S. L. Moshier's Cephes
# library: right to 2e-7.
_MIDDLE, _QUARTER_PI = np.float32(0.4142135623730950), np.float32(math.pi / 4)
_HALF_PI = np.float32(math.pi / 2)
_C9, _C7 = np.float32(8.05374449538e-2), np.float32(1.38776856032e-1)
_C5, _C3 = np.float32(1.99777106478e-1), np.float32(3.33329491539e-1)


@compiled(error_model="numpy")  # no check of each division: many at once
def _arc(small: np.float32, large: np.float32) -> np.float32:
    """Arc tangent of small / large in radians; 0 <= small <= large, large > 0."""
    middle = small > _MIDDLE * large
    top = small - large if middle else small
    bottom = small + large if middle else large
    offset = _QUARTER_PI if middle else _ZERO
    v = top / bottom
    w = v * v
    p = ((_C9 * w - _C7) * w + _C5) * w - _C3
    return p * w * v + v + offset


@compiled()
def _take(z: Array, row: int, left: int, factor: np.float32, out: Array, width: int) -> None:
    """Write columns left - 1 to left + width of a row, in metres; NaN outside the raster."""
    rows, cols = z.shape
    if row < 0 or row >= rows:
        for c in range(width + 2):
            out[c] = np.nan
        return
    out[0] = out[width + 1] = np.nan
    begin, end = max(left - 1, 0), min(left + width + 1, cols)
    source, target = z[row, begin:end], out[begin - left + 1 : end - left + 1]
    for c in range(target.size):
        target[c] = source[c] * factor


@compiled()
def _gradient(
    up: Array,
    here: Array,
    down: Array,
    horn: bool,
    east_of: np.float32,
    north_of: np.float32,
    east: Array,
    north: Array,
    steep2: Array,
) -> None:
    """Slope towards east and north, metres per metre, and the square of its length."""
    if horn:
        # Horn 1981: weights 1 2 1. Summed in gdaldem's order, so that both round alike.
        for c in range(east.size):
            behind = up[c] + here[c] + here[c] + down[c]
            ahead = up[c + 2] + here[c + 2] + here[c + 2] + down[c + 2]
            above = up[c] + up[c + 1] + up[c + 1] + up[c + 2]
            below = down[c] + down[c + 1] + down[c + 1] + down[c + 2]
            e, n = (ahead - behind) * east_of, (above - below) * north_of
            east[c], north[c], steep2[c] = e, n, e * e + n * n
    else:
        # Zevenbergen & Thorne 1987, equations 9 and 10.
        for c in range(east.size):
            e, n = (here[c + 2] - here[c]) * east_of, (up[c + 1] - down[c + 1]) * north_of
            east[c], north[c], steep2[c] = e, n, e * e + n * n


@compiled()
def _second(
    up: Array,
    here: Array,
    down: Array,
    horn: bool,
    across: np.float32,
    east_of: np.float32,
    north_of: np.float32,
    along_east: Array,
    along_north: Array,
    both: Array,
) -> None:
    """Second derivatives along east, along north and both, 1/m."""
    for c in range(both.size):
        z = here[c + 1]
        nw, n, ne = up[c] - z, up[c + 1] - z, up[c + 2] - z
        w, e = here[c] - z, here[c + 2] - z
        sw, s, se = down[c] - z, down[c + 1] - z, down[c + 2] - z
        both[c] = (ne - nw + sw - se) * across
        wide, high = w + e, n + s
        if horn:
            # Second differences averaged over three rows or columns with weights 1 4 1, as in
            # r.slope.aspect, which goes with Horn's gradient.
            corners = nw + ne + sw + se
            along_east[c] = (corners + _FOUR * wide - _TWO * high) * east_of
            along_north[c] = (corners + _FOUR * high - _TWO * wide) * north_of
        else:  # Zevenbergen & Thorne 1987: 2 D and 2 E
            along_east[c] = wide * east_of
            along_north[c] = high * north_of


@compiled(error_model="numpy")
def _slope(steep2: Array, percent: bool, scale: np.float32, out: Array) -> None:
    for c in range(out.size):
        steep = np.sqrt(steep2[c])
        small, large = (steep, _ONE) if steep < _ONE else (_ONE, steep)
        angle = _arc(small, large)
        angle = angle if steep < _ONE else _HALF_PI - angle
        out[c] = (steep if percent else angle) * scale


@compiled(error_model="numpy")
def _aspect(east: Array, north: Array, steep2: Array, out: Array) -> None:
    """Downhill direction, clockwise from north."""
    for c in range(out.size):
        side, ahead = abs(east[c]), abs(north[c])
        small, large = (side, ahead) if side < ahead else (ahead, side)
        angle = _arc(small, large) * _DEGREES
        angle = angle if side < ahead else _RIGHT - angle
        angle = angle if north[c] <= _ZERO else _STRAIGHT - angle
        angle = angle if east[c] <= _ZERO else _ROUND - angle
        angle = angle if angle < _ROUND else _ZERO
        out[c] = angle if steep2[c] > _ZERO else np.float32(np.nan)


@compiled(error_model="numpy")
def _share(part: Array, steep2: Array, out: Array) -> None:
    """The share of the gradient that points downhill along an axis; 0 where level."""
    for c in range(out.size):
        steep = np.sqrt(steep2[c])
        out[c] = -part[c] / (steep if steep > _TINY else _TINY)


@compiled(error_model="numpy")
def _hillshade(
    east: Array,
    north: Array,
    steep2: Array,
    from_east: np.float32,
    from_north: np.float32,
    from_above: np.float32,
    out: Array,
) -> None:
    """1 + 254 times the cosine of the angle between the light and the normal (-east, -north, 1)."""
    for c in range(out.size):
        light = east[c] * from_east - north[c] * from_north + from_above
        light = light / np.sqrt(_ONE + steep2[c]) * np.float32(254) + _ONE
        out[c] = light if light > _ONE else _ONE


@compiled(error_model="numpy")
def _profile(
    east: Array, north: Array, steep2: Array, zxx: Array, zyy: Array, zxy: Array, out: Array
) -> None:
    for c in range(out.size):
        e, n, p2 = east[c], north[c], steep2[c]
        bend = zxy[c] * (e * n) * -_TWO - zxx[c] * (e * e) - zyy[c] * (n * n)
        normal2 = p2 + _ONE
        whole = p2 * (normal2 * np.sqrt(normal2))
        out[c] = bend / (whole if whole > _TINY else _TINY)


@compiled(error_model="numpy")
def _across(
    plan: bool,
    east: Array,
    north: Array,
    steep2: Array,
    zxx: Array,
    zyy: Array,
    zxy: Array,
    out: Array,
) -> None:
    """Plan or tangential curvature: the bend across the slope, zxx zy2 - 2 zxy zx zy + zyy zx2."""
    for c in range(out.size):
        e, n, p2 = east[c], north[c], steep2[c]
        bend = zxy[c] * (e * n) * -_TWO + zxx[c] * (n * n) + zyy[c] * (e * e)
        whole = p2 * np.sqrt(p2 if plan else p2 + _ONE)
        out[c] = -bend / (whole if whole > _TINY else _TINY)


@compiled(error_model="numpy")
def _mean(
    east: Array, north: Array, steep2: Array, zxx: Array, zyy: Array, zxy: Array, out: Array
) -> None:
    """(1 + zy2) zxx - 2 zxy zx zy + (1 + zx2) zyy, by the bend across the slope."""
    for c in range(out.size):
        e, n = east[c], north[c]
        bend = zxy[c] * (e * n) * -_TWO + zxx[c] * (n * n) + zyy[c] * (e * e) + zxx[c] + zyy[c]
        normal2 = steep2[c] + _ONE
        out[c] = bend / (normal2 * np.sqrt(normal2) * -_TWO)


@compiled()
def _tri(up: Array, here: Array, down: Array, wilson: bool, out: Array) -> None:
    """Root of the summed squares (Riley), or mean of the differences (Wilson)."""
    for c in range(out.size):
        z = here[c + 1]
        nw, n, ne = abs(up[c] - z), abs(up[c + 1] - z), abs(up[c + 2] - z)
        w, e = abs(here[c] - z), abs(here[c + 2] - z)
        sw, s, se = abs(down[c] - z), abs(down[c + 1] - z), abs(down[c + 2] - z)
        if wilson:
            out[c] = (nw + n + ne + w + e + sw + s + se) * np.float32(1 / 8)
        else:
            total = nw * nw + n * n + ne * ne + w * w + e * e + sw * sw + s * s + se * se
            out[c] = np.sqrt(total)


@compiled()
def _roughness(up: Array, here: Array, down: Array, out: Array) -> None:
    for c in range(out.size):
        high = low = here[c + 1]
        for i in range(3):
            a, b, d = up[c + i], here[c + i], down[c + i]
            high = a if a > high else high
            low = a if a < low else low
            high = b if b > high else high
            low = b if b < low else low
            high = d if d > high else high
            low = d if d < low else low
        out[c] = high - low


@compiled()
def _without_gaps(up: Array, here: Array, down: Array, out: Array) -> None:
    """NaN where a cell or one of its neighbours is: a value needs all nine, as in gdaldem."""
    for c in range(out.size):
        gap = up[c] != up[c]
        for i in range(1, 3):
            gap |= up[c + i] != up[c + i]
        for i in range(3):
            gap |= here[c + i] != here[c + i]
            gap |= down[c + i] != down[c + i]
        out[c] = np.float32(np.nan) if gap else out[c]


@compiled()
def stencils_of_rows(
    z: Array,
    start: int,
    stop: int,
    step: int,
    top: int,
    left: int,
    x: Array,
    y: Array,
    kinds: Array,
    numbers: Array,
    result: Array,
    work: Array,
) -> None:
    """Write every `step`th row from `start` to `stop` of each band; NaN where undefined.

    Args:
        z: (rows, cols) float32; NaN where invalid.
        start, stop, step: rows to write.
        top, left: row and column of `z` with which `result` begins.
        x, y: (rows,) float32, cell size in metres.
        kinds: (bands,) int64, position in `stencils.STENCILS`; -1 for bands of others.
        numbers: (10,) float32, see the top of this file.
        result: (bands, rows, cols) float32, any part of the shape of `z`, which is written to.
        work: (9, strip + 2) float32, room to work in.
    """
    cols = left + result.shape[2]
    strip = work.shape[1] - 2
    horn = numbers[HORN] > _ZERO
    for row in range(start, stop, step):
        x_m, y_m = x[row], y[row]
        for begin in range(left, cols, strip):
            width = min(strip, cols - begin)
            up, here, down = work[0], work[1], work[2]
            for i in range(3):
                _take(z, row - 1 + i, begin, numbers[Z_FACTOR], work[i], width)
            east, north, steep2 = work[3, :width], work[4, :width], work[5, :width]
            zxx, zyy, zxy = work[6, :width], work[7, :width], work[8, :width]
            if numbers[STEEP] > _ZERO:
                weight = numbers[WEIGHT]
                _gradient(up, here, down, horn, weight / x_m, weight / y_m, east, north, steep2)
            if numbers[CURVED] > _ZERO:
                third = np.float32(1 / 6) if horn else _ONE
                _second(
                    up, here, down, horn, _ONE / (_FOUR * x_m * y_m), third / (x_m * x_m),
                    third / (y_m * y_m), zxx, zyy, zxy,
                )  # fmt: skip
            for band in range(kinds.size):
                out = result[band, row - top, begin - left : begin - left + width]
                kind = kinds[band]
                if kind < 0:
                    continue
                if kind == 0:
                    _slope(steep2, numbers[IN_PERCENT] > _ZERO, numbers[SCALE], out)
                elif kind == 1:
                    _aspect(east, north, steep2, out)
                elif kind == 2:
                    _share(north, steep2, out)
                elif kind == 3:
                    _share(east, steep2, out)
                elif kind == 4:
                    _hillshade(
                        east, north, steep2, numbers[LIGHT_EAST], numbers[LIGHT_NORTH],
                        numbers[LIGHT_UP], out,
                    )  # fmt: skip
                elif kind == 5:
                    _profile(east, north, steep2, zxx, zyy, zxy, out)
                elif kind <= 7:
                    _across(kind == 6, east, north, steep2, zxx, zyy, zxy, out)
                elif kind == 8:
                    _mean(east, north, steep2, zxx, zyy, zxy, out)
                elif kind <= 10:
                    _tri(up, here, down, kind == 10, out)
                else:
                    _roughness(up, here, down, out)
                _without_gaps(up, here, down, out)
