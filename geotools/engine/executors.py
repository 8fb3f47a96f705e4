"""Executors: how the units of a job are run in this process.

An executor is a function from a job, its open work and the units to records; all give the same
parts. Those in other processes are in `supervisor` and `cluster`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from geotools.engine.job import Job, Record, UnitCells, run_unit
from geotools.engine.units import Unit
from geotools.engine.work import Work
from geotools.errors import FileError
from geotools.io.gate import no_word_of_missing_places

__all__ = ["Executor", "Told", "in_threads", "serially"]

Told = Callable[[int, Record | None], None]
"""Called with tiles that are done; and with the record of a unit when it is."""


class Executor(Protocol):
    """A way to run units."""

    def __call__(self, job: Job, work: Work, units: Iterable[Unit], told: Told) -> None:
        """Runs them all.

        Raises:
            GeotoolsError: the model refuses, or the disk does; units whose input cannot be read,
                or that take their process with them, are told as failed instead.
        """


def serially(job: Job, work: Work, units: Iterable[Unit], told: Told) -> None:
    """One unit after the other; see `Executor`."""
    for unit in units:
        told(len(unit.tiles), run_unit(job, unit, work))


def in_threads(threads: int) -> Executor:
    """Tiles in several threads, which share one model: the fastest on one machine.

    At most two tiles a thread are under way, so that few units are in memory.
    """

    def run(job: Job, work: Work, units: Iterable[Unit], told: Told) -> None:
        with no_word_of_missing_places(), _pool_of(threads) as pool:
            _run_tiles(pool, 2 * threads, job, work, units, told)

    return run


@contextmanager
def _pool_of(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end with the block; what they have not begun is dropped."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="geotools")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _run_tiles(
    pool: ThreadPoolExecutor, most: int, job: Job, work: Work, units: Iterable[Unit], told: Told
) -> None:
    """Runs every tile of the units, at most `most` of them under way."""
    pending: deque[Future[Record | None]] = deque()

    def tell_first() -> None:
        told(1, pending.popleft().result())

    for unit in units:
        running = _Running(job, work, unit)
        for number in range(len(unit.tiles)):
            pending.append(pool.submit(running.tile, number))
            if len(pending) >= most:
                tell_first()
    while pending:
        tell_first()


class _Running:
    """A unit whose tiles run in threads."""

    def __init__(self, job: Job, work: Work, unit: Unit) -> None:
        self._job, self._work, self._unit = job, work, unit
        self._cells = UnitCells(work, unit)
        self._left = len(unit.tiles)
        self._lock = threading.Lock()
        self._start = 0.0
        self._reason = ""

    def tile(self, number: int) -> Record | None:
        """Computes a tile; the last one stores the unit and gives its record, see `run_unit`."""
        self._start = self._start or time.monotonic()
        arrays = None
        try:
            if not self._reason:
                arrays = self._work.tile(self._unit.tiles[number])
        except FileError as error:
            self._reason = str(error)
        with self._lock:
            if arrays is not None:
                self._cells.put(number, arrays)
            self._left -= 1
            if self._left:
                return None
        if self._reason:
            return Record(self._unit.name, "failed", len(self._unit.tiles), reason=self._reason)
        state = "done" if self._cells.store(self._job.folder) else "empty"
        seconds = time.monotonic() - self._start
        return Record(self._unit.name, state, len(self._unit.tiles), seconds)
