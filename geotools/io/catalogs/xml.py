"""XML from others: elements one by one, no document type, no entities, no network.

The limits of libxml2 (10 MB for a text, 256 levels) stay on, and an element that nobody frees may
not grow without end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from geotools.errors import EventsError

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["Elements", "check_xml", "local_name", "refuse_doctype"]

_CHUNK = 64 * 1024
_MAX_ELEMENT = 64 * 2**20
"""Bytes between two elements that are asked for: the largest events with all phases have a few
MB, and the tree of 64 MB takes about a gigabyte at the worst."""

_DECLARATIONS = (b"<!doctype", b"<!entity")


class Elements:
    """The elements of some names, each when it ends, with what is in it."""

    def __init__(self, stream: IO[bytes], names: Sequence[str]) -> None:
        """`names` are names without namespace; all namespaces are looked at."""
        self._stream = stream
        self._names = [f"{{*}}{name}" for name in names]
        self._count = 0

    def __iter__(self) -> Iterator[_Element]:
        from lxml import etree

        parser = etree.XMLPullParser(
            events=("end",),
            tag=self._names,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        since = 0
        try:
            while chunk := self._stream.read(_CHUNK):
                parser.feed(chunk)
                since += len(chunk)
                for _, element in parser.read_events():
                    if not self._count:
                        _refuse_internal(element)
                    self._count += 1
                    since = 0
                    yield element
                if since > _MAX_ELEMENT:
                    raise EventsError(
                        f"one element is longer than {_MAX_ELEMENT // 2**20} MB, as no event is: "
                        "check where the file comes from."
                    )
            root = parser.close()
        except etree.XMLSyntaxError as error:
            raise EventsError(
                f"its XML is broken or breaks off at line {error.lineno} ({_reason(error)}), after "
                f"{self._count:,} whole parts: fetch it again."
            ) from None
        _refuse_internal(root)

    def free(self, element: _Element) -> None:
        """Gives back the memory of an element and of all that stands before it."""
        parent = element.getparent()
        element.clear(keep_tail=False)
        while parent is not None and (before := element.getprevious()) is not None:
            parent.remove(before)


def check_xml(stream: IO[bytes]) -> None:
    """Nothing, when the whole of the stream is XML that can be read without risk.

    Raises:
        EventsError: a document type, broken XML, more than libxml2 takes by default.
    """
    elements = Elements(stream, ("*",))
    for element in elements:
        elements.free(element)


def refuse_doctype(head: bytes) -> None:
    """Nothing, when the beginning of the file declares no document type and no entities.

    Raises:
        EventsError: it does.
    """
    lowered = head.lower()
    for word in _DECLARATIONS:
        if word in lowered:
            raise EventsError(_refusal(word.decode().lstrip("<!").upper()))


def local_name(element: _Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _refuse_internal(element: _Element) -> None:
    """As `refuse_doctype`, by what the parser saw: for any encoding, anywhere before the root."""
    if element.getroottree().docinfo.doctype:
        raise EventsError(_refusal("DOCTYPE"))


def _refusal(word: str) -> str:
    return (
        f"it is XML with {word}, which no catalog needs and which is not read from files of "
        "others: take it out if you trust the file."
    )


def _reason(error: Exception) -> str:
    return str(error).split(", line")[0].strip().rstrip(".")[:200]
