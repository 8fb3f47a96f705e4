"""The event table: an earthquake catalog in memory, with the columns that every step relies on.

A GeoDataFrame with a checked schema, no class of ours. pandas and geopandas are imported when a
table is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "check_events", "days", "event_table"]

COLUMNS = (
    "time",
    "longitude",
    "latitude",
    "depth_km",
    "magnitude",
    "magnitude_type",
    "event_id",
    "event_type",
)
"""`time`: datetime64[us, UTC]; `longitude`, `latitude`: degrees, WGS 84, -180 to 180; `depth_km`:
positive down, NaN where unknown; `magnitude`: NaN where unknown; then text, "" where unknown.
Geometry: points (longitude, latitude), EPSG:4326. Rows in the order of their times."""

_NUMBERS = ("longitude", "latitude", "depth_km", "magnitude")
_TEXTS = ("magnitude_type", "event_id", "event_type")
_MICROSECONDS_PER_DAY = 86_400_000_000


def event_table(
    time: NDArray[np.datetime64],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    *,
    depth_km: NDArray[np.floating] | None = None,
    magnitude: NDArray[np.floating] | None = None,
    magnitude_type: Iterable[str] | None = None,
    event_id: Iterable[str] | None = None,
    event_type: Iterable[str] | None = None,
) -> GeoDataFrame:
    """The event table of arrays of one length, put in the order of time.

    Args:
        time: (events,) datetime64, UTC; kept to the microsecond.
        longitude: (events,) degrees; 0 to 360 is brought to -180 to 180.
        latitude: (events,) degrees.
        depth_km: (events,) km, positive down; NaN where unknown.
        magnitude: (events,) NaN where unknown.
        magnitude_type: such as Mw; "" where unknown.
        event_id: as the agency names it; "" where unknown.
        event_type: words of QuakeML, such as earthquake; "" where unknown.

    Raises:
        EventsError: lengths that differ, a time that is missing, a place that cannot be.
    """
    import pandas as pd
    import shapely
    from geopandas import GeoDataFrame

    count = len(time)
    numbers = {
        "longitude": longitude,
        "latitude": latitude,
        "depth_km": np.full(count, np.nan) if depth_km is None else depth_km,
        "magnitude": np.full(count, np.nan) if magnitude is None else magnitude,
    }
    texts = {"magnitude_type": magnitude_type, "event_id": event_id, "event_type": event_type}
    columns: dict[str, Any] = {"time": np.asarray(time, dtype="datetime64[us]")}
    columns |= {name: np.asarray(values, dtype=np.float64) for name, values in numbers.items()}
    columns |= {
        name: np.full(count, "", dtype=object) if values is None else np.asarray(values, object)
        for name, values in texts.items()
    }
    for name, values in columns.items():
        if values.shape != (count,):
            raise EventsError(
                f"The column {name} of the events has shape {values.shape}, time has ({count},): "
                "give one value per event."
            )
    columns["longitude"] = _wrapped(columns["longitude"])
    _check_places(columns)
    order = np.argsort(columns["time"], kind="stable")
    frame = pd.DataFrame({name: values[order] for name, values in columns.items()})
    frame["time"] = frame["time"].dt.tz_localize("UTC")
    for name in _TEXTS:
        frame[name] = frame[name].fillna("").astype("str")
    points = shapely.points(frame["longitude"].to_numpy(), frame["latitude"].to_numpy())
    return GeoDataFrame(frame, geometry=points, crs="EPSG:4326")


def check_events(events: GeoDataFrame) -> GeoDataFrame:
    """The same table, if it is an event table; in the order of time if it was not.

    Raises:
        EventsError: a column is missing or of a wrong type, or a place cannot be.
    """
    missing = [name for name in COLUMNS if name not in getattr(events, "columns", ())]
    if missing:
        raise EventsError(
            f"The event table lacks the columns {', '.join(missing)}: make it with read_events or "
            "event_table."
        )
    if not str(events["time"].dtype).startswith("datetime64[") or events["time"].dt.tz is None:
        raise EventsError(
            f"The column time of the events is {events['time'].dtype}: datetime64 in UTC is needed."
        )
    for name in _NUMBERS:
        if getattr(events[name].dtype, "kind", "O") not in "iuf":
            raise EventsError(
                f"The column {name} of the events is {events[name].dtype}: numbers are needed."
            )
    times = events["time"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    numbers = {name: events[name].to_numpy(dtype=np.float64) for name in _NUMBERS}
    _check_places({"time": times, **numbers})
    if (np.diff(times.astype(np.int64)) < 0).any():
        return events.sort_values("time", kind="stable", ignore_index=True)
    return events


def days(times: Any) -> NDArray[np.float64]:
    """Days since 1970-01-01 UTC, with the microsecond kept: the time axis of `seismicity`.

    Args:
        times: (events,) the column `time` of an event table, or datetime64 in UTC; one time too.
    """
    if hasattr(times, "dt"):
        times = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    moments = np.asarray(times, dtype="datetime64[us]")
    return moments.astype(np.int64) / _MICROSECONDS_PER_DAY


def _wrapped(longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes of 0 to 360 degrees as -180 to 180; others as they are."""
    east = (longitude > 180) & (longitude <= 360)
    return np.where(east, longitude - 360, longitude)


def _check_places(columns: dict[str, Any]) -> None:
    if np.isnat(columns["time"]).any():
        row = int(np.flatnonzero(np.isnat(columns["time"]))[0])
        raise EventsError(f"Event {row} has no time: leave it out.")
    for name, limit in (("longitude", 180.0), ("latitude", 90.0)):
        values = columns[name]
        wrong = ~(np.abs(values) <= limit)  # True for NaN
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise EventsError(
                f"Event {row} has {name} {values[row]}: degrees from {-limit:g} to {limit:g} "
                "are needed."
            )
