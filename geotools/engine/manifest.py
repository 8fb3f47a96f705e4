"""Manifest: what became of every unit, as JSON lines that a crash can only cut short.

The parts are the truth; the manifest adds what leaves no part: units without a valid cell, units
that failed, and times. Each process that runs units has a manifest of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geotools.engine.job import Record
from geotools.errors import FileError

__all__ = ["Manifest", "read_manifests"]

_ENDING = ".jsonl"


class Manifest:
    """The open manifest of one run; a context manager."""

    def __init__(self, folder: Path, name: str = "units") -> None:
        """
        Args:
            folder: that of the parts.
            name: of the run among those that share the folder.

        Raises:
            FileError: the disk refuses.
        """
        self.path = folder / f"{name}{_ENDING}"
        try:
            torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
            self._file = self.path.open("a", encoding="utf-8")
            if torn:
                self._file.write("\n")
        except OSError as error:
            raise FileError(f"{self.path} could not be written: {error.strerror}.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, record: Record) -> None:
        """One more line.

        Raises:
            FileError: the disk refuses.
        """
        try:
            self._file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise FileError(f"{self.path} could not be written: {error.strerror}.") from None


def read_manifests(folder: Path) -> dict[str, Record]:
    """The last record of every unit, of all manifests of a folder.

    Raises:
        FileError: the folder cannot be read.
    """
    found: dict[str, Record] = {}
    try:
        paths = sorted(folder / name for name in os.listdir(folder) if name.endswith(_ENDING))
        for path in paths:
            for record in _records(path):
                known = found.get(record.name)
                if known is None or known.state == "failed" or record.state != "failed":
                    found[record.name] = record
    except OSError as error:
        raise FileError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    return found


def _records(path: Path) -> Iterator[Record]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            body: Any = json.loads(line)
            record = Record(**body)
        except (ValueError, TypeError, RecursionError):  # the line that a crash has cut
            continue
        if isinstance(record.name, str) and isinstance(record.state, str):
            yield record
