"""Times of many rows at once, from text and from numbers, to the microsecond.

They are datetime64[us], which reaches from before the first written earthquake to beyond any
forecast (datetime64[ns] begins in 1677). Nothing here knows what a file is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DayFirst", "assembled", "parsed"]

DayFirst = Callable[[NDArray[np.int64], NDArray[np.int64]], bool]
"""Given the first and second numbers of dates such as 3/4/2019: True if the day comes first."""

_WIDTH = 40  # characters of a time; the longest that services write has 32
_SECOND = 1_000_000  # microseconds
_DAY = 86_400 * _SECOND
_UNKNOWN = 10_000  # minutes east of UTC that are no offset
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]  # of 2019-11-06T07:40:43
_ANY = re.compile(
    r"(?:(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    r"|(?P<first>\d{1,2})(?P<dash>[-/.])(?P<second>\d{1,2})(?P=dash)(?P<late>\d{4})"
    r"|(?P<solid>\d{8}))"
    r"(?:[T\s,]*(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<sec>\d{1,2})(?:[.,](?P<part>\d*))?)?"
    r"|[T\s]?(?P<hh>\d\d)(?P<mm>\d\d)(?:(?P<ss>\d\d)(?:[.,](?P<pp>\d*))?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def parsed(texts: NDArray[Any], day_first: DayFirst) -> NDArray[np.datetime64]:
    """Times of texts, (rows,) datetime64[us] in UTC; NaT where a text is empty or is no time.

    2019-11-06T07:40:43.270Z and its like (ISO 8601: T or a space, any number of decimals, rounded
    to six, Z or an offset or neither, which is UTC) are read all at once; other ways of writing a
    date (2019/11/6, 06.11.2019, 20191106T074043) one by one. A second of 60 is the next minute.

    Args:
        texts: (rows,) str.
        day_first: asked about the dates among these texts that end with the year.
    """
    times = np.full(len(texts), np.datetime64("NaT", "us"))
    if not len(texts):
        return times
    wide = np.asarray(texts, dtype=f"U{_WIDTH}")
    codes = wide.view(np.uint32).reshape(len(wide), _WIDTH)
    plain = _plain(codes)
    times[plain] = _of_codes(codes[plain])
    other = np.flatnonzero(np.isnat(times) & (codes[:, 0] != 0))
    if len(other):
        times[other] = _one_by_one([str(texts[row]).strip() for row in other], day_first)
    return times


def assembled(
    year: NDArray[Any],
    month: NDArray[Any],
    day: NDArray[Any],
    hour: NDArray[Any] | float = 0,
    minute: NDArray[Any] | float = 0,
    microsecond: NDArray[Any] | float = 0,
) -> NDArray[np.datetime64]:
    """Times of numbers, (rows,) datetime64[us]; NaT where they name no moment or one is NaN.

    Args:
        year: (rows,) 1 to 9999, as the Gregorian calendar goes on backwards.
        month: (rows,) 1 to 12.
        day: (rows,) 1 to the length of the month.
        hour: (rows,) 0 to 23; 24 with nothing after it is the next day.
        minute: (rows,) 0 to 60.
        microsecond: (rows,) seconds × 10⁶, below 61 seconds: 60 is the next minute.
    """
    parts = np.broadcast_arrays(year, month, day, hour, minute, microsecond)
    limits = ((1, 9999), (1, 12), (1, 31), (0, 24), (0, 60), (0, 61 * _SECOND - 1))
    fine = np.ones(parts[0].shape, dtype=bool)
    for values, (low, high) in zip(parts, limits, strict=True):
        fine &= (values >= low) & (values <= high)  # False for NaN
    y, m, d, h, minutes, micro = (np.where(fine, part, 1).astype(np.int64) for part in parts)
    months = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1).astype(
        "timedelta64[M]"
    )
    days = months.astype("datetime64[D]") + (d - 1).astype("timedelta64[D]")
    within = (h * 60 + minutes) * 60 * _SECOND + micro
    fine &= (days.astype("datetime64[M]") == months) & (within <= _DAY + _SECOND)
    times = days.astype("datetime64[us]") + within.astype("timedelta64[us]")
    return np.where(fine, times, np.datetime64("NaT", "us"))


def _plain(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which rows begin as 2019-11-06T07:40:43 does, (rows,)."""
    plain = np.ones(len(codes), dtype=bool)
    for place in _DIGITS:
        plain &= (codes[:, place] - 48) < 10  # what is below "0" wraps to a big number
    plain &= (codes[:, 4] == codes[:, 7]) & np.isin(codes[:, 4], [ord("-"), ord("/"), ord(".")])
    plain &= np.isin(codes[:, 10], [ord("T"), ord("t"), ord(" ")])
    plain &= (codes[:, 13] == ord(":")) & (codes[:, 16] == ord(":"))
    return np.asarray(plain & (codes[:, -1] == 0))  # a text that fills the width may be cut


def _of_codes(codes: NDArray[np.uint32]) -> NDArray[np.datetime64]:
    """Times of plain rows; NaT where what follows the seconds is not understood."""

    def number(*places: int) -> NDArray[np.int64]:
        value = np.zeros(len(codes), dtype=np.int64)
        for place in places:
            value = value * 10 + codes[:, place] - 48
        return value

    micro = number(17, 18) * _SECOND
    end = np.full(len(codes), 19)
    inside = np.isin(codes[:, 19], [ord("."), ord(",")])
    end[inside] = 20
    for place in range(20, _WIDTH):
        inside = inside & (codes[:, place] - 48 < 10)
        if not inside.any():
            break
        if place < 26:
            micro[inside] += (codes[inside, place].astype(np.int64) - 48) * 10 ** (25 - place)
        elif place == 26:
            micro[inside] += codes[inside, place] >= ord("5")
        end[inside] = place + 1
    rest = np.zeros((len(codes), 7), dtype=np.uint32)  # what follows
    for width in np.unique(end):
        rows = end == width
        follows = codes[rows, width : width + 7]
        rest[rows, : follows.shape[1]] = follows
    offset = _offset(rest)
    times = assembled(
        number(0, 1, 2, 3), number(5, 6), number(8, 9), number(11, 12), number(14, 15), micro
    )
    times[offset == _UNKNOWN] = np.datetime64("NaT", "us")
    return np.asarray(times - offset.astype("timedelta64[m]"))


def _offset(rest: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Minutes east of UTC after the seconds: nothing, Z, +hh:mm; `_UNKNOWN` if it is none."""
    minutes = np.full(len(rest), _UNKNOWN)
    nothing = rest[:, 0] == 0
    zulu = np.isin(rest[:, 0], [ord("Z"), ord("z")]) & (rest[:, 1] == 0)
    minutes[nothing | zulu] = 0
    signed = np.isin(rest[:, 0], [ord("+"), ord("-")]) & (rest[:, 3] == ord(":"))
    if signed.any():
        figures = rest[:, [1, 2, 4, 5]] - 48
        signed &= (figures < 10).all(axis=1) & (rest[:, 6] == 0)
        east = figures.astype(np.int64) @ np.array([600, 60, 10, 1])
        signed &= east < 24 * 60
        minutes[signed] = np.where(rest[signed, 0] == ord("-"), -east[signed], east[signed])
    return minutes


def _one_by_one(texts: list[str], day_first: DayFirst) -> NDArray[np.datetime64]:
    """Times of texts in other orders."""
    found = [_ANY.fullmatch(text) for text in texts]
    pairs = np.array(
        [
            (match["first"], match["second"])
            for match in found
            if match and match["dash"] in ("/", "-")
        ],
        dtype=np.int64,
    )
    swapped = bool(len(pairs)) and not day_first(pairs[:, 0], pairs[:, 1])
    numbers = np.full((len(texts), 6), np.nan)
    offsets = np.zeros(len(texts), dtype=np.int64)
    for row, match in enumerate(found):
        if match:
            numbers[row] = (*_date(match, swapped), *_time_of_day(match))
            offsets[row] = _zone(match["zone"] or "")
    return np.asarray(assembled(*numbers.T) - offsets.astype("timedelta64[m]"))


def _date(match: re.Match[str], swapped: bool) -> tuple[int, int, int]:
    """Year, month, day; between points the day comes first (DIN 5008)."""
    if match["solid"]:
        solid = match["solid"]
        return int(solid[:4]), int(solid[4:6]), int(solid[6:])
    if match["late"]:
        day, month = int(match["first"]), int(match["second"])
        if swapped and match["dash"] != ".":
            day, month = month, day
        return int(match["late"]), month, day
    return int(match["year"]), int(match["month"]), int(match["day"])


def _time_of_day(match: re.Match[str]) -> tuple[int, int, int]:
    """Hour, minute, microsecond."""
    digits = (match["part"] or match["pp"] or "").ljust(7, "0")
    seconds = int(match["sec"] or match["ss"] or 0)
    micro = seconds * _SECOND + int(digits[:6]) + (digits[6] >= "5")
    return int(match["hour"] or match["hh"] or 0), int(match["minute"] or match["mm"] or 0), micro


def _zone(zone: str) -> int:
    """Minutes east of UTC."""
    if zone[:1] not in ("+", "-"):
        return 0
    figures = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(figures[:2]) * 60 + int(figures[2:])
    return -minutes if zone[0] == "-" else minutes
