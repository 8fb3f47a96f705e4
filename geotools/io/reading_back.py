"""read_back: a finished GeoTIFF is compared with what was written, and its overviews filled.

Both need every cell once more, so they are one pass: GDAL, which builds overviews by reading the
file again, would make it two.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import rasterio.windows

from geotools.grid import Window
from geotools.io.gate import GDAL_ERRORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Written", "rasterio_window", "read_back"]

Written = tuple[Window, int | None]
"""A window that was written, and the CRC-32 of its cells where that is known."""


def read_back(
    path: Path, written: Sequence[Written], levels: int, *, fill: bool, threads: int
) -> bool:
    """True when the closed file holds what was written; its overviews are filled on the way.

    Every overview takes every second cell of the level below, is read back as well, and has cells
    where the file has. The disk is busy with the file meanwhile, so that syncing it is short.

    Args:
        path: the file.
        written: every window that was written to it.
        levels: number of its overviews; level n has cells of 2^(n + 1).
        fill: the overviews are empty; otherwise they are only read, for the errors of reading.
        threads: readers, and GDAL's threads that compress.

    Raises:
        rasterio's errors: the file cannot be read or written.
    """
    with ThreadPoolExecutor(1) as background:
        background.submit(_sync, path)
        for level in range(levels):
            above: list[Written] = []
            with ExitStack() as stack:
                overview = stack.enter_context(_overview(path, level, threads)) if fill else None
                for same, window, cells in _passed(path, level - 1, written, threads, fill):
                    if not same:
                        return False
                    if window is not None:
                        if overview is not None:
                            overview.write(cells, window=rasterio_window(window))
                        above.append((window, zlib.crc32(cells.data) if fill else None))
            written = above
        return all(same for same, _, _ in _passed(path, levels - 1, written, threads, False))


def _overview(path: Path, level: int, threads: int) -> Any:
    """An overview of the file, open to be written to."""
    return rasterio.open(path, "r+", driver="GTiff", OVERVIEW_LEVEL=level, NUM_THREADS=threads)


def rasterio_window(window: Window) -> rasterio.windows.Window:
    """The same window in rasterio's class."""
    return rasterio.windows.Window(window.col_off, window.row_off, window.width, window.height)


def _passed(
    path: Path, level: int, written: Sequence[Written], threads: int, fill: bool
) -> Iterator[tuple[bool, Window | None, NDArray[Any]]]:
    """For every window: whether it holds what was written, and what the next overview takes.

    Args:
        path: the file.
        level: the overview to read; -1 for the file itself.
        written: its windows.
        threads: readers, each with a handle of its own.
        fill: cells for the next overview are wanted.
    """
    pending: deque[Future[tuple[bool, Window | None, NDArray[Any]]]] = deque()
    with _handles(path, level) as handle, ThreadPoolExecutor(threads) as pool:

        def read(window: Window, checksum: int | None) -> tuple[bool, Window | None, NDArray[Any]]:
            cells = handle().read(window=rasterio_window(window))  # (band, row, col)
            above, taken = _halved(window)
            half = np.ascontiguousarray(cells[:, *taken] if fill else cells[:, :0])
            return checksum is None or zlib.crc32(cells.data) == checksum, above, half

        try:
            for window, checksum in written:
                pending.append(pool.submit(read, window, checksum))
                if len(pending) > threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for rest in pending:
                rest.cancel()


def _halved(window: Window) -> tuple[Window | None, tuple[slice, slice]]:
    """The cells of the next overview that lie in a window, and the slices that take them."""
    row, col = -(-window.row_off // 2), -(-window.col_off // 2)
    height, width = -(-window.row_stop // 2) - row, -(-window.col_stop // 2) - col
    taken = slice(window.row_off % 2, None, 2), slice(window.col_off % 2, None, 2)
    return (Window(col, row, width, height) if height and width else None), taken


@contextmanager
def _handles(path: Path, level: int) -> Iterator[Any]:
    """A function that gives each thread a handle of its own, all closed at the end."""
    local, opened = threading.local(), []
    options: dict[str, Any] = {} if level < 0 else {"OVERVIEW_LEVEL": level}

    def handle() -> Any:
        if not hasattr(local, "dataset"):
            local.dataset = rasterio.open(path, driver="GTiff", sharing=False, **options)
            opened.append(local.dataset)
        return local.dataset

    try:
        yield handle
    finally:
        for dataset in opened:
            with suppress(*GDAL_ERRORS):
                dataset.close()


def _sync(path: Path) -> None:
    """Sends what is there to the disk; its errors are told when the whole file is synced."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
