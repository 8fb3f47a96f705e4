"""ObsPy's Catalog objects as the event table, and back. ObsPy is imported when it is needed."""

from __future__ import annotations

import re
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.events import check_events
from geotools.io.catalogs.formats import Columns
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.tidying import tidied

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from obspy import Catalog
    from obspy.core.event import Event

__all__ = [
    "catalog_columns",
    "events_from_obspy",
    "events_to_obspy",
    "import_obspy",
    "without_made_up",
]

_MADE_UP = re.compile(r"smi:local/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/event)?/?")
"""Ids that ObsPy gives to what has none, and beginnings of ids; others at every reading."""

_METRES = 1000.0


def events_from_obspy(catalog: Catalog, *, all_types: bool = False) -> GeoDataFrame:
    """The event table of ObsPy's Catalog (or list of Events); `.attrs["report"]` says the rest.

    As `read_events`: preferred origin and magnitude, else the first; what has no origin, time or
    place, or is no earthquake (unless `all_types`), is left out and counted.

    Raises:
        EventsError: not a Catalog.
    """
    tally = Tally()
    events = tidied(catalog_columns(catalog, tally), tally, all_types=all_types)
    events.attrs["report"] = asdict(tally.report("", "obspy", len(events)))
    return events


def events_to_obspy(events: GeoDataFrame) -> Catalog:
    """ObsPy's Catalog of an event table: one origin, and one magnitude where it is known.

    Types that are not in ObsPy's list are left unset; an event without id gets one of ObsPy's.

    Raises:
        EventsError: not an event table.
    """
    import_obspy()
    from obspy import Catalog, UTCDateTime
    from obspy.core.event import Event, Magnitude, Origin, ResourceIdentifier
    from obspy.core.event.header import EventType

    table = check_events(events)
    nanoseconds = table["time"].dt.tz_convert("UTC").astype("datetime64[us, UTC]").astype("int64")
    made = []
    for time, longitude, latitude, depth, size, size_type, name, kind in zip(
        nanoseconds * 1000, table["longitude"], table["latitude"], table["depth_km"],
        table["magnitude"], table["magnitude_type"], table["event_id"], table["event_type"],
        strict=True,
    ):  # fmt: skip
        origin = Origin(
            time=UTCDateTime(ns=int(time)),
            longitude=float(longitude),
            latitude=float(latitude),
            depth=None if np.isnan(depth) else round(float(depth) * _METRES, 6),
        )
        event = Event(origins=[origin], event_type=kind if kind in EventType else None)
        if name:
            event.resource_id = ResourceIdentifier(id=str(name))
        event.preferred_origin_id = origin.resource_id
        if not np.isnan(size):
            magnitude = Magnitude(mag=float(size), magnitude_type=str(size_type) or None)
            magnitude.origin_id = origin.resource_id
            event.magnitudes = [magnitude]
            event.preferred_magnitude_id = magnitude.resource_id
        made.append(event)
    return Catalog(events=made)


def import_obspy() -> None:
    """Imports ObsPy without the warnings of its import, which say nothing to our users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import obspy.core.event  # noqa: F401


def without_made_up(text: str) -> str:
    """The text without what ObsPy made up for ids."""
    return _MADE_UP.sub("", text)


def catalog_columns(catalog: Catalog, tally: Tally) -> Columns:
    """The columns of ObsPy's events; those without origin are counted.

    Raises:
        EventsError: not a Catalog.
    """
    import_obspy()
    from obspy.core.event import Event

    try:
        events = list(catalog)
    except TypeError:
        events = [None]
    if any(not isinstance(event, Event) for event in events):
        raise EventsError(
            f"{type(catalog).__name__} is not a Catalog of ObsPy: give obspy.Catalog, or the path "
            "of a file to read_events."
        )
    rows = []
    for number, event in enumerate(events, start=1):
        row = _row(event)
        if row is None:
            tally.skip("no origin", _name(event) or f"event {number}")
        else:
            rows.append(row)
    values = list(zip(*rows, strict=True)) or [()] * 8
    columns: dict[str, Any] = {"time": np.array(values[0], dtype="datetime64[us]")}
    for index, name in enumerate(("longitude", "latitude", "depth_km", "magnitude"), start=1):
        columns[name] = np.array(values[index], dtype=np.float64)
    for index, name in enumerate(("magnitude_type", "event_id", "event_type"), start=5):
        columns[name] = values[index]
    return columns


def _row(event: Event) -> tuple[Any, ...] | None:
    """The values of one event in the order of the columns; None without origin."""
    origin = _preferred(event.preferred_origin_id, event.origins)
    magnitude = _preferred(event.preferred_magnitude_id, event.magnitudes)
    if origin is None:
        return None
    time = np.datetime64("NaT", "us")
    if origin.time is not None:
        time = np.datetime64(round(origin.time.ns, -3) // 1000, "us")
    return (
        time,
        _number(origin.longitude),
        _number(origin.latitude),
        _number(origin.depth) / _METRES,
        _number(magnitude and magnitude.mag),
        (magnitude and magnitude.magnitude_type) or "",
        _name(event),
        str(event.event_type or ""),
    )


def _preferred(wanted: Any, parts: list[Any]) -> Any:
    """The origin or magnitude with that id, else the first, else None."""
    named = (part for part in parts if wanted is not None and part.resource_id == wanted)
    return next(named, parts[0] if parts else None)


def _name(event: Event) -> str:
    return without_made_up(str(event.resource_id or ""))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
