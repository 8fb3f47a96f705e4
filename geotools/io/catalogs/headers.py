"""Headers of tables: which column is the time, the place, the magnitude, by the names people use.

A name counts without capitals, blanks, units in brackets and punctuation: "Depth (km)",
"depth/km" and "DEPTH_KM" are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from geotools.io.catalogs.delimited import CLOCK, Layout
from geotools.io.catalogs.lines import whole_lines
from geotools.io.catalogs.quotes import BLANKS

__all__ = ["DELIMITERS", "header_layout", "named", "plain_name", "row_names", "split"]

DELIMITERS = (",", ";", "\t", "|", BLANKS)
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "time", "datetime", "origintime", "eventtime", "timestring", "timeutc", "utctime",
        "datetimeutc", "utcdatetime", "origintimeutc", "timestamp", "utc", "hora", "ot",
    ),
    "date": ("date", "dateutc", "eventdate", "origindate", "fecha", "yyyymmdd", "yyyymmdddate"),
    "longitude": ("longitude", "lon", "long", "lng", "longitud", "longitudedeg", "londeg",
                  "evlon", "evlo", "x"),
    "latitude": ("latitude", "lat", "latitud", "latitudedeg", "latdeg", "evlat", "evla", "y"),
    "depth_m": ("depthm", "depm"),
    "depth_km": ("depth", "depthkm", "dep", "depkm", "evdp", "profundidad", "prof", "hypodepth"),
    "magnitude": ("magnitude", "mag", "m", "prefmag", "magnitud", "mw", "ml", "ms", "mb", "md"),
    "magnitude_type": ("magnitudetype", "magtype", "magt", "mtype", "typemag", "tipomag"),
    "event_id": ("eventid", "evid", "id", "publicid", "eventpublicid", "evno", "quakeid", "evento"),
    "event_type": ("eventtype", "evtype", "etype", "type"),
    "year": ("year", "yr", "yyyy", "ano"),
    "month": ("month", "mo", "mon", "mm", "mes"),
    "day": ("day", "dy", "da", "dd", "dia"),
    "hour": ("hour", "hr", "ho", "hh"),
    "minute": ("minute", "min", "mi", "mn", "mins"),
    "second": ("second", "sec", "seconds", "se", "ss", "sc", "secs"),
}  # fmt: skip
_KINDS = {"mw": "Mw", "ml": "ML", "ms": "Ms", "mb": "mb", "md": "Md"}
_COMMENTS = 200  # lines that may stand before a header
_MAGNITUDE_TYPE = re.compile(r"m[a-z]{0,4}", re.IGNORECASE)
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_ZONE_TOLD = re.compile(r"(time|date|hour|fecha|hora).*[\[(]")
_UTC = re.compile(r"[\[(](utc?|gmt|z|(?=[^)\]]*[:/.-])[ymdhs:/.\- t]+)[\])]")
_COMMA_NUMBER = re.compile(r"\s*[-+]?\d{1,3},\d+\s*")


def plain_name(name: str) -> str:
    """The name without capitals, units and punctuation; metres stay, and so does what stands in
    brackets after a time and may be a time zone.
    """
    name = name.strip().strip("#\"'").strip().lower()
    metres = re.search(r"[\[(/]\s*m\s*[\])]?$", name)
    if not _ZONE_TOLD.search(name) or _UTC.search(name):
        name = re.sub(r"[\[(].*?[\])]", "", name)
    return re.sub(r"[^a-z0-9]", "", name) + ("m" if metres and name.startswith("dep") else "")


def split(line: str, delimiter: str) -> list[str]:
    """The fields of one line."""
    import csv

    if delimiter == BLANKS:
        return line.split()
    rows = list(csv.reader([line[:10_000]], delimiter=delimiter, skipinitialspace=True))
    return [cell.strip() for cell in rows[0]] if rows else []


def named(names: Sequence[str]) -> dict[str, int]:
    """Position of every part of an event that the names tell; the better name where two do."""
    plain = [plain_name(name) for name in names]
    found = {}
    for key, aliases in _ALIASES.items():
        for alias in aliases:
            if alias in plain:
                found[key] = plain.index(alias)
                break
    return found


def header_layout(head: bytes) -> Layout | None:
    """The layout of a table whose first line that is no comment has names we know; else None.

    The first rows decide what names leave open: a date with its time of day in one column or in
    two, `type` as the type of the magnitude or of the event, a decimal comma.
    """
    lines = [line.decode("utf-8", "replace") for line in whole_lines(head)]
    for place, line in enumerate(lines[:_COMMENTS]):
        if not line.strip() or line.startswith("sep="):  # which Excel puts before a header
            continue
        for delimiter in DELIMITERS:
            layout = _layout(split(line, delimiter), delimiter, lines, place)
            if layout:
                return layout
        if not line.startswith("#"):
            return None
    return None


def _layout(names: list[str], delimiter: str, lines: list[str], place: int) -> Layout | None:
    if delimiter == BLANKS and names and names[0] == "#":
        names = names[1:]
    fields = named(names)
    if not {"longitude", "latitude"} <= set(fields):
        return None
    rows = [split(line, delimiter) for line in lines[place + 1 : place + 51] if line.strip("\n\r ")]
    rows = [row for row in rows if row and not row[0].startswith("#")]
    shift = row_names(names, rows)
    kind = plain_name(names[fields["magnitude"]]) if "magnitude" in fields else ""
    fields = {key: position + shift for key, position in fields.items()}
    fields = _one_time(fields, rows)
    if not ({"time"} <= set(fields) or set(CLOCK[:3]) <= set(fields)):
        return None
    fixed = {}
    cells = _cells(rows, fields.get("event_type"))
    if "magnitude_type" not in fields and cells and all(map(_MAGNITUDE_TYPE.fullmatch, cells)):
        fields["magnitude_type"] = fields.pop("event_type")
    elif "magnitude_type" not in fields and kind in _KINDS:
        fixed["magnitude_type"] = _KINDS[kind]
    comma = delimiter != "," and any(
        _COMMA_NUMBER.fullmatch(cell)
        for key in ("longitude", "latitude")
        for cell in _cells(rows, fields[key])
    )
    decimal = "," if comma else "."
    return Layout(delimiter, fields, len(names) + shift, place + 1, decimal=decimal, fixed=fixed)


def row_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """1 if the rows begin with names of their own that the header does not name, as R writes."""
    longer = all(len(row) == len(names) + 1 and row[-1] for row in rows)
    return int(bool(rows) and longer)


def _one_time(fields: dict[str, int], rows: list[list[str]]) -> dict[str, int]:
    """The fields with one way left to say the time: one column, date and time, or the parts."""
    fields = dict(fields)
    if "time" in fields and any(map(_DATE.match, _cells(rows, fields["time"]))):
        fields.pop("date", None)
    if "date" in fields and ("time" not in fields or _has_clock(_cells(rows, fields["date"]))):
        fields["time"] = fields.pop("date")
    parts = set(CLOCK[:3]) <= set(fields)
    if parts and ("time" not in fields or not any(map(_DATE.match, _cells(rows, fields["time"])))):
        fields.pop("time", None)
        fields.pop("date", None)
    else:
        for name in CLOCK:
            fields.pop(name, None)
    return fields


def _has_clock(cells: list[str]) -> bool:
    return any(":" in cell for cell in cells)


def _cells(rows: list[list[str]], position: int | None) -> list[str]:
    if position is None:
        return []
    return [row[position] for row in rows if len(row) > position and row[position]]
