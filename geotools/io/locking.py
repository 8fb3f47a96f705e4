"""locked: a file that keeps other runs out of a folder, and goes with its process."""

from __future__ import annotations

import os
from pathlib import Path

from geotools.errors import FileError

__all__ = ["locked"]


def locked(path: Path, folder: Path, *, shared: bool = False) -> int | None:
    """An open file that nobody else can lock until it is closed, or its process ends.

    None where there are no locks: elsewhere than on POSIX, and on some file systems.

    Args:
        path: the file; made when it is not there.
        folder: what messages call the place.
        shared: others may lock it too, who share it as well.

    Raises:
        FileError: somebody else has locked it.
    """
    try:
        import fcntl
    except ImportError:  # elsewhere than on POSIX
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FileError(
            f"Another run is at work in {folder}: wait until it is done, or name another folder."
        ) from None
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor
