"""read_events and read_catalog: any catalog file becomes the event table, with a report.

Which format a file has is decided here, by its content; what all formats have in common
(events that are left out, depths that are put right) is in `tidying`.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from geotools.errors import EventsError, FileError
from geotools.io.catalogs.content import Content, open_content
from geotools.io.catalogs.formats import Format
from geotools.io.catalogs.report import ReadReport, Tally
from geotools.io.catalogs.tidying import OTHER_TYPE, tidied
from geotools.io.catalogs.xml import refuse_doctype

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["formats", "read_catalog", "read_events"]

_FAMILIES = ("own", "quakeml", "geojson", "ndk", "text_formats", "through_obspy")
"""Modules that list formats, in the order in which they are asked."""

_PACKAGE = "geotools.io.catalogs"

_ELEMENT = re.compile(rb"<[A-Za-z_]")
"""XML that shows an element has shown what it is: its name says nothing more."""


def read_events(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    all_types: bool = False,
) -> GeoDataFrame:
    """The event table of a catalog file, in the order of time; `.attrs["report"]` says what was
    left out and why.

    The format is recognised by content: QuakeML, SC3ML, GeoJSON, many tables, what ObsPy reads,
    and what `geotools events` writes; packed with gzip or zip too. Left out are events without
    time or place, those of another type than earthquake, and repetitions: the same id within a
    day, or, without ids, rows that are equal in every column, with times finer than a minute. An
    event whose type is unknown is an earthquake; one that is called induced or triggered is not.
    One bad event never ends the reading, but XML or JSON that breaks off is refused: what is
    missing, perhaps the latest events, cannot be known.

    Args:
        path: the file.
        format: name of the format, as in `formats()`; otherwise it is recognised.
        columns: for any other table: column of the event table -> column of the file.
        all_types: keep explosions, quarry blasts and everything else too.

    Raises:
        FileError: no such file, or no earthquake catalog.
        EventsError: a catalog that cannot be read, or that holds no earthquakes.
    """
    events, report = read_catalog(path, format=format, columns=columns, all_types=all_types)
    events.attrs["report"] = asdict(report)
    return events


def read_catalog(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    all_types: bool = False,
) -> tuple[GeoDataFrame, ReadReport]:
    """The event table of a catalog file and what came of reading it; as `read_events`."""
    content = open_content(path)
    chosen = _chosen(content, format, columns)
    tally = Tally()
    try:
        with content.stream() as stream:
            found = chosen.read(stream, tally)
        events = tidied(found, tally, all_types=all_types)
    except EventsError as error:
        raise EventsError(f"{content.path} ({chosen.title}): {error}") from None
    report = tally.report(os.fspath(path), chosen.name, len(events))
    if events.empty:
        raise EventsError(f"{content.path} ({chosen.title}) {_nothing(report)}")
    return events, report


def formats() -> tuple[Format, ...]:
    """Every format that can be read, in the order in which they are tried."""
    found: list[Format] = []
    for family in _FAMILIES:
        found.extend(_family(family))
    return tuple(found)


def _nothing(report: ReadReport) -> str:
    """Why no event is left, and what to do."""
    if not report.skipped:
        return "holds no events: name a catalog that has some."
    reasons = ", ".join(f"{item.count:,} {item.reason}" for item in report.skipped[:5])
    remedy = "name another catalog"
    if any(item.reason.startswith(OTHER_TYPE) for item in report.skipped):
        remedy = "keep events of all types with --all-types (all_types=True), or " + remedy
    return f"holds no earthquakes that can be used ({reasons}): {remedy}."


def _family(name: str) -> tuple[Format, ...]:
    """The formats of a module, which is imported now: most files need only the first few."""
    listed: tuple[Format, ...] = importlib.import_module(f"{_PACKAGE}.{name}").FORMATS
    return listed


def _chosen(content: Content, name: str | None, columns: Mapping[str, str] | None) -> Format:
    """The format that is asked for, or that the content shows, or that the file's name says."""
    if columns is not None:
        if name is not None:
            raise EventsError("columns= is itself a format: give it, or format=, not both.")
        from geotools.io.catalogs.text_formats import mapped

        return mapped(columns)
    if name is not None:
        known = {format.name: format for format in reversed(formats())}  # the first of a name
        if name.lower() not in known:
            raise EventsError(
                f"There is no format {name!r}: choose from {', '.join(sorted(known))}."
            )
        return known[name.lower()]
    try:
        refuse_doctype(content.head if content.head.lstrip().startswith(b"<") else b"")
    except EventsError as error:
        raise EventsError(f"{content.path}: {error}") from None
    named = []
    for family in _FAMILIES:
        for format in _family(family):
            if format.looks(content.head):
                return format
            if content.suffix in format.suffixes:
                named.append(format)
    if named and content.head.lstrip().startswith(b"<") and not _ELEMENT.search(content.head):
        return named[0]  # a long comment stands before the root
    raise FileError(
        f"{content.path} is not an earthquake catalog that can be read: give one of "
        f"{', '.join(dict.fromkeys(format.title for format in formats()))}, or say with columns "
        "(--columns time=…) which column of a table is what."
    )
