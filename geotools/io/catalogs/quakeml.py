"""QuakeML and SeisComP's SCML: streamed, an element at a time.

Nothing of the document is kept but a row for each event, and for each origin that stands beside
the events, as in SCML and in QuakeML's real-time dialect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.numbers import numbers
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.xml import Elements, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["FORMATS"]

_FREED = (
    "pick",
    "amplitude",
    "stationMagnitude",
    "stationMagnitudeContribution",
    "arrival",
    "focalMechanism",
    "comment",
)
"""Parts that nothing is taken from: freed as soon as they are passed."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Where the dialects differ."""

    parameters: str
    """The element that holds the events."""
    amount: str
    """The quantity in a magnitude."""
    depths_in_km: float
    """Units of depth in a kilometre."""
    beside: tuple[str, ...] = ()
    """What stands beside the events, which refer to it, and not in them."""


_QUAKEML = _Dialect("eventParameters", "mag", 1000.0)
_REAL_TIME = _Dialect("eventParameters", "mag", 1000.0, ("origin", "magnitude"))
_SCML = _Dialect("EventParameters", "magnitude", 1.0, ("origin",))


class _Names:
    """The names of elements with the namespace of a file, as the parser gives them."""

    def __init__(self, space: str, dialect: _Dialect) -> None:
        self.type = f"{space}type"
        self.value = f"{space}value"
        self.origin = f"{space}origin"
        self.magnitude = f"{space}magnitude"
        self.origin_id = f"{space}preferredOriginID"
        self.magnitude_id = f"{space}preferredMagnitudeID"
        self.references = tuple(
            (f"{space}{name}Reference", f"{space}{name}ID") for name in ("origin", "magnitude")
        )
        self.place = {f"{space}{name}": name for name in ("time", "longitude", "latitude", "depth")}
        self.size = {f"{space}{dialect.amount}": "value"}


class _Origin(NamedTuple):
    """The texts of an origin."""

    time: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    depth: str | None = None
    magnitude_id: str = ""
    """The first magnitude in it (SCML)."""


class _Magnitude(NamedTuple):
    """The texts of a magnitude."""

    value: str | None = None
    kind: str = ""


class _Row(NamedTuple):
    """What is taken from one event; the ids point into the rest of the file."""

    event_id: str
    event_type: str
    line: int
    origin: _Origin | None
    magnitude: _Magnitude | None
    origin_ids: tuple[str, ...]
    magnitude_ids: tuple[str, ...]


@dataclass(slots=True)
class _Document:
    """What has been taken from the file so far."""

    dialect: _Dialect
    rows: list[_Row] = field(default_factory=list)
    origins: dict[str, _Origin] = field(default_factory=dict)
    magnitudes: dict[str, _Magnitude] = field(default_factory=dict)
    names: dict[str, _Names] = field(default_factory=dict)

    def take(self, element: _Element, name: str) -> None:
        """Keeps the texts of an event, or of an origin or magnitude beside the events."""
        space = element.tag[: element.tag.rfind("}") + 1]
        names = self.names.get(space)
        if names is None:
            names = self.names[space] = _Names(space, self.dialect)
        if name == "event":
            self.rows.append(_row(element, names))
        elif name == "origin":
            found = []
            for magnitude in element.iterchildren(names.magnitude):  # in SCML
                found.append(magnitude.get("publicID", ""))
                self.magnitudes[found[-1]] = _magnitude(magnitude, names)
            origin = _origin(element, names)._replace(magnitude_id=found[0] if found else "")
            self.origins[element.get("publicID", "")] = origin
        else:
            self.magnitudes[element.get("publicID", "")] = _magnitude(element, names)

    def columns(self, tally: Tally) -> Columns:
        """The columns of the events that have an origin; the others are counted."""
        kept: list[tuple[_Row, _Origin]] = []
        for row in self.rows:
            origin = row.origin or _first(self.origins, row.origin_ids)
            if origin is None:
                tally.skip("no origin", f"line {row.line} ({row.event_id})")
            else:
                kept.append((row, origin))
        amounts = [
            row.magnitude or _first(self.magnitudes, (*row.magnitude_ids, origin.magnitude_id))
            for row, origin in kept
        ]
        depth = numbers([origin.depth for _, origin in kept])
        columns: dict[str, Any] = {
            "time": moments([origin.time for _, origin in kept]),
            "longitude": numbers([origin.longitude for _, origin in kept]),
            "latitude": numbers([origin.latitude for _, origin in kept]),
            "depth_km": depth / self.dialect.depths_in_km,
            "magnitude": numbers([amount and amount.value for amount in amounts]),
            "magnitude_type": [amount.kind if amount else "" for amount in amounts],
            "event_id": [row.event_id for row, _ in kept],
            "event_type": [row.event_type for row, _ in kept],
            "line": np.array([row.line for row, _ in kept], dtype=np.int64),
        }
        return columns


def _read(stream: IO[bytes], tally: Tally, dialect: _Dialect) -> Columns:
    document = _Document(dialect)
    elements = Elements(stream, ("event", *dialect.beside, *_FREED))
    for element in elements:
        name = local_name(element)
        if name in _FREED:
            elements.empty(element)
            continue
        parent = element.getparent()
        if parent is not None and local_name(parent) == dialect.parameters:
            document.take(element, name)
            elements.free(element)
    return document.columns(tally)


def _row(event: _Element, names: _Names) -> _Row:
    """What is taken from an event: the preferred origin and magnitude, else the first."""
    kind = origin_id = magnitude_id = ""
    origins, magnitudes = [], []
    for child in event:
        tag = child.tag
        if tag == names.origin:
            origins.append(child)
        elif tag == names.magnitude:
            magnitudes.append(child)
        elif tag == names.type:
            kind = (child.text or "").strip()
        elif tag == names.origin_id:
            origin_id = (child.text or "").strip()
        elif tag == names.magnitude_id:
            magnitude_id = (child.text or "").strip()
    origin_ids: tuple[str, ...] = ()
    magnitude_ids: tuple[str, ...] = ()
    if not origins or not magnitudes:
        one, two = (_references(event, *pair) for pair in names.references)
        origin_ids, magnitude_ids = (origin_id, *one), (magnitude_id, *two)
    return _Row(
        event_id=event.get("publicID", ""),
        event_type=kind,
        line=event.sourceline or 0,
        origin=_origin(_chosen(origins, origin_id), names) if origins else None,
        magnitude=_magnitude(_chosen(magnitudes, magnitude_id), names) if magnitudes else None,
        origin_ids=origin_ids,
        magnitude_ids=magnitude_ids,
    )


def _chosen(parts: list[_Element], wanted: str) -> _Element:
    """The part with that id, else the first."""
    if wanted:
        for part in parts:
            if part.get("publicID") == wanted:
                return part
    return parts[0]


def _origin(element: _Element, names: _Names) -> _Origin:
    return _Origin(**_values(element, names.place, names))


def _magnitude(element: _Element, names: _Names) -> _Magnitude:
    kind = _text(element, names.type)
    return _Magnitude(kind=kind, **_values(element, names.size, names))


def _values(element: _Element, wanted: dict[str, str], names: _Names) -> dict[str, str]:
    """The texts of the first `name/value` of each wanted name."""
    found: dict[str, str] = {}
    for quantity in element:
        name = wanted.get(quantity.tag)
        if name is not None and name not in found:
            found[name] = _text(quantity, names.value)
            if len(found) == len(wanted):
                break
    return found


def _text(element: _Element, tag: str) -> str:
    """The text of the first child of that name."""
    for child in element:
        if child.tag == tag:
            return (child.text or "").strip()
    return ""


def _references(event: _Element, tag: str, inner: str) -> tuple[str, ...]:
    """The ids in its originReferences or magnitudeReferences."""
    return tuple(
        (reference.findtext(inner) or reference.text or "").strip()
        for reference in event.iterchildren(tag)
    )


def _first(found: dict[str, Any], names: tuple[str, ...]) -> Any:
    """What the first name that is known stands for."""
    return next((found[name] for name in names if name in found), None)


def _format(name: str, title: str, root: bytes, dialect: _Dialect) -> Format:
    begins = re.compile(rb"<(?:[\w.-]+:)?" + root)
    return Format(
        name=name,
        title=title,
        looks=lambda head: begins.search(head) is not None,
        read=lambda stream, tally: _read(stream, tally, dialect),
        suffixes=(".xml", f".{name}"),
    )


FORMATS = (
    _format("quakeml-rt", "real-time QuakeML", rb"quakeml\s[^>]*-rt/", _REAL_TIME),
    _format("quakeml", "QuakeML", rb"quakeml[\s>/]", _QUAKEML),
    _format("scml", "SeisComP XML", rb"seiscomp[\s>/]", _SCML),
)
