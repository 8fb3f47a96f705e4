"""generic_backbone: what a catalog itself says of its region, where no model knows better.

Smoothed seismicity of the catalog and published aftershock statistics; nothing is fitted but b.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.backbone import Backbone, lonlat_grid
from geotools.seismicity.bvalue import BValue, b_value
from geotools.seismicity.completeness import Completeness, maximum_curvature
from geotools.seismicity.etas_parameters import GENERIC_ETAS, EtasParameters, decay_share
from geotools.seismicity.reasenberg_jones import REGIMES
from geotools.seismicity.smoothing import smoothed_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["generic_backbone", "generic_etas"]

_ENOUGH = 50
"""Events that an estimate of Mc or b needs (as for maps of b, Woessner & Wiemer 2005)."""

_CELLS_DEG = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
_MOST_CELLS = 20_000
"""The smallest cell that makes no more of them is taken."""

_FEWEST = 5
"""Events that a rate needs."""

_SILENCE = 20
"""Expected events without one, before the catalog is taken to have ended (e^-20 by chance)."""

_PLAUSIBLE_B = (0.7, 1.6)
"""What catalogs of tectonic earthquakes give where they are complete."""

_ROUNDED = 0.98
"""Share of magnitudes that are tenths, from which on all are taken for it."""

_REGIME, _MAINSHOCK, _WEEK = "ANSR-SHALCON", 7.0, 7.0
_MOST_TRIGGERED = 0.9
"""Share of the events that others may have triggered."""

_GLOBE_DEG = 330.0
"""From this width on the grid is the whole globe, from -180 to 180 degrees."""

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
    their smoothed density at their mean rate; the background is the part of it that the generic
    aftershocks of the catalog's own events leave.

    Args:
        time_days: (events,) days since 1970-01-01 UTC.
        longitude, latitude: (events,) degrees.
        magnitude: (events,) NaN ones are left out.
        issue_days: events at or after it are left out.
        mc: completeness that is asked for; that of the catalog when None or where it is lower.
        cell_deg: size of the cells; by the size of the region when None.

    Raises:
        EventsError: events too few or too short in time for a rate, or `mc` far below completeness.
    """
    past = (time_days < issue_days) & np.isfinite(magnitude)
    if not past.any():
        raise EventsError(
            "No event with a magnitude lies before the start of the forecast: give an earlier "
            "catalog, or a later --start."
        )
    complete, b, notes = _slope_and_completeness(magnitude[past], mc)
    used = past & (magnitude >= complete - 1e-6)
    if np.count_nonzero(used) < _FEWEST:
        raise EventsError(
            f"Only {np.count_nonzero(used)} events before the start have magnitude {complete:g} or "
            f"more, and a long-term rate needs {_FEWEST}: give a longer catalog."
        )
    rate, note = _rate(time_days[used], issue_days)
    notes.append(note)
    grid = _rectangle(longitude[used], latitude[used], cell_deg)
    region = np.ones(grid.shape, dtype=bool)
    shares = smoothed_rates(longitude[used], latitude[used], grid, region).reshape(grid.shape)
    etas = generic_etas(complete, b)
    ages = issue_days - time_days[used]
    triggered = etas.productivity(magnitude[used]) * decay_share(etas, np.zeros(ages.size), ages)
    share = float(triggered.sum()) / ages.size
    if share > _MOST_TRIGGERED:
        etas = replace(etas, k0=etas.k0 * _MOST_TRIGGERED / share)
        notes.append(
            f"There are fewer aftershocks than is usual: {_MOST_TRIGGERED / share:.2g} times the "
            "generic number is taken."
        )
    backbone = Backbone(
        name="generic",
        grid=grid,
        region=region,
        mc=complete,
        b_value=b,
        etas=etas,
        background=shares * rate * (1 - min(share, _MOST_TRIGGERED)),
        smoothed=shares * rate,
        scales_km=_SCALES_KM,
        bands_days=_BANDS_DAYS,
    )
    return backbone, tuple(notes)


def generic_etas(mc: float, b: float) -> EtasParameters:
    """ETAS for a region without a fit: kernels of California, aftershocks as they are worldwide.

    Productivity grows as 10^(b m) (Felzer et al. 2004; fits of isotropic kernels find less because
    of the length of large ruptures, Hainzl et al. 2008), so that the expected number of large
    aftershocks does not depend on `mc`. Its size is that at which an event has, with aftershocks
    of aftershocks, as many within a week as Page et al. (2016) found in active shallow continental
    crust.

    Args:
        mc: completeness.
        b: slope of the Gutenberg-Richter law.
    """
    start = GENERIC_ETAS.at(mc)
    growth = b * math.log(10) + start.rho * start.gamma
    etas = replace(start, a=growth, b_value=b)
    wanted = REGIMES[_REGIME].expected(_MAINSHOCK, _MAINSHOCK, 0.0, _WEEK)
    # Direct offspring K D within the week, and the generations after them as if they all had the
    # whole week: K D / (1 - K c D) = wanted, c the branching ratio for K = 1. Late ones have less,
    # so that K is a few per cent low, far less than regions differ.
    share = decay_share(etas, np.zeros(1), np.full(1, _WEEK))[0]
    offspring = etas.productivity(np.array([mc]))[0]
    per_offspring = etas.branching_ratio() / offspring
    factor = wanted / (share * (1 + wanted * per_offspring))
    return replace(etas, k0=etas.k0 * factor / offspring)


def _slope_and_completeness(
    magnitude: NDArray[np.float64], asked: float | None
) -> tuple[float, float, list[str]]:
    """Mc, b and what has to be said of them."""
    lowest = float(magnitude.min())
    if magnitude.size < _ENOUGH:
        mc = lowest if asked is None else asked
        return mc, 1.0, [
            f"With {magnitude.size} events neither completeness nor b can be estimated: "
            f"M {mc:g} and b = 1 are taken."
        ]  # fmt: skip
    found = _complete(magnitude, lowest)
    if asked is not None and asked < found.mc - 0.05:
        slope = _slope(magnitude, asked)
        if not _is_plausible(slope):
            raise EventsError(
                f"Below M {found.mc:.1f} the catalog misses events (from M {asked:g} on b would be "
                f"{slope.b:.2f}): give a --min-magnitude of {found.mc:.1f} or more."
            )
        note = f"Below M {found.mc:.1f} the catalog may miss events: M {asked:g} was asked for."
        return asked, slope.b, [note, _said(slope)]
    if not _is_plausible(found.b):
        note = (
            f"Completeness M {found.mc:.1f}; b = 1 is taken, for {found.b.b:.2f} from "
            f"{found.b.n} events is not plausible."
        )
        return found.mc, 1.0, [note]
    return (
        found.mc,
        found.b.b,
        [f"Completeness M {found.mc:.1f} by {found.method}.", _said(found.b)],
    )


def _complete(magnitude: NDArray[np.float64], lowest: float) -> Completeness:
    """Completeness: where the list was cut, by maximum curvature, or where b becomes plausible.

    A list of mixed completeness, such as one of the whole Earth down to small magnitudes, has its
    maximum far too low, which shows in b.
    """
    curved = maximum_curvature(magnitude, correction=0.0)
    # The bin around the cut is half full where magnitudes are finer than it, and the next is full.
    cut = curved.mc <= round(lowest, 1) + (0.05 if _are_tenths(magnitude) else 0.15)
    found = curved if cut else maximum_curvature(magnitude)
    mc = round(lowest if cut else found.mc, 1)
    found = replace(found, mc=mc, b=_slope(magnitude, mc))
    while not _is_plausible(found.b) and np.count_nonzero(magnitude >= mc) >= _ENOUGH:
        mc = round(mc + 0.1, 1)
        raised = _slope(magnitude, mc)
        if _is_plausible(raised):
            found = Completeness(mc, "a plausible b", raised.n, raised)
    if cut and found.method == curved.method:
        return replace(found, method="the cut of the catalog")
    return found


def _slope(magnitude: NDArray[np.float64], mc: float) -> BValue:
    """B above Mc, in bins as wide as the magnitudes are rounded.

    Magnitudes of two decimals that were cut at 3.0 fill only half of the bin of 0.1 around it.
    """
    return b_value(magnitude, mc=mc, delta_m=0.1 if _are_tenths(magnitude) else 0.01)


def _are_tenths(magnitude: NDArray[np.float64]) -> bool:
    tenths = np.abs(magnitude * 10 - np.round(magnitude * 10)) < 1e-6
    return bool(tenths.mean() > _ROUNDED)


def _is_plausible(slope: BValue) -> bool:
    return slope.n >= _ENOUGH and _PLAUSIBLE_B[0] <= slope.b <= _PLAUSIBLE_B[1]


def _said(slope: BValue) -> str:
    return f"b = {slope.b:.2f} ± {slope.error:.2f} from {slope.n:,} events."


def _rate(time_days: NDArray[np.float64], issue_days: float) -> tuple[float, str]:
    """Events per day, and what it rests on.

    The days without events after the last one count, unless they are so many that the catalog
    must have ended.

    Raises:
        EventsError: all events are within a day.
    """
    first, last, count = float(time_days.min()), float(time_days.max()), time_days.size
    span = last - first
    if span < 1:
        raise EventsError(
            f"The {count} events are within a day, which tells no long-term rate: give a longer "
            "catalog."
        )
    rate = (count - 1) / span
    if (issue_days - last) * rate < _SILENCE:
        rate = (count - 1) / (issue_days - first)
    return rate, f"The baseline rests on {count:,} events in {span:,.0f} days."


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
        if east - west > _GLOBE_DEG or last - first > 360 / cell:
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
