"""The CSV of the ISC Bulletin: free text, a header, an event a line with any number of magnitudes.

Layout: www.isc.ac.uk/iscbulletin/search/catalogue/csvoutput; without TYPE, as the ISC-EHB and
earlier bulletins have it. The catalogue ends with STOP; what the web page wraps around it is
passed over.
"""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.delimited import Layout, Order, events_of, fields_of, texts_of
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.kinds import ISF, in_words
from geotools.io.catalogs.lines import Block, blocks
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Rows

__all__ = ["FORMATS"]

_HEADER = re.compile(
    rb"^\s*EVENTID\s*,(?P<type>\s*TYPE\s*,)?\s*AUTHOR\s*,\s*DATE\s*,\s*TIME\s*,\s*LAT\s*,\s*LON\s*,"
    rb"\s*DEPTH\s*,\s*DEPFIX\s*,\s*AUTHOR\s*,\s*TYPE\s*,\s*MAG[^\n]*\n",
    re.M,
)
_STOP = re.compile(rb"^\s*STOP\b", re.M)
_ROW = re.compile(rb"^\s*\d+\s*,", re.M)
_SCALES = ("MW", "MS", "MB", "ML")
"""Which of an event's magnitudes is taken: the moment magnitude before those of surface and body
waves and the local one, others last."""
_AUTHORS = ("GCMT", "ISC")
"""Of two on one scale: Global CMT, then ISC itself, then the one that comes first."""


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    rows, order, typed, ended = Rows(), Order(), None, False
    for block in blocks(stream, tally):
        data, first = block.data, block.first
        if typed is None:
            header = _HEADER.search(data)
            if header is None:
                continue
            typed = int(header["type"] is not None)
            first += data[: header.end()].count(b"\n")
            data = data[header.end() :]
        stop = _STOP.search(data)
        data, ended = (data[: stop.start()], True) if stop else (data, False)
        if data:
            rows.add(*_events(Block(first, _only_rows(data)), typed, order, tally))
        if ended:
            break
    columns = dict(rows.columns())
    if "event_type" in columns:
        columns["event_type"] = in_words(columns["event_type"], ISF)
    return columns


def _only_rows(data: bytes) -> bytes:
    """The lines with those that do not begin with a number emptied."""
    lines = data.split(b"\n")
    return b"\n".join(line if _ROW.match(line) else b"" for line in lines)


def _events(
    block: Block, typed: int, order: Order, tally: Tally
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    before = 8 + typed  # fields before the magnitudes
    commas = max(line.count(b",") for line in block.data.split(b"\n"))
    triples = min(max(1, (commas + 1 - before + 2) // 3), 500)
    names = ("date", "time", "latitude", "longitude", "depth_km")
    fields = {name: place for place, name in enumerate(names, start=2 + typed)}
    fields |= {"event_id": 0, "magnitude_type": before + 1, "magnitude": before + 2}
    if typed:
        fields["event_type"] = 1
    further = tuple(range(before, before + 3 * triples))
    layout = Layout(",", fields, before + 3 * triples, more=further, quoted=False)
    frame, lines = fields_of(block, layout, tally)
    return events_of(_preferred(frame, before, triples), lines, layout, order, tally)


def _preferred(frame: Any, before: int, triples: int) -> Any:
    """The fields with the magnitude that is taken in the place of the first."""
    best = np.full(len(frame), np.inf)
    kind = np.full(len(frame), np.nan, dtype=object)
    value = np.full(len(frame), np.nan, dtype=object)
    for triple in range(triples):
        author, scale, size = (texts_of(frame[before + 3 * triple + part]) for part in range(3))
        score = 10 * _rank(scale, _SCALES) + _rank(author, _AUTHORS)
        better = (size != "") & (score < best)
        best[better], kind[better], value[better] = score[better], scale[better], size[better]
    frame = frame.copy()
    frame[before + 1], frame[before + 2] = kind, value
    return frame


def _rank(texts: NDArray[np.object_], order: tuple[str, ...]) -> NDArray[np.float64]:
    """Place in `order` of what each text begins with; behind all for one that is not in it."""
    import pandas as pd

    codes, names = pd.factorize(texts)
    ranks = [
        next((place for place, begin in enumerate(order) if name.upper().startswith(begin)), 9)
        for name in names
    ]
    return np.asarray(np.array(ranks, dtype=np.float64)[codes])


def _looks(head: bytes) -> bool:
    return b"\0" not in head and _HEADER.search(head) is not None


FORMATS: tuple[Format, ...] = (Format("isc-csv", "ISC Bulletin CSV", _looks, _read),)
