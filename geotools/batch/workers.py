"""in_processes: tasks in several spawned processes, one under way in each; in_here: in this one.

A process that dies fails its own task alone, and another takes its place; processes end when the
one that started them does, however it ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

from geotools.batch.means import Means
from geotools.batch.plan import Task
from geotools.errors import GeotoolsError

__all__ = ["Tell", "in_here", "in_processes"]

_PATIENCE_S = 10
"""Seconds that a process has to tidy up when it is told to stop."""

Tell = Callable[[str, int, Any], None]
"""Called with what has come, the number of the task, and: begun None, share 0 to 1, warning a
sentence, record a record."""


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    number: int | None = None
    """The task under way."""
    ready: bool = False
    """It has said that it is there."""


def in_processes(tasks: Sequence[tuple[Task, bool]], jobs: int, means: Means, tell: Tell) -> None:
    """Runs the tasks and tells what their processes say, as it comes.

    `begun` comes before its task is handed to a process, so that it can be written down first.

    Args:
        tasks: each with whether it may replace what is there.
        jobs: processes.
        means: of each of them.
        tell: called with what has come.

    Raises:
        GeotoolsError: processes cannot be started.
    """
    waiting = deque(range(len(tasks)))
    workers: list[_Worker] = []
    try:
        workers += [_start(means) for _ in range(min(jobs, len(tasks)))]
        while waiting or any(one.number is not None for one in workers):
            for one in workers:
                if one.ready and one.number is None and waiting:
                    one.number = waiting.popleft()
                    tell("begun", one.number, None)
                    with contextlib.suppress(OSError):  # it is seen to be dead below
                        one.connection.send((one.number, *tasks[one.number]))
            for connection in wait([one.connection for one in workers]):
                place = next(i for i, one in enumerate(workers) if one.connection is connection)
                one = workers[place]
                try:
                    message = one.connection.recv()
                except (EOFError, OSError):
                    if not one.ready:
                        raise GeotoolsError(_unstarted(one)) from None
                    if one.number is not None:
                        tell("record", one.number, _death(one, tasks[one.number][0]))
                    _stop([one])
                    workers[place] = _start(means)
                    continue
                if message[0] == "ready":
                    one.ready = True
                    continue
                if message[0] == "record":
                    one.number = None
                tell(*message)
    finally:
        _stop(workers)


def in_here(tasks: Sequence[tuple[Task, bool]], means: Means, tell: Tell) -> None:
    """As `in_processes`, one after the other in this process."""
    from geotools.batch.making import make

    for number, (task, overwrite) in enumerate(tasks):
        tell("begun", number, None)
        record = make(
            task,
            means=means,
            overwrite=overwrite,
            share=partial(tell, "share", number),
            warn=partial(tell, "warning", number),
        )
        tell("record", number, record)


def _unstarted(one: _Worker) -> str:
    one.process.join(_PATIENCE_S)
    return (
        f"A process for --jobs could not be started (it ended with {one.process.exitcode}): in a "
        'script of your own, call run_batch under  if __name__ == "__main__":  or with jobs=1.'
    )


def _death(one: _Worker, task: Task) -> dict[str, Any]:
    one.process.join(_PATIENCE_S)
    code = one.process.exitcode or 0
    how = f"by signal {-code}" if code < 0 else f"with {code}"
    return {
        "name": task.target.name,
        "digest": task.digest,
        "label": task.label,
        "status": "failed",
        "error": f"The process that worked on {task.label} ended {how}: is there memory enough? "
        "Give fewer --jobs or a --memory limit.",
        "warnings": [],
        "seconds": 0.0,
    }


def _start(means: Means) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, means), daemon=True)
    with _without_interrupts():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C is for the process that was started by the user, which tells the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(workers: Sequence[_Worker]) -> None:
    """Ends the processes; those that are at work tidy up first."""
    for one in workers:
        one.connection.close()  # which ends those that wait for a task
        if one.number is not None or not one.ready:
            one.process.terminate()
    for one in workers:
        one.process.join(_PATIENCE_S)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()


def _work(connection: Connection, means: Means) -> None:
    """The life of a process: tasks in, what becomes of them out."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        signal.signal(signal.SIGTERM, _leave)
        from geotools.batch.making import make

        connection.send(("ready", 0, None))
        while True:
            number, task, overwrite = connection.recv()
            told = 0.0

            def share(done: float, number: int = number) -> None:
                nonlocal told
                if done - told >= 0.01 or done < told:
                    told = done
                    connection.send(("share", number, done))

            def warn(sentence: str, number: int = number) -> None:
                connection.send(("warning", number, sentence))

            record = make(task, means=means, overwrite=overwrite, share=share, warn=warn)
            connection.send(("record", number, record))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _follow(sentinel: int) -> None:
    """Ends this process when the one that started it has ended."""
    wait([sentinel])
    os._exit(1)
