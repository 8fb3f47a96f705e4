"""Journal: what a folder's outputs were made from, one JSON object a line, the last one counting.

A line is on the disk before the next input begins, so that a run that is killed loses at most the
inputs under way; a line that was cut off is not read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from geotools.batch.files import Identity
from geotools.batch.plan import Task
from geotools.errors import FileError
from geotools.io.atomic import write_atomic

__all__ = ["Journal"]

_SCHEMA = 1
_MAX_BYTES = 2**30


class Journal:
    """`batch.jsonl` in the folder of the outputs; a context manager while it is written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "batch.jsonl"
        self.records: dict[str, dict[str, Any]] = self._read()
        """The last record of every output, by its name; `status` begun, done or failed."""
        self._stream: TextIO | None = None

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            if self.path.exists() and self.path.stat().st_size > _MAX_BYTES:
                raise FileError(f"{self.path} is larger than 1 GB: name another output folder.")
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{self.path} cannot be read: {error.strerror}.") from None
        records = {}
        for line in text.splitlines():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and record.get("schema") == _SCHEMA:
                records[str(record.get("name"))] = record
        return records

    def __enter__(self) -> Self:
        """Opens it, with one line for each output."""
        with write_atomic(self.path, overwrite=True) as part:
            lines = [json.dumps(record) for record in self.records.values()]
            part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._stream = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def write(self, record: Mapping[str, Any]) -> None:
        """Adds a record, and waits until the disk has it.

        Raises:
            FileError: the disk refuses.
        """
        line = {"schema": _SCHEMA, **record}
        self.records[str(record["name"])] = line
        if self._stream is None:
            return
        try:
            self._stream.write(f"{json.dumps(line)}\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise FileError(f"{self.path} could not be written: {error.strerror}.") from None

    def is_ours(self, name: str) -> bool:
        """True when an output of that name was made, or begun, by an earlier run."""
        return name in self.records

    def done(self, task: Task) -> dict[str, Any] | None:
        """The record of a task whose outputs are there, whole, from the same input and settings."""
        record = self.records.get(task.target.name)
        if record is None or record.get("status") != "done" or task.problem:
            return None
        if record.get("digest") != task.digest:
            return None
        try:
            inputs = [Identity.from_json(one) for one in record["inputs"]]
            outputs = [Identity.from_json(one) for one in record["outputs"]]
        except (KeyError, TypeError, ValueError):
            return None
        same = (
            len(inputs) == len(task.paths)
            and [one.name for one in outputs] == [path.name for path in task.outputs]
            and all(one.is_of(path) for one, path in zip(inputs, task.paths, strict=True))
            and all(one.is_of(path) for one, path in zip(outputs, task.outputs, strict=True))
        )
        return record if same else None
