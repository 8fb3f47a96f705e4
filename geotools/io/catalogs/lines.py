"""Blocks of whole lines from a stream, with the number of each line, in bounded memory.

Line ends become \\n and bytes of zero become question marks, so that every reader of text sees the
same; a line of more than 1 MB is left out.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.report import Tally

__all__ = ["LONGEST_LINE", "Block", "after_head", "blocks", "is_text", "whole_lines"]

LONGEST_LINE = 1 << 20
"""Bytes; the row of an event has some hundreds."""
_HEAD = 1 << 16  # bytes by which formats are recognised
_READ = 8 << 20  # bytes at a time
_LINES = 100_000  # lines at a time


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a file that follow each other."""

    first: int
    """Number of the first line in the file, from 1."""
    data: bytes
    """Lines that end with \\n, the last one too."""


def blocks(stream: IO[bytes], tally: Tally, *, size: int = _READ) -> Iterator[Block]:
    """Blocks of lines until the stream ends; lines that are too long are counted as left out."""
    number, rest, held, ended = 1, b"", b"", False
    too_long = False  # within a line that is being left out
    while not ended:
        read = stream.read(size)
        ended = not read
        read = held + read
        held = b"\r" if read.endswith(b"\r") and not ended else b""
        rest += _plain(read[: len(read) - len(held)])
        if ended and rest and not rest.endswith(b"\n"):
            rest += b"\n"
        cut = rest.rfind(b"\n") + 1
        data, rest = rest[:cut], rest[cut:]
        if too_long and data:
            data = data[data.find(b"\n") + 1 :]
            number += 1
            too_long = False
        for part in _parts(_shortened(data, number, tally)):
            yield Block(number, part)
            number += part.count(b"\n")
        if len(rest) > LONGEST_LINE or too_long:
            if not too_long:
                _left_out(tally, number)
            rest, too_long = b"", True


def after_head(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first 64 KB of a stream, and a stream that begins where it began."""
    head = stream.read(_HEAD)
    return head, io.BufferedReader(_Again(head, stream), _HEAD)


class _Again(io.RawIOBase):
    """What was read of a stream, and then the stream."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data, self._head = self._head[: len(view)], self._head[len(view) :]
        data = data or self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)


def whole_lines(head: bytes) -> list[bytes]:
    """The lines of the beginning of a file, without the last if it is cut and not all there is."""
    lines = head.splitlines()
    cut = len(lines) > 2 and not head.endswith((b"\n", b"\r"))
    return lines[:-1] if cut else lines


def is_text(head: bytes) -> bool:
    """True for the beginning of a text in UTF-8 or an encoding of single bytes.

    False for XML, HTML and JSON too: they are nobody's table.
    """
    return bool(head.strip()) and b"\0" not in head and head.lstrip()[:1] not in (b"<", b"{", b"[")


def _plain(data: bytes) -> bytes:
    if b"\0" in data:
        data = data.replace(b"\0", b"?")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def _shortened(data: bytes, number: int, tally: Tally) -> bytes:
    """The lines, with an empty one in the place of each that is too long."""
    if len(data) <= LONGEST_LINE or _longest(data) <= LONGEST_LINE:
        return data
    kept = []
    for place, line in enumerate(data.split(b"\n")):
        if len(line) > LONGEST_LINE:
            _left_out(tally, number + place)
            line = b""
        kept.append(line)
    return b"\n".join(kept)


def _parts(data: bytes) -> Iterator[bytes]:
    """The lines in parts of so many that what is made of them stays small."""
    if data.count(b"\n") <= _LINES:
        yield from ([data] if data else [])
        return
    ends = _ends(data)
    cuts = [0, *(ends[_LINES - 1 :: _LINES] + 1).tolist(), len(data)]
    for start, end in itertools.pairwise(dict.fromkeys(cuts)):
        yield data[start:end]


def _ends(data: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))


def _longest(data: bytes) -> int:
    return int(np.diff(_ends(data), prepend=-1).max(initial=0))


def _left_out(tally: Tally, number: int) -> None:
    tally.skip("a line of more than 1 MB", f"line {number}")
