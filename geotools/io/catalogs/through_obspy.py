"""Formats that ObsPy reads for us, each by its name; ObsPy never guesses, unpacks or fetches.

ObsPy gets a file of our own making with the unpacked content, since several of its readers take
nothing else.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from geotools.errors import EventsError, FileError
from geotools.io.catalogs.content import HEAD_BYTES, read_all
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.objects import catalog_columns, import_obspy, without_made_up
from geotools.io.catalogs.report import Tally, shown

__all__ = ["FORMATS"]

_TITLES = {
    "CMTSOLUTION": "CMTSOLUTION",
    "NLLOC_HYP": "NonLinLoc hypocentres",
    "FOCMEC": "FOCMEC",
    "GSE2": "GSE2 bulletin",
    "IMS10BULLETIN": "IMS 1.0 bulletin (ISF)",
    "MCHEDR": "PDE mchedr",
    "FNETMT": "F-net moment tensors",
    "HYPODDPHA": "HypoDD phases",
    "SCARDEC": "SCARDEC",
    "ZMAP": "ZMAP",
    "EVT": "SeismicHandler EVT",
    "NORDIC": "NORDIC",
}
"""ObsPy's name and ours, strict recognisers first. Its other formats are not asked: QuakeML, SCML
and tables are read by our own readers; nothing that it unpickles or unpacks is in the list."""

_MAX_BYTES = 256 * 2**20
"""ObsPy keeps about ten times as much."""

_MAX_NOTES = 3


def _read(stream: IO[bytes], tally: Tally, name: str) -> Columns:
    read = _function(name, "readFormat")
    with (
        _as_file(read_all(stream, _MAX_BYTES)) as file,
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        try:
            catalog = read(str(file))
        except Exception as error:  # whatever its readers trip over
            raise EventsError(
                f"ObsPy cannot read it as {_TITLES[name]} ({_in_a_line(error)}): check the file, "
                "or name another format."
            ) from None
    counted = Counter(_in_a_line(warning.message) for warning in said)
    for sentence, count in counted.most_common(_MAX_NOTES):
        times = f" ({count} times)" if count > 1 else ""
        tally.note(f"ObsPy says: {sentence}{times}.")
    return catalog_columns(catalog, tally)


@lru_cache(maxsize=1)
def _recognised(head: bytes) -> str:
    """ObsPy's name of the format that a file begins with; "" for none of the list."""
    start = head.lstrip()
    if b"\0" in head or start.startswith((b"<", b"{", b"[")):
        return ""
    if len(head) == HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1] or head
    with _as_file(head) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _TITLES:
            try:
                if _function(name, "isFormat")(str(file)):
                    return name
            except Exception:  # noqa: S112  not made for this file
                continue
    return ""


def _function(name: str, kind: str) -> Callable[[str], Any]:
    """ObsPy's own function for a format, without its search for files, addresses and archives."""
    import_obspy()
    from obspy.core.util.base import ENTRY_POINTS, buffered_load_entry_point

    package = ENTRY_POINTS["event"][name].dist.name
    found: Callable[[str], Any] = buffered_load_entry_point(
        package, f"obspy.plugin.event.{name}", kind
    )
    return found


@contextmanager
def _as_file(data: bytes) -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="geotools-"))
            file = Path(folder) / "catalog.txt"
            file.write_bytes(data)
        except OSError as error:
            raise FileError(
                f"A copy of the catalog could not be written to the folder for temporary files "
                f"({error.strerror or error}): make room there."
            ) from None
        yield file


def _in_a_line(error: object) -> str:
    words = " ".join(without_made_up(str(error)).split())
    return shown(words.rstrip(".")) or type(error).__name__


def _format(name: str, title: str) -> Format:
    return Format(
        name=name.lower().replace("_", "-"),
        title=title,
        looks=lambda head: _recognised(head) == name,
        read=lambda stream, tally: _read(stream, tally, name),
    )


FORMATS = tuple(_format(name, title) for name, title in _TITLES.items())
