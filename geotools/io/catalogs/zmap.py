"""ZMAP: 9 to 13 columns of numbers without a header.

Layout: ZMAP 7, github.com/swiss-seismological-service/zmap7 (longitude, latitude, decimal year,
month, day, magnitude, depth in km, hour, minute; then second, and errors of place, depth and
magnitude), and docs.obspy.org/packages/obspy.io.zmap.html for 10 and 13.
"""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import EventsError
from geotools.io.catalogs.clock import assembled
from geotools.io.catalogs.delimited import Layout, Order, events_of, fields_of, numbers_of
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.lines import after_head, blocks, whole_lines
from geotools.io.catalogs.quotes import BLANKS
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Rows

__all__ = ["FORMATS"]

_NAMES = ("longitude", "latitude", "year", "month", "day", "magnitude", "depth_km", "hour",
          "minute", "second")  # fmt: skip
_WIDTHS = range(9, 14)
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|NaN", re.I)
_LEAST, _MOST = (
    (-180, -90, 0, 1, 1, -10, -20, 0, 0, 0),
    (360, 90, 9999, 12, 31, 12, 1e6, 24, 60, 61),
)
_SECOND = np.timedelta64(1, "s")


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    head, stream = after_head(stream)
    delimiter, rows_of_head = _cells(head)
    width = len(rows_of_head[0]) if rows_of_head else len(_NAMES)
    if width not in _WIDTHS:
        raise EventsError(f"ZMAP has 9 to 13 columns, the file has {width}: name its format.")
    fields = {name: place for place, name in enumerate(_NAMES[:width])}
    layout = Layout(delimiter, fields, width, quoted=False)
    rows, order, short = Rows(), Order(), None
    for block in blocks(stream, tally):
        frame, lines = fields_of(block, layout, tally)
        year, _ = numbers_of(frame[fields["year"]], layout.decimal)
        if short is None and np.isfinite(year).any():
            short = bool(np.nanmax(year) < 100)  # two digits, as ZMAP before 2000 took them
        if short:
            frame = frame.copy()
            told = frame[fields["year"]].astype(object)
            frame[fields["year"]] = told.where(np.isnan(year), year + 1900)
            tally.note("Years of two digits were taken as 1900 to 1999.")
        columns, kept = events_of(frame, lines, layout, order, tally)
        if "second" in fields:
            columns["time"] = _finer(columns["time"], frame, fields)
        else:
            columns["magnitude"] = _known(columns["magnitude"], tally)
        rows.add(columns, kept)
    return rows.columns()


def _known(magnitude: NDArray[np.float64], tally: Tally) -> NDArray[np.float64]:
    """Magnitudes of the nine columns, in which 0 is unknown."""
    unknown = magnitude == 0
    if unknown.any():
        tally.note("Magnitudes of exactly 0 in ZMAP of nine columns were taken as unknown.")
    return np.where(unknown, np.nan, magnitude)


def _finer(
    times: NDArray[np.datetime64], frame: Any, fields: dict[str, int]
) -> NDArray[np.datetime64]:
    """Times with the fraction of the second that the decimal year has where the seconds are whole.

    ObsPy writes ZMAP so. A decimal year is as good as its digits: it counts if it falls into the
    very second, and its milliseconds are kept.
    """
    year, second = (numbers_of(frame[fields[name]], ".")[0] for name in ("year", "second"))
    whole = np.floor(year)
    start, end = (assembled(whole + later, np.ones_like(whole), np.ones_like(whole))
                  for later in (0, 1))  # fmt: skip
    known = ~(np.isnat(start) | np.isnat(end) | np.isnat(times))
    length = np.where(known, end - start, _SECOND).astype(np.int64)
    milli = np.round(np.where(known, (year - whole) * length, 0) / 1000).astype("timedelta64[ms]")
    exact = start + milli
    inside = known & (second == np.floor(second)) & (year != whole)
    inside &= (exact >= times) & (exact < times + _SECOND)
    return np.where(inside, exact, times)


def _cells(head: bytes) -> tuple[str, list[list[bytes]]]:
    """The delimiter, and the cells of the first lines that are whole."""
    lines = [line for line in whole_lines(head)[:200] if line.strip() and line[:1] not in b"#%"]
    comma = bool(lines) and b"," in lines[0]
    return ("," if comma else BLANKS), [
        [cell.strip() for cell in (line.split(b",") if comma else line.split())] for line in lines
    ]


def _looks(head: bytes) -> bool:
    """Only numbers, the same many in each line, each within what its column can hold."""
    _, rows = _cells(head)
    if not rows or len(rows[0]) not in _WIDTHS or any(len(row) != len(rows[0]) for row in rows):
        return False
    if not all(_NUMBER.fullmatch(cell) for row in rows for cell in row):
        return False
    values = np.array([[float(cell) for cell in row[:10]] for row in rows])
    low, high = np.array(_LEAST[: values.shape[1]]), np.array(_MOST[: values.shape[1]])
    years = values[:, 2][np.isfinite(values[:, 2])]
    if not ((years >= 1000).all() or ((years >= 20) & (years < 100)).all()):
        return False
    fine = np.isnan(values) | ((values >= low) & (values <= high))
    parts = values[:, [place for place in (3, 4, 7, 8) if place < values.shape[1]]]
    whole = np.isnan(parts) | (parts == np.floor(parts))
    return bool(fine.all(axis=1).mean() > 0.95 and whole.all(axis=1).mean() > 0.95)


FORMATS: tuple[Format, ...] = (Format("zmap", "ZMAP", _looks, _read),)
