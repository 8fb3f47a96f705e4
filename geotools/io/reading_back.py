"""read_back: a finished GeoTIFF is compared with what was written, and its overviews filled.

Both need every cell once more, so they are one pass: GDAL, which builds overviews by reading the
file again, would make it two.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import rasterio
import rasterio.windows

from geotools.grid import Window
from geotools.io.atomic import sync
from geotools.io.crc import crc32
from geotools.io.gate import GDAL_ERRORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Written", "rasterio_window", "read_back"]

Written = tuple[Window, int | None]
"""A window that was written, and the CRC-32 of its cells where that is known."""


def read_back(
    path: Path, written: Sequence[Written], levels: int, *, dtype: str, fill: bool, threads: int
) -> bool:
    """True when the closed file holds what was written; its overviews are filled on the way.

    Every overview takes every second cell of the level below, is read back as well, and has cells
    where the file has. The disk is busy with the file meanwhile, so that syncing it is short.

    Args:
        path: the file.
        written: every window that was written to it.
        levels: number of its overviews; level n has cells of 2^(n + 1).
        dtype: numpy name of the type of what was written; GDAL may call that of the file another,
            such as float16 from 3.11 on.
        fill: the overviews are empty; otherwise they are only read, for the errors of reading.
        threads: readers, and GDAL's threads that compress.

    Raises:
        rasterio's errors: the file cannot be read or written.
    """
    with ThreadPoolExecutor(1) as background, ThreadPoolExecutor(threads) as pool:
        synced = background.submit(sync, path)
        for level in range(levels):
            above: list[Written] = []
            with ExitStack() as stack:
                overview = stack.enter_context(_overview(path, level, threads)) if fill else None
                below = stack.enter_context(_Readers(path, level - 1, dtype))
                for same, window, cells in below.passed(written, pool, 2 * threads, fill=fill):
                    if not same:
                        return False
                    if window is not None:
                        if overview is not None:
                            overview.write(cells, window=rasterio_window(window))
                        above.append((window, crc32(cells) if fill else None))
            written = above
        with _Readers(path, levels - 1, dtype) as top:
            passed = top.passed(written, pool, 2 * threads, fill=False)
            same = all(same for same, _, _ in passed)
        synced.result()  # the system tells an error only once
        return same


def _overview(path: Path, level: int, threads: int) -> Any:
    """An overview of the file, open to be written to."""
    return rasterio.open(path, "r+", driver="GTiff", OVERVIEW_LEVEL=level, NUM_THREADS=threads)


def rasterio_window(window: Window) -> rasterio.windows.Window:
    """The same window in rasterio's class."""
    return rasterio.windows.Window(window.col_off, window.row_off, window.width, window.height)


class _Readers:
    """One level of a file, read by several threads: each has a handle and room of its own."""

    def __init__(self, path: Path, level: int, dtype: str) -> None:
        """The file itself is level -1."""
        self._path, self._dtype = path, dtype
        self._options: dict[str, Any] = {} if level < 0 else {"OVERVIEW_LEVEL": level}
        self._local = threading.local()
        self._opened: list[Any] = []
        self._pending: deque[Future[tuple[bool, Window | None, NDArray[Any]]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for rest in self._pending:
            rest.cancel()
        wait(self._pending)  # nothing may be read from a handle that is closed
        for dataset in self._opened:
            with suppress(*GDAL_ERRORS):
                dataset.close()

    def passed(
        self, written: Sequence[Written], pool: Executor, ahead: int, *, fill: bool
    ) -> Iterator[tuple[bool, Window | None, NDArray[Any]]]:
        """For every window: whether it holds what was written, and what the next overview takes.

        Args:
            written: the windows.
            pool: the threads.
            ahead: windows that are read before they are asked for.
            fill: cells for the next overview are wanted.
        """
        for window, expected in written:
            self._pending.append(pool.submit(self._read, window, expected, fill))
            if len(self._pending) >= ahead:
                yield self._pending.popleft().result()
        while self._pending:
            yield self._pending.popleft().result()

    def _read(
        self, window: Window, expected: int | None, fill: bool
    ) -> tuple[bool, Window | None, NDArray[Any]]:
        local = self._local
        if not hasattr(local, "dataset"):
            local.dataset = rasterio.open(
                self._path, driver="GTiff", sharing=False, **self._options
            )
            local.room = np.empty(0, self._dtype)
            self._opened.append(local.dataset)
        shape = local.dataset.count, *window.shape
        if local.room.size < math.prod(shape):  # fresh memory costs as much as reading
            local.room = np.empty(math.prod(shape), local.room.dtype)
        cells = local.room[: math.prod(shape)].reshape(shape)
        local.dataset.read(window=rasterio_window(window), out=cells)
        above, taken = _halved(window)
        half = (cells[:, *taken] if fill else cells[:, :0]).copy()
        return expected is None or crc32(cells) == expected, above, half


def _halved(window: Window) -> tuple[Window | None, tuple[slice, slice]]:
    """The cells of the next overview that lie in a window, and the slices that take them."""
    row, col = -(-window.row_off // 2), -(-window.col_off // 2)
    height, width = -(-window.row_stop // 2) - row, -(-window.col_stop // 2) - col
    taken = slice(window.row_off % 2, None, 2), slice(window.col_off % 2, None, 2)
    return (Window(col, row, width, height) if height and width else None), taken
