"""NDK, the format of the Global CMT catalog: five lines of fixed columns for each event.

After "allorder.ndk_explained" of the Global CMT project. The place and time are those of the
centroid, the magnitude is Mw by the scalar moment.
"""

from __future__ import annotations

import math
import re
from typing import IO, Any

import numpy as np

from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.report import Tally

__all__ = ["FORMATS"]

_FIRST_LINE = re.compile(rb".{4}.?(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:[\d .]{4})")
_LINES = 5
_DYNE_CM = 1e-7
"""In newton metres."""


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    rows = []
    block: list[bytes] = []
    for number, line in enumerate(stream, start=1):
        if _FIRST_LINE.match(line):
            _count_part(block, number, tally)
            block = [line]
        elif block:
            block.append(line)
        elif line.strip():
            tally.skip("no part of an event", f"line {number}")
        if len(block) == _LINES:
            first = number - _LINES + 1
            row = _row(block)
            if row is None:
                tally.skip("numbers that cannot be read", f"line {first}")
            else:
                rows.append((*row, first))
            block = []
    _count_part(block, 0, tally)
    values = list(zip(*rows, strict=True)) or [()] * 9
    shift = np.round(np.array(values[1], dtype=np.float64) * 1e6).astype("timedelta64[us]")
    columns: dict[str, Any] = {"time": moments(values[0]) + shift}
    for index, name in enumerate(("longitude", "latitude", "depth_km", "magnitude"), start=2):
        columns[name] = np.array(values[index], dtype=np.float64)
    columns["magnitude_type"] = values[6]
    columns["event_id"] = values[7]
    columns["event_type"] = ["earthquake"] * len(rows)
    columns["line"] = np.array(values[8], dtype=np.int64)
    return columns


def _row(block: list[bytes]) -> tuple[Any, ...] | None:
    """Time of the event, seconds from it to the centroid, the other values of the columns."""
    _, name, centroid, exponent, moment = (line.decode("latin-1") for line in block)
    found = _FIRST_LINE.match(block[0])
    if found is None or not centroid.startswith("CENTROID:"):
        return None
    year, month, day, clock = (part.decode() for part in found.groups())
    try:
        newton_metres = float(moment[49:56]) * 10 ** int(exponent[:2]) * _DYNE_CM
        # Hanks and Kanamori 1979, in the form of the Global CMT project
        magnitude = round(2 / 3 * (math.log10(newton_metres) - 9.1), 2)
        shift, latitude, longitude, depth = (
            float(centroid[start:end]) for start, end in ((9, 18), (22, 29), (34, 42), (47, 53))
        )
    except (ValueError, OverflowError):
        return None
    time = f"{year}-{month}-{day}T{clock.strip().replace(' ', '0')}"
    return time, shift, longitude, latitude, depth, magnitude, "Mwc", name[:16].strip()


def _count_part(block: list[bytes], number: int, tally: Tally) -> None:
    """Counts an event that has fewer lines than five."""
    if any(line.strip() for line in block):
        where = f"line {number - len(block)}" if number else "the last event"
        tally.skip("fewer lines than an event has", where)


def _looks(head: bytes) -> bool:
    return _FIRST_LINE.match(head.lstrip(b"\r\n")) is not None and b"\nCENTROID:" in head


FORMATS = (Format("ndk", "NDK", _looks, _read, (".ndk",)),)
