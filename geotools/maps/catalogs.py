"""What every map of a catalog says of its input: where it came from, and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from geotools.io.catalogs import ReadReport

__all__ = ["origin", "tell_of"]


def origin(catalog: Path, report: ReadReport) -> dict[str, str]:
    """Name, SHA-256 and format of a catalog file, as tags of what is made from it."""
    with catalog.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"source": catalog.name, "source_sha256": digest, "source_format": report.format}


def tell_of(report: ReadReport, tell: Callable[[str], None]) -> None:
    """Tells what reading left out and put right, one sentence each."""
    for item in report.skipped:
        where = f" (first: {item.example})" if item.example else ""
        tell(f"Left out, {item.reason}: {item.count:,}{where}.")
    for note in report.notes:
        tell(note)
