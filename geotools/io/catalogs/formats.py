"""Format: how a family of catalogs is recognised and read; each module lists its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from geotools.io.catalogs.report import Tally

__all__ = ["Columns", "Format"]

Columns = Mapping[str, Any]
"""Column of `events.COLUMNS` -> array of one length. `time`, `longitude`, `latitude` are there;
times are datetime64[us] in UTC; a value that is missing is NaT, NaN or "". Rows that have no time
or no place may be in it: whoever checks all formats alike leaves them out and counts them. One
column more, `line`, may say where each row stands in the file: the report then names lines."""


@dataclass(frozen=True, slots=True)
class Format:
    """One catalog format."""

    name: str
    """As `--format` takes it: lower case, hyphens."""
    title: str
    """As people call it."""
    looks: Callable[[bytes], bool]
    """True for the first 64 KB of such a file, without a byte-order mark, UTF-16 as UTF-8."""
    read: Callable[[IO[bytes], Tally], Columns]
    """The columns of a stream that begins at the first byte after a byte-order mark. An
    EventsError from it says what is wrong where; whoever calls it puts the file's name before."""
    suffixes: tuple[str, ...] = ()
    """Endings that decide where the content does not: ".xml"."""
