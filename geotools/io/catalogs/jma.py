"""The hypocentre file of the Japan Meteorological Agency: records of 96 columns.

Layout: "Hypocenter record format", www.data.jma.go.jp/svd/eqev/data/bulletin/data/format/
hypfmt_e.html, and hypfmt_j.html for column 61. Times are Japan Standard Time.
"""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.agencies import JAPAN, JAPAN_NOTE
from geotools.io.catalogs.clock import assembled
from geotools.io.catalogs.fixed import Sheet
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.kinds import in_words
from geotools.io.catalogs.lines import blocks
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Kept, Rows

__all__ = ["FORMATS"]

_WIDTH = 96
_RECORDS = b"JUI"  # located by JMA, by USGS, by others; every other letter begins no hypocentre
_LOOKS = re.compile(
    rb"[JUI]\d{4}[\d ]{12}[\d ]{4}[-\d ]{3}[\d ]{4}[\d ]{4}[-\d ]{4}[\d ]{4}[\d ]{4}"
)
_KINDS = {
    "1": "earthquake", "2": "earthquake", "3": "anthropogenic event",
    "4": "volcanic eruption", "5": "other event",
}  # fmt: skip
"""Ordinary; as another agency has it; artificial; with an eruption; of low frequency."""
_MAGNITUDES = {"W": "Mw", "B": "mb", "S": "Ms"}


def _read(stream: IO[bytes], tally: Tally) -> Columns:
    rows = Rows()
    for block in blocks(stream, tally):
        sheet = Sheet(block.data, _WIDTH, block.first)
        sheet = sheet.only(np.isin(sheet.codes(1, 1)[:, 0], list(_RECORDS)))
        if len(sheet):
            rows.add(*_events(sheet, tally))
    tally.note(JAPAN_NOTE)
    return rows.columns()


def _events(sheet: Sheet, tally: Tally) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    kept = Kept(tally, sheet.lines, np.ones(len(sheet), dtype=bool))

    def number(first: int, last: int, decimals: int = 0) -> NDArray[np.float64]:
        values, wrong = sheet.numbers(first, last, decimals=decimals)
        kept.drop(wrong, f"columns {first} to {last} are no number")
        return values

    date = [number(*columns) for columns in ((2, 5), (6, 7), (8, 9), (10, 11), (12, 13))]
    year, month, day, hour, minute = date
    seconds = number(14, 17, 2)
    times = assembled(year, month, day, hour, minute, np.round(seconds * 1e6))
    missing = np.isnan(np.stack([*date, seconds])).any(axis=0)
    kept.drop(np.isnat(times) & ~missing, "date or time of day that cannot be")
    codes = sheet.texts(55, 55)
    kinds = np.array([_MAGNITUDES.get(code, f"M{code}" if code else "") for code in codes], object)
    columns = {
        "time": times - JAPAN,
        "line": sheet.lines,
        "longitude": _degrees(sheet.texts(33, 36), number(33, 36), number(37, 40, 2)),
        "latitude": _degrees(sheet.texts(22, 24), number(22, 24), number(25, 28, 2)),
        "depth_km": number(45, 49, 2),
        "magnitude": _magnitudes(sheet, kept),
        "magnitude_type": kinds,
        "event_type": in_words(sheet.texts(61, 61), _KINDS),
    }
    return columns, kept.rows


def _degrees(
    texts: NDArray[np.object_], degrees: NDArray[np.float64], minutes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Decimal degrees; the sign stands before the degrees, before those of -0 too."""
    south = np.array([text.startswith("-") for text in texts], dtype=bool)
    size = np.abs(degrees) + np.nan_to_num(minutes) / 60
    return np.where(south, -size, size)


def _magnitudes(sheet: Sheet, kept: Kept) -> NDArray[np.float64]:
    """Magnitudes of columns 53 and 54: 45 is 4.5, -3 is -0.3, A2 is -1.2, B0 is -2.0."""
    first, second = sheet.codes(53, 54).astype(np.int64).T
    blank = (first == ord(" ")) & (second == ord(" "))
    tenths = second - ord("0")
    letter = first - ord("A") + 1
    values = np.full(len(sheet), np.nan)
    plain = np.isin(first, list(b" 0123456789"))
    values[plain] = np.where(first == ord(" "), 0, first - ord("0"))[plain] + tenths[plain] / 10
    minus = first == ord("-")
    values[minus] = -tenths[minus] / 10
    lettered = (letter >= 1) & (letter <= 3)
    values[lettered] = -letter[lettered] - tenths[lettered] / 10
    known = (plain | minus | lettered) & (tenths >= 0) & (tenths <= 9)
    kept.drop(~known & ~blank, "magnitude is not a number")
    return np.where(known, values, np.nan)


def _looks(head: bytes) -> bool:
    return _LOOKS.match(head) is not None and len(head.splitlines()[0]) > 54


FORMATS: tuple[Format, ...] = (Format("jma", "JMA hypocentre file", _looks, _read),)
