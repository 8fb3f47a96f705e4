"""The command line with a unit that kills its process, or never ends; see `jobs.poison`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from geotools.maps.predict_task import PredictTask

PLACE = 256, 512
"""Row and column of the first cell of the unit."""


class PoisonedWork:
    """A work that dies of one tile."""

    def __init__(self, work: Any, kind: str) -> None:
        self._work, self._kind = work, kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def tile(self, tile: Any) -> Any:
        if (tile.write.row_off, tile.write.col_off) == PLACE:
            if self._kind == "kills":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(1e6)
        return self._work.tile(tile)


@dataclass(frozen=True)
class Poisoned(PredictTask):
    """A prediction whose workers die of one tile."""

    @contextmanager
    def open(self) -> Iterator[Any]:
        with PredictTask.open(self) as work:
            yield PoisonedWork(work, os.environ["POISON"])


if __name__ == "__main__":
    import geotools.maps.predict_order
    from faults.poisoned import Poisoned as Task  # by the name under which workers find it
    from geotools.cli import main

    os.environ["POISON"] = sys.argv.pop(1)
    geotools.maps.predict_order.PredictTask = Task
    main()
