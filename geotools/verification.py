"""verify: whether a file is still what it was when it was written, and if not, what is wrong."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geotools.errors import FileError, GeotoolsError
from geotools.io.damage import Damage, Reading, read_all, read_pages
from geotools.io.records import Record, read_record, record_path

__all__ = ["Verification", "verify"]

State = Literal["whole", "no record", "changed", "truncated", "damaged"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of looking at one file."""

    path: Path
    """The file."""
    state: State
    """`whole`; `no record`: all can be read, but nobody knows whether it is as it was written;
    `changed`: all can be read, and it is not what the record says; `truncated`: bytes are missing;
    `damaged`: something cannot be read."""
    sentence: str
    """The same in a sentence, with what is wrong."""
    record: Record | None = None
    """What was written beside it."""
    damaged: tuple[Damage, ...] = ()
    """Blocks of a raster that cannot be read, the first of them."""

    @property
    def whole(self) -> bool:
        """True when nothing is wrong."""
        return self.state == "whole"


def verify(path: str | os.PathLike[str]) -> Verification:
    """Whether a raster, a GeoPackage or a model is whole.

    A file with a record (`NAME.json`, written beside every GeoTIFF and GeoPackage of geotools) is
    compared with the SHA-256 or CRC-32 in it. Without one, or when it differs, every cell is read,
    or every page of the GeoPackage. A model (`.onnx`) is loaded and run once on zeros, and compared
    with the checksum in the card (`NAME.md`) or the STAC item beside it, where there is one.

    Raises:
        FileError: there is no such file.
    """
    file = Path(path)
    if "\0" in str(file) or not file.is_file():
        raise FileError(f"{str(file)!r} does not exist, or is no file: check the path.")
    if file.suffix.lower() == ".onnx":
        return _verify_model(file)
    why = f"no record (there is no {record_path(file).name})"
    record = None
    try:
        record = read_record(file)
    except FileError as error:
        why = f"no record that can be read ({str(error).rstrip('.')})"
    if record is None:
        state, found, damaged = _look(file)
        sentence = (
            f"{file} has {why}, so that changes cannot be told; {found}."
            if state == "readable"
            else f"{file} is damaged: {found}; it has {why}."
        )
        return Verification(
            file, "no record" if state == "readable" else "damaged", sentence, None, damaged
        )
    size = file.stat().st_size
    if record.fits(file):
        return Verification(
            file,
            "whole",
            f"{file} is whole: all {size:,} bytes are as geotools {record.geotools} wrote them.",
            record,
        )
    return _differing(file, record, size)


def _differing(file: Path, record: Record, size: int) -> Verification:
    """What is wrong with a file that is not what its record says."""
    readable, found, damaged = _look(file)
    if readable == "readable":
        return Verification(
            file,
            "changed",
            f"{file} has changed since geotools {record.geotools} wrote it, or its record belongs "
            f"to another version of it ({_sizes(size, record.size)}, another {record.digest}); "
            f"{found}.",
            record,
        )
    state: State = "truncated" if size < record.size else "damaged"
    return Verification(
        file, state, f"{file} is {state} ({_sizes(size, record.size)}): {found}.", record, damaged
    )


def _sizes(now: int, then: int) -> str:
    return f"{now:,} bytes as before" if now == then else f"{now:,} bytes, written were {then:,}"


def _look(file: Path) -> tuple[Literal["readable", "damaged"], str, tuple[Damage, ...]]:
    """Whether all of a file can be read, what was found, and the blocks that cannot."""
    try:
        if file.suffix.lower() == ".gpkg":
            wrong = read_pages(file)
            if wrong:
                return "damaged", f"SQLite says of it: {wrong}", ()
            return "readable", "SQLite finds no damage in it", ()
        reading = read_all(file)
    except GeotoolsError as error:
        # What was found, without the advice, which is for inputs.
        found, closed, _ = str(error).removeprefix(f"{file} ").partition("): ")
        return "damaged", found.rstrip(".") + ")" * bool(closed), ()
    if reading.count:
        return "damaged", _blocks(reading), reading.damaged
    return "readable", f"all of its {reading.what} can be read", ()


def _blocks(reading: Reading) -> str:
    first = reading.damaged[0]
    others = ""
    if reading.count > 1:
        others = f", nor can {reading.count - 1:,} other blocks"
    return f"{first} cannot be read ({first.reason}){others}"


def _verify_model(file: Path) -> Verification:
    """A model: it loads, runs, and has the checksum that stands beside it."""
    from geotools.inference.trial import run_once

    try:
        model = run_once(file)
    except GeotoolsError as error:
        return Verification(file, "damaged", str(error))
    known = _checksums(file)
    ran = f"it loads and runs as {model.spec.name}"
    for origin, sums in known.items():
        if model.sha256 not in sums:
            return Verification(
                file, "changed", f"{file} is not the file that {origin} describes (another "
                f"SHA-256), though {ran}.",
            )  # fmt: skip
    if known:
        return Verification(
            file, "whole", f"{file} is whole: {ran}, with the SHA-256 in {' and '.join(known)}."
        )
    return Verification(
        file, "whole", f"{file} can be used: {ran}; no SHA-256 of it is written beside it."
    )


def _checksums(file: Path) -> dict[str, set[str]]:
    """The SHA-256 that a card or a STAC item beside a model give it, by name of what says so."""
    found: dict[str, set[str]] = {}
    card, item = file.with_suffix(".md"), file.with_suffix(".stac.json")
    try:
        text = card.read_text(encoding="utf-8", errors="replace")
        if sums := set(re.findall(r"\b[0-9a-f]{64}\b", text)):
            found[card.name] = sums
    except OSError:
        pass
    try:
        assets: Any = json.loads(item.read_text(encoding="utf-8"))["assets"]
        sums = {
            str(asset["file:checksum"])[-64:]
            for asset in assets.values()
            if asset.get("href") == file.name and "file:checksum" in asset
        }
        if sums:
            found[item.name] = sums
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return found
