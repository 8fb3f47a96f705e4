"""GeoJSON of events: the USGS feeds and whatever names its properties as they do."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from geotools.errors import EventsError
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.json_stream import JsonStream
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.report import Tally

__all__ = ["FORMATS"]

_FEATURE = ("type", "id", "geometry", "properties")
"""Members of a feature (RFC 7946, section 3.2)."""

_START = re.compile(rb'\s*\{\s*"')
_KIND = re.compile(rb'"type"\s*:\s*"Feature(?:Collection)?"')
_MAGNITUDE = ("mag", "magnitude")
_MAGNITUDE_TYPE = ("magType", "magnitude_type", "magtype", "magnitudetype")
_EVENT_TYPE = ("type", "event_type", "evtype", "eventtype")
_EVENT_ID = ("event_id", "eventid", "publicid", "publicID", "unid", "code", "ids")
_DEPTH = ("depth_km", "depth")
_TIME = ("time", "origintime", "datetime")


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    rows = []
    for number, feature in enumerate(_features(JsonStream(stream)), start=1):
        row = _row(feature)
        if row is None:
            tally.skip("no point", f"feature {number}")
        else:
            rows.append(row)
    names = ("time", "longitude", "latitude", "depth_km", "magnitude")
    values = list(zip(*rows, strict=True)) or [()] * 8
    columns: dict[str, Any] = {"time": np.array(values[0], dtype="datetime64[us]")}
    for index, name in enumerate(names[1:], start=1):
        columns[name] = np.array(values[index], dtype=np.float64)
    for index, name in enumerate(("magnitude_type", "event_id", "event_type"), start=5):
        columns[name] = values[index]
    return columns


def _features(text: JsonStream) -> Iterator[Any]:
    """The features of a document, or the one that it is."""
    found = False
    members: dict[str, Any] = {}
    for name in text.members():
        if name == "features" and text.next() == "[":
            found = True
            for _ in text.elements():
                yield text.value()
        else:
            value = text.value()
            if name in _FEATURE:
                members[name] = value
    text.end()
    kind = members.get("type")
    if kind == "Feature":
        yield members
    elif kind != "FeatureCollection" or not found:
        raise EventsError(
            "it is JSON but not GeoJSON with features: give a GeoJSON of events, or a CSV."
        )


def _row(feature: Any) -> tuple[Any, ...] | None:
    """The values of one feature in the order of the columns; None for one that is no point."""
    if not isinstance(feature, dict):
        return None
    place = _of(feature.get("geometry"), "coordinates")
    told = feature.get("properties")
    if not isinstance(place, list) or len(place) < 2 or isinstance(place[0], list):
        return None
    told = told if isinstance(told, dict) else {}
    depth = _number(place[2]) if len(place) > 2 else math.nan
    if math.isnan(depth):
        depth = _number(_first(told, _DEPTH))
    return (
        _time(_first(told, _TIME)),
        _number(place[0]),
        _number(place[1]),
        depth,
        _number(_first(told, _MAGNITUDE)),
        _text(_first(told, _MAGNITUDE_TYPE)),
        _text(feature.get("id")) or _text(_first(told, _EVENT_ID)),
        _text(_first(told, _EVENT_TYPE)),
    )


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _first(told: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((told[name] for name in names if told.get(name) is not None), None)


def _time(value: Any) -> np.datetime64:
    """Milliseconds since 1970 as in the feeds of the USGS, or text."""
    if isinstance(value, str):
        return np.datetime64(moments([value])[0])
    number = _number(value)
    if not abs(number) < 9e13:  # the year 4821; True for NaN
        return np.datetime64("NaT", "us")
    if isinstance(value, int):
        return np.datetime64(value * 1000, "us")
    return np.datetime64(round(number * 1000), "us")


def _number(value: Any) -> float:
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _looks(head: bytes) -> bool:
    return _START.match(head) is not None and _KIND.search(head) is not None


FORMATS = (Format("geojson", "GeoJSON", _looks, _read, (".geojson", ".json")),)
