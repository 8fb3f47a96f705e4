"""escape and quoteattr: text inside XML, as `xml.sax.saxutils` has them.

That module imports an HTTP client, which takes longer than all modules of ours together.
"""

from __future__ import annotations

__all__ = ["escape", "quoteattr"]

_IN_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_IN_VALUES = {**_IN_TEXT, ord('"'): "&quot;", **{ord(c): f"&#{ord(c)};" for c in "\n\r\t"}}
"""Line ends and tabs are written as numbers: readers make blanks of them in values."""


def escape(text: str) -> str:
    """The text as it stands between two tags."""
    return text.translate(_IN_TEXT)


def quoteattr(text: str) -> str:
    """The text as the value of an attribute, in double quotes."""
    return f'"{text.translate(_IN_VALUES)}"'
