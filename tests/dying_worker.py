"""A worker of a batch that dies of one input; in a module that other processes find."""

from __future__ import annotations

import os
import signal
from typing import Any

from geotools.batch import workers

_work = workers._work


def dies_at_a(connection: Any, effort: Any) -> None:
    """Takes its orders like any other, and dies of `a.tif`."""
    from geotools.batch import making

    whole = making.make

    def make(task: Any, **options: Any) -> Any:
        if task.label == "a.tif":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(task, **options)

    making.make = make
    _work(connection, effort)
