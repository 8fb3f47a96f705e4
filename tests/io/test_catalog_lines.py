"""Blocks of lines: the same lines and numbers however a stream is cut, in bounded memory."""

from __future__ import annotations

import io

import numpy as np
import pytest

from geotools.io.catalogs import lines
from geotools.io.catalogs.lines import after_head, blocks
from geotools.io.catalogs.quotes import mended, whole_texts
from geotools.io.catalogs.report import Tally


def numbered(data: bytes, size: int) -> tuple[list[tuple[int, bytes]], dict[str, tuple[int, str]]]:
    tally = Tally()
    found = []
    for block in blocks(io.BytesIO(data), tally, size=size):
        assert block.data.endswith(b"\n")
        found += list(enumerate(block.data[:-1].split(b"\n"), start=block.first))
    report = tally.report("", "", 0)
    return found, {item.reason: (item.count, item.example) for item in report.skipped}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_blocks_of_any_size_hold_the_same_lines(size, end, monkeypatch):
    monkeypatch.setattr(lines, "_LINES", 4)
    given = [b"a,b", b"", b"cd\0", b"e" * 50, b"f"] * 3
    expected = [(n, line.replace(b"\0", b"?")) for n, line in enumerate(given, start=1)]
    assert numbered(end.join(given), size)[0] == expected
    assert numbered(end.join(given) + end, size)[0] == expected


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1000])
@pytest.mark.parametrize("last", [b"", b"\n", b"\nz\n"])
def test_lines_that_are_too_long_are_left_out_and_counted(size, last, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    data = b"a\n" + b"b" * 11 + b"\nc\n" + b"d" * 999 + last
    found, skipped = numbered(data, size)
    assert [line for line in found if line[1]] == [(1, b"a"), (3, b"c")] + [(5, b"z")] * (
        b"z" in last
    )
    assert skipped == {"a line of more than 1 MB": (2, "line 2")}


def test_an_endless_line_takes_no_memory():
    class Endless(io.RawIOBase):
        left = 1 << 28
        most = 0

        def read(self, size=-1):
            assert 0 < size <= 1 << 24
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    tally = Tally()
    assert list(blocks(Endless(), tally)) == []
    assert tally.report("", "", 0).skipped_count == 1


def test_a_stream_goes_on_after_its_head():
    data = bytes(np.random.default_rng(1).integers(0, 256, 200_000, dtype=np.uint8))
    head, stream = after_head(io.BytesIO(data))
    assert head == data[: 1 << 16]
    assert stream.read(5) + stream.read() == data


@pytest.mark.parametrize("size", [1, 5, 30, 61, 1000])
def test_a_text_over_several_lines_is_whole_wherever_a_block_ends(size):
    data = b'a,b,"c\nd, e\nf",g\n' * 9 + b'x,"y"\n'
    found = blocks(io.BytesIO(data), Tally(), size=size)
    parts = list(whole_texts(found, ","))
    assert b"".join(part.data for part in parts) == data
    assert all(part.data.count(b'"') % 2 == 0 for part in parts)
    starts = np.cumsum([0, *(part.data.count(b"\n") for part in parts)]) + 1
    assert [part.first for part in parts] == starts[:-1].tolist()


def test_a_forgotten_quote_costs_its_own_line_alone():
    good, bad = b'1,"a, b",2\n', b'1,"a, b,2\n'
    data = good + bad + good * 30 + bad + bad + good
    tally = Tally()
    rows, numbers = mended(data, np.arange(1, 36), ",", 3, tally)
    assert rows == good * 32
    assert numbers.tolist() == [n for n in range(1, 36) if n not in (2, 33, 34)]
    assert tally.report("", "", 0).skipped_count == 3
