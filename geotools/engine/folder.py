"""JobFolder: where the parts of one job lie while it runs, and what is gone on from.

Beside the output under a hidden name unless the user names a folder. It is gone when the output
has its name, and when a run ends by an error or is cancelled; a run that is killed leaves it, and
the same command goes on from it. Nothing is ever removed from it but what runs have put there.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geotools.errors import FileError, Terminated
from geotools.io.atomic import write_atomic
from geotools.io.locking import locked
from geotools.io.parts import is_part

__all__ = ["JobFolder", "hidden_folder", "named_before", "read_job"]

_ENDING = ".parts"
_JOB, _LOCK, _NAMING, _UNITS = "job.json", "lock", "naming.json", ".jsonl"

_MOST_BYTES = 16 * 2**20
"""Of a description; what is larger is none of ours."""


class JobFolder:
    """The folder of one job; a context manager, which keeps other runs out meanwhile."""

    def __init__(
        self,
        output: Path,
        job_id: str,
        *,
        path: Path | None = None,
        description: dict[str, Any] | None = None,
        shared: bool = False,
    ) -> None:
        """
        Args:
            output: what the parts are for.
            job_id: of the job.
            path: the folder that the user names; it stays when a run is cancelled.
            description: of the job, for those who open the folder later.
            shared: several runs, perhaps on several machines, put parts into it; all of them
                have the same description.

        Raises:
            FileError: the folder cannot be made, is at work for another run, or the user's holds
                other things or another job.
        """
        self.id = job_id
        self.path = path or hidden_folder(output, job_id)
        """Where it is."""
        self._named, self._shared = path is not None, shared
        self._described = {"id": job_id, **(description or {})}
        self._keep = False
        self._lock: int | None = None
        self.removed = 0 if path is not None else _remove_stale(output, self.path)
        """Folders of other jobs for the same output, which killed runs had left."""
        try:
            if not self.path.absolute().parent.is_dir():
                raise FileError(
                    f"The folder {self.path.absolute().parent} does not exist: create it first."
                )
            self._check()
            self.path.mkdir(exist_ok=True)
            self._lock = locked(self.path / _LOCK, self.path, shared=shared)
            if not (shared and read_job(self.path)):
                with write_atomic(self.path / _JOB, overwrite=True) as part:
                    text = json.dumps(self._described, ensure_ascii=False, indent=1)
                    part.write_text(text, encoding="utf-8")
        except OSError as error:
            self._close()
            if isinstance(error, FileError):
                raise
            raise FileError(
                f"The folder {self.path} for parts cannot be used: {error.strerror}."
            ) from None

    def _check(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise FileError(f"{self.path} is a file: name a folder for the job.")
        found = read_job(self.path)
        if found is None and any(not _is_beginning(path) for path in self.path.iterdir()):
            if self._named:
                raise FileError(f"{self.path} holds other files: name a new folder for the job.")
            return  # killed before it was described
        if found is not None and found.get("id") != self.id:
            raise FileError(
                f"{self.path} holds another job (other inputs, model or settings, or another "
                "version of geotools): delete it, or name another folder."
            )
        if found is None or not self._shared:
            return
        for key, value in self._described.items():
            if json.dumps(found.get(key)) != json.dumps(value):  # as text NaN is itself
                raise FileError(
                    f"{self.path} holds a job whose {key} is {_shown(found.get(key))}, not "
                    f"{_shown(value)}: give all its shards the same options, or name another "
                    "folder."
                )

    def keep(self) -> None:
        """The folder stays whatever happens, for another run to go on from."""
        self._keep = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = isinstance(error, Terminated)
        if self._keep or stopped or (kind is not None and self._named):
            if isinstance(error, KeyboardInterrupt) and any(self.path.glob("*.tif")):
                error.add_note("The same command goes on with the units that are done.")
        else:
            _clear(self.path)
        self._close()

    def begin_naming(self, outputs: Sequence[Path]) -> None:
        """Remembers that the outputs are about to get their names, one after the other.

        A run that is killed between two names is then gone on from, and may replace them.

        Raises:
            FileError: the disk refuses.
        """
        with write_atomic(self.path / _NAMING, overwrite=True) as part:
            names = [str(output.absolute()) for output in outputs]
            part.write_text(json.dumps(names), encoding="utf-8")

    @property
    def naming(self) -> frozenset[str]:
        """Absolute paths of the outputs that an earlier run of this job was giving names."""
        return _naming(self.path)

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _is_beginning(path: Path) -> bool:
    """True for what a run puts into a folder before it is described."""
    return path.name == _LOCK or path.name.startswith((".job.", ".naming."))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


def hidden_folder(output: Path, job_id: str) -> Path:
    """Where the parts of a job lie when the user names no folder."""
    return output.with_name(f".{output.name}.{job_id[:12]}{_ENDING}")


def read_job(folder: Path) -> dict[str, Any] | None:
    """What a folder says of its job; None when it is no job's."""
    try:
        if (folder / _JOB).stat().st_size > _MOST_BYTES:
            return None
        body = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def named_before(output: Path, folder: Path | None) -> frozenset[str]:
    """Absolute paths that killed runs for an output were giving names.

    Args:
        output: what the jobs were for.
        folder: that of the job, where the user names one.
    """
    if folder is not None:
        return _naming(folder)
    found: frozenset[str] = frozenset()
    for left in _hidden(output):
        found |= _naming(left)
    return found


def _naming(folder: Path) -> frozenset[str]:
    try:
        names = json.loads((folder / _NAMING).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _hidden(output: Path) -> list[Path]:
    """Hidden folders of jobs for this output and no other."""
    name = re.compile(rf"\.{re.escape(output.name)}\.[0-9a-f]{{12}}{re.escape(_ENDING)}")
    found = output.parent.glob(f".{glob.escape(output.name)}.*{_ENDING}")
    return [left for left in found if name.fullmatch(left.name) and not left.is_symlink()]


def _remove_stale(output: Path, own: Path) -> int:
    """Removes what killed runs of other jobs have left for this output; how many there were.

    What cannot be locked may be at work, and stays.
    """
    count = 0
    for left in _hidden(output):
        described = read_job(left)
        if left == own or described is None or "id" not in described:
            continue
        try:
            lock = locked(left / _LOCK, left)
        except OSError:
            continue
        if lock is None:
            continue
        _clear(left)
        os.close(lock)
        count += not left.exists()
    return count


def _clear(folder: Path) -> None:
    """Removes what runs have put into a folder, and the folder when nothing else is in it."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            ours = path.name in (_JOB, _NAMING) or _is_beginning(path)
            if ours or is_part(path.name) or path.name.endswith(_UNITS):
                with contextlib.suppress(OSError):
                    path.unlink()
        folder.rmdir()
