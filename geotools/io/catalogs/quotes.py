"""Texts in quotes that span lines, and quotes that never close: what of it is a row.

A text over several lines is one if the lines together have the fields of one row; where they have
those of two, a quote was forgotten, and the line that has it is left out alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.lines import Block
from geotools.io.catalogs.report import Tally

__all__ = ["BLANKS", "mended", "whole_texts"]

BLANKS = r"\s+"
"""The delimiter that is any number of blanks."""
_LONGEST = 20  # lines that one text may span


def whole_texts(blocks: Iterator[Block], delimiter: str) -> Iterator[Block]:
    """The same lines in blocks that do not end within a text."""
    quotes = _Quotes(delimiter)
    held = b""
    for block in blocks:
        data = held + block.data
        first = block.first - held.count(b"\n")
        cut = quotes.opened_at(data)
        held = data[cut:]
        if cut:
            yield Block(first, data[:cut])
        first += data[:cut].count(b"\n")
    if held:
        yield Block(first, held)


def mended(
    data: bytes, lines: NDArray[np.int64], delimiter: str, width: int, tally: Tally
) -> tuple[bytes, NDArray[np.int64]]:
    """The rows with a text that spans several lines brought onto one, and the numbers of their
    first lines; lines whose quotes do not close are counted as left out.
    """
    quotes = _Quotes(delimiter)
    given = data.split(b"\n")[:-1]
    kept, places, row = [], [], 0
    while row < len(given):
        line, last = quotes.joined(given, row)
        if last is None or (last > row and quotes.fields(line) > 2 * (width - 1)):
            tally.skip("quotes that do not close", f"line {lines[row]}")
            row += 1
            continue
        kept.append(line)
        places.append(lines[row])
        row = last + 1
    return b"".join(line + b"\n" for line in kept), np.array(places, dtype=np.int64)


class _Quotes:
    """Where texts in quotes begin and end, for one delimiter."""

    def __init__(self, delimiter: str) -> None:
        mark = rb"[ \t]" if delimiter == BLANKS else re.escape(delimiter.encode()) + rb"[ \t]*"
        self._mark = re.compile(mark)
        self._closed = re.compile(rb'(^|%b)"(?:[^"]|"")*"' % mark)
        self._opens = re.compile(rb'(?:^|%b)"' % mark)

    def fields(self, line: bytes) -> int:
        """Fields of a line, those within texts too."""
        return len(self._mark.findall(line)) + 1

    def joined(self, lines: list[bytes], row: int) -> tuple[bytes, int | None]:
        """The line, with those that belong to its text, and the last of them; None if its quotes
        do not close.
        """
        line = lines[row]
        if not self._open(line):
            return line, row
        for last in range(row + 1, min(row + _LONGEST, len(lines))):
            line += b" " + lines[last]
            if not self._open(line):
                return line, last
        return line, None

    def opened_at(self, data: bytes) -> int:
        """Where the line begins that opens a text which the end of the data cuts; else the end."""
        start = len(data)
        for _ in range(_LONGEST + 1):
            start = data.rfind(b"\n", 0, start - 1) + 1 if start > 0 else 0
        if b'"' not in data[start:]:
            return len(data)
        lines = data[start:].split(b"\n")[:-1]
        row = 0
        while row < len(lines):
            _, last = self.joined(lines, row)
            if last is None and row + _LONGEST >= len(lines):
                return start + sum(len(line) + 1 for line in lines[:row])
            row = row + 1 if last is None else last + 1
        return len(data)

    def _open(self, line: bytes) -> bool:
        return b'"' in line and bool(self._opens.search(self._closed.sub(rb"\1", line)))
