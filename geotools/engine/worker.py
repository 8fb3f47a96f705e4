"""A worker process: opens a task once and runs its units until its orders end.

`supervisor` starts it and gives its orders as pickles on stdin; what it tells are lines of JSON,
so that nothing is unpickled in the process that the user started.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import sys
import threading
import traceback
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from geotools import errors
from geotools.process import end_with, limit_memory, prepare

if TYPE_CHECKING:
    from geotools.engine.job import Job

__all__ = ["error_of", "main", "send", "tell_error"]

_SIZE = struct.Struct("<Q")


def send(stream: IO[bytes], thing: Any) -> None:
    """Gives an order: a `Job` first, then its units one after the other.

    Raises:
        OSError: the worker has ended.
    """
    content = pickle.dumps(thing)
    stream.write(_SIZE.pack(len(content)) + content)
    stream.flush()


def main() -> None:
    """Runs a worker; its arguments are the process that it ends with, and its memory in bytes."""
    parent, memory = int(sys.argv[1]), int(sys.argv[2])
    prepare()
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to answer
    if memory:
        limit_memory(memory)
    orders = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what libraries print is no reply

    def tell(kind: str, **values: Any) -> None:
        print(json.dumps({"kind": kind, **values}), file=replies, flush=True)

    received: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(orders, received), daemon=True).start()
    try:
        _work(received, tell)
    except errors.GeotoolsError as error:
        tell("error", **tell_error(error))
    except MemoryError:
        tell("memory")
    except BaseException:
        tell("bug", text=traceback.format_exc())
    os._exit(1)


def _work(received: SimpleQueue[bytes], tell: Any) -> None:
    job: Job = _next(received)
    from geotools.engine.job import run_unit

    with job.task.open() as work:
        tell("ready")
        while True:
            tell("record", record=asdict(run_unit(job, _next(received), work)))


def _next(received: SimpleQueue[bytes]) -> Any:
    return pickle.loads(received.get())  # noqa: S301  (from the process that started this one)


def _listen(orders: IO[bytes], received: SimpleQueue[bytes]) -> None:
    """Orders as they come; at their end the supervisor is gone, and so is this process."""
    while True:
        head = orders.read(_SIZE.size)
        content = orders.read(_SIZE.unpack(head)[0]) if len(head) == _SIZE.size else b""
        if not content:
            os._exit(1)
        received.put(content)


def tell_error(error: errors.GeotoolsError) -> dict[str, str]:
    """An error in plain text."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return {"error": next(n for n in names if n in errors.__all__), "sentence": str(error)}


def error_of(told: dict[str, Any]) -> errors.GeotoolsError:
    """The error that `tell_error` has told of."""
    kind = getattr(errors, told["error"]) if told["error"] in errors.__all__ else None
    if kind is None or kind is errors.MissingExtraError:  # which makes its own sentence
        kind = errors.GeotoolsError
    error: errors.GeotoolsError = kind(told["sentence"])
    return error


if __name__ == "__main__":
    main()
