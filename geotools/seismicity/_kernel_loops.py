# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of the power-law kernel rho D^rho / pi (r^2 + D)^-(1 + rho) over cells of degrees.

Of an event it gives the share of each cell; the aftershocks of `etas` and the smoothing of
`smoothing` are this one kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.seismicity.distance import EARTH_RADIUS_KM

Array = NDArray[Any]

_R = EARTH_RADIUS_KM
_RAD = math.pi / 180
_NEAR = 3.0
"""Cells up to so many cell sizes away are integrated along their border, others at four points:
there the four points (Gauss, 2 x 2) are within 0.3 % of the integral."""

_GAUSS = 0.5 / math.sqrt(3)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_PANEL = 2.5
"""Panels of this length and 6 Gauss nodes: the poles of 1 / cosh at +-i pi/2 leave 3e-6."""


@compiled()
def squared_km(chord2: float) -> float:
    """Square of the great-circle distance in km whose chord on the unit sphere is known."""
    if chord2 > 0.04:  # 1,274 km
        angle = 2 * math.asin(min(1.0, 0.5 * math.sqrt(chord2)))
        return _R * _R * angle * angle
    # (2 asin(c / 2))^2 as a series in c^2; what is left out is below 1e-8 of it.
    series = 1 + chord2 * (1 / 12 + chord2 * (1 / 90 + chord2 * (1 / 560 + chord2 / 3150)))
    return _R * _R * chord2 * series


@compiled()
def _edge(px: float, py: float, qx: float, qy: float, spread: float, rho: float) -> float:
    """Flux of the kernel through the edge from p to q, seen from the event at the origin.

    The kernel's mass within r is F(r) = 1 - (D / (D + r^2))^rho; the mass of a polygon is the
    integral of F(r) dtheta / (2 pi) along its border (divergence theorem). On an edge at distance
    h, with s = h sinh(u) along it, dtheta = du / cosh(u): smooth in u however near the edge is.
    """
    ex, ey = qx - px, qy - py
    length = math.sqrt(ex * ex + ey * ey)
    if length <= 0:
        return 0.0
    h = (px * ey - py * ex) / length  # signed: positive when the event lies to the left
    size = abs(h)
    if size < 1e-9 * length:
        return 0.0
    first = math.asinh((px * ex + py * ey) / length / size)
    last = math.asinh((qx * ex + qy * ey) / length / size)
    panels = int((last - first) / _PANEL) + 1
    step = (last - first) / panels
    total = 0.0
    for panel in range(panels):
        middle = first + (panel + 0.5) * step
        for node in range(6):
            cosh = math.cosh(middle + 0.5 * step * _NODES[node])
            outside = (spread / (spread + h * h * cosh * cosh)) ** rho
            total += _WEIGHTS[node] * 0.5 * step * (1 - outside) / cosh
    return math.copysign(total, h)


@compiled()
def _border_share(
    east: float, lat: float, west_deg: float, south: float, dx: float, dy: float,
    spread: float, rho: float,
) -> float:  # fmt: skip
    """Share of a cell whose western edge lies `west_deg` - `east` degrees east of the event.

    Corners go to the azimuthal equidistant plane around the event: distances and azimuths there
    are exact; edges between corners are taken as straight.
    """
    xs, ys = np.empty(4), np.empty(4)
    sin0, cos0 = math.sin(lat * _RAD), math.cos(lat * _RAD)
    for corner in range(4):  # counter-clockwise from the south-west
        d_lon = (west_deg - east + (dx if corner in (1, 2) else 0.0)) * _RAD
        phi = (south + (dy if corner >= 2 else 0.0)) * _RAD
        sin1, cos1 = math.sin(phi), math.cos(phi)
        half = math.sin(0.5 * d_lon)
        x = cos1 * math.sin(d_lon)
        y = math.sin(phi - lat * _RAD) + 2 * sin0 * cos1 * half * half
        z = sin0 * sin1 + cos0 * cos1 * math.cos(d_lon)
        flat = math.sqrt(x * x + y * y)
        scale = _R * math.atan2(flat, z) / flat if flat > 0 else 0.0
        xs[corner], ys[corner] = x * scale, y * scale
    total = 0.0
    for corner in range(4):
        after = (corner + 1) % 4
        total += _edge(xs[corner], ys[corner], xs[after], ys[after], spread, rho)
    return max(0.0, total / (2 * math.pi))


@compiled()
def _distance2(d_lon: float, lat: float, other: float) -> float:
    """Square of the great-circle distance in km; degrees in."""
    a = math.sin(0.5 * (other - lat) * _RAD)
    b = math.sin(0.5 * d_lon * _RAD)
    chord2 = 4 * (a * a + math.cos(lat * _RAD) * math.cos(other * _RAD) * b * b)
    return squared_km(chord2)


@compiled()
def _point_share(
    d_lon: float, lat: float, middle: float, dx: float, dy: float, spread: float, rho: float
) -> float:
    """Share of a cell from four points in it (Gauss, 2 x 2)."""
    norm = rho / math.pi * spread**rho
    total = 0.0
    for vertical in (-_GAUSS, _GAUSS):
        phi = middle + vertical * dy
        area = 0.25 * _R * _R * math.cos(phi * _RAD) * dx * dy * _RAD * _RAD
        for across in (-_GAUSS, _GAUSS):
            r2 = _distance2(d_lon + across * dx, lat, phi)
            total += area * norm * (r2 + spread) ** (-1 - rho)
    return total


@compiled()
def kernel_rows(
    longitude: Array, latitude: Array, spread: Array, cut_km: Array, rho: float,
    place: Any,
    weights: Array, indptr: Array, columns: Array, shares: Array, summed: Array, task: int,
) -> None:  # fmt: skip
    """Cells and shares of every event: counted (task 0), listed (task 1) or corrected (task 2).

    Counted: `indptr[event + 1]` is the number of cells. Listed: `columns` and `shares` from
    `indptr[event]` on. Corrected: what the share is more than the density at the cell's centre
    times its area is added to `summed[cell]`, `weights[event]` times.
    A cell has a share when its centre is within `cut_km` or it is near.
    """
    left, top, dx, dy, wraps, index = place  # see cells.cell_place
    height, width = index.shape
    dy_km = dy * _RAD * _R
    for event in range(len(longitude)):
        count = 0
        lat, cut, big = latitude[event], cut_km[event], spread[event]
        east = (longitude[event] - left) % 360.0
        reach = max(cut, (_NEAR + 1) * max(dy_km, dx * _RAD * _R * math.cos(lat * _RAD)))
        arc = reach / _R
        first_row = max(0, math.floor((top - lat - arc / _RAD) / dy))
        last_row = min(height - 1, math.floor((top - lat + arc / _RAD) / dy))
        for row in range(first_row, last_row + 1):
            middle = top - (row + 0.5) * dy
            cos_mid = math.cos(middle * _RAD)
            size = max(dy_km, dx * _RAD * _R * cos_mid)
            bottom = cos_mid * math.cos(lat * _RAD)
            turn = math.cos(min(arc, math.pi)) - math.sin(middle * _RAD) * math.sin(lat * _RAD)
            half = 180.0
            if turn >= bottom:
                half = 0.0
            elif turn > -bottom:
                half = math.acos(turn / bottom) / _RAD
            # The event at `east`, and once more a turn to the west, for cells beyond 0 degrees.
            before = width
            for turns in range(2):
                if turns == 1 and wraps:
                    continue
                east_of = east - 360.0 * turns
                start = math.floor((east_of - half) / dx)
                stop = math.floor((east_of + half) / dx) + 1
                if wraps:
                    stop = min(stop, start + width)
                else:
                    start, stop = max(start, 0), min(stop, before)
                    before = start  # no cell twice where the two meet
                for col in range(start, stop):
                    cell = index[row, col % width]
                    if cell < 0:
                        continue
                    d_lon = (col + 0.5) * dx - east_of
                    r2 = _distance2(d_lon, lat, middle)
                    near = r2 + big < (_NEAR * size) ** 2
                    if not near and r2 > cut * cut:
                        continue
                    if task == 0:
                        count += 1
                        continue
                    if near:
                        share = _border_share(
                            east_of, lat, col * dx, middle - 0.5 * dy, dx, dy, big, rho
                        )
                    else:
                        share = _point_share(d_lon, lat, middle, dx, dy, big, rho)
                    if task == 1:
                        columns[indptr[event] + count] = cell
                        shares[indptr[event] + count] = share
                        count += 1
                    else:
                        chord2 = 4 * math.sin(0.5 * math.sqrt(r2) / _R) ** 2
                        norm = rho / math.pi * big**rho
                        point = norm * (_R * _R * chord2 + big) ** (-1 - rho)
                        area = 2 * math.sin(0.5 * dy * _RAD) * cos_mid * dx * _RAD * _R * _R
                        summed[cell] += weights[event] * (share - point * area)
        if task == 0:
            indptr[event + 1] = count


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
def density_at(
    places: Array, points: Array, width: Array, weights: Array, others: bool,
    first: int, step: int, density: Array,
) -> None:  # fmt: skip
    """Sum per km2, at every `step`-th place, of h / (2 pi (r^2 + h^2)^1.5) of all points.

    Places and points are (3, count), so that the loop runs over neighbours in memory. With
    `others` the points are the places, and a place's own kernel is left out.
    """
    for j in range(first, places.shape[1], step):
        total = 0.0
        x, y, z = places[0, j], places[1, j], places[2, j]
        for i in range(points.shape[1]):
            dx, dy, dz = points[0, i] - x, points[1, i] - y, points[2, i] - z
            # The chord for the arc: 0.1 % of r at 1,000 km, where a kernel is next to nothing.
            r2 = (dx * dx + dy * dy + dz * dz) * _R * _R + width[i] * width[i]
            total += weights[i] * width[i] / (r2 * math.sqrt(r2))
        if others:
            total -= weights[j] / (width[j] * width[j])
        density[j] = max(0.0, total) / (2 * math.pi)


@compiled()
def covered_rings(
    longitude: Array, latitude: Array, middles_km: Array, place: Any, azimuths: int, covered: Array
) -> None:
    """Share of each circle around each event that lies in the region, from so many directions."""
    left, top, dx, dy, _, index = place
    height, width = index.shape
    for event in range(len(longitude)):
        sin0, cos0 = math.sin(latitude[event] * _RAD), math.cos(latitude[event] * _RAD)
        for ring in range(len(middles_km)):
            arc = middles_km[ring] / _R
            inside = 0
            for k in range(azimuths):
                azimuth = 2 * math.pi * (k + 0.5) / azimuths
                sine = sin0 * math.cos(arc) + cos0 * math.sin(arc) * math.cos(azimuth)
                lat = math.asin(min(1.0, max(-1.0, sine)))
                across = math.sin(azimuth) * math.sin(arc) * cos0
                east = math.atan2(across, math.cos(arc) - sin0 * sine) / _RAD
                row = math.floor((top - lat / _RAD) / dy)
                col = math.floor(((longitude[event] + east - left) % 360.0) / dx)
                if 0 <= row < height and col < width and index[row, col] >= 0:
                    inside += 1
            covered[event, ring] = inside / azimuths
