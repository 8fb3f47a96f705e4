"""RunLimit: runs of a graph that end after a while, whatever the graph does.

ONNX Runtime looks between two operators whether it is to stop; how long one operator takes is
bounded by the memory that it may use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnxruntime as ort

from geotools.errors import ModelError
from geotools.inference.sessions import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RunLimit"]

_SECONDS = 600.0
"""Seconds that one tile may take: 2 ms for each cell of 512 x 512, some thousand times what nets
of this size need on one core."""

_LONGEST_WAIT_S = 1.0


class RunLimit:
    """A limit of time for every run of a session; runs may come from several threads."""

    def __init__(self, seconds: float | None = None) -> None:
        """Takes the limit.

        Args:
            seconds: that a run may take; 600 when None.

        Raises:
            ModelError: none at all; the message lacks its subject.
        """
        self.seconds = _SECONDS if seconds is None else seconds
        """Seconds that a run may take."""
        if not self.seconds > 0:
            raise ModelError(f"is to be stopped after {self.seconds:g} s: give --run-limit above 0")
        self._lock = threading.Lock()
        self._running: dict[int, tuple[float, Any]] = {}  # end and options of each run
        self._watching = False
        self._count = 0

    def run(
        self, session: Session, names: Sequence[str], fed: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """What the session gives for one batch.

        Raises:
            ModelError: it took too long; the message lacks its subject.
            Exception: what ONNX Runtime raises.
        """
        options = ort.RunOptions()
        options.log_severity_level = 4
        number = self._begin(options)
        try:
            return session.run(names, fed, options)
        except Exception:  # ONNX Runtime's errors share no public base class
            if options.terminate:
                raise ModelError(
                    f"has been stopped: one tile took more than {self.seconds:g} s; give a smaller "
                    "--tile-size, or more time with --run-limit"
                ) from None
            raise
        finally:
            with self._lock:
                del self._running[number]

    def _begin(self, options: Any) -> int:
        with self._lock:
            self._count += 1
            self._running[self._count] = time.monotonic() + self.seconds, options
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="geotools-limit", daemon=True).start()
            return self._count

    def _watch(self) -> None:
        """Stops runs whose time is over, until there are none."""
        while True:
            time.sleep(min(self.seconds / 4, _LONGEST_WAIT_S))
            with self._lock:
                if not self._running:
                    self._watching = False
                    return
                now = time.monotonic()
                for end, options in self._running.values():
                    if now > end:
                        options.terminate = True
