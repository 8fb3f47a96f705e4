"""Identity: which file it was that something was made from, or that was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from geotools.io.gate import archive_of

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Size, time and sum of a file; of a folder (an Esri grid), of all files in it."""

    name: str
    """Its name, without folders."""
    size: int
    """Bytes."""
    mtime_ns: int
    """When it was changed last, nanoseconds."""
    sha256: str
    """SHA-256 of its bytes."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """The identity of a file that is there.

        Raises:
            OSError: it cannot be read.
        """
        size, mtime_ns = _state(path)
        parts, sums = _parts(path), []
        for part in parts:
            with part.open("rb") as stream:
                sums.append(hashlib.file_digest(stream, "sha256"))
        whole = sums[0] if len(sums) == 1 else hashlib.sha256(b"".join(s.digest() for s in sums))
        return cls(path.name, size, mtime_ns, whole.hexdigest())

    @staticmethod
    def state(path: Path) -> tuple[int, int] | None:
        """Bytes, and when they were changed last; None where there is no such file."""
        try:
            return _state(path)
        except OSError:
            return None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` has made of it."""
        return cls(
            str(values["name"]), int(values["size"]), int(values["mtime_ns"]), str(values["sha256"])
        )

    def is_of(self, path: Path) -> bool:
        """True when the file there is the same: size and time, or else size and sum."""
        try:
            size, mtime_ns = _state(path)
            if size != self.size:
                return False
            return mtime_ns == self.mtime_ns or Identity.of(path).sha256 == self.sha256
        except OSError:
            return False


def _file(path: Path) -> Path:
    """The file on disk; of a path into an archive, the archive."""
    return Path(archive_of(str(path)))


def _parts(path: Path) -> list[Path]:
    file = _file(path)
    return sorted(part for part in file.iterdir() if part.is_file()) if file.is_dir() else [file]


def _state(path: Path) -> tuple[int, int]:
    """Bytes, and when they were changed last."""
    states = [part.stat() for part in _parts(path)]
    return sum(one.st_size for one in states), max(one.st_mtime_ns for one in states)
