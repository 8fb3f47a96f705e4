"""Tables of agencies that their header gives away: FDSN, GeoNet, ISC-GEM, pyCSEP, HORUS, JMA.

Layouts: FDSN event text, fdsn.org/webservices/fdsnws-event-1.2.pdf (fields between bars, no
quotes, comments with #); GeoNet, quakesearch.geonet.org.nz; ISC-GEM, www.isc.ac.uk/iscgem (the
names stand in the last comment line); pyCSEP, docs.cseptesting.org (reader csep_ascii); HORUS,
Lolli et al. (2020), doi:10.1785/0220200148, horus.bo.ingv.it; the JMA table as the R package ETAS
has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import IO

import numpy as np

from geotools.errors import EventsError
from geotools.io.catalogs.delimited import Layout, Order, events_of, fields_of, read_table
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.headers import header_layout
from geotools.io.catalogs.kinds import ISF, in_words
from geotools.io.catalogs.lines import after_head, blocks, is_text, whole_lines
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Rows

__all__ = ["FORMATS", "JAPAN", "JAPAN_NOTE"]

JAPAN = np.timedelta64(9 * 60, "m")
"""Japan Standard Time is UTC + 9 h, and was since 1888."""
JAPAN_NOTE = "Times were Japan Standard Time and are now UTC."

_FDSN = re.compile(rb"\s*#?\s*EventID\s*\|\s*Time\s*\|\s*Latitude\s*\|\s*Longitude\s*\|", re.I)
_GEONET = re.compile(rb"\s*publicid\s*,\s*eventtype\s*,\s*origintime\s*,", re.I)
_ISC_GEM = re.compile(rb"^#\s*date\s*,\s*lat\s*,\s*lon\s*,\s*smajax\s*,", re.I | re.M)
_PYCSEP = re.compile(rb"lon,lat,(mag|m),time_string,depth,catalog_id,event_id\s", re.I)
_PYCSEP_ROWS = re.compile(
    rb"(,,,,,\d*,\w*\r?\n)*"
    rb"-?[\d.]+,-?[\d.]+,-?[\d.]+,\d{4}-\d\d?-\d\d?T[\d:.]+,-?[\d.]*,-?\d*,[^,\n]*\n"
)
_HORUS = re.compile(rb"\s*Year\s+Mo\s+Da\s+Ho\s+Mi\s+Se\s+Lat\s+Lon\s+Depth\s+Mw\s", re.I)
_JMA = re.compile(rb"\"?date\"?,\"?time\"?,\"?long\"?,\"?lat\"?,\"?mag\"?,\"?depth\"?\s", re.I)
_JAPAN_AREA = (118.0, 20.0, 156.0, 50.0)  # what the JMA network locates, degrees


def _by_header(change: Callable[[Layout], Layout]) -> Callable[[IO[bytes], Tally], Columns]:
    """A reader of tables whose header is read as any other, with what is known besides."""

    def read(stream: IO[bytes], tally: Tally) -> Columns:
        head, stream = after_head(stream)
        return read_table(stream, tally, change(_layout(head)))

    return read


def _layout(head: bytes) -> Layout:
    layout = header_layout(head)
    if layout is None:
        raise EventsError("the header names no time, longitude or latitude.")
    return layout


def _in_isf(columns: Columns) -> Columns:
    if "event_type" not in columns:
        return columns
    return {**columns, "event_type": in_words(columns["event_type"], ISF)}


def _read_fdsn(stream: IO[bytes], tally: Tally) -> Columns:
    return _in_isf(_by_header(lambda layout: replace(layout, quoted=False))(stream, tally))


def _horus(layout: Layout) -> Layout:
    """Minutes and seconds reach beyond 60 in HORUS, as in 10:60:64.29."""
    return replace(layout, carry=True, fixed={"magnitude_type": "Mw"})


def _isc_gem(layout: Layout) -> Layout:
    """The column `type` is of the mechanism."""
    fields = {key: place for key, place in layout.fields.items() if key != "event_type"}
    return replace(layout, fields=fields, fixed={"magnitude_type": "Mw"})


def _read_pycsep(stream: IO[bytes], tally: Tally) -> Columns:
    head, stream = after_head(stream)
    names = ("longitude", "latitude", "magnitude", "time", "depth_km")
    fields = {name: place for place, name in enumerate(names)} | {"event_id": 6}
    catalog = 5
    layout = Layout(",", fields, 7, int(bool(_PYCSEP.match(head))), more=(catalog,))
    rows, order, catalogs = Rows(), Order(), set()
    for block in blocks(stream, tally):
        frame, lines = fields_of(block, layout, tally)
        timed = frame[fields["time"]].notna()  # a catalog without events has one row that is empty
        catalogs |= set(frame[catalog][timed].dropna().unique())
        columns, kept = events_of(frame, lines, layout, order, tally)
        rows.add(columns, kept & timed.to_numpy())
    if len(catalogs) > 1:
        raise EventsError(
            f"the file holds {len(catalogs)} simulated catalogs: give one with a single catalog_id."
        )
    return rows.columns()


def _read_jma(stream: IO[bytes], tally: Tally) -> Columns:
    columns = _by_header(lambda layout: layout)(stream, tally)
    tally.note(JAPAN_NOTE)
    return {**columns, "time": columns["time"] - JAPAN}


def _looks_jma(head: bytes) -> bool:
    """The names of the table, places that are all in Japan, and depths that are not positive.

    Other catalogs have the same names; those of JMA count depths downwards from zero.
    """
    if not _JMA.match(head):
        return False
    rows = [line.split(b",") for line in whole_lines(head)[1:]] or [[]]
    try:
        places = np.array([[float(cell) for cell in (row[2], row[3], row[5])] for row in rows])
    except (ValueError, IndexError):
        return False
    west, south, east, north = _JAPAN_AREA
    lon, lat, depth = places.T
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return bool(inside.all() and (depth <= 0).all() and (depth < 0).any())


def _begins(pattern: re.Pattern[bytes]) -> Callable[[bytes], bool]:
    return lambda head: is_text(head) and pattern.match(head) is not None


def _looks_isc_gem(head: bytes) -> bool:
    return head[:1] == b"#" and is_text(head) and _ISC_GEM.search(head) is not None


def _looks_pycsep(head: bytes) -> bool:
    return _begins(_PYCSEP)(head) or _begins(_PYCSEP_ROWS)(head)


FORMATS: tuple[Format, ...] = (
    Format("fdsn-text", "FDSN event text", _begins(_FDSN), _read_fdsn),
    Format("geonet-csv", "GeoNet CSV", _begins(_GEONET), _by_header(lambda layout: layout)),
    Format("isc-gem", "ISC-GEM catalogue", _looks_isc_gem, _by_header(_isc_gem)),
    Format("pycsep-csv", "pyCSEP CSV", _looks_pycsep, _read_pycsep),
    Format("horus", "HORUS catalogue", _begins(_HORUS), _by_header(_horus)),
    Format("jma-csv", "JMA table in Japan Standard Time", _looks_jma, _read_jma),
)
"""Each by its header."""
