"""generic_backbone: what a catalog itself says of its region, where no model knows better.

Smoothed seismicity of the catalog and published ETAS parameters; nothing is fitted but b.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.backbone import Backbone, lonlat_grid
from geotools.seismicity.bvalue import b_value
from geotools.seismicity.completeness import maximum_curvature
from geotools.seismicity.etas import GENERIC_ETAS
from geotools.seismicity.smoothing import smoothed_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["generic_backbone"]

_ENOUGH = 50
"""Events that an estimate of Mc or b needs (as for maps of b, Woessner & Wiemer 2005)."""

_CELLS_DEG = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
_MOST_CELLS = 20_000
"""The smallest cell that makes no more of them is taken."""

_PADDING_CELLS = 3
"""Cells around the outermost events."""

_SCALES_KM = (15.0, 50.0)
_BANDS_DAYS = (1.0, 3.0, 10.0, 30.0, 100.0, 365.0, 1095.0, 3650.0)
"""The features of a net, which a generic backbone has not; any shape will do."""


def generic_backbone(
    time_days: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    *,
    issue_days: float,
    mc: float | None = None,
    cell_deg: float | None = None,
) -> tuple[Backbone, tuple[str, ...]]:
    """A backbone from the events before the issue time, and what has to be said of it.

    The region is the rectangle of the events with three cells around. The long-term baseline is
    their smoothed density at their mean rate; the background is the part of it that the branching
    ratio of the generic ETAS parameters leaves.

    Args:
        time_days: (events,) days since 1970-01-01 UTC.
        longitude, latitude: (events,) degrees.
        magnitude: (events,) NaN ones are left out.
        issue_days: events at or after it are left out.
        mc: completeness; by maximum curvature + 0.2 when None, from 50 events on.
        cell_deg: size of the cells; by the size of the region when None.

    Raises:
        EventsError: no event is left.
    """
    past = (time_days < issue_days) & np.isfinite(magnitude)
    if not past.any():
        raise EventsError(
            "No event with a magnitude lies before the start of the forecast: give an earlier "
            "catalog, or a later --start."
        )
    notes = []
    if mc is None:
        mc, note = _completeness(magnitude[past])
        notes.append(note)
    used = past & (magnitude >= mc - 1e-6)
    if not used.any():
        raise EventsError(
            f"No event before the start has magnitude {mc:g} or more (the largest is "
            f"{magnitude[past].max():g}): lower --min-magnitude."
        )
    b, note = _slope(magnitude[used], mc)
    notes.append(note)
    span = max(issue_days - float(time_days[used].min()), 1.0)
    rate = int(used.sum()) / span  # events per day
    notes.append(f"The baseline rests on {int(used.sum()):,} events in {span:,.0f} days.")
    grid = _rectangle(longitude[used], latitude[used], cell_deg)
    region = np.ones(grid.shape, dtype=bool)
    shares = smoothed_rates(longitude[used], latitude[used], grid, region)
    smoothed = (shares * rate).reshape(grid.shape)
    etas = GENERIC_ETAS.at(mc)
    backbone = Backbone(
        name="generic",
        grid=grid,
        region=region,
        mc=mc,
        b_value=b,
        etas=etas,
        background=smoothed * (1 - etas.branching_ratio()),
        smoothed=smoothed,
        scales_km=_SCALES_KM,
        bands_days=_BANDS_DAYS,
    )
    return backbone, tuple(notes)


def _completeness(magnitude: NDArray[np.float64]) -> tuple[float, str]:
    if magnitude.size < _ENOUGH:
        lowest = float(magnitude.min())
        return lowest, (
            f"With {magnitude.size} events completeness cannot be estimated: the smallest "
            f"magnitude, {lowest:g}, is taken for it."
        )
    mc = round(maximum_curvature(magnitude).mc, 1)
    return mc, f"Completeness by maximum curvature + 0.2: M {mc:g}."


def _slope(magnitude: NDArray[np.float64], mc: float) -> tuple[float, str]:
    found = b_value(magnitude, mc=mc)
    if found.n < _ENOUGH or not math.isfinite(found.b) or not 0.5 < found.b < 2:
        return 1.0, f"b = 1 is taken: {found.n} events are too few to estimate it."
    return found.b, f"b = {found.b:.2f} ± {found.error:.2f} from {found.n:,} events."


def _rectangle(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], cell_deg: float | None
) -> Grid:
    """The grid around the events; one that crosses 180 degrees goes on beyond it."""
    west, east = _span(longitude)
    south, north = float(latitude.min()), float(latitude.max())
    for cell in (cell_deg,) if cell_deg is not None else _CELLS_DEG:
        first, last = _edges(west, east, cell)
        bottom, top = _edges(south, north, cell)
        bottom, top = max(bottom, math.ceil(-90 / cell)), min(top, math.floor(90 / cell))
        if last - first > 360 / cell:
            first, last = math.ceil(-180 / cell), math.floor(180 / cell)
        if (last - first) * (top - bottom) <= _MOST_CELLS:
            break
    return lonlat_grid(first * cell, top * cell, (cell, cell), (top - bottom, last - first))


def _edges(low: float, high: float, cell: float) -> tuple[int, int]:
    """First and last edge, counted in cells, with the padding."""
    return math.floor(low / cell) - _PADDING_CELLS, math.floor(high / cell) + 1 + _PADDING_CELLS


def _span(longitude: NDArray[np.float64]) -> tuple[float, float]:
    """West and east of the shortest arc that holds all longitudes; east may exceed 180."""
    around = np.unique(longitude)
    gaps = np.diff(np.append(around, around[0] + 360))
    widest = int(np.argmax(gaps))
    west = float(around[(widest + 1) % around.size])
    return west, west + 360 - float(gaps[widest])
