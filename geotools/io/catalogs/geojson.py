"""GeoJSON of events: the USGS feeds and whatever names its properties as they do."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from geotools.errors import EventsError
from geotools.io.catalogs.content import read_all
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.report import Tally

__all__ = ["FORMATS"]

_MAX_BYTES = 2**29
"""The service of the USGS gives 20,000 events at a time, which have 14 MB."""

_SPACE = re.compile(r"[ \t\r\n]*")

_START = re.compile(rb'\s*\{\s*"')
_KIND = re.compile(rb'"type"\s*:\s*"Feature(?:Collection)?"')
_MAGNITUDE = ("mag", "magnitude")
_MAGNITUDE_TYPE = ("magType", "magnitude_type", "magtype", "magnitudetype")
_EVENT_TYPE = ("type", "event_type", "evtype", "eventtype")
_EVENT_ID = ("event_id", "eventid", "publicid", "publicID", "unid", "code", "ids")
_DEPTH = ("depth_km", "depth")
_TIME = ("time", "origintime", "datetime")


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    text = read_all(stream, _MAX_BYTES).decode("utf-8", errors="replace")
    rows = []
    try:
        for number, feature in enumerate(_features(text), start=1):
            row = _row(feature)
            if row is None:
                tally.skip("no point", f"feature {number}")
            else:
                rows.append(row)
    except (ValueError, RecursionError) as error:
        if isinstance(error, EventsError):
            raise
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise EventsError(
            f"its JSON is broken or breaks off{where} ({_reason(error)}): fetch it again."
        ) from None
    names = ("time", "longitude", "latitude", "depth_km", "magnitude")
    values = list(zip(*rows, strict=True)) or [()] * 8
    columns: dict[str, Any] = {"time": np.array(values[0], dtype="datetime64[us]")}
    for index, name in enumerate(names[1:], start=1):
        columns[name] = np.array(values[index], dtype=np.float64)
    for index, name in enumerate(("magnitude_type", "event_id", "event_type"), start=5):
        columns[name] = values[index]
    return columns


def _features(text: str) -> Iterator[Any]:
    """The features of a document one by one, so that the parsed document is never in memory."""
    decoder = json.JSONDecoder()
    kind, found, members = None, False, {}
    at = _next(text, 0, "{")
    while not text.startswith("}", at):
        name, at = decoder.raw_decode(text, at)
        at = _next(text, at, ":")
        if name == "features" and text.startswith("[", at):
            found = True
            at = _next(text, at, "[")
            while not text.startswith("]", at):
                feature, at = decoder.raw_decode(text, at)
                yield feature
                at = _separated(text, at, "]")
            at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
        else:
            members[name], at = decoder.raw_decode(text, at)
        kind = members.get("type")
        at = _separated(text, at, "}")
    if kind == "Feature":
        yield members
    elif kind != "FeatureCollection" or not found:
        raise EventsError(
            "it is JSON but not GeoJSON with features: give a GeoJSON of events, or a CSV."
        )


def _next(text: str, at: int, wanted: str) -> int:
    """Where the next value begins after the wanted sign."""
    at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    if not text.startswith(wanted, at):
        raise json.JSONDecodeError(f"{wanted} is missing", text, at)
    return _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]


def _separated(text: str, at: int, end: str) -> int:
    """Where the next value begins after a comma, or the sign that ends them."""
    at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    return at if text.startswith(end, at) else _next(text, at, ",")


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


def _reason(error: Exception) -> str:
    return getattr(error, "msg", "") or type(error).__name__


def _looks(head: bytes) -> bool:
    return _START.match(head) is not None and _KIND.search(head) is not None


FORMATS = (Format("geojson", "GeoJSON", _looks, _read, (".geojson", ".json")),)
