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
    """Where the two differ."""

    parameters: str
    """The element that holds the events."""
    amount: str
    """The quantity in a magnitude."""
    depths_in_km: float
    """Units of depth in a kilometre."""


_QUAKEML = _Dialect("eventParameters", "mag", 1000.0)
_SCML = _Dialect("EventParameters", "magnitude", 1.0)


class _Origin(NamedTuple):
    """The texts of an origin."""

    time: str | None
    longitude: str | None
    latitude: str | None
    depth: str | None
    magnitude_id: str = ""
    """The first magnitude in it (SCML)."""


class _Magnitude(NamedTuple):
    """The texts of a magnitude."""

    value: str | None
    kind: str


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

    def take(self, element: _Element, name: str) -> None:
        """Keeps the texts of an event, or of an origin or magnitude beside the events."""
        if name == "event":
            self.rows.append(self._row(element))
        elif name == "origin":
            names = []
            for magnitude in element.iterchildren(f"{_space(element)}magnitude"):  # in SCML
                names.append(magnitude.get("publicID", ""))
                self.magnitudes[names[-1]] = self._magnitude(magnitude)
            origin = self._origin(element)._replace(magnitude_id=names[0] if names else "")
            self.origins[element.get("publicID", "")] = origin
        else:
            self.magnitudes[element.get("publicID", "")] = self._magnitude(element)

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

    def _row(self, event: _Element) -> _Row:
        """The preferred origin and magnitude, else the first."""
        space = _space(event)
        origin_id = _text(event, f"{space}preferredOriginID")
        magnitude_id = _text(event, f"{space}preferredMagnitudeID")
        origin = _chosen(event, f"{space}origin", origin_id)
        magnitude = _chosen(event, f"{space}magnitude", magnitude_id)
        return _Row(
            event_id=event.get("publicID", ""),
            event_type=_text(event, f"{space}type"),
            line=event.sourceline or 0,
            origin=None if origin is None else self._origin(origin),
            magnitude=None if magnitude is None else self._magnitude(magnitude),
            origin_ids=(
                () if origin is not None else (origin_id, *_references(event, space, "origin"))
            ),
            magnitude_ids=(
                ()
                if magnitude is not None
                else (magnitude_id, *_references(event, space, "magnitude"))
            ),
        )

    def _origin(self, element: _Element) -> _Origin:
        space = _space(element)
        return _Origin(
            _value(element, space, "time"),
            _value(element, space, "longitude"),
            _value(element, space, "latitude"),
            _value(element, space, "depth"),
        )

    def _magnitude(self, element: _Element) -> _Magnitude:
        space = _space(element)
        return _Magnitude(
            _value(element, space, self.dialect.amount), _text(element, f"{space}type")
        )


def _read(stream: IO[bytes], tally: Tally, dialect: _Dialect) -> Columns:
    document = _Document(dialect)
    elements = Elements(stream, ("event", "origin", "magnitude", *_FREED))
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


def _space(element: _Element) -> str:
    """The namespace of the element, as it stands before the names of its children."""
    return element.tag[: element.tag.rfind("}") + 1]  # type: ignore[no-any-return]


def _chosen(event: _Element, tag: str, wanted: str) -> _Element | None:
    """The child with that id, else the first of its kind."""
    first = None
    for child in event.iterchildren(tag):
        if not wanted or child.get("publicID") == wanted:
            return child
        if first is None:
            first = child
    return first


def _value(element: _Element, space: str, name: str) -> str | None:
    """The text of `name/value`."""
    for quantity in element.iterchildren(space + name):
        return _text(quantity, f"{space}value")
    return None


def _text(element: _Element, tag: str) -> str:
    for child in element.iterchildren(tag):
        return (child.text or "").strip()
    return ""


def _references(event: _Element, space: str, name: str) -> tuple[str, ...]:
    """The ids in its originReferences or magnitudeReferences."""
    return tuple(
        _text(reference, f"{space}{name}ID") or (reference.text or "").strip()
        for reference in event.iterchildren(f"{space}{name}Reference")
    )


def _first(found: dict[str, Any], names: tuple[str, ...]) -> Any:
    """What the first name that is known stands for."""
    return next((found[name] for name in names if name in found), None)


def _format(name: str, title: str, root: bytes, dialect: _Dialect) -> Format:
    begins = re.compile(rb"<(?:[\w.-]+:)?" + root + rb"[\s>/]")
    return Format(
        name=name,
        title=title,
        looks=lambda head: begins.search(head) is not None,
        read=lambda stream, tally: _read(stream, tally, dialect),
        suffixes=(".xml", f".{name}"),
    )


FORMATS = (
    _format("quakeml", "QuakeML", b"quakeml", _QUAKEML),
    _format("scml", "SeisComP XML", b"seiscomp", _SCML),
)
