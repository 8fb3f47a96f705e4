"""Forecast features: what the events before an issue time say of each cell.

Training and forecasting compute them by the same functions. Every feature is a physical number
(expected events, or events counted softly in space); logarithms and scaling are in the graph of
the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import EventsError
from geotools.seismicity.discs import cell_numbers, cells_of, disc

if TYPE_CHECKING:
    from geotools.seismicity.backbone import Backbone
    from geotools.seismicity.etas import TriggeringField

__all__ = [
    "FEATURES",
    "CellFeatures",
    "cell_features",
    "each_features",
    "usable_events",
]

BANDS = 8
"""Time bands; their edges are in the backbone."""

_SCALES = ("kernel", "near", "far")
"""Spatial scales: the share of an event's aftershocks that ETAS expects in the cell, and two soft
discs exp(-r^2 / (2 R^2)) of the radii that are in the backbone."""

_REGIONAL_DAYS = (1.0, 7.0, 30.0)

FEATURES: tuple[str, ...] = (
    *(
        f"{kind}_{scale}_{band}"
        for scale in _SCALES
        for kind in ("count", "productivity")
        for band in range(1, BANDS + 1)
    ),
    *(f"region_{days:g}d" for days in _REGIONAL_DAYS),
    "background",
    "smoothed",
    "triggered",
    "with_secondaries",
)
"""Names of the columns. `count_*`: events of each time band, weighted in space; `productivity_*`:
the same, weighted by exp(alpha (m - mref)) too; `region_*`: events in the region; then the expected
numbers of the window by the background, the long-term baseline, and ETAS without and with
secondary triggering."""

_CHUNK = 20_000
"""Events whose weights are in memory at once."""

_MAX_SUM = 2.0**62
"""No sum may come near the end of int64."""


@dataclass(frozen=True, slots=True, eq=False)
class CellFeatures:
    """The features of every cell of a region at one issue time."""

    values: NDArray[np.float32]
    """(cells, len(FEATURES)), cells in row-major order of the region."""
    background: NDArray[np.float64]
    """(cells,) expected independent events in the window."""
    smoothed: NDArray[np.float64]
    """(cells,) expected events in the window by the long-term baseline."""
    triggered: NDArray[np.float64]
    """(cells,) expected direct aftershocks in the window of the events before it."""
    with_secondaries: NDArray[np.float64]
    """(cells,) the same, with the aftershocks of events inside the window."""


def cell_features(
    backbone: Backbone,
    time_days: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    *,
    issue_days: float,
    horizon_days: float,
) -> CellFeatures:
    """The features of the region's cells for the window that begins at the issue time.

    Rows in any order give the same bits, and so does whatever happens at or after the issue time.

    Args:
        backbone: region, ETAS parameters, scales and bands.
        time_days: (events,) days since 1970-01-01 UTC.
        longitude, latitude: (events,) degrees; events outside the region count where they reach it.
        magnitude: (events,) events below the backbone's `mc` and NaN are left out.
        issue_days: events at or after it are left out.
        horizon_days: length of the window.

    Raises:
        EventsError: arrays that differ in length or are not finite, or too many events to add up.
    """
    from geotools.seismicity import _feature_loops as loops
    from geotools.seismicity._field_loops import weighted_rows
    from geotools.seismicity.etas_secondary import WindowDecay

    _check_window(issue_days, horizon_days)
    events = usable_events(backbone, time_days, longitude, latitude, magnitude)
    time, lon, lat, mag = (values[events[0] < issue_days] for values in events)
    index, edges = cell_numbers(backbone), _edges(backbone)
    productivity = _productivity(backbone, mag)
    sums = np.zeros((len(_SCALES), backbone.cells, 2, BANDS), dtype=np.int64)
    expected = np.zeros((2, backbone.cells))
    decays = [
        WindowDecay(backbone.etas, horizon_days, secondaries=secondaries)
        for secondaries in (False, True)
    ]
    for first in range(0, len(time), _CHUNK):
        part = slice(first, first + _CHUNK)
        when = time[part]
        field = _field(backbone, when, lon[part], lat[part], mag[part])
        shares = field.shares
        for row, decay in enumerate(decays):
            weights = field.productivity * decay(issue_days - field.time_days)
            # One after the other into the same sums: the order, and so the bits, of one product.
            weighted_rows(shares.indptr, shares.indices, shares.data, weights, expected[row])
        # Events are in order: the last ones are young enough for the time bands.
        old = int(np.searchsorted(when, issue_days - edges[-1], side="right"))
        if old < len(when):
            young = slice(first + old, first + len(when))
            reached = _weights(backbone, index, shares[old:], lon[young], lat[young])
            for scale, weight in enumerate(reached):
                loops.place(
                    issue_days, time[young], edges, *weight, productivity[young], sums[scale]
                )
    regional = _regional(time, cells_of(backbone, lon, lat) >= 0, issue_days)
    return _assembled(backbone, sums, regional, expected[0], expected[1], horizon_days)


def each_features(
    backbone: Backbone,
    time_days: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    *,
    issues_days: Sequence[float] | NDArray[np.float64],
    horizon_days: float,
    field: TriggeringField | None = None,
    maps: Callable[[float], Backbone] | None = None,
) -> Iterator[CellFeatures]:
    """`cell_features` at each of many rising issue times, at the cost of what changes between them.

    Args:
        issues_days: rising.
        field: the triggering of these events, as `usable_events` gives them, when it is at hand.
        maps: the backbone whose background and baseline hold at an issue time, when they are not
            those of `backbone` all along; of one region.
        backbone, time_days, longitude, latitude, magnitude, horizon_days: as for `cell_features`.

    Raises:
        EventsError: as `cell_features`, or issue times that do not rise.
    """
    from geotools.seismicity import _feature_loops as loops

    issues = np.asarray(issues_days, dtype=np.float64)
    if not (np.diff(issues) > 0).all():
        raise EventsError("The issue times of the features do not rise: sort them.")
    time, lon, lat, mag = usable_events(backbone, time_days, longitude, latitude, magnitude)
    field = field or _field(backbone, time, lon, lat, mag)
    index, edges = cell_numbers(backbone), _edges(backbone)
    weights = _weights(backbone, index, field.shares, lon, lat)
    inside = cells_of(backbone, lon, lat) >= 0
    productivity = _productivity(backbone, mag)
    passed = np.zeros((len(_SCALES), len(edges)), dtype=np.int64)
    sums = np.zeros((len(_SCALES), backbone.cells, 2, BANDS), dtype=np.int64)
    for issue in issues:
        _check_window(issue, horizon_days)
        for scale in range(len(_SCALES)):
            loops.slide(
                issue, time, edges, passed[scale], *weights[scale], productivity, sums[scale]
            )
        triggered, with_secondaries = (
            field.expected(issue, horizon_days, secondaries=secondaries)
            for secondaries in (False, True)
        )
        past = time < issue
        regional = _regional(time[past], inside[past], issue)
        held = maps(issue) if maps else backbone
        yield _assembled(held, sums, regional, triggered, with_secondaries, horizon_days)


def usable_events(
    backbone: Backbone,
    time_days: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Time, longitude, latitude and magnitude of the events that count, in one order whatever came.

    Raises:
        EventsError: arrays that differ in length, or places and times that are not finite.
    """
    arrays = [np.asarray(a, dtype=np.float64) for a in (time_days, longitude, latitude, magnitude)]
    if len({a.shape for a in arrays}) > 1 or arrays[0].ndim != 1:
        raise EventsError(
            f"The events have shapes {', '.join(str(a.shape) for a in arrays)}: give one time, "
            "longitude, latitude and magnitude per event."
        )
    chosen = [a[backbone.used(arrays[3])] for a in arrays]
    if not all(np.isfinite(a).all() for a in chosen):
        raise EventsError("An event has a time, place or magnitude that is not finite: drop it.")
    order = np.lexsort((chosen[3], chosen[2], chosen[1], chosen[0]))
    return tuple(a[order] for a in chosen)


def _check_window(issue_days: float, horizon_days: float) -> None:
    if not (np.isfinite(issue_days) and 0 < horizon_days < np.inf):
        raise EventsError(
            f"A window of {horizon_days} days from day {issue_days} cannot be: give a positive "
            "number of days."
        )


def _edges(backbone: Backbone) -> NDArray[np.float64]:
    """(bands + 1,) ages in days."""
    if len(backbone.bands_days) != BANDS:
        raise EventsError(
            f"The backbone {backbone.name!r} has {len(backbone.bands_days)} time bands, the "
            f"features have {BANDS}: export the model again."
        )
    return np.array([0.0, *backbone.bands_days])


def _productivity(backbone: Backbone, magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """(events,) exp(alpha (m - mref)), cut off where ETAS cuts magnitudes off."""
    from geotools.seismicity._feature_loops import UNIT

    etas = backbone.etas
    capped = np.minimum(magnitude, etas.magnitude_max)
    weights: NDArray[np.float64] = np.exp(etas.alpha * (capped - etas.mref))
    if np.maximum(weights, 1.0).sum() / UNIT > _MAX_SUM:
        raise EventsError(
            f"The {len(magnitude)} events of magnitude {backbone.mc} and more are too many or too "
            "large to be added up: check the magnitudes, or take a shorter catalog."
        )
    return weights


def _field(
    backbone: Backbone,
    time: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
) -> TriggeringField:
    """The triggering of these events, which are in order."""
    from geotools.seismicity.etas import TriggeringField

    field = TriggeringField(
        backbone.etas, time, longitude, latitude, magnitude,
        grid=backbone.grid, region=backbone.region,
    )  # fmt: skip
    if len(field.time_days) != len(time):
        raise EventsError(
            f"The backbone {backbone.name!r} uses events from {backbone.mc} on, its ETAS from "
            f"{backbone.etas.mref}: give ETAS parameters with that reference."
        )
    return field


def _weights(
    backbone: Backbone,
    index: NDArray[np.int64],
    shares: Any,
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """For each spatial scale, cells and weights of each event as CSR (first, cells, weights)."""
    kernel = shares.indptr.astype(np.int64), shares.indices.astype(np.int32), shares.data
    return [kernel, *(disc(backbone, index, longitude, latitude, r) for r in backbone.scales_km)]


def _regional(
    time: NDArray[np.float64], inside: NDArray[np.bool_], issue_days: float
) -> list[float]:
    """Events in the region in the last 1, 7 and 30 days."""
    return [float((inside & (issue_days - time < days)).sum()) for days in _REGIONAL_DAYS]


def _assembled(
    backbone: Backbone,
    sums: NDArray[np.int64],
    regional: list[float],
    triggered: NDArray[np.float64],
    with_secondaries: NDArray[np.float64],
    horizon_days: float,
) -> CellFeatures:
    """The columns in the order of FEATURES."""
    from geotools.seismicity._feature_loops import UNIT

    background = horizon_days * backbone.background[backbone.region]
    smoothed = horizon_days * backbone.smoothed[backbone.region]
    scales, cells = sums.shape[:2]
    values = np.empty((cells, len(FEATURES)), dtype=np.float32)
    width = sums[0, 0].size
    for scale in range(scales):
        part = sums[scale].reshape(cells, width)
        np.multiply(part, UNIT, out=values[:, scale * width : (scale + 1) * width])
    values[:, scales * width :] = np.column_stack(
        [np.broadcast_to(regional, (cells, 3)), background, smoothed, triggered, with_secondaries]
    )
    return CellFeatures(values, background, smoothed, triggered, with_secondaries)
