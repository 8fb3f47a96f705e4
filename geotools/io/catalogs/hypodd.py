"""HypoDD: relocated events (.reloc, 24 columns) and events with their phases (.pha).

Layouts: Waldhauser (2001), hypoDD: A program to compute double-difference hypocenter locations,
USGS Open-File Report 01-113; phases also as docs.obspy.org/packages/obspy.io.hypodd.html has them.
Magnitudes of 0 are kept, though some programs write 0 for unknown.
"""

from __future__ import annotations

import re
from typing import IO

import numpy as np

from geotools.io.catalogs.delimited import (
    CLOCK,
    Layout,
    Order,
    events_of,
    fields_of,
    read_table,
)
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.lines import Block, blocks, whole_lines
from geotools.io.catalogs.quotes import BLANKS
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Rows

__all__ = ["FORMATS"]

_CLOCK_AT = {name: place for place, name in enumerate(CLOCK)}
_RELOC = Layout(
    BLANKS,
    {"event_id": 0, "latitude": 1, "longitude": 2, "depth_km": 3, "magnitude": 16}
    | {name: 10 + place for name, place in _CLOCK_AT.items()},
    24,
    quoted=False,
)
_PHA = Layout(
    BLANKS,
    {**_CLOCK_AT, "latitude": 6, "longitude": 7, "depth_km": 8, "magnitude": 9, "event_id": 13},
    14,
    quoted=False,
)
_EVENT = re.compile(rb"\s*#\s*\d{4}(\s+\d{1,2}){4}(\s+[-+\d.eENna]+){8}\s+\w+\s*\n")
_PHASE = re.compile(rb"\s*\S{1,8}\s+-?[\d.]+\s+-?[\d.]+\s+[A-Za-z]")
_NUMBER = re.compile(rb"[-+]?\d*\.?\d+([eE][-+]?\d+)?|\*+|NaN")


def _read_reloc(stream: IO[bytes], tally: Tally) -> Columns:
    return read_table(stream, tally, _RELOC)


def _read_pha(stream: IO[bytes], tally: Tally) -> Columns:
    rows, order = Rows(), Order()
    for block in blocks(stream, tally):
        events = re.sub(rb"(?m)^(?!\s*#)[^\n]+", b"", block.data).replace(b"#", b" ")
        frame, lines = fields_of(Block(block.first, events), _PHA, tally)
        rows.add(*events_of(frame, lines, _PHA, order, tally))
    return rows.columns()


def _looks_pha(head: bytes) -> bool:
    event = _EVENT.match(head)
    if event is None:
        return False
    rest = head[event.end() :]
    return not rest.strip() or bool(_PHASE.match(rest) or _EVENT.match(rest))


def _looks_reloc(head: bytes) -> bool:
    """24 numbers a line, with a place and a date where they belong."""
    lines = [line.split() for line in whole_lines(head)[:100]]
    lines = [line for line in lines if line]
    if not lines or any(len(line) != _RELOC.width for line in lines):
        return False
    if not all(_NUMBER.fullmatch(cell) for line in lines for cell in line):
        return False
    number = np.array([[float(line[place]) for place in (1, 2, 10, 11, 12)] for line in lines])
    low, high = np.array([(-90, 90), (-180, 360), (1, 9999), (1, 12), (1, 31)]).T
    return bool(((number >= low) & (number <= high)).all())


FORMATS: tuple[Format, ...] = (
    Format("hypodd-pha", "HypoDD phases", _looks_pha, _read_pha, (".pha",)),
    Format("hypodd-reloc", "HypoDD relocations", _looks_reloc, _read_reloc, (".reloc",)),
)
