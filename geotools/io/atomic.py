"""write_atomic: an output appears under its name only when it is complete and was read back.

The file is written beside its target under a random name, closed, verified by its writer's own
reader, synced and renamed; whatever fails, the target is as it was and nothing is left beside it.
"""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import re
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geotools.errors import FileError

__all__ = ["check_output", "sync", "temporary_beside", "write_atomic"]

_LONGEST_NAME = 200
"""Bytes; file systems take 255, and temporary names and endings need some."""

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_TEMPORARY = re.compile(r"([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part.*")

_SIDECARS = ("-journal", "-wal", "-shm", ".aux.xml", ".ovr", ".msk")
"""What GDAL and SQLite may leave beside a file while it is written."""


def check_output(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The path of an output that may be written, before any work is done.

    Raises:
        FileError: its folder does not exist or cannot be written to, it is a folder, or it
            exists and `overwrite` is False.
    """
    target = Path(path)
    if "\0" in str(target) or str(target).startswith("/vsi"):
        raise FileError(f"{str(target)!r} is not a path on this machine: name a local file.")
    folder = target.parent
    if len(os.fsencode(target.name)) > _LONGEST_NAME:
        raise FileError(f"{target.name[:40]}… is too long a name: shorten it.")
    if not folder.is_dir():
        raise FileError(f"The folder {folder} for the output does not exist: create it first.")
    if target.is_dir():
        raise FileError(f"{target} is a folder: name a file for the output.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"The folder {folder} is not writable: choose another for the output.")
    if target.exists() and not overwrite:
        raise FileError(f"{target} exists: give --overwrite (overwrite=True) to replace it.")
    return target


@contextmanager
def write_atomic(
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    verify: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """A path beside `path` to write to; on leaving it is verified, synced and renamed to `path`.

    The temporary name keeps the suffix, so that drivers chosen by suffix work. The body must have
    closed the file when it ends.

    Args:
        path: the output.
        overwrite: replace an existing file; otherwise it is an error.
        verify: reads the closed file back and raises when it is not what was written.

    Raises:
        FileError: as `check_output`, or the disk refuses (full, read-only, gone).
    """
    target = check_output(path, overwrite=overwrite)
    temporary = temporary_beside(target)
    try:
        yield temporary
        if verify is not None:
            verify(temporary)
        sync(temporary)
        if target.exists() and not overwrite:  # somebody else was faster
            raise FileError(f"{target} was created meanwhile: give --overwrite to replace it.")
        os.replace(temporary, target)
        if os.name == "posix":  # elsewhere folders cannot be opened
            sync(target.parent)
    except BaseException as error:
        _remove(temporary)
        if isinstance(error, OSError) and not isinstance(error, FileError):
            reason = error.strerror or error
            raise FileError(f"{target} could not be written: {reason}.") from error
        raise
    _remove_sidecars(temporary)


def temporary_beside(target: Path) -> Path:
    """A name beside `target` for a file that is being written; removes those of dead processes.

    The name holds host and process, so that what a killed run has left is told from what another
    run is writing now.
    """
    own = f".{target.stem[:80]}."
    for left in target.parent.glob(f"{glob.escape(own)}*"):
        found = _TEMPORARY.fullmatch(left.name[len(own) :])
        if found and found[1] == _HOST and not _is_alive(int(found[2])):
            with contextlib.suppress(OSError):
                left.unlink()
    return target.with_name(
        f"{own}{_HOST}-{os.getpid()}-{secrets.token_hex(4)}.part{target.suffix}"
    )


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    try:  # a process that has ended stays known until somebody asks how
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not on Linux
        return True
    return state.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])


def sync(path: Path) -> None:
    """Waits until the disk has the file, or the folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink()
    _remove_sidecars(temporary)


def _remove_sidecars(temporary: Path) -> None:
    for ending in _SIDECARS:
        with contextlib.suppress(OSError):
            Path(f"{temporary}{ending}").unlink()
