"""What the engine says: JSON lines as events, anything else as lines of a log.

Plain values, without QGIS.
"""

import json

__all__ = ["SCHEMA", "LineSplitter", "read_line"]

SCHEMA = 1
"""The form of messages that this plugin reads."""


class LineSplitter:
    """Bytes as they come, whole lines as they are wanted."""

    def __init__(self):
        self._rest = b""

    def feed(self, data):
        """The lines that are complete now, as texts without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [_text(line) for line in lines]

    def last(self):
        """What stands after the last end of a line, if anything."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line):
    return line.decode("utf-8", "replace").rstrip("\r")


def read_line(line):
    """The event or the whole answer that a line holds: a dict, or None when it holds neither."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
