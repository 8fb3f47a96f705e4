# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of the forecast features: soft discs on the sphere, and sums in time bands.

Sums are whole numbers of `UNIT`, so that no order of events and no way of coming to an issue time
changes a bit. What the numbers mean is in `features`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]

UNIT = 2.0**-26
"""What one step of a sum stands for: 1.5e-8 events."""

EARTH_KM = 6371.0
"""Mean radius of the Earth in km."""

REACH = 2.5
"""A soft disc ends at this many of its radii, where it has fallen to 0.04."""


@compiled()
def disc(
    longitude: Array,
    latitude: Array,
    radius_km: float,
    centre_longitude: Array,
    centre_latitude: Array,
    wraps: bool,
    index: Array,
    first: Array,
    cells: Array,
    weights: Array,
) -> int:
    """Number of (event, cell) pairs within reach; they are written when `cells` has room for any.

    Args:
        longitude, latitude: (events,) degrees.
        radius_km: of the disc: the weight is exp(-r^2 / (2 radius^2)).
        centre_longitude, centre_latitude: (cols,) and (rows,) of the cells, degrees.
        wraps: the columns go round the Earth.
        index: (rows, cols) number of each cell of the region, -1 outside.
        first: (events + 1,) filled with the number of pairs before each event.
        cells, weights: (pairs,) filled; empty to count alone.
    """
    rows, cols = index.shape
    step_lat = abs(centre_latitude[1] - centre_latitude[0]) if rows > 1 else 180.0
    step_lon = abs(centre_longitude[1] - centre_longitude[0]) if cols > 1 else 360.0
    angle = REACH * radius_km / EARTH_KM
    reach_deg = math.degrees(angle)
    lons, lats = np.radians(centre_longitude), np.radians(centre_latitude)
    sine_lon, cosine_lon = np.sin(lons), np.cos(lons)
    sine_lat, cosine_lat = np.sin(lats), np.cos(lats)
    fill = len(cells) > 0
    count = 0
    for event in range(len(longitude)):
        first[event] = count
        lat, lon = math.radians(latitude[event]), math.radians(longitude[event])
        # The event on the unit sphere; a chord is the distance to a cell there.
        x, y, z = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
        top = max(math.floor((centre_latitude[0] - latitude[event] - reach_deg) / step_lat), 0)
        low = math.ceil((centre_latitude[0] - latitude[event] + reach_deg) / step_lat)
        low = min(low, rows - 1)
        if abs(latitude[event]) + reach_deg >= 90.0:
            half = cols if wraps else 2 * cols + int(360.0 / step_lon)
        else:  # the meridians that touch the circle: sin(half) = sin(reach) / cos(latitude)
            half = int(math.degrees(math.asin(math.sin(angle) / math.cos(lat))) / step_lon) + 1
        middle = round((longitude[event] - centre_longitude[0]) / step_lon)
        left, right = middle - half, middle + half
        if wraps:
            right = min(right, left + cols - 1)
        else:
            left, right = max(left, 0), min(right, cols - 1)
        for row in range(top, low + 1):
            up = (sine_lat[row] - z) ** 2
            for position in range(left, right + 1):
                col = position % cols if wraps else position
                cell = index[row, col]
                if cell < 0:
                    continue
                chord2 = (cosine_lat[row] * cosine_lon[col] - x) ** 2
                chord2 += (cosine_lat[row] * sine_lon[col] - y) ** 2 + up
                # Square of the arc, (2 asin(chord / 2))^2, to 1 % at 5,000 km.
                squared = chord2 * (1.0 + chord2 / 12.0 * (1.0 + chord2 * 2.0 / 15.0))
                if squared > angle * angle:
                    continue
                if fill:
                    cells[count] = cell
                    weights[count] = math.exp(-0.5 * squared * (EARTH_KM / radius_km) ** 2)
                count += 1
    first[len(longitude)] = count
    return count


@compiled()
def add(
    event: int,
    band: int,
    sign: int,
    first: Array,
    cells: Array,
    weights: Array,
    productivity: Array,
    sums: Array,
) -> None:
    """Add one event to a time band of the cells it reaches, or take it away."""
    for pair in range(first[event], first[event + 1]):
        share = weights[pair] / UNIT
        sums[cells[pair], 0, band] += sign * np.int64(np.rint(share))
        sums[cells[pair], 1, band] += sign * np.int64(np.rint(share * productivity[event]))


@compiled()
def place(
    issue: float,
    time: Array,
    edges: Array,
    first: Array,
    cells: Array,
    weights: Array,
    productivity: Array,
    sums: Array,
) -> None:
    """Add all events before the issue time to their bands.

    Args:
        issue: days.
        time: (events,) days, any order.
        edges: (bands + 1,) ages in days where bands begin and end; the first is 0.
        first, cells, weights: the cells of each event, as CSR.
        productivity: (events,).
        sums: (cells, 2, bands) int64, added to: counts, and counts times productivity.
    """
    for event in range(len(time)):
        age = issue - time[event]
        if age <= 0.0 or age >= edges[-1]:
            continue
        band = 0
        while age >= edges[band + 1]:
            band += 1
        add(event, band, 1, first, cells, weights, productivity, sums)


@compiled()
def slide(
    issue: float,
    time: Array,
    edges: Array,
    passed: Array,
    first: Array,
    cells: Array,
    weights: Array,
    productivity: Array,
    sums: Array,
) -> None:
    """Bring the sums of an earlier issue time to this one, as `place` would have made them.

    Args:
        time: (events,) days, rising.
        passed: (bands + 1,) events that are as old as each edge; brought up to date.
        issue, edges, first, cells, weights, productivity, sums: as for `place`.
    """
    bands = len(edges) - 1
    for edge in range(bands + 1):
        while passed[edge] < len(time):
            event = passed[edge]
            age = issue - time[event]
            if age < edges[edge] or age <= 0.0:
                break
            if edge < bands:
                add(event, edge, 1, first, cells, weights, productivity, sums)
            if edge > 0:
                add(event, edge - 1, -1, first, cells, weights, productivity, sums)
            passed[edge] += 1
