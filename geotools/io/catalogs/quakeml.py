"""QuakeML (BED 1.0 to 1.2, and the real-time dialect): streamed, an event at a time.

Nothing of the document is kept but a row for each event. Depths in the file are metres.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.xml import Elements, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["FORMATS"]

_ROOT = re.compile(rb"<(?:[\w.-]+:)?quakeml[\s>/]")
_PARAMETERS = "eventParameters"
_FREED = ("pick", "amplitude", "stationMagnitude", "arrival", "focalMechanism")
"""Parts that nothing is taken from: freed as soon as they are passed."""

_METRES = 1000.0


class _Origin(NamedTuple):
    """The texts of an origin."""

    time: str | None
    longitude: str | None
    latitude: str | None
    depth: str | None


class _Magnitude(NamedTuple):
    """The texts of a magnitude."""

    value: str | None
    kind: str | None


class _Row(NamedTuple):
    """What is taken from one event; the references are those into the rest of the file."""

    event_id: str
    event_type: str
    line: int
    origin: _Origin | None
    magnitude: _Magnitude | None
    origin_id: str
    magnitude_id: str


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    rows: list[_Row] = []
    origins: dict[str, _Origin] = {}  # of the real-time dialect, where they stand beside events
    magnitudes: dict[str, _Magnitude] = {}
    elements = Elements(stream, ("event", "origin", "magnitude", *_FREED))
    for element in elements:
        name = local_name(element)
        parent = element.getparent()
        if name in _FREED:
            element.clear(keep_tail=False)
            continue
        if parent is None or local_name(parent) != _PARAMETERS:
            continue
        if name == "event":
            rows.append(_row(element))
        elif name == "origin":
            origins[element.get("publicID", "")] = _origin(element)
        else:
            magnitudes[element.get("publicID", "")] = _magnitude(element)
        elements.free(element)
    return _columns(rows, origins, magnitudes, tally)


def _row(event: _Element) -> _Row:
    """What is taken from an event: the preferred origin and magnitude, else the first."""
    space = event.tag[: -len("event")]
    origin_id = _text(event, f"{space}preferredOriginID")
    magnitude_id = _text(event, f"{space}preferredMagnitudeID")
    origin = _chosen(event, f"{space}origin", origin_id)
    magnitude = _chosen(event, f"{space}magnitude", magnitude_id)
    return _Row(
        event_id=event.get("publicID", ""),
        event_type=_text(event, f"{space}type"),
        line=event.sourceline or 0,
        origin=None if origin is None else _origin(origin),
        magnitude=None if magnitude is None else _magnitude(magnitude),
        origin_id=origin_id or _reference(event, space, "origin"),
        magnitude_id=magnitude_id or _reference(event, space, "magnitude"),
    )


def _chosen(event: _Element, tag: str, wanted: str) -> _Element | None:
    """The child with that id, else the first of its kind."""
    first = None
    for child in event.iterchildren(tag):
        if not wanted or child.get("publicID") == wanted:
            return child
        if first is None:
            first = child
    return first


def _origin(element: _Element) -> _Origin:
    space = element.tag[: -len("origin")]
    return _Origin(
        _value(element, space, "time"),
        _value(element, space, "longitude"),
        _value(element, space, "latitude"),
        _value(element, space, "depth"),
    )


def _magnitude(element: _Element) -> _Magnitude:
    space = element.tag[: -len("magnitude")]
    return _Magnitude(_value(element, space, "mag"), _text(element, f"{space}type"))


def _value(element: _Element, space: str, name: str) -> str | None:
    """The text of `name/value`."""
    for quantity in element.iterchildren(space + name):
        return _text(quantity, f"{space}value")
    return None


def _text(element: _Element, tag: str) -> str:
    for child in element.iterchildren(tag):
        return (child.text or "").strip()
    return ""


def _reference(event: _Element, space: str, name: str) -> str:
    """The id in an originReference or magnitudeReference of the real-time dialect."""
    for reference in event.iterchildren(f"{space}{name}Reference"):
        return _text(reference, f"{space}{name}ID") or (reference.text or "").strip()
    return ""


def _columns(
    rows: list[_Row],
    origins: dict[str, _Origin],
    magnitudes: dict[str, _Magnitude],
    tally: Tally,
) -> Columns:
    """The columns of the rows that have an origin; what cannot be read is counted."""
    kept: list[tuple[_Row, _Origin]] = []
    for row in rows:
        origin = row.origin or origins.get(row.origin_id)
        if origin is None:
            tally.skip("no origin", _place(row))
        else:
            kept.append((row, origin))
    amounts = [row.magnitude or magnitudes.get(row.magnitude_id) for row, _ in kept]
    times = moments([origin.time for _, origin in kept])
    columns: dict[str, Any] = {
        "time": times,
        "longitude": _numbers([origin.longitude for _, origin in kept]),
        "latitude": _numbers([origin.latitude for _, origin in kept]),
        "depth_km": _numbers([origin.depth for _, origin in kept]) / _METRES,
        "magnitude": _numbers([amount and amount.value for amount in amounts]),
        "magnitude_type": [(amount and amount.kind) or "" for amount in amounts],
        "event_id": [row.event_id for row, _ in kept],
        "event_type": [row.event_type for row, _ in kept],
        "line": np.array([row.line for row, _ in kept], dtype=np.int64),
    }
    return columns


def _numbers(texts: list[str | None]) -> Any:
    """(texts,) float64; NaN for what is no number."""
    try:
        return np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        return np.array([_number(text) for text in texts], dtype=np.float64)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def _place(row: _Row) -> str:
    return f"line {row.line} ({row.event_id})" if row.line else row.event_id


def _looks(head: bytes) -> bool:
    return _ROOT.search(head) is not None


FORMATS = (Format("quakeml", "QuakeML", _looks, _read, (".xml", ".quakeml", ".qml")),)
