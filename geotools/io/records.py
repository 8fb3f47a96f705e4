"""The record beside an output: what the file was when it was written, and what made it.

`forms.tif` gets `forms.tif.json`. A record identifies its file by the SHA-256 or by the CRC-32 of
all bytes. Both tell what disks, networks and programs do to a file, the CRC-32 all but one change
in four billion; against intent neither helps, since a record lies unsigned beside its file.
Whether a file still is what its record says is told in words by `geotools.verification`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geotools.errors import FileError
from geotools.io.atomic import check_output, sync, temporary_beside
from geotools.io.crc import crc32
from geotools.version import VERSION

__all__ = [
    "Record",
    "Recorder",
    "check_record",
    "made_from",
    "read_record",
    "record_path",
    "sha256",
]

_SCHEMA = 2
"""Version of what a record holds; 1 knew the SHA-256 alone."""

_TYPE = "geotools record"
"""By which a record is told from other files of the name, such as STAC items."""

_MAX_BYTES = 16 * 2**20
"""Of a record; larger files of the name are not read."""

_PIECE_BYTES = 2**20
"""Of a file, taken into the CRC-32 at once."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a file was when it was written."""

    file: str
    """Its name, without a folder; it may have got another since."""
    size: int
    """Bytes."""
    geotools: str
    """Version that wrote it."""
    sha256: str | None = None
    """Of all bytes, as 64 hexadecimal digits; None where there is a CRC-32 instead."""
    crc32: str | None = None
    """Of all bytes, as 8 hexadecimal digits; None where there is a SHA-256 instead."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """Of a raster: method, model, inputs and parameters, as `made_from` gives them."""
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same for every layer of a GeoPackage that geotools wrote, by name."""

    def to_json(self) -> str:
        """The record as text; the same record gives the same text."""
        digest = {"sha256": self.sha256} if self.sha256 else {"crc32": self.crc32}
        body: dict[str, Any] = {
            "schema": _SCHEMA, "type": _TYPE, "file": self.file, "size": self.size, **digest,
            "geotools": self.geotools,
        }  # fmt: skip
        if self.layers:
            body["layers"] = {name: dict(made) for name, made in self.layers.items()}
        else:
            body["made"] = dict(self.made)
        return json.dumps(body, indent=1, ensure_ascii=False) + "\n"

    @property
    def digest(self) -> str:
        """What tells its bytes from others, by name: `SHA-256` or `CRC-32`."""
        return "SHA-256" if self.sha256 else "CRC-32"

    def fits(self, path: str | os.PathLike[str]) -> bool:
        """True when the file `path` is what the record says, read to its end if need be.

        Raises:
            FileError: it cannot be read.
        """
        try:
            if os.stat(path).st_size != self.size:
                return False
        except OSError as error:
            raise _unreadable(path, error) from None
        if self.sha256:
            return sha256(path) == self.sha256
        return _crc32(path) == self.crc32


def record_path(path: str | os.PathLike[str]) -> Path:
    """Where the record of a file is, or would be."""
    return Path(f"{os.fspath(path)}.json")


def read_record(path: str | os.PathLike[str]) -> Record | None:
    """The record of the file `path`; None when it has none.

    Raises:
        FileError: what is there cannot be read, or is no record of geotools.
    """
    file = record_path(path)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ValueError
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["type"] != _TYPE:
            raise ValueError
        if body["schema"] > _SCHEMA:
            raise FileError(
                f"{file} is a record of a later geotools (schema {body['schema']}, known is "
                f"{_SCHEMA}): update geotools."
            )
        return Record(
            file=str(body["file"]),
            size=int(body["size"]),
            geotools=_matching(r"[\w.+-]{1,40}", body["geotools"]),
            **_digest(body),
            made=dict(body.get("made", {})),
            layers={str(name): dict(made) for name, made in body.get("layers", {}).items()},
        )
    except FileNotFoundError:
        return None
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FileError(
            f"{file} is no record of geotools, or a damaged one: move it elsewhere."
        ) from None


def check_record(target: Path, *, overwrite: bool) -> None:
    """Nothing, when the record of `target` may be written.

    The record of a file that is gone is in nobody's way.

    Raises:
        FileError: its name is taken by something that is no record of ours, or by the record of
            a file that is not to be replaced.
    """
    path = record_path(target)
    check_output(path, overwrite=True)
    if path.exists():
        read_record(target)
        if target.exists():
            check_output(path, overwrite=overwrite)


def made_from(
    tags: Mapping[str, str], *, method: str = "", bands: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What a file was made by and from, out of the tags that are stored in it.

    Args:
        tags: provenance by name, as `create_geotiff` and `write_layer` take it.
        method: what made it, where the tags do not say.
        bands: names of its bands.
    """
    rest = {key: value for key, value in tags.items() if value}
    made: dict[str, Any] = {"method": rest.pop("method", "") or method}
    model = {key: rest.pop(f"model_{key}", "") for key in ("version", "sha256")}
    if name := rest.pop("model", ""):
        made["model"] = {"name": name, **{key: value for key, value in model.items() if value}}
    names = [name for name in (rest.pop("source", ""),) if name]
    sums = rest.pop("source_sha256", "").split(", ")
    if names and len(sums) > 1 and names[0].count(", ") == len(sums) - 1:
        names = names[0].split(", ")
    made["inputs"] = [
        {"name": name, **({"sha256": total} if total else {})}
        for name, total in zip(names, sums, strict=False)
    ]
    if parameters := rest.pop("parameters", ""):
        made["parameters"] = parameters
    if bands:
        made["bands"] = list(bands)
    return made | ({"tags": rest} if rest else {})


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file as hexadecimal digits.

    Raises:
        FileError: it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


class Recorder:
    """The record of an output under way; a context manager around the one that names the file.

    The old record goes before the new file gets its name, the new record comes after: whoever is
    killed in between leaves a file without a record. After an error the old record is back.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = record_path(target)
        self._new = temporary_beside(self._path)
        self._aside = temporary_beside(self._path)
        self._written = False

    def write(
        self,
        temporary: Path,
        *,
        made: Mapping[str, Any] | None = None,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
        crc32: str | None = None,
    ) -> None:
        """Writes the record of the complete file, without giving it its name.

        Args:
            temporary: where the file is until it gets the target's name; it is sent to the disk
                while it is hashed.
            made, layers: as in `Record`.
            crc32: of all its bytes, where it is known; else the record has their SHA-256.

        Raises:
            FileError: the disk refuses.
        """
        try:
            with ThreadPoolExecutor(1) as background:
                synced = background.submit(sync, temporary)
                whole = None if crc32 else sha256(temporary)
                synced.result()
            record = Record(
                self._target.name,
                temporary.stat().st_size,
                VERSION,
                sha256=whole,
                crc32=crc32,
                made=made or {},
                layers=layers or {},
            )
            text = record.to_json()
            self._new.write_text(text, encoding="utf-8", newline="\n")
            if self._new.read_text(encoding="utf-8") != text:
                raise FileError(f"{self._path} does not hold what was written: is the disk full?")
            sync(self._new)
        except OSError as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{self._path} could not be written: {error.strerror}.") from error
        self._written = True

    def put_aside(self) -> None:
        """Takes the record of the old file away; to be called just before that is replaced."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._path, self._aside)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is not None:
                with contextlib.suppress(OSError):
                    if self._aside.exists():
                        os.replace(self._aside, self._path)
            elif self._written:
                os.replace(self._new, self._path)  # not synced: a record may be lost, not wrong
        except OSError as refusal:
            raise FileError(
                f"{self._target} is complete, but its record {self._path.name} could not be "
                f"written: {refusal.strerror}."
            ) from refusal
        finally:
            for left in (self._new, self._aside):
                with contextlib.suppress(OSError):
                    left.unlink()


def _crc32(path: str | os.PathLike[str]) -> str:
    """The CRC-32 of a file as hexadecimal digits."""
    crc, room = 0, memoryview(bytearray(_PIECE_BYTES))
    try:
        with open(path, "rb", buffering=0) as stream:
            while count := stream.readinto(room):
                crc = crc32(room[:count], crc)
    except OSError as error:
        raise _unreadable(path, error) from None
    return f"{crc:08x}"


def _unreadable(path: str | os.PathLike[str], error: OSError) -> FileError:
    return FileError(f"{path} cannot be read: {error.strerror}.")


def _digest(body: Mapping[str, Any]) -> dict[str, str]:
    """The one of the two digests that a record has."""
    if "crc32" in body:
        return {"crc32": _matching(r"[0-9a-f]{8}", body["crc32"])}
    return {"sha256": _matching(r"[0-9a-f]{64}", body["sha256"])}


def _matching(pattern: str, text: str) -> str:
    """The text, when it is as it should be; a record may come from anybody."""
    if not re.fullmatch(pattern, text):
        raise ValueError
    return text
