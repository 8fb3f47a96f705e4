"""JobFolder: where the parts of one job lie while it runs, and what is gone on from.

Beside the output under a hidden name unless the user names a folder. It is gone when the output
has its name, and when a run ends by an error or is cancelled; a run that is killed leaves it, and
the same command goes on from it.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geotools.errors import FileError
from geotools.io.atomic import write_atomic
from geotools.io.locking import locked

__all__ = ["JobFolder", "hidden_folder", "read_job"]

_ENDING = ".parts"
_JOB, _LOCK = "job.json", "lock"

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
        if path is None:
            _remove_stale(output, self.path)
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
        stays = self._keep or (kind is not None and self._named)
        if not stays:
            with contextlib.suppress(OSError):
                shutil.rmtree(self.path)
        self._close()

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _is_beginning(path: Path) -> bool:
    """True for what a run puts into a folder before it is described."""
    return path.name == _LOCK or path.name.startswith(f".{Path(_JOB).stem}.")


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


def _remove_stale(output: Path, own: Path) -> None:
    """Removes what killed runs of other jobs have left for this output."""
    pattern = f".{glob.escape(output.name)}.*{_ENDING}"
    for left in output.parent.glob(pattern):
        if left == own or not left.is_dir():
            continue
        try:
            lock = locked(left / _LOCK, left)
        except FileError:  # at work
            continue
        with contextlib.suppress(OSError):
            shutil.rmtree(left)
        if lock is not None:
            os.close(lock)
