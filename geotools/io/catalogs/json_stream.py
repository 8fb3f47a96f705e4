"""JSON from others, value by value: what is between the values is walked, nothing else is kept."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from geotools.errors import EventsError

__all__ = ["JsonStream"]

_CHUNK = 2**20
_MAX_VALUE = 16 * 2**20
"""Signs of one value; a feature of an event has about one thousand."""

_SPACE = re.compile(r"[ \t\r\n]*")


class JsonStream:
    """A position in a JSON text that is read as far as needed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._values = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._lines = 0  # dropped
        self._ended = False

    def members(self) -> Iterator[str]:
        """The names in the object that begins here; each value must be taken by the caller."""
        yield from self._items("{", "}", named=True)

    def elements(self) -> Iterator[None]:
        """A turn for each element of the list that begins here; each must be taken."""
        yield from self._items("[", "]", named=False)

    def value(self) -> Any:
        """The value that begins here."""
        self.next()
        while True:
            try:
                found, end = self._values.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > _MAX_VALUE or not self._more():
                    raise self._broken(error.msg, error.lineno) from None
                continue
            except (RecursionError, ValueError) as error:  # too deep, too many digits
                raise self._broken(type(error).__name__, 1) from None
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._at = end
            return found

    def next(self) -> str:
        """The sign that stands next, after white space; "" at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def end(self) -> None:
        """Nothing, when nothing follows.

        Raises:
            EventsError: something does.
        """
        if self.next():
            raise self._broken("more follows", self._text.count("\n", 0, self._at) + 1)

    def _items(self, begin: str, end: str, *, named: bool) -> Iterator[Any]:
        self._take(begin)
        first = True
        while self.next() != end:
            if not first:
                self._take(",")
            first = False
            name = None
            if named:
                name = self.value()
                self._take(":")
            yield name
        self._take(end)

    def _take(self, sign: str) -> None:
        if self.next() != sign:
            raise self._broken(f"{sign} is missing", self._text.count("\n", 0, self._at) + 1)
        self._at += 1

    def _more(self) -> bool:
        """Reads on; False at the end of the file."""
        if self._ended:
            return False
        data = self._stream.read(_CHUNK)
        self._ended = not data
        self._lines += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        self._at = 0
        return not self._ended

    def _broken(self, why: str, line: int) -> EventsError:
        place = f"line {self._lines + line}"
        return EventsError(f"its JSON is broken or breaks off at {place} ({why}): fetch it again.")
