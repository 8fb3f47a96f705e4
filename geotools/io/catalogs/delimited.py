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
from geotools.io.catalogs.report import Tally

__all__ = ["CLOCK", "TEXTS", "Layout", "Order", "Rows", "read_table"]

TEXTS = ("magnitude_type", "event_id", "event_type")
"""Columns of an event that are text."""
CLOCK = ("year", "month", "day", "hour", "minute", "second")
"""Parts of a time that stand in columns of their own."""
_PLACES = ("longitude", "latitude")
_NUMBERS = ("depth_km", "depth_m", "magnitude")
_MISSING = ("-", "--", "---", "*", "Null", "unknown")  # beside NA, NaN, null, None and nothing


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of an event stand in the rows of a table."""

    delimiter: str
    """One character, or `\\s+` for any blanks."""
    fields: Mapping[str, int]
    """Position from 0 of: time (with date: the time of day), longitude, latitude, depth_km or
    depth_m, magnitude, magnitude_type, event_id, event_type, date, year to second."""
    width: int
    """Fields of a full row; a row that has more is left out."""
    skip: int = 0
    """Lines before the first row."""
    decimal: str = "."
    """The decimal mark."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Texts that are the same for every row: magnitude_type by the name of the column."""


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
            if not ((first > 12) ^ (second > 12)).any():
                raise EventsError(
                    f"Dates such as {first[0]}/{second[0]} can begin with the day or with the "
                    "month: write them as year-month-day."
                )
            self._day_first = bool((first > 12).sum() >= (second > 12).sum())
        return self._day_first


class Rows:
    """Columns of events, gathered block by block."""

    def __init__(self) -> None:
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(self, columns: dict[str, NDArray[Any]]) -> None:
        """Takes the columns of some rows; every call brings the same ones."""
        self._parts.append(columns)

    def columns(self) -> Columns:
        """All rows; empty columns of time and place when none came."""
        if not self._parts:
            nothing = np.empty(0)
            times = np.empty(0, dtype="datetime64[us]")
            return {"time": times, "longitude": nothing, "latitude": nothing}
        names = tuple(self._parts[0])
        return {name: np.concatenate([part.pop(name) for part in self._parts]) for name in names}


def read_table(stream: IO[bytes], tally: Tally, layout: Layout) -> Columns:
    """The events of a table; rows with a number or time that cannot be read are left out.

    Raises:
        EventsError: the dates can be read both ways.
    """
    rows, order = Rows(), Order()
    for block in blocks(stream, tally):
        data, numbers = _rows_of(block, layout)
        if data:
            rows.add(_events(data, numbers, layout, order, tally))
    return rows.columns()


def _rows_of(block: Block, layout: Layout) -> tuple[bytes, NDArray[np.int64]]:
    """The lines of a block after the header, comments emptied, and their numbers."""
    data, first = block.data, block.first
    while first <= layout.skip and data:
        data = data[data.find(b"\n") + 1 :]
        first += 1
    if data.startswith(b"#") or b"\n#" in data:
        data = re.sub(rb"(?m)^#[^\n]*", b"", data)
    return data, np.arange(first, first + data.count(b"\n"))


def _events(
    data: bytes, numbers: NDArray[np.int64], layout: Layout, order: Order, tally: Tally
) -> dict[str, NDArray[Any]]:
    frame = _frame(data, layout)
    if frame is None or len(frame) != len(numbers):
        data, numbers = _mended(data, numbers, layout, tally)
        frame = _frame(data, layout)
        if frame is None or len(frame) != len(numbers):  # the C parser sees other lines than we
            tally.skip("rows that cannot be told apart", f"line {numbers[0]}", len(numbers))
            frame, numbers = _frame(b"", layout), numbers[:0]
    empty = frame.isna().all(axis=1).to_numpy()
    bad = _Bad(tally, numbers, ~empty)
    bad.mark("more fields than the header has", frame[layout.width].notna().to_numpy())
    columns: dict[str, NDArray[Any]] = {"time": _times(frame, layout, order, bad), "line": numbers}
    for name in (*_PLACES, *_NUMBERS):
        if name in layout.fields:
            values, wrong = _values(frame[layout.fields[name]], layout.decimal)
            bad.mark(f"{_WORDS.get(name, name)} is not a number", wrong)
            if name == "depth_m":
                name, values = "depth_km", values / 1000
            columns[name] = values
    for name in TEXTS:
        if name in layout.fields:
            columns[name] = _texts(frame[layout.fields[name]], layout, data)
        elif name in layout.fixed:
            columns[name] = np.full(len(frame), layout.fixed[name], dtype=object)
    return {name: values[bad.kept] for name, values in columns.items()}


_WORDS = {"depth_km": "depth", "depth_m": "depth"}


class _Bad:
    """Rows that are left out of a block, each counted once, for its first reason."""

    def __init__(self, tally: Tally, numbers: NDArray[np.int64], kept: NDArray[np.bool_]) -> None:
        self.kept = kept
        self._tally, self._numbers = tally, numbers

    def mark(self, reason: str, rows: NDArray[np.bool_]) -> None:
        rows = rows & self.kept
        if rows.any():
            first = self._numbers[np.argmax(rows)]
            self._tally.skip(reason, f"line {first}", int(rows.sum()))
            self.kept = self.kept & ~rows


def _frame(data: bytes, layout: Layout) -> Any:
    """The wanted fields of the lines, by position; None if the parser loses its way.

    One field more than a row has is asked for: it is missing everywhere but in rows that are too
    long. A first row that has it, of missing values, is put before the lines and taken out again.
    """
    import pandas as pd

    wanted = sorted({*layout.fields.values(), layout.width})
    text = {layout.fields[name] for name in (*TEXTS, "time", "date") if name in layout.fields}
    if not data:
        return pd.DataFrame({place: pd.Series([], dtype=object) for place in wanted})
    between = " " if layout.delimiter == r"\s+" else layout.delimiter
    example = between.join(_MISSING[0] for _ in range(layout.width + 1)).encode()
    try:
        frame = pd.read_csv(
            io.BytesIO(example + b"\n" + data),
            sep=layout.delimiter,
            header=None,
            names=range(layout.width + 1),
            index_col=False,
            usecols=wanted,
            dtype=dict.fromkeys([*text, layout.width], object),
            engine="c",
            encoding="utf-8",
            encoding_errors="replace",
            skip_blank_lines=False,
            skipinitialspace=True,
            na_values=_MISSING,
            low_memory=False,
            decimal=layout.decimal,
        )
    except pd.errors.ParserError:
        return None
    return frame.iloc[1:]


def _mended(
    data: bytes, numbers: NDArray[np.int64], layout: Layout, tally: Tally
) -> tuple[bytes, NDArray[np.int64]]:
    """The lines with a text that spans several of them brought onto one; lines whose quotes do
    not close are left out. It is a text if the lines together have the fields of one row.
    """
    mark = re.escape(layout.delimiter.encode()) if layout.delimiter != r"\s+" else rb"[ \t]"
    closed = re.compile(rb'(?:^|(?<=%b))\s*"(?:[^"]|"")*"' % mark)
    opens = re.compile(rb'(?:^|%b)\s*"' % mark)
    lines = data.split(b"\n")[:-1]
    kept, places, row = [], [], 0
    while row < len(lines):
        line, last = lines[row], row
        if b'"' in line and opens.search(closed.sub(b"", line)):
            joined = line
            for last in range(row + 1, min(row + 20, len(lines))):
                joined += b" " + lines[last]
                if not opens.search(closed.sub(b"", joined)):
                    break
            whole = not opens.search(closed.sub(b"", joined))
            if not whole or len(re.findall(mark, joined)) >= 2 * (layout.width - 1):
                tally.skip("quotes that do not close", f"line {numbers[row]}")
                row += 1
                continue
            line = joined
        kept.append(line)
        places.append(numbers[row])
        row = last + 1
    return b"".join(line + b"\n" for line in kept), np.array(places, dtype=np.int64)


def _times(frame: Any, layout: Layout, order: Order, bad: _Bad) -> NDArray[np.datetime64]:
    fields = layout.fields
    if "year" in fields:
        parts = []
        for name in CLOCK:
            values, wrong = (
                _values(frame[fields[name]], layout.decimal)
                if name in fields
                else (np.full(len(frame), float(name in CLOCK[1:3])), np.zeros(len(frame), bool))
            )
            bad.mark("time is not a number", wrong)
            parts.append(values)
        parts[0] = np.floor(parts[0])  # decimal years beside months and days: the months count
        year, month, day, hour, minute, second = parts
        times = assembled(year, month, day, hour, minute, np.round(second * 1e6))
        bad.mark("time is no moment", np.isnat(times) & ~np.isnan(np.stack(parts)).any(axis=0))
        return times
    texts = frame[fields["time"]].fillna("").to_numpy(dtype=object)
    if "date" in fields:
        dates = frame[fields["date"]].fillna("").to_numpy(dtype=object)
        texts = np.where(dates == "", "", dates + " " + texts)
    times = parsed(texts, order)
    bad.mark("time is not understood", np.isnat(times) & (texts != ""))
    return times


def _values(series: Any, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a field, NaN where it is empty, and which rows hold something else."""
    import pandas as pd

    kind = series.dtype.kind
    if kind in "fiu":
        values = series.to_numpy(dtype=np.float64)
        return values, np.isinf(values)
    texts = series.astype(object)
    if decimal != ".":
        texts = texts.map(lambda text: text.replace(decimal, ".") if type(text) is str else text)
    if kind == "b":  # True is no number
        return np.full(len(series), np.nan), np.ones(len(series), dtype=bool)
    values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    blank = np.array([type(text) is str and not text.strip() for text in texts], dtype=bool)
    return values, (np.isnan(values) | np.isinf(values)) & texts.notna().to_numpy() & ~blank


def _texts(series: Any, layout: Layout, data: bytes) -> NDArray[np.object_]:
    texts = series.fillna("")
    if b" " + layout.delimiter.encode() in data or b" \n" in data:
        texts = texts.str.strip()
    return np.asarray(texts.to_numpy(dtype=object))
