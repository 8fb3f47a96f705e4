"""What `geotools events` writes, read back: GeoPackage, GeoParquet and CSV.

No driver opens the file: a GeoPackage is read as the SQLite database that it is, tables alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError, MissingExtraError
from geotools.events import COLUMNS
from geotools.io.catalogs.content import read_all
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.moments import moments
from geotools.io.catalogs.numbers import numbers
from geotools.io.catalogs.report import Tally, shown
from geotools.io.layers import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FORMATS", "GUARDED", "HEADER"]

HEADER = ",".join(COLUMNS)
"""First line of a CSV of ours."""

_MAX_BYTES = 2**30
_MAX_ROWS = 50_000_000
_LONGEST_VALUE = 2**20
_NEEDED = ("time", "longitude", "latitude")
_NUMBERS = ("longitude", "latitude", "depth_km", "magnitude")
_TEXTS = ("magnitude_type", "event_id", "event_type")
GUARDED = ("=", "+", "-", "@", "\t", "\r")
"""What a text in a CSV of ours may not begin with, since spreadsheets would run it."""


def _read_geopackage(stream: IO[bytes], tally: Tally) -> Columns:
    data = bytearray(read_all(stream, _MAX_BYTES))
    data[18:20] = b"\x01\x01"  # a write-ahead log cannot be followed here (SQLite file format, 1.3)
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(bytes(data))
            del data
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            database.execute("PRAGMA trusted_schema = OFF")
            table, names = _table(database)
            fields = ", ".join(quoted(name) for name in names)
            order = f"SELECT {fields} FROM {quoted(table)}"  # noqa: S608  names of the file itself
            values = list(zip(*database.execute(order), strict=True)) or [()] * len(names)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise EventsError(
            f"the database is damaged ({shown(str(error))}): write it again."
        ) from None
    found = dict(zip(names, values, strict=True))
    columns: dict[str, Any] = {"time": moments([_as_text(value) for value in found["time"]])}
    for name in _NUMBERS:
        if name in found:
            columns[name] = _floats(found[name])
    for name in _TEXTS:
        if name in found:
            columns[name] = [_as_text(value) for value in found[name]]
    return columns


def _table(database: sqlite3.Connection) -> tuple[str, list[str]]:
    """The table of events and those of its columns that are ours."""
    tables = [
        name
        for name, order in database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='table'"
        )
        if order and not order.upper().lstrip().startswith("CREATE VIRTUAL")
    ]
    fitting = {}
    for table in tables:
        found = {row[1] for row in database.execute(f"PRAGMA table_info({quoted(table)})")}
        if found.issuperset(_NEEDED):
            fitting[table] = [name for name in COLUMNS if name in found]
    chosen = "events" if "events" in fitting else next(iter(fitting), "")
    if not chosen or (len(fitting) > 1 and chosen != "events"):
        raise EventsError(
            f"it has {len(fitting) or 'no'} layers with {', '.join(_NEEDED)}: give a GeoPackage "
            "with one layer of events, named events."
        )
    return chosen, fitting[chosen]


def _read_parquet(stream: IO[bytes], tally: Tally) -> Columns:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    try:
        file = pq.ParquetFile(pa.BufferReader(read_all(stream, _MAX_BYTES)))
        groups = (file.metadata.row_group(index) for index in range(file.metadata.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        names = [name for name in COLUMNS if name in file.schema_arrow.names]
        if file.metadata.num_rows > _MAX_ROWS or size > 4 * _MAX_BYTES:
            raise EventsError(f"it has more than {_MAX_ROWS:,} rows or 4 GB: split it.")
        if not set(_NEEDED) <= set(names):
            raise EventsError(f"it lacks the columns {', '.join(_NEEDED)}: convert it to CSV.")
        table = file.read(columns=names)
        columns: dict[str, Any] = {}
        for name in names:
            column = table.column(name)
            if name == "time" and pa.types.is_timestamp(column.type):
                column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
                columns[name] = column.to_numpy().astype("datetime64[us]")
            elif name == "time":
                columns[name] = moments([_as_text(value) for value in column.to_pylist()])
            elif name in _NUMBERS:
                columns[name] = column.cast(pa.float64(), safe=False).to_numpy()
            else:
                columns[name] = [_as_text(value) for value in column.to_pylist()]
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        if isinstance(error, EventsError):
            raise
        raise EventsError(
            f"the Parquet file is damaged ({shown(str(error))}): write it again."
        ) from None
    return columns


def _read_csv(stream: IO[bytes], tally: Tally) -> Columns:
    import pandas as pd

    try:
        frame = pd.read_csv(stream, dtype=str, usecols=list(COLUMNS), keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise EventsError(f"the table is damaged ({shown(str(error))}): write it again.") from None
    columns: dict[str, Any] = {name: numbers(frame[name].tolist()) for name in _NUMBERS}
    columns["time"] = moments(frame["time"].tolist())
    for name in _TEXTS:
        columns[name] = [_unguarded(value) for value in frame[name].tolist()]
    columns["line"] = np.arange(len(frame)) + 2
    return columns


def _unguarded(text: str) -> str:
    """A text without the apostrophe that keeps spreadsheets from running it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(GUARDED) else text


def _as_text(value: Any) -> str:
    return (
        value if isinstance(value, str) else "" if value is None or value != value else str(value)
    )


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """(rows,) float64; NaN for what is no number."""
    return np.array(
        [value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64
    )


FORMATS = (
    Format(
        "geopackage",
        "GeoPackage of events",
        lambda head: head.startswith(b"SQLite format 3\0"),
        _read_geopackage,
        (".gpkg",),
    ),
    Format(
        "geoparquet",
        "GeoParquet of events",
        lambda head: head.startswith(b"PAR1"),
        _read_parquet,
        (".parquet",),
    ),
    Format(
        "events-csv",
        "CSV of geotools events",
        lambda head: head.startswith(HEADER.encode()),
        _read_csv,
    ),
)
