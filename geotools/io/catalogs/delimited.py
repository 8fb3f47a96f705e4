"""The reader of tables: lines of fields between delimiters, a block at a time, by pandas' C parser.

What the fields mean is said by a Layout; who makes one knows the format. Nothing is fetched or
evaluated: a field is a number, a time or a text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import EventsError
from geotools.io.catalogs.clock import assembled, parsed
from geotools.io.catalogs.formats import Columns
from geotools.io.catalogs.lines import Block, blocks
from geotools.io.catalogs.quotes import BLANKS, mended, whole_texts
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Kept, Rows

__all__ = [
    "CLOCK",
    "TEXTS",
    "Layout",
    "Order",
    "events_of",
    "fields_of",
    "numbers_of",
    "read_table",
    "texts_of",
]

TEXTS = ("magnitude_type", "event_id", "event_type")
"""Columns of an event that are text."""
CLOCK = ("year", "month", "day", "hour", "minute", "second")
"""Parts of a time that stand in columns of their own."""
_NUMBERS = ("longitude", "latitude", "depth_km", "depth_m", "magnitude")
_MISSING = ["-", "--", "---", "Null", "unknown", *("*" * n for n in range(1, 13))]
"""What stands for nothing, beside NA, NaN, null and None; stars are numbers that did not fit."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of an event stand in the rows of a table."""

    delimiter: str
    """One character, or `BLANKS`."""
    fields: Mapping[str, int]
    """Position from 0 of: time (with date: the time of day), longitude, latitude, depth_km or
    depth_m, magnitude, magnitude_type, event_id, event_type, date, year to second."""
    width: int
    """Fields of a full row; a row that has more is left out."""
    skip: int = 0
    """Lines before the first row."""
    decimal: str = "."
    """The decimal mark."""
    quoted: bool = True
    """Whether quotes enclose texts."""
    carry: bool = False
    """Whether minutes and seconds of 60 and more go on into the next hour and minute."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Texts that are the same for every row: magnitude_type by the name of the column."""
    more: tuple[int, ...] = ()
    """Positions of further fields that are read as text, for who made the layout."""


class Order:
    """Whether dates such as 3/4/2019 begin with the day: decided once for a file, by its dates."""

    def __init__(self) -> None:
        self._day_first: bool | None = None

    def __call__(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
        """True if the day comes first.

        Raises:
            EventsError: the dates can be read both ways.
        """
        if self._day_first is None:
            days, others = int((first > 12).sum()), int((second > 12).sum())
            if days == others:
                raise EventsError(
                    f"dates such as {first[0]}/{second[0]} can begin with the day or with the "
                    "month: write them as year-month-day."
                )
            self._day_first = days > others
        return self._day_first


def read_table(stream: IO[bytes], tally: Tally, layout: Layout) -> Columns:
    """The events of a table; rows with a number or time that cannot be read are left out.

    Raises:
        EventsError: the dates can be read both ways.
    """
    rows, order = Rows(), Order()
    found = blocks(stream, tally)
    for block in whole_texts(found, layout.delimiter) if layout.quoted else found:
        frame, lines = fields_of(block, layout, tally)
        rows.add(*events_of(frame, lines, layout, order, tally))
    return rows.columns()


def fields_of(block: Block, layout: Layout, tally: Tally) -> tuple[Any, NDArray[np.int64]]:
    """The fields of a block that the layout names, as a DataFrame by position, and the number of
    the line of each row; header and comments are not in it.
    """
    data, first = block.data, block.first
    while first <= layout.skip and data:
        data = data[data.find(b"\n") + 1 :]
        first += 1
    if data.startswith(b"#") or b"\n#" in data:
        data = re.sub(rb"(?m)^#[^\n]*", b"", data)
    if not data.strip():
        data = b""
    lines = np.arange(first, first + data.count(b"\n"))
    frame = _frame(data, layout)
    if frame is None or len(frame) != len(lines):
        data, lines = mended(data, lines, layout.delimiter, layout.width, tally)
        frame = _frame(data, layout)
        if frame is None or len(frame) != len(lines):  # the C parser sees other lines than we
            tally.skip("rows that cannot be told apart", f"line {lines[0]}", len(lines))
            return _frame(b"", layout), lines[:0]
    return frame, lines


def events_of(
    frame: Any, lines: NDArray[np.int64], layout: Layout, order: Order, tally: Tally
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    """Columns of events of the fields of a block, and which rows are kept.

    Raises:
        EventsError: the dates can be read both ways.
    """
    kept = Kept(tally, lines, ~frame.isna().all(axis=1).to_numpy())
    kept.drop(frame[layout.width].notna().to_numpy(), "more fields than the header has")
    columns: dict[str, NDArray[Any]] = {"time": _times(frame, layout, order, kept), "line": lines}
    for name in _NUMBERS:
        if name in layout.fields:
            values, wrong = numbers_of(frame[layout.fields[name]], layout.decimal)
            name, scale = ("depth_km", 1000) if name == "depth_m" else (name, 1)
            kept.drop(wrong, f"{name.removesuffix('_km')} is not a number")
            columns[name] = values / scale
    for name in TEXTS:
        if name in layout.fields:
            columns[name] = texts_of(frame[layout.fields[name]])
        elif name in layout.fixed:
            columns[name] = np.full(len(frame), layout.fixed[name], dtype=object)
    return columns, kept.rows


def _frame(data: bytes, layout: Layout) -> Any:
    """The wanted fields of the lines, by position; None if the parser loses its way.

    One field more than a row has is asked for: it is missing everywhere but in rows that are too
    long. A first row that has it, of missing values, is put before the lines and taken out again.
    """
    import pandas as pd

    wanted = sorted({*layout.fields.values(), *layout.more, layout.width})
    text = {layout.fields[name] for name in (*TEXTS, "time", "date") if name in layout.fields}
    between = " " if layout.delimiter == BLANKS else layout.delimiter
    example = between.join(_MISSING[0] for _ in range(layout.width + 1)).encode()
    try:
        frame = pd.read_csv(
            io.BytesIO(example + b"\n" + data),
            sep=layout.delimiter,
            header=None,
            names=range(layout.width + 1),
            index_col=False,
            usecols=wanted,
            dtype=dict.fromkeys([*text, *layout.more, layout.width], object),
            engine="c",
            encoding="utf-8",
            encoding_errors="replace",
            skip_blank_lines=False,
            skipinitialspace=True,
            quoting=0 if layout.quoted else 3,
            na_values=_MISSING,
            low_memory=False,
            decimal=layout.decimal,
        )
    except pd.errors.ParserError:
        return None
    return frame.iloc[1:]


def _times(frame: Any, layout: Layout, order: Order, kept: Kept) -> NDArray[np.datetime64]:
    fields = layout.fields
    if "year" in fields:
        return _of_parts(frame, layout, kept)
    texts = frame[fields["time"]].fillna("").to_numpy(dtype=object)
    if "date" in fields:
        dates = frame[fields["date"]].fillna("").to_numpy(dtype=object)
        texts = np.where(dates == "", "", dates + " " + texts)
    times = parsed(texts, order)
    kept.drop(np.isnat(times) & (texts != ""), "time is not understood")
    return times


def _of_parts(frame: Any, layout: Layout, kept: Kept) -> NDArray[np.datetime64]:
    """Times of years, months, days and, where they are told, hours to seconds."""
    parts = []
    for name in CLOCK:
        if name in layout.fields:
            values, wrong = numbers_of(frame[layout.fields[name]], layout.decimal)
            kept.drop(wrong, f"{name} is not a number")
        else:
            values = np.full(len(frame), float(name in ("month", "day")))
        parts.append(values if name in CLOCK[:3] else np.nan_to_num(values))
    year, month, day, hour, minute, second = parts
    micro = np.round(second * 1e6)
    if layout.carry:
        over = np.nan_to_num(minute * 60_000_000 + micro)
        passed = (minute < 120) & (second < 120) & ((minute >= 60) | (second >= 60))
        whole = assembled(year, month, day, hour)
        later = whole + np.where(passed, over, 0).astype("timedelta64[us]")
        times = np.where(passed, later, assembled(year, month, day, hour, minute, micro))
    else:
        times = assembled(np.floor(year), month, day, hour, minute, micro)
    missing = np.isnan(np.stack(parts)).any(axis=0)
    kept.drop(np.isnat(times) & ~missing, "date or time of day that cannot be")
    return times


def numbers_of(series: Any, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a field, NaN where it is empty, and which rows hold something else."""
    import pandas as pd

    kind = series.dtype.kind
    if kind in "fiu":
        values = series.to_numpy(dtype=np.float64)
        return values, np.isinf(values)
    if kind == "b":  # True is no number
        return np.full(len(series), np.nan), np.ones(len(series), dtype=bool)
    texts = series.astype(object)
    if decimal != ".":
        texts = texts.map(lambda text: text.replace(decimal, ".") if type(text) is str else text)
    values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    blank = np.array([type(text) is str and not text.strip() for text in texts], dtype=bool)
    return values, ~np.isfinite(values) & texts.notna().to_numpy() & ~blank


def texts_of(series: Any) -> NDArray[np.object_]:
    """Texts of a field without blanks around them, "" where it is empty; equal ones are one."""
    import pandas as pd

    codes, names = pd.factorize(series.to_numpy(dtype=object))
    stripped = np.array([str(name).strip() for name in names] + [""], dtype=object)
    return np.asarray(stripped[codes])  # the code of what is missing, -1, is the last
