"""Times of day and date as people write them in catalogs, brought to microseconds in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["moments"]

_ODD = re.compile(
    r"\s*(\d{4}-?\d\d-?\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?\s*"
)
_MICROSECOND = 6


def moments(texts: Sequence[str | None]) -> NDArray[np.datetime64]:
    """(times,) datetime64[us] in UTC of ISO 8601 texts; NaT for one that cannot be read.

    A text without time zone is UTC. Decimals beyond the microsecond are rounded; a second of 60,
    as in leap seconds and in rounded seconds, is the first of the next minute.
    """
    return np.array([_moment(text) for text in texts], dtype="datetime64[us]")


def _moment(text: str | None) -> datetime | None:
    """The time without its zone, in UTC; None for one that cannot be read."""
    if not text:
        return None
    try:
        if len(text) > 27 and text[19:20] in ".,":  # finer than microseconds
            return _odd(text)
        time = datetime.fromisoformat(text)
    except ValueError:
        return _odd(text)
    return _in_utc(time)


def _odd(text: str) -> datetime | None:
    """A time that Python does not read: decimals beyond microseconds, second 60, spaces."""
    found = _ODD.fullmatch(text)
    if not found:
        return None
    date, hour, minute, second, decimals, zone = found.groups()
    try:
        time = datetime.fromisoformat(f"{date}T{hour}:{minute}{zone or ''}")
    except ValueError:
        return None
    digits = f"{decimals or 0}"
    microseconds = round(int(digits) / 10 ** (len(digits) - _MICROSECOND))
    if int(second or 0) > 60:
        return None
    try:
        return _in_utc(time) + timedelta(seconds=int(second or 0), microseconds=microseconds)
    except OverflowError:
        return None


def _in_utc(time: datetime) -> datetime:
    zone = time.tzinfo
    if zone is None:
        return time
    if zone is UTC:
        return time.replace(tzinfo=None)
    return (time - (zone.utcoffset(time) or timedelta(0))).replace(tzinfo=None)
