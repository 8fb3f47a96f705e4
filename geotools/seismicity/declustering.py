"""Catalogs without their aftershocks: windows (Gardner & Knopoff) and links (Reasenberg).

Nearest neighbours (Zaliapin & Ben-Zion) are in `zaliapin`. Distances are great circles between
epicentres; depth is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._index import SphereIndex, checked_events, chord
from geotools.seismicity.distance import unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WINDOWS", "Declustered", "gardner_knopoff", "of_clusters", "reasenberg"]

_NAMES = ("time", "longitude", "latitude", "magnitude")


@dataclass(frozen=True, slots=True)
class Declustered:
    """Which events belong together. An event that belongs to no other is a cluster of its own."""

    cluster: NDArray[np.int64]
    """(events,) number of the cluster, from 0, in the order of their main shocks in time."""
    mainshock: NDArray[np.bool_]
    """(events,) True for the largest event of each cluster, the first of several as large: the
    declustered catalog."""

    @property
    def clusters(self) -> int:
        """Number of clusters, those of one event among them."""
        return int(self.mainshock.sum())

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(clusters,) events of each cluster."""
        return np.bincount(self.cluster, minlength=self.clusters)


def _table(magnitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    m = np.arange(2.5, 8.1, 0.5)
    km = [19.5, 22.5, 26, 30, 35, 40, 47, 54, 61, 70, 81, 94]
    days = [6, 11.5, 22, 42, 83, 155, 290, 510, 790, 915, 960, 985]
    return (
        10 ** np.interp(magnitude, m, np.log10(km)),
        10 ** np.interp(magnitude, m, np.log10(days)),
    )


def _log_linear(magnitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    days = np.where(magnitude >= 6.5, 0.032 * magnitude + 2.7389, 0.5409 * magnitude - 0.547)
    return 10 ** (0.1238 * magnitude + 0.983), 10**days


def _uhrhammer(magnitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.exp(-1.024 + 0.804 * magnitude), np.exp(-2.87 + 1.235 * magnitude)


def _gruenthal(magnitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    m = np.maximum(magnitude, 0)  # the roots need it
    days = np.where(m >= 6.5, 10 ** (2.8 + 0.024 * m), np.exp(-3.95 + np.sqrt(0.62 + 17.32 * m)))
    return np.exp(1.77 + np.sqrt(0.037 + 1.02 * m)), days


WINDOWS: dict[
    str, Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
] = {
    "gardner-knopoff": _log_linear,
    "gardner-knopoff-table": _table,
    "gruenthal": _gruenthal,
    "uhrhammer": _uhrhammer,
}
"""Name -> function of (events,) magnitudes that gives radius in km and duration in days.
gardner-knopoff: the log-linear form of van Stiphout et al. (2012, eq. 1). -table: Table 1 of
Gardner & Knopoff (1974), its logarithms interpolated, its ends kept beyond M 2.5 and 8.
gruenthal, uhrhammer (1986): van Stiphout et al. (2012, eq. 2 and 3)."""


def gardner_knopoff(
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    windows: str = "gardner-knopoff",
    foreshocks: float = 1.0,
) -> Declustered:
    """Clusters by windows that grow with magnitude (Gardner & Knopoff 1974).

    The largest event first claims all events in its window that no larger one has; what it has
    claimed claims nothing. The time grows with the events that lie in windows, not with n².

    Args:
        time_days: (events,) days; events may lie in any order.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
        magnitude: (events,) all known.
        windows: name in WINDOWS.
        foreshocks: length of the window before an event, as a share of the one after it.

    Raises:
        EventsError: arrays that do not match, values that are missing, an unknown window.
    """
    if windows not in WINDOWS:
        raise EventsError(f"Windows {windows!r} are unknown: use one of {', '.join(WINDOWS)}.")
    if not 0 <= foreshocks <= 10:
        raise EventsError(f"A foreshock window of {foreshocks:g} times cannot be: give 0 to 1.")
    time, lon, lat, mag = checked_events(time_days, longitude, latitude, magnitude, names=_NAMES)
    if not time.size:
        return of_clusters(time, lon, lat, mag, np.zeros(0, np.int64))
    from geotools.seismicity._windows import claim

    km, days = WINDOWS[windows](mag)
    in_time = _time_order(time, lon, lat, mag)
    index = SphereIndex.build(lon[in_time], lat[in_time], reach_km=float(np.median(km)))
    order = in_time[index.order]  # by bin, and by time within a bin
    rank = np.empty_like(in_time)
    rank[in_time] = np.arange(time.size)
    main = claim(
        np.lexsort((rank[order], -mag[order])),
        time[order],
        lon[order],
        lat[order],
        unit_vectors(lon[order], lat[order]),
        np.degrees(2 * np.arcsin(chord(km[order]) / 2)),
        chord(km[order]) ** 2,
        foreshocks * days[order],
        days[order],
        index.starts,
        index.south_deg,
        index.size_deg,
        index.rows,
        index.cols,
    )
    name = np.empty_like(main)
    name[order] = order[main]
    return of_clusters(time, lon, lat, mag, name)


def reasenberg(
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    mc: float = 1.5,
    tau_days: tuple[float, float] = (1.0, 10.0),
    confidence: float = 0.95,
    lift: float = 0.5,
    radii: float = 10.0,
    longest_km: float = 30.0,
) -> Declustered:
    """Clusters of events that are linked in space and time (Reasenberg 1985).

    An event is linked to those that follow within `tau` and within `radii` source radii of it, or
    one source radius of the largest event of its cluster so far; the radius is 0.011 10^(0.4 M)
    km (Kanamori & Anderson 1975, at 30 bar). `tau` is the wait for the next event of an Omori
    sequence with probability `confidence` (eq. 9 to 14). Errors of location are not subtracted.
    The defaults are the paper's, for California.

    Args:
        time_days: (events,) days; events may lie in any order.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
        magnitude: (events,) all known.
        mc: completeness magnitude of the catalog (xmeff).
        tau_days: shortest and longest `tau`; the shortest outside of clusters.
        confidence: P1.
        lift: share of the largest magnitude by which mc rises in a cluster (xk).
        radii: source radii that an event reaches (rfact).
        longest_km: no link is longer: the thickness of the crust.

    Raises:
        EventsError: arrays that do not match, values that are missing, options that cannot be.
    """
    if not (0 < tau_days[0] <= tau_days[1] and 0 < confidence < 1):
        raise EventsError(
            f"tau from {tau_days[0]:g} to {tau_days[1]:g} days at confidence {confidence:g} "
            "cannot be: give rising positive days and a confidence between 0 and 1."
        )
    time, lon, lat, mag = checked_events(time_days, longitude, latitude, magnitude, names=_NAMES)
    if not time.size:
        return of_clusters(time, lon, lat, mag, np.zeros(0, np.int64))
    from geotools.seismicity._links import link

    order = _time_order(time, lon, lat, mag)
    source = 0.011 * 10 ** (0.4 * mag[order])
    linked = link(
        time[order],
        mag[order],
        unit_vectors(lon[order], lat[order]),
        chord(np.minimum(radii * source, longest_km)) ** 2,
        chord(np.minimum(source, longest_km)) ** 2,
        *tau_days,
        confidence,
        lift,
        mc,
    )
    name = np.empty_like(linked)
    name[order] = order[linked]
    return of_clusters(time, lon, lat, mag, name)


def of_clusters(
    time: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    name: NDArray[Any],
) -> Declustered:
    """The clusters of events that have the same name, numbered by their main shocks in time.

    Args:
        time: (events,) days.
        longitude: (events,) degrees.
        latitude: (events,) degrees.
        magnitude: (events,) all known.
        name: (events,) any whole number.
    """
    order = _time_order(time, longitude, latitude, magnitude)
    largest_first = order[np.argsort(-magnitude[order], kind="stable")]
    _, place, which = np.unique(name[largest_first], return_index=True, return_inverse=True)
    mains = largest_first[place]  # (clusters,)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    number = np.empty_like(place)
    number[np.argsort(rank[mains], kind="stable")] = np.arange(place.size)
    cluster = np.empty_like(order)
    cluster[largest_first] = number[which]
    mainshock = np.zeros(order.size, np.bool_)
    mainshock[mains] = True
    return Declustered(cluster, mainshock)


def _time_order(
    time: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    magnitude: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The events by time; of those at one moment the largest first, then by place."""
    return np.lexsort((latitude, longitude, -magnitude, time))
