"""hash_file: the SHA-256 of an input, which may have been begun while libraries were loading.

A command that is started for one map waits for its libraries, a third of a second in which one
core is idle; hashing 300 MB takes as long.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

__all__ = ["begin_hashing", "hash_file"]

_CHUNK_BYTES = 1 << 20


def begin_hashing(path: str | os.PathLike[str]) -> None:
    """Nothing; `hash_file` of this file finds some or all of the work done."""
    file = Path(path)
    try:
        if not file.is_file():  # a pipe would be waited for; whoever opens it says what is wrong
            return
        _begun[file] = begun = _Begun(file)
    except (OSError, ValueError):
        return
    begun.start()


def hash_file(file: Path, stopped: threading.Event) -> str:
    """SHA-256 as hexadecimal digits; of anything once `stopped` is set.

    Raises:
        OSError: it cannot be read.
    """
    begun = _begun.pop(file, None)
    if begun is not None:
        while begun.is_alive():
            begun.join(0.02)
            if stopped.is_set():
                begun.stopped.set()
        if begun.digest and begun.state == _state(file):
            return begun.digest
    return _hash(file, stopped)


class _Begun(threading.Thread):
    """Hashes a file; ends with the process at the latest."""

    def __init__(self, file: Path) -> None:
        super().__init__(name="geotools-hash", daemon=True)
        self._file, self.state = file, _state(file)
        self.stopped = threading.Event()
        self.digest = ""
        """What came of it; nothing when it was stopped or failed."""

    def run(self) -> None:
        try:
            digest = _hash(self._file, self.stopped)
        except OSError:
            return
        if not self.stopped.is_set():
            self.digest = digest


_begun: dict[Path, _Begun] = {}


def _state(file: Path) -> tuple[int, int, int]:
    """What differs when a file was written to or replaced."""
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _hash(file: Path, stopped: threading.Event) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while not stopped.is_set() and (chunk := stream.read(_CHUNK_BYTES)):
            digest.update(chunk)
    return digest.hexdigest()
