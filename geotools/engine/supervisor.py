"""in_processes: units in worker processes that may die without taking the run with them.

Each worker has a pipe and one unit at a time. The unit of a worker that dies is begun again by
another; a unit that takes three workers with it is told as failed, and the others go on.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing.spawn
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from geotools.engine.executors import Executor, Told
from geotools.engine.job import Job, Record
from geotools.engine.units import Unit
from geotools.engine.work import Work
from geotools.engine.worker import error_of, send
from geotools.errors import GeotoolsError

__all__ = ["WorkerError", "in_processes"]

_ATTEMPTS = 3
"""Workers that one unit may take with it."""

_FIRST_LIMIT_S, _LEAST_LIMIT_S, _MEDIANS = 3600.0, 300.0, 20
"""What a unit may take: an hour while none is known, then so many medians of the last ones."""

_RESERVED = 1.5
"""Memory that a worker may reserve, by what it may hold: 1195 MB to 840 with landforms-v1."""

_ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""As many threads as workers are enough."""


class WorkerError(Exception):
    """A bug that showed in a worker process; its text is the traceback there."""


def in_processes(
    workers: int, *, limit_s: float | None = None, memory_bytes: int | None = None
) -> Executor:
    """Units in processes of their own, which survive a unit that kills its process.

    Args:
        workers: processes.
        limit_s: seconds that one unit may take; 20 times the median of the others, but at least
            300, when None.
        memory_bytes: what one worker may hold; no limit when None.
    """

    def run(job: Job, work: Work, units: Iterable[Unit], told: Told) -> None:
        supervisor = _Supervisor(job, workers, limit_s, memory_bytes, told)
        try:
            supervisor.run(iter(units))
        finally:
            supervisor.close()

    return run


class _Supervisor:
    """The workers of one run, and which unit each has."""

    def __init__(
        self, job: Job, workers: int, limit_s: float | None, memory: int | None, told: Told
    ) -> None:
        self._job, self._most, self._memory, self._told = job, workers, memory, told
        self._limit_s = limit_s
        self._seconds: deque[float] = deque(maxlen=101)
        self._replies: SimpleQueue[tuple[_Worker, dict[str, Any] | None]] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._again: deque[Unit] = deque()
        self._deaths: dict[str, int] = {}
        self._stillborn = 0

    def run(self, units: Iterator[Unit]) -> None:
        """Runs them all.

        Raises:
            GeotoolsError: as a worker tells, or no worker begins.
            WorkerError: a bug.
        """
        following = next(units, None)
        while True:
            while following is not None or self._again:
                worker = self._idle()
                if worker is None:
                    break
                if self._again:
                    worker.give(self._again.popleft())
                elif following is not None:
                    worker.give(following)
                    following = next(units, None)
            if not any(worker.unit for worker in self._workers):
                return
            with contextlib.suppress(Empty):
                worker, reply = self._replies.get(timeout=0.25)
                if reply is None:
                    self._bury(worker)
                else:
                    self._hear(worker, reply)
            self._check_limits()

    def _idle(self) -> _Worker | None:
        """A worker without a unit, a new one while there may be more."""
        for worker in self._workers:
            if worker.unit is None:
                return worker
        if len(self._workers) >= self._most:
            return None
        self._workers.append(_Worker(self._job, self._memory, self._replies))
        return self._workers[-1]

    def _hear(self, worker: _Worker, reply: dict[str, Any]) -> None:
        if reply["kind"] == "ready":
            self._stillborn = 0
            worker.begin()
        elif reply["kind"] == "record":
            unit, worker.unit = worker.unit, None
            record = Record(**reply["record"])
            self._seconds.append(record.seconds)
            if unit is not None:
                deaths = self._deaths.get(unit.name, 0)
                record = Record(
                    record.name, record.state, record.tiles, record.seconds, attempts=deaths + 1
                )
                self._told(record.tiles, record)
        elif reply["kind"] == "error":
            raise error_of(reply)
        elif reply["kind"] == "memory":
            worker.fate = "ran out of memory (--memory gives more)"
        else:
            raise WorkerError(f"in a worker process:\n{reply['text']}")

    def _bury(self, worker: _Worker) -> None:
        """Its unit is begun again, or given up."""
        self._workers.remove(worker)
        how = worker.close()
        unit = worker.unit
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= _ATTEMPTS:
                raise GeotoolsError(
                    f"Worker processes end before they can begin ({worker.fate or how}): try "
                    "--executor threads."
                )
            if unit is not None:
                self._again.append(unit)
            return
        if unit is None:
            return
        deaths = self._deaths[unit.name] = self._deaths.get(unit.name, 0) + 1
        if deaths < _ATTEMPTS:
            self._again.append(unit)
            return
        reason = (
            f"{worker.fate}, {deaths} times"
            if worker.fate
            else f"killed its worker {deaths} times ({how})"
        )
        count = len(unit.tiles)
        self._told(count, Record(unit.name, "failed", count, 0.0, reason, deaths))

    def _check_limits(self) -> None:
        """Kills workers that take too long; their ends are heard of as others are."""
        if self._limit_s is not None:
            limit = self._limit_s
        elif self._seconds:
            limit = max(_LEAST_LIMIT_S, _MEDIANS * statistics.median(self._seconds))
        else:
            limit = _FIRST_LIMIT_S
        now = time.monotonic()
        for worker in self._workers:
            # Opening is no part of the unit: a model may take longer than a tile.
            allowed = limit if worker.ready else max(limit, _FIRST_LIMIT_S)
            if worker.unit is not None and not worker.fate and now - worker.since > allowed:
                worker.fate = f"did not end within {allowed:g} s"
                worker.kill()

    def close(self) -> None:
        """Nothing of the workers is left."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process, see `worker`."""

    def __init__(
        self,
        job: Job,
        memory: int | None,
        replies: SimpleQueue[tuple[_Worker, dict[str, Any] | None]],
    ) -> None:
        self.unit: Unit | None = None
        """What it is at, or will be when it is ready."""
        self.ready = False
        """Whether the task is open."""
        self.fate = ""
        """Why it ended or will end, where that is known."""
        self.since = time.monotonic()
        """When it began what it is doing."""
        python = os.fsdecode(multiprocessing.spawn.get_executable())
        limit = str(int((memory or 0) * _RESERVED))
        command = [python, "-P", "-m", "geotools.engine.worker", str(os.getpid()), limit]
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": paths},
        )
        self._thread = threading.Thread(target=self._listen, args=(replies,), daemon=True)
        self._thread.start()
        self._send(job)

    def give(self, unit: Unit) -> None:
        """A unit to run; kept until the worker is ready."""
        self.unit = unit
        if self.ready:
            self.since = time.monotonic()
            self._send(unit)

    def begin(self) -> None:
        """The worker is ready: it gets what was kept."""
        self.ready = True
        if self.unit is not None:
            self.give(self.unit)

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def close(self) -> str:
        """How it ended, in words; to be called when it did, or was killed."""
        code = self._process.wait()
        self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _send(self, thing: Any) -> None:
        """An order; one to a worker that has just died is lost, its end is heard of."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                send(self._process.stdin, thing)

    def _listen(self, replies: SimpleQueue[tuple[_Worker, dict[str, Any] | None]]) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                with contextlib.suppress(ValueError):  # the line that a kill has cut
                    replies.put((self, json.loads(line)))
        replies.put((self, None))
