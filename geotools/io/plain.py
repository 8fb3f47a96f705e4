"""PlainCells: the cells of an uncompressed GeoTIFF, written, read back and halved block by block.

GDAL makes the file, with all but its cells. To bring those in it copies them twice, and it takes
seconds to make overviews of a file that is still empty; here they go from the array to the file,
and the pass that compares them fills the overviews.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Window
from geotools.io.blocks import ALL, BLOCK, Level, Piece, Place, blocks_of
from geotools.io.crc import crc32, joined_crc32
from geotools.io.tiff import BlockTable, place_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PlainCells", "can_write_plain"]

_PAGE = 4096
"""Blocks begin at multiples of this, where the disk's and the memory's pages do."""

_PIECE_BYTES = 2**20
"""Read at once of what lies between blocks."""

_UNSYNCED_BYTES = 64 * 2**20
"""The disk is sent what was written whenever it is so much, not all of it at the end."""

_HALF = BLOCK // 2
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)


def can_write_plain() -> bool:
    """True where a process can write at a place of a file, and has its numbers' bytes in order."""
    return hasattr(os, "preadv") and sys.byteorder == "little"


class PlainCells:
    """The cells of a file that GDAL has made without any, and closed."""

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int],
        bands: int,
        dtype: str,
        nodata: float | None,
        overviews: int,
    ) -> None:
        """Opens the file.

        Args:
            path: a tiled GeoTIFF of one directory, its bands apart, without any block.
            shape: its rows and columns.
            bands: its number of bands.
            dtype: numpy name of its cells' type.
            nodata: what cells that nobody writes are in blocks that somebody writes to; 0 if None.
            overviews: how many to make.
        """
        self._path, self._bands = path, bands
        self._whole = Window(0, 0, shape[1], shape[0])
        self._dtype = np.dtype(dtype)
        self._fill = self._dtype.type(0 if nodata is None else nodata)
        self._bytes = BLOCK * BLOCK * self._dtype.itemsize
        self._levels = []
        for _ in range(overviews + 1):
            blocks = -(-shape[0] // BLOCK), -(-shape[1] // BLOCK)
            self._levels.append(Level(shape, np.zeros(blocks, np.int64)))
            shape = -(-shape[0] // 2), -(-shape[1] // 2)
        self._room = np.empty((BLOCK, BLOCK), self._dtype)
        self._local = threading.local()
        self._file = os.open(path, _FLAGS)
        self._is_open = True
        self._end = self._aligned_end()
        self._unsynced, self._sending = 0, threading.Lock()
        self._background: ThreadPoolExecutor | None = None
        self._syncing: Future[None] | None = None

    def crcs(self, data: NDArray[Any], window: Window) -> list[tuple[int, ...]]:
        """CRC-32 of (band, row, col), the cells of `window`: of all bands, for each block there."""
        return [
            tuple(crc32(self._joined(band)) for band in data[:, *part.slices(window)])
            for _, _, part in blocks_of(window)
        ]

    def write(self, data: NDArray[Any], window: Window, crcs: Sequence[tuple[int, ...]]) -> None:
        """Writes (band, row, col) to the cells of `window`, which lies inside.

        Args:
            data: the cells.
            window: where they belong.
            crcs: their `crcs`.

        Raises:
            OSError: the disk refuses.
        """
        raster = self._levels[0]
        for (place, block, part), part_crcs in zip(blocks_of(window), crcs, strict=True):
            inside = block.intersection(self._whole)
            is_new = place not in raster.pieces
            if is_new:
                raster.places[place] = self._end
                self._end += self._bytes * self._bands
            taken, (rows, cols) = data[:, *part.slices(window)], part.slices(block)
            lines = ALL if is_new or part == inside else rows  # that change
            for band in range(self._bands):
                start = int(raster.places[place]) + band * self._bytes
                start += lines.start * BLOCK * self._dtype.itemsize
                if part == block:
                    room = self._joined(taken[band])
                else:
                    room = self._room
                    if lines is ALL:
                        room.fill(self._fill)
                    else:
                        self._read(room[lines], start)
                    room[rows, cols] = taken[band]
                self._write(room[lines], start)
            raster.pieces.setdefault(place, []).append(Piece(rows, cols, part_crcs))

    def place(self) -> None:
        """Tells the file where its blocks are, and where those of its overviews will be.

        Raises:
            OSError: the disk refuses.
            ValueError: the file is not as it should be.
        """
        self._file = os.open(self._path, _FLAGS)
        self._is_open = True
        self._end = self._aligned_end()
        for below, above in pairwise(self._levels):
            for row, col in sorted({(row // 2, col // 2) for row, col in below.filled()}):
                above.places[row, col] = self._end
                self._end += self._bytes * self._bands
        os.ftruncate(self._file, self._end)  # directories come behind the blocks
        place_blocks(self._file, [self._table(level) for level in self._levels], self._bytes)

    def read_back(self, threads: int) -> bool:
        """True when the placed file holds what was written; its overviews are filled on the way.

        Every overview takes every second cell of the level below, is read back as well, and has
        blocks where the level below has.

        Args:
            threads: readers, which also write.

        Raises:
            OSError: the disk refuses.
        """
        with ThreadPoolExecutor(threads, thread_name_prefix="geotools-read") as pool:
            for below, above in zip(self._levels, [*self._levels[1:], None], strict=True):
                pending: deque[Future[bool]] = deque()
                for place in sorted({(row // 2, col // 2) for row, col in below.filled()}):
                    pending.append(pool.submit(self._halve, below, above, place))
                    if len(pending) > 2 * threads and not pending.popleft().result():
                        pool.shutdown(cancel_futures=True)
                        return False
                if not all(same.result() for same in pending):
                    return False
        return True

    def crc32(self) -> int:
        """CRC-32 of the whole file as it was read back: that of its blocks is known by then.

        Raises:
            OSError: the rest of the file cannot be read.
        """
        blocks = sorted(
            (int(level.places[place]) + band * self._bytes, crc)
            for level in self._levels
            for place, crcs in level.crcs.items()
            for band, crc in enumerate(crcs)
        )
        total = at = 0
        for start, crc in blocks:
            total = joined_crc32(self._crc_between(total, at, start), crc, self._bytes)
            at = start + self._bytes
        return self._crc_between(total, at, os.fstat(self._file).st_size)

    def is_placed(self, dataset: Any) -> bool:
        """True when GDAL, in an open dataset of the file, finds every block where it was put."""
        numbers: list[int | None] = [None, *range(len(self._levels) - 1)]  # as GDAL counts
        return all(
            dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band + 1, ovr=overview)
            == (str(place + band * self._bytes) if place else None)
            for overview, level in zip(numbers, self._levels, strict=True)
            for (row, col), place in np.ndenumerate(level.places)
            for band in range(self._bands)
        )

    def close(self) -> None:
        """Closes the file, until it is placed: GDAL may change what it says of itself.

        Raises:
            OSError: the disk has refused something meanwhile.
        """
        if not self._is_open:
            return
        self._is_open = False
        syncing, self._syncing = self._syncing, None
        try:
            if self._background is not None:
                self._background.shutdown()
                self._background = None
            if syncing is not None:
                syncing.result()
        finally:
            os.close(self._file)

    def _halve(self, below: Level, above: Level | None, place: Place) -> bool:
        """Whether up to four blocks are as they were written; one block of the level above."""
        (room, half), crcs = self._rooms(), []
        for band in range(self._bands):
            half.fill(self._fill)
            for row, col in ((2 * place[0] + i, 2 * place[1] + j) for i in (0, 1) for j in (0, 1)):
                pieces = below.pieces.get((row, col), ())
                if pieces:
                    self._read(room, int(below.places[row, col]) + band * self._bytes)
                    crc = crc32(room)
                    below.crcs.setdefault((row, col), []).append(crc)
                for piece in pieces:
                    if piece.crcs[band] != (crc if piece.is_block else _crc(room, piece)):
                        return False
                if pieces and above is not None:
                    top, left = row % 2 * _HALF, col % 2 * _HALF
                    half[top : top + _HALF, left : left + _HALF] = room[::2, ::2]
            if above is not None:
                crcs.append(crc32(half))
                self._write(half, int(above.places[place]) + band * self._bytes)
        if above is not None:
            above.pieces[place] = [Piece(ALL, ALL, tuple(crcs))]
        return True

    def _rooms(self) -> NDArray[Any]:
        """(2, rows, cols), the thread's own: fresh memory costs as much as reading."""
        if not hasattr(self._local, "rooms"):
            self._local.rooms = np.empty((2, BLOCK, BLOCK), self._dtype)
        rooms: NDArray[Any] = self._local.rooms
        return rooms

    def _joined(self, cells: NDArray[Any]) -> NDArray[Any]:
        """At most a block of cells, as one piece of memory, until the thread's next call."""
        if cells.flags.c_contiguous:
            return cells
        room: NDArray[Any] = self._rooms()[0].reshape(-1)[: cells.size].reshape(cells.shape)
        np.copyto(room, cells)
        return room

    def _table(self, level: Level) -> BlockTable:
        """Where the blocks of all bands lie."""
        bands = np.arange(self._bands)[:, None, None] * self._bytes
        return BlockTable(level.shape, np.where(level.places > 0, level.places + bands, 0))

    def _crc_between(self, crc: int, start: int, stop: int) -> int:
        """The CRC-32 of all before `stop`, from that of all before `start`."""
        while start < stop:
            data = os.pread(self._file, min(stop - start, _PIECE_BYTES), start)
            if not data:
                raise OSError("the file is shorter than it was")
            crc, start = crc32(data, crc), start + len(data)
        return crc

    def _aligned_end(self) -> int:
        """The end of the file, at a page."""
        return -(-os.fstat(self._file).st_size // _PAGE) * _PAGE

    def _read(self, room: NDArray[Any], start: int) -> None:
        """Fills a block's room from the file; what is not there is an error."""
        rest = room.data.cast("B")
        while rest:
            count = os.preadv(self._file, [rest], start)
            if count == 0:
                raise OSError("the file is shorter than it was")
            rest, start = rest[count:], start + count

    def _write(self, room: NDArray[Any], start: int) -> None:
        """Writes a block; a full disk may take a part before it refuses."""
        rest = room.data.cast("B")
        while rest:
            count = os.pwrite(self._file, rest, start)
            rest, start = rest[count:], start + count
        with self._sending:
            self._unsynced += room.nbytes
            if self._unsynced < _UNSYNCED_BYTES:
                return
            if self._syncing is not None:
                if not self._syncing.done():
                    return
                self._syncing.result()  # the system tells an error only once
            self._unsynced = 0
            if self._background is None:
                self._background = ThreadPoolExecutor(1, thread_name_prefix="geotools-sync")
            self._syncing = self._background.submit(os.fsync, self._file)


def _crc(room: NDArray[Any], piece: Piece) -> int:
    """CRC-32 of the piece's cells in its block."""
    return crc32(np.ascontiguousarray(room[piece.rows, piece.cols]))
