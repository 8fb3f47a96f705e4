"""FollowedFile: the SHA-256 of a file, taken in a thread of its own while the file is written."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

__all__ = ["FollowedFile"]

_PIECE_BYTES = 256 * 2**10
"""Read at once: stays in the cache until it is hashed."""


class FollowedFile:
    """A file that somebody else writes from its start to its end, more or less in order."""

    def __init__(self, path: Path) -> None:
        """Opens the file; nothing is read yet.

        Raises:
            OSError: it cannot be opened.
        """
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="geotools-hash")
        self._hash, self._at = hashlib.sha256(), 0
        self._last: Future[None] | None = None
        self._room = bytearray(_PIECE_BYTES)

    def begin(self, head: bytes) -> None:
        """Takes `head` for the bytes that the file will begin with, and forgets what was read."""
        self._wait()
        self._hash, self._at = hashlib.sha256(head), len(head)

    def follow(self, stop: int) -> None:
        """Nothing, at once; the bytes before `stop` are final now, and will be read."""
        self._last = self._pool.submit(self._read, stop)

    def digest(self) -> str:
        """SHA-256 of all that is final, as hexadecimal digits; waits for what is to be read.

        Raises:
            OSError: the file cannot be read.
        """
        self._wait()
        return self._hash.hexdigest()

    def close(self) -> None:
        """Closes the file; nothing more is read."""
        self._pool.shutdown(cancel_futures=True)
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _read(self, stop: int) -> None:
        while self._at < stop:
            room = memoryview(self._room)[: stop - self._at]
            count = os.preadv(self._file, [room], self._at)
            if count == 0:
                raise OSError("the file is shorter than it was")
            self._hash.update(room[:count])
            self._at += count
