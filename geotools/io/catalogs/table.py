"""Tables: USGS CSV, any CSV, TSV or semicolon table with names we know, any by column mapping.

USGS CSV: the CSV of the FDSN event service of ComCat (earthquake.usgs.gov/fdsnws/event/1 and
earthquake.usgs.gov/earthquakes/feed/v1.0/csv.php): 22 columns, depth in km, times in UTC with Z.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import IO

from geotools.errors import EventsError
from geotools.io.catalogs.delimited import CLOCK, Layout, read_table
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.headers import DELIMITERS, header_layout, row_names, split
from geotools.io.catalogs.kinds import ISF, in_words
from geotools.io.catalogs.lines import after_head, is_text, whole_lines
from geotools.io.catalogs.report import Tally

__all__ = ["CSV", "USGS", "mapped"]

_USGS = b"time,latitude,longitude,depth,mag,magtype,nst,gap,dmin,rms,net,id,updated,place,type"
_KEYS = ("time", "longitude", "latitude", "depth_km", "depth_m", "magnitude", "magnitude_type",
         "event_id", "event_type", "date", *CLOCK)  # fmt: skip


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    head, stream = after_head(stream)
    layout = header_layout(head)
    if layout is None:
        raise EventsError(
            "the table has no header with names of a time, a longitude and a latitude: say which "
            "columns they are."
        )
    columns = dict(read_table(stream, tally, layout))
    if "event_type" in columns:
        columns["event_type"] = in_words(columns["event_type"], ISF)
    return columns


def mapped(columns: Mapping[str, str]) -> Format:
    """The format of a table whose columns are named by the caller.

    Args:
        columns: column of an event, or date, year, month, day, hour, minute, second, depth_m ->
            name in the header, or number of the column from 1 in a file without header.

    Raises:
        EventsError: a key that is none of these, or no time, longitude or latitude among them;
            while reading: a name that the file has not.
    """
    unknown = [key for key in columns if key not in _KEYS]
    if unknown:
        raise EventsError(
            f"The column mapping names {', '.join(unknown)}: it may name {', '.join(_KEYS)}."
        )
    timed = "time" in columns or "date" in columns or set(CLOCK[:3]) <= set(columns)
    missing = [key for key in ("longitude", "latitude") if key not in columns]
    missing = missing if timed else ["time", *missing]
    if missing:
        raise EventsError(
            f"The column mapping lacks {', '.join(missing)}: add {missing[0]}=NAME, where NAME is "
            "a name in the header or the number of the column."
        )

    def read(stream: IO[bytes], tally: Tally) -> Columns:
        head, stream = after_head(stream)
        return read_table(stream, tally, _mapped_layout(head, columns))

    return Format("mapped", "Table by column mapping", lambda head: False, read)


def _mapped_layout(head: bytes, columns: Mapping[str, str]) -> Layout:
    lines = [line.decode("utf-8", "replace") for line in whole_lines(head)] or [""]
    first = next((n for n, line in enumerate(lines) if line.strip() and line[0] != "#"), 0)
    by_number = all(value.isdigit() for value in columns.values())
    tried: list[list[str]] = []
    comments = [n for n, line in enumerate(lines[:first]) if line.startswith("#")]
    for place, delimiter in itertools.product([first, *comments[::-1]], DELIMITERS):
        names = split(lines[place].lstrip("#"), delimiter)
        tried.append(names)
        if by_number and len(names) >= max(map(int, columns.values())) >= 1:
            fields = {key: int(value) - 1 for key, value in columns.items()}
            skip = first if _is_row(names, fields) else first + 1
        elif not by_number and set(columns.values()) <= set(names):
            fields = {key: names.index(value) for key, value in columns.items()}
            skip = place + 1
        else:
            continue
        if min(fields.values()) < 0:
            break
        if "time" not in fields and "date" in fields:
            fields["time"] = fields.pop("date")
        rows = [split(line, delimiter) for line in lines[skip : skip + 50] if line.strip()]
        shift = 0 if by_number else row_names(names, rows)
        fields = {key: position + shift for key, position in fields.items()}
        decimal = _decimal(rows, delimiter, fields)
        return Layout(delimiter, fields, len(names) + shift, skip, decimal=decimal)
    best = max(tried, key=len)
    absent = [value for value in columns.values() if value not in best and not value.isdigit()]
    if by_number:
        raise EventsError(
            f"the table has {len(best)} columns: the column mapping asks for "
            f"{', '.join(columns.values())}."
        )
    raise EventsError(
        f"the table has no column {', '.join(absent or columns.values())}: it has "
        f"{', '.join(name[:40] for name in best[:40])}."
    )


def _is_row(cells: list[str], fields: Mapping[str, int]) -> bool:
    try:
        float(cells[fields["longitude"]].replace(",", "."))
    except ValueError:
        return False
    return True


def _decimal(rows: list[list[str]], delimiter: str, fields: Mapping[str, int]) -> str:
    if delimiter == ",":
        return "."
    places = (fields["longitude"], fields["latitude"])
    cells = [row[place] for row in rows for place in places if len(row) > place]
    return "," if any("," in cell for cell in cells) else "."


def _looks_usgs(head: bytes) -> bool:
    return head[: len(_USGS)].lower() == _USGS


def _looks(head: bytes) -> bool:
    return is_text(head) and header_layout(head) is not None


USGS = Format("usgs-csv", "USGS ComCat CSV", _looks_usgs, _read)
CSV = Format("csv", "Table with a header", _looks, _read)
