"""Expected aftershocks on a grid: the triggering part of space-time ETAS, past events to rates.

Spatial shares of every event are computed once, as a sparse matrix of events and cells; the rates
of a window are then one product. Parameters are in `etas_parameters`, their fit in `etas_fit`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._columns import checked_columns
from geotools.seismicity.cells import cell_place
from geotools.seismicity.distance import EARTH_RADIUS_KM
from geotools.seismicity.etas_parameters import GENERIC_ETAS, EtasParameters, decay_share
from geotools.seismicity.etas_secondary import WindowDecay, secondary_factor, widening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = [
    "GENERIC_ETAS",
    "EtasParameters",
    "TriggeringField",
    "decay_share",
    "secondary_factor",
    "spatial_shares",
    "triggered_rates",
]

_LARGEST = 150_000_000
"""Shares that are held at most, 1.2 GB at 8 bytes each; more are refused with a sentence."""

_WIDER_CUT = 2.5
"""So much more of the secondaries is cut off, where their kernels have long tails: at the default
2.5 % of them, less than 1 % of all."""


def spatial_shares(
    parameters: EtasParameters,
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    grid: Grid,
    region: NDArray[np.bool_],
    *,
    share: float = 0.99,
    widening: float = 0.0,
) -> Any:
    """scipy.sparse.csr_array (events, cells): the share of an event's offspring in each cell.

    Cells are the True cells of `region`, row by row. Near the event a cell's share is the
    integral of the kernel along its border, elsewhere the kernel at four points in it; distances
    are great circles. Cells whose centre lies outside the circle that holds `share` of an event's
    offspring get nothing, so a row sums to `share` in a region without end, and to less where
    the circle leaves it: the rest, 1 % with the default, is left out here.

    Args:
        parameters: their d, gamma and rho are used.
        longitude, latitude: (events,) degrees, inside the grid or not.
        magnitude: (events,) NaN gives an empty row.
        grid: geographic, north-up.
        region: (rows, cols) True where cells belong to the forecast.
        share: of the offspring, more than 0 and below 1.
        widening: added to the rho-th power of every kernel's squared width, km^(2 rho); see
            `etas_secondary.widening`.

    Raises:
        EventsError: arrays that do not fit together, or more shares than can be held.
        GridError: the grid is not geographic, or the region is not of its shape.
    """
    from scipy.sparse import csr_array

    lon, lat, mag = checked_columns(longitude=longitude, latitude=latitude, magnitude=magnitude)
    if not 0 < share < 1:
        raise EventsError(f"The share of offspring kept is {share}: give more than 0, below 1.")
    spread = (parameters.spread_km2(mag) ** parameters.rho + widening) ** (1 / parameters.rho)
    # Of the kernel 1 - (D / (D + r^2))^rho lies within r.
    cut = np.sqrt(spread * ((1 - share) ** (-1 / parameters.rho) - 1))
    cut = np.minimum(cut, math.pi * EARTH_RADIUS_KM)
    known = np.isfinite(spread) & np.isfinite(lon) & np.isfinite(lat)
    rows = (lon[known], lat[known], spread[known], cut[known])
    indptr, columns, shares = _listed(*rows, parameters.rho, grid, region)
    spans = np.zeros(len(lon), dtype=np.int64)
    spans[known] = np.diff(indptr)
    indptr = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(spans)))
    return csr_array((shares, columns, indptr), shape=(len(lon), int(np.count_nonzero(region))))


def triggered_rates(
    parameters: EtasParameters,
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    grid: Grid,
    region: NDArray[np.bool_],
    issue_days: float,
    horizon_days: float,
    secondaries: bool = True,
    widened: bool = False,
) -> NDArray[np.float64]:
    """(cells,) float64: expected events of `mref` or more that past events trigger in a window.

    The window is [issue, issue + horizon). For many windows make a `TriggeringField` once.

    Args:
        parameters: of the triggering.
        time_days: (events,) days since 1970-01-01 UTC; events from `issue_days` on are not used.
        longitude, latitude: (events,) degrees.
        magnitude: (events,) those below `mref`, or NaN, trigger nothing.
        grid, region: as in `spatial_shares`.
        issue_days: start of the window, days since 1970-01-01 UTC.
        horizon_days: length of the window.
        secondaries: count aftershocks of aftershocks inside the window too.
        widened: spread those farther than direct ones.

    Raises:
        EventsError, GridError: as in `spatial_shares`; a horizon that is not positive.
    """
    columns = checked_columns(
        time_days=time_days, longitude=longitude, latitude=latitude, magnitude=magnitude
    )
    past = columns[0] < issue_days
    field = TriggeringField(
        parameters,
        *(values[past] for values in columns),
        grid=grid,
        region=region,
        widened=widened,
    )
    return field.expected(issue_days, horizon_days, secondaries=secondaries)


class TriggeringField:
    """Past events ready for any number of windows: spatial shares held, one product per window.

    Events of `mref` or more are kept, in the order of time. `widened` spreads secondaries farther
    than direct offspring, as simulations do, at twice the memory and time.
    """

    def __init__(
        self,
        parameters: EtasParameters,
        time_days: NDArray[np.floating],
        longitude: NDArray[np.floating],
        latitude: NDArray[np.floating],
        magnitude: NDArray[np.floating],
        *,
        grid: Grid,
        region: NDArray[np.bool_],
        share: float = 0.99,
        widened: bool = False,
    ) -> None:
        time, lon, lat, mag = checked_columns(
            time_days=time_days, longitude=longitude, latitude=latitude, magnitude=magnitude
        )
        counted = mag >= parameters.mref - 1e-6  # decimal magnitudes are not exact in binary
        counted &= np.isfinite(time) & np.isfinite(lon) & np.isfinite(lat)
        order = np.flatnonzero(counted)
        # Ties in time are ordered by place and magnitude: sums do not depend on the order given.
        order = order[np.lexsort((mag[order], lat[order], lon[order], time[order]))]
        self.parameters = parameters
        self.time_days = time[order]
        self.productivity = parameters.productivity(mag[order])
        self._events = lon[order], lat[order], mag[order], grid, region
        self._share, self._widened = share, widened
        self.shares = spatial_shares(parameters, *self._events, share=share)
        self._decays: dict[tuple[float, bool], WindowDecay] = {}
        self._wide: dict[float, Any] = {}

    def weights(
        self, issue_days: float, horizon_days: float, *, secondaries: bool = True
    ) -> NDArray[np.float64]:
        """(past events,) float64: expected offspring of each past event in the window.

        Past events are the first ones of `time_days` and `shares`.

        Raises:
            EventsError: an issue time that is no number, or a horizon that is not positive.
        """
        if not math.isfinite(issue_days):
            raise EventsError(f"A window begins on day {issue_days}: give a number.")
        decay = self._decay(horizon_days, secondaries)
        past = int(np.searchsorted(self.time_days, issue_days, side="left"))
        return self.productivity[:past] * decay(issue_days - self.time_days[:past])

    def expected(
        self, issue_days: float, horizon_days: float, *, secondaries: bool = True
    ) -> NDArray[np.float64]:
        """(cells,) float64: expected number triggered in the window by events before it.

        Raises:
            EventsError: an issue time that is no number, or a horizon that is not positive.
        """
        cells = np.zeros(self.shares.shape[1])
        self.add_expected(cells, issue_days, horizon_days, secondaries=secondaries)
        return cells

    def add_expected(
        self,
        cells: NDArray[np.float64],
        issue_days: float,
        horizon_days: float,
        *,
        secondaries: bool = True,
    ) -> None:
        """Add the expected numbers of `expected` to (cells,), event after event.

        Fields of consecutive parts of a catalog, added in their order, give the bits of one field
        of the whole.
        """
        from geotools.seismicity._field_loops import weighted_row_pairs, weighted_rows

        near = self.shares
        if not (secondaries and self._widened):
            weights = self.weights(issue_days, horizon_days, secondaries=secondaries)
            weighted_rows(near.indptr, near.indices, near.data, weights, cells)
            return
        direct = self.weights(issue_days, horizon_days, secondaries=False)
        later = np.maximum(self.weights(issue_days, horizon_days) - direct, 0)
        wide = self._wide_shares(horizon_days)
        weighted_row_pairs(
            near.indptr, near.indices, near.data, direct,
            wide.indptr, wide.indices, wide.data, later, cells,
        )  # fmt: skip

    def _wide_shares(self, horizon_days: float) -> Any:
        """Shares of secondaries: kernels one and more generations wider."""
        if horizon_days not in self._wide:
            self._wide[horizon_days] = spatial_shares(
                self.parameters,
                *self._events,
                share=1 - _WIDER_CUT * (1 - self._share),
                widening=widening(self.parameters, horizon_days),
            )
        return self._wide[horizon_days]

    def _decay(self, horizon_days: float, secondaries: bool) -> WindowDecay:
        key = (float(horizon_days), secondaries)
        if key not in self._decays:
            self._decays[key] = WindowDecay(self.parameters, key[0], secondaries=secondaries)
        return self._decays[key]


def _listed(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    spread: NDArray[np.float64],
    cut: NDArray[np.float64],
    rho: float,
    grid: Grid,
    region: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Row pointers, cells and shares of the kernel of every event."""
    from geotools.seismicity._kernel_loops import kernel_rows

    place = cell_place(grid, region)
    indptr = np.zeros(len(longitude) + 1, dtype=np.int64)
    columns, shares = np.zeros(0, np.int32), np.zeros(0, np.float32)
    weights, summed = np.zeros(0), np.zeros(0)
    events = (longitude, latitude, spread, cut, rho)
    kernel_rows(*events, place, weights, indptr, columns, shares, summed, 0)
    indptr = np.cumsum(indptr)
    if indptr[-1] > _LARGEST:
        raise EventsError(
            f"{len(longitude):,} events on {int(np.count_nonzero(region)):,} cells have "
            f"{int(indptr[-1]):,} shares, more than {_LARGEST:,}: take larger cells, a smaller "
            "region or a higher magnitude."
        )
    columns, shares = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    kernel_rows(*events, place, weights, indptr, columns, shares, summed, 1)
    return indptr, columns, shares
