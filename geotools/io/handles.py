"""Handles: GDAL's handles of one file, shared by the threads that read it."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from geotools.io.gate import GDAL_ERRORS

__all__ = ["Handles"]

_THREADS = 4
"""That share a handle. GDAL keeps decoded blocks for each handle: with one of their own, threads
decode what their tiles have in common once each, which doubled the time of reading a DEM; with
one for all, they would wait for each other where there are many."""


class Handles:
    """Handles that are opened when they are needed, and lent to one thread at a time."""

    def __init__(self, open_some: Callable[[], Sequence[Any]]) -> None:
        """Opens nothing yet.

        Args:
            open_some: opens the file; a dataset that is read through another comes behind it.
        """
        self._open = open_some
        self._rooms: list[_Room] = []
        self._place(max(1, (os.cpu_count() or 1) // _THREADS))

    def _place(self, count: int) -> None:
        self._rooms = [_Room() for _ in range(count)]
        self._threads, self._turns = threading.local(), itertools.count()

    def only_one(self) -> None:
        """From now on all threads share the handle that was lent first."""
        del self._rooms[1:]

    def close(self) -> None:
        """Closes them all; what is lent afterwards is opened anew."""
        for room in self._rooms:
            room.close()
        self._place(len(self._rooms))

    @contextlib.contextmanager
    def lent(self) -> Iterator[Any]:
        """The handle of the calling thread, which nobody else uses meanwhile."""
        if not hasattr(self._threads, "room"):
            self._threads.room = self._rooms[next(self._turns) % len(self._rooms)]
        room: _Room = self._threads.room
        with room.lock:
            if not room.datasets:
                room.datasets = list(self._open())
            yield room.datasets[-1]


class _Room:
    """Place of one handle."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.datasets: list[Any] = []

    def close(self) -> None:
        with self.lock:
            for dataset in reversed(self.datasets):
                with contextlib.suppress(*GDAL_ERRORS):
                    dataset.close()
            self.datasets = []
