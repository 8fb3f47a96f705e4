"""place_blocks: where a TIFF's blocks lie, written into its directories without touching a cell.

Only what GDAL writes on processors of today: little-endian, classic or BigTIFF. TIFF 6.0
specification, section 2; BigTIFF as in libtiff's description of it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BlockTable", "place_blocks"]

_SUBFILE_TYPE, _WIDTH, _LENGTH, _OFFSETS, _BYTE_COUNTS = 254, 256, 257, 324, 325
_LONG, _LONG8 = 4, 16
_REDUCED = 1  # subfile type of an overview
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
"""Bytes of one value by its type."""

_SHARED = (258, 259, 262, 277, 284, 317, 320, 322, 323, 338, 339, 42113)
"""What overviews have as the raster has it: bits, compression, bands, colours, tiles, nodata."""


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Where the blocks of one level lie."""

    shape: tuple[int, int]
    """(rows, columns) of the level."""
    offsets: NDArray[np.int64]
    """(band, block row, block column), bytes from the file's start; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a directory."""

    kind: int
    """Type of the values."""
    count: int
    """Number of values."""
    place: int
    """Where the values lie in the file."""


class _Layout:
    """Sizes of a TIFF's numbers: 32 bits in classic files, 64 in BigTIFF."""

    def __init__(self, head: bytes) -> None:
        if head[:4] not in (b"II*\0", b"II+\0"):
            raise ValueError(f"no little-endian TIFF begins with {head[:4]!r}")
        self.big = head[2:3] == b"+"
        self.first = 8 if self.big else 4
        """Where the place of the first directory lies."""
        self.word = "<Q" if self.big else "<I"
        self.count = "<Q" if self.big else "<H"
        self.entry = "<HHQ" if self.big else "<HHI"  # tag, type, count; a word follows
        self.dtype = np.dtype("<u8" if self.big else "<u4")

    def number(self, descriptor: int, place: int) -> int:
        """A word of the file."""
        found: int = struct.unpack(self.word, os.pread(descriptor, self.dtype.itemsize, place))[0]
        return found


def place_blocks(descriptor: int, tables: Sequence[BlockTable], block_bytes: int) -> None:
    """Nothing; the raster's blocks are placed, and overviews appended, all in blocks of one size.

    Args:
        descriptor: a tiled TIFF of one directory, open to be read and written.
        tables: of the raster itself, then of the overviews that it gets.
        block_bytes: size of every block in the file.

    Raises:
        ValueError: the file is not such a TIFF, or too large for its kind.
        OSError: the disk refuses.
    """
    layout = _Layout(os.pread(descriptor, 16, 0))
    entries, link = _directory(descriptor, layout)
    raster = tables[0]
    for tag, values in (
        (_OFFSETS, raster.offsets),
        (_BYTE_COUNTS, np.where(raster.offsets > 0, block_bytes, 0)),
    ):
        entry = entries[tag]
        if entry.count != values.size or entry.kind not in (_LONG, _LONG8):
            raise ValueError(f"tag {tag} has {entry.count} values of type {entry.kind}")
        _write(descriptor, _packed(values, "<u8" if entry.kind == _LONG8 else "<u4"), entry.place)
    shared = {
        tag: (e.kind, e.count, os.pread(descriptor, _SIZES[e.kind] * e.count, e.place))
        for tag, e in entries.items()
        if tag in _SHARED
    }
    for table in tables[1:]:
        place = -(-os.fstat(descriptor).st_size // 8) * 8
        data, start = _overview(layout, shared, table, block_bytes, place)
        _write(descriptor, data, place)
        _write(descriptor, struct.pack(layout.word, start), link)
        link = place + len(data) - layout.dtype.itemsize


def _directory(descriptor: int, layout: _Layout) -> tuple[dict[int, _Entry], int]:
    """The entries of the one directory by tag, and where the place of the next would lie."""
    place = layout.number(descriptor, layout.first)
    head, word = struct.calcsize(layout.entry), layout.dtype.itemsize
    count = struct.calcsize(layout.count)
    number = struct.unpack(layout.count, os.pread(descriptor, count, place))[0]
    place += count
    entries = {}
    for _ in range(number):
        tag, kind, values = struct.unpack(layout.entry, os.pread(descriptor, head, place))
        inside = _SIZES[kind] * values <= word
        entries[tag] = _Entry(
            kind, values, place + head if inside else layout.number(descriptor, place + head)
        )
        place += head + word
    if layout.number(descriptor, place):
        raise ValueError("there is a second directory")
    return entries, place


def _overview(
    layout: _Layout,
    shared: dict[int, tuple[int, int, bytes]],
    table: BlockTable,
    block_bytes: int,
    place: int,
) -> tuple[bytes, int]:
    """An overview's long values and directory, to be written at `place`; where the latter starts.

    The last word is the place of the next directory, 0.
    """
    rows, cols = table.shape
    whole = _LONG8 if layout.big else _LONG
    tags = {
        **shared,
        _SUBFILE_TYPE: (_LONG, 1, struct.pack("<I", _REDUCED)),
        _WIDTH: (_LONG, 1, struct.pack("<I", cols)),
        _LENGTH: (_LONG, 1, struct.pack("<I", rows)),
        _OFFSETS: (whole, table.offsets.size, _packed(table.offsets, layout.dtype)),
        _BYTE_COUNTS: (
            _LONG, table.offsets.size,
            _packed(np.where(table.offsets > 0, block_bytes, 0), "<u4"),
        ),
    }  # fmt: skip
    values, directory = bytearray(), struct.pack(layout.count, len(tags))
    word = layout.dtype.itemsize
    for tag, (kind, count, data) in sorted(tags.items()):
        directory += struct.pack(layout.entry, tag, kind, count)
        if len(data) <= word:
            directory += data.ljust(word, b"\0")
        else:
            directory += struct.pack(layout.word, place + len(values))
            values += data + b"\0" * (-len(data) % 8)
    return bytes(values) + directory + b"\0" * word, place + len(values)


def _packed(values: NDArray[np.int64], dtype: str | np.dtype[np.unsignedinteger]) -> bytes:
    """The values as the file has them."""
    if values.max(initial=0) > np.iinfo(dtype).max:
        raise ValueError("the file is too large for a classic TIFF")
    return values.astype(dtype).tobytes()


def _write(descriptor: int, data: bytes, place: int) -> None:
    """Writes all of `data`; a full disk may take a part before it refuses."""
    while data:
        count = os.pwrite(descriptor, data, place)
        data, place = data[count:], place + count
