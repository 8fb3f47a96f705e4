"""What a catalog file holds: opened, unpacked and brought to UTF-8, in bounded memory.

Files from others are untrusted: only a local file is opened, and what comes out of an archive is
counted while it comes.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from geotools.errors import EventsError, FileError

__all__ = ["HEAD_BYTES", "Content", "open_content", "read_all"]

HEAD_BYTES = 64 * 1024
"""What formats are recognised by."""

_STEP = 2**20
_MAX_UNPACKED = 4 * 2**30
_MAX_RATIO = 200
"""Deflate reaches 1,032; catalogs about 5 (tables) to 40 (XML)."""
_FREE_BYTES = 32 * 2**20
"""So much may come out of any archive."""

_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What gzip and zipfile raise: damaged, encrypted, an unknown method."""

_MARKS = (
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""XML without a mark (XML 1.0, appendix F)."""

_DECLARATION = re.compile(r"<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Content:
    """A catalog file, or the one catalog in an archive."""

    path: Path
    """The file."""
    packing: str
    """`gz`, `zip` or nothing."""
    member: str
    """Name of the catalog in a `.zip`."""
    suffix: str
    """Ending of the catalog's own name, without that of the archive; lower case."""
    mark: int
    """Bytes of the byte-order mark."""
    encoding: str
    """UTF-16 or UTF-32, which the streams bring to UTF-8; "" for anything else."""
    head: bytes
    """The first 64 KB as the streams give them."""

    @contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """The bytes after a byte-order mark; UTF-16 and UTF-32 as UTF-8 without declaration."""
        with _unpacked(self.path, self.packing, self.member) as raw:
            raw.read(self.mark)
            yield io.BufferedReader(_Recoded(raw, self.encoding)) if self.encoding else raw


def open_content(path: str | os.PathLike[str]) -> Content:
    """What the file holds.

    Raises:
        FileError: no such file, a folder, a remote path, an archive that is damaged, too large
            for what it is or without exactly one file, an empty file.
    """
    file = _local_file(path)
    with _reading(file), file.open("rb") as stream:
        magic = stream.read(4)
    packing, member, name = "", "", file.name
    if magic.startswith(b"\x1f\x8b"):
        packing = "gz"
        name = file.stem if file.suffix.lower() in (".gz", ".gzip") else name
    elif magic.startswith(b"PK\x03\x04"):
        packing = "zip"
        member = name = _only_member(file)
    with _unpacked(file, packing, member) as raw:
        start = raw.read(HEAD_BYTES)
        while packing and raw.read(_STEP):  # all of it, before a parser sees any
            pass
    if not start.strip(b"\0 \t\r\n"):
        raise FileError(f"{file} holds nothing: name an earthquake catalog.")
    mark, encoding = _encoding(start)
    content = Content(file, packing, member, Path(name).suffix.lower(), mark, encoding, b"")
    with content.stream() as stream:
        head = stream.read(HEAD_BYTES)
    return Content(file, packing, member, content.suffix, mark, encoding, head)


def read_all(stream: IO[bytes], limit: int) -> bytes:
    """All bytes of a stream, for formats that cannot be read piece by piece.

    Raises:
        EventsError: more than `limit` bytes.
    """
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise EventsError(
            f"it holds more than {limit // 2**20:,} MB, which is too much for this format: "
            "split it, or convert it to CSV."
        )
    return data


def _local_file(path: str | os.PathLike[str]) -> Path:
    """The path of a file that is here."""
    if not isinstance(path, str | os.PathLike):
        raise FileError(
            f"A catalog is named by its path, not by {type(path).__name__}: give the path, or make "
            "an event table with events_from_obspy."
        )
    name = os.fspath(path)
    if not isinstance(name, str) or "\0" in name or not name:
        raise FileError(f"{name!r} is not a file name: name an earthquake catalog.")
    if name.startswith("/vsi") or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name):
        raise FileError(f"{name} is not a local file: download it first and give its path.")
    file = Path(name)
    with _reading(file):
        if file.is_dir():
            raise FileError(f"{name} is a folder: name one catalog in it.")
        if not file.exists():
            wild = " (wildcards are not followed)" if set(name) & {*"*?"} else ""
            raise FileError(f"{name} does not exist: check the path{wild}.")
        if not file.is_file():  # a pipe or a device would be waited for
            raise FileError(f"{name} is not a regular file: name an earthquake catalog.")
        if file.stat().st_size == 0:
            raise FileError(f"{name} is empty: name an earthquake catalog.")
    return file


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except FileError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{file} cannot be read ({reason}): check it.") from None


def _only_member(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [
                entry.filename
                for entry in archive.infolist()
                if not entry.is_dir()
                and not Path(entry.filename).name.startswith(".")
                and not entry.filename.startswith("__MACOSX/")
            ]
    except (*_BROKEN, ValueError) as error:
        raise FileError(f"{file} is not a readable .zip file ({error}): unpack it first.") from None
    if len(names) != 1:
        found = "no file" if not names else f"{len(names)} files ({', '.join(names[:3])}, …)"
        raise FileError(f"{file} holds {found}, needed is one catalog: unpack it and name one.")
    return names[0]


@contextmanager
def _unpacked(file: Path, packing: str, member: str) -> Iterator[IO[bytes]]:
    """The bytes of the file, or of what is packed in it."""
    with ExitStack() as stack:
        with _reading(file):
            raw = stack.enter_context(file.open("rb"))
        if not packing:
            yield raw
            return
        try:
            if packing == "gz":
                inner = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
            else:
                inner = stack.enter_context(zipfile.ZipFile(raw)).open(member)
            stack.callback(inner.close)
        except (*_BROKEN, KeyError, ValueError) as error:
            raise FileError(f"{file} cannot be unpacked ({error}): unpack it first.") from None
        yield io.BufferedReader(_Bounded(inner, raw, file), _STEP)


class _Bounded(io.RawIOBase):
    """What comes out of an archive, counted against what went in."""

    def __init__(self, inner: IO[bytes], raw: IO[bytes], file: Path) -> None:
        self._inner = inner
        self._raw = raw
        self._file = file
        self._start = raw.tell()
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except _BROKEN as error:
            raise FileError(
                f"{self._file} is damaged ({error}): fetch it again, or unpack it first."
            ) from None
        buffer[: len(data)] = data
        self._out += len(data)
        taken = max(self._raw.tell() - self._start, 1)
        if self._out > _MAX_UNPACKED or (
            self._out > _FREE_BYTES and self._out > _MAX_RATIO * taken
        ):
            raise FileError(
                f"{self._file} unpacks to more than {_MAX_RATIO} times its size, or to more than "
                f"{_MAX_UNPACKED // 2**30} GB, as no catalog does: unpack it yourself if you "
                "trust it."
            )
        return len(data)


class _Recoded(io.RawIOBase):
    """UTF-16 or UTF-32 as UTF-8, without the XML declaration, which would be wrong."""

    def __init__(self, raw: IO[bytes], encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ready = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            data = self._raw.read(HEAD_BYTES)
            text = self._decoder.decode(data, final=not data)
            if not self._begun:
                text, self._begun = _DECLARATION.sub("", text, count=1), True
            self._ready = text.encode("utf-8", errors="replace")
            if not data:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _encoding(start: bytes) -> tuple[int, str]:
    """Bytes of the byte-order mark, and the encoding that is to be brought to UTF-8."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return len(mark), encoding
    for beginning, encoding in _UNMARKED:
        if start.startswith(beginning):
            return 0, encoding
    return 0, ""
