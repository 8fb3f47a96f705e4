"""XML from others: elements one by one, no document type, no entities, no network.

The limits of libxml2 (10 MB for a text, 256 levels) stay on, and an element that nobody frees may
not grow without end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from geotools.errors import EventsError
from geotools.io.catalogs.report import shown

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["Elements", "local_name", "refuse_doctype"]

_CHUNK = 64 * 1024
_MAX_UNSEEN = 8 * 2**20
"""Bytes in which no element that is asked for ends. Origins, picks and the like have a few
kilobytes each; a tree of so many bytes takes 30 times as much at the worst."""

_DECLARATIONS = (b"<!doctype", b"<!entity")


class Elements:
    """The elements of some names, each when it ends, with what is in it."""

    def __init__(self, stream: IO[bytes], names: Sequence[str]) -> None:
        """`names` are names without namespace; all namespaces are looked at."""
        self._stream = stream
        self._names = [f"{{*}}{name}" for name in names]

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
            remove_blank_text=True,
            remove_comments=True,
            remove_pis=True,
        )
        seen, since = False, 0
        try:
            while chunk := self._stream.read(_CHUNK):
                parser.feed(chunk)
                since += len(chunk)
                for _, element in parser.read_events():
                    if not seen:
                        _refuse_internal(element)
                    seen, since = True, 0
                    yield element
                if since > _MAX_UNSEEN:
                    raise EventsError(
                        f"{_MAX_UNSEEN // 2**20} MB of it hold neither an event nor a part of one: "
                        "check where the file comes from."
                    )
            root = parser.close()
        except etree.XMLSyntaxError as error:
            raise EventsError(
                f"its XML is broken or breaks off at line {error.lineno} ({_reason(error)}), and "
                "what is missing cannot be known: fetch it again."
            ) from None
        _refuse_internal(root)

    def free(self, element: _Element) -> None:
        """Gives back the memory of an element and of all that stands before it.

        The element itself stays, empty, until the next is freed: the parser may still be at it.
        """
        parent = element.getparent()
        element.clear(keep_tail=True)
        while parent is not None and (before := element.getprevious()) is not None:
            parent.remove(before)

    def empty(self, element: _Element) -> None:
        """Gives back the memory of an element, and of the one of its name before it."""
        element.clear(keep_tail=True)
        before = element.getprevious()
        if before is not None and before.tag == element.tag:
            element.getparent().remove(before)


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
    tag: str = element.tag
    return tag[tag.rfind("}") + 1 :]


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
    return shown(str(error).split(", line")[0].strip().rstrip("."))
