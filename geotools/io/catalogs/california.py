"""The listings of the two Californian data centers: NCEDC readable and SCEDC.

Layouts: NCEDC, ncedc.org/ncedc/catalog-search.html (output "readable", fixed columns as its header
and files have them); SCEDC, scedc.caltech.edu/eq-catalogs/docs/scec_dc.html (of 2019, with the
geographical type), and before, without it.
"""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.clock import parsed
from geotools.io.catalogs.delimited import Layout, Order, read_table
from geotools.io.catalogs.fixed import Sheet
from geotools.io.catalogs.formats import Columns, Format
from geotools.io.catalogs.kinds import SCEDC, in_words
from geotools.io.catalogs.lines import after_head, blocks
from geotools.io.catalogs.quotes import BLANKS
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.rows import Kept, Rows

__all__ = ["FORMATS"]

_NCEDC = re.compile(rb"\s*Date[^\n]*\bTime\b[^\n]*\bMag\s+Magt\b[^\n]*\bSRC\b[^\n]*\n", re.I)
_WIDTH = 110
_DATED = [ord(mark) for mark in "//"]  # columns 5 and 8 of a row
_SCEDC_HEADER = re.compile(rb"^#YYYY?/MM/DD\s+HH:mm:SS\.ss\s+ET\s", re.M)
_SCEDC_ROW = re.compile(
    rb"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ +[a-z]{2} +(?P<place>[a-z]{1,2} +)?-?\d+\.\d+"
    rb" +[a-z]{1,2} +-?\d+\.\d+ +-?\d+\.\d+ ",
    re.M,
)
_SCALES = {
    "e": "Me", "w": "Mw", "b": "mb", "s": "Ms", "l": "ML", "lr": "MLr", "c": "Mc", "h": "Mh",
    "d": "Md", "n": "",
}  # fmt: skip


def _read_ncedc(stream: IO[bytes], tally: Tally) -> Columns:
    rows, order = Rows(), Order()
    for block in blocks(stream, tally):
        sheet = Sheet(block.data, _WIDTH, block.first)
        marks = (sheet.codes(5, 8)[:, [0, 3]] == _DATED).all(axis=1)
        empty = np.array([text == "" for text in sheet.texts(1, _WIDTH)], dtype=bool)
        heading = np.isin(sheet.codes(1, 1)[:, 0], list(b"D-#")) & ~marks
        rows.add(*_events(sheet.only(~empty & ~heading), order, tally))
    return rows.columns()


def _events(
    sheet: Sheet, order: Order, tally: Tally
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    kept = Kept(tally, sheet.lines, np.ones(len(sheet), dtype=bool))
    texts = sheet.texts(1, 22)
    columns: dict[str, NDArray[Any]] = {"time": parsed(texts, order), "line": sheet.lines}
    kept.drop(np.isnat(columns["time"]) & (texts != ""), "time is not understood")
    fields = {"latitude": (23, 31), "longitude": (32, 41), "depth_km": (42, 48)}
    for name, (first, last) in (*fields.items(), ("magnitude", (49, 54))):
        columns[name], wrong = sheet.numbers(first, last)
        kept.drop(wrong, f"{name.removesuffix('_km')} is not a number")
    columns["magnitude_type"] = sheet.texts(55, 59)
    tails = sheet.texts(79, _WIDTH)  # source and number, which some lines shift
    columns["event_id"] = np.array([tail.split()[-1] if tail else "" for tail in tails], object)
    return columns, kept.rows


def _read_scedc(stream: IO[bytes], tally: Tally) -> Columns:
    head, stream = after_head(stream)
    row = _SCEDC_ROW.search(head)
    placed = int(bool(row and row["place"]))
    names = ("magnitude", "magnitude_type", "latitude", "longitude", "depth_km")
    fields = {"date": 0, "time": 1, "event_type": 2, "event_id": 9 + placed}
    fields |= {name: place for place, name in enumerate(names, start=3 + placed)}
    columns = dict(read_table(stream, tally, Layout(BLANKS, fields, 12 + placed, quoted=False)))
    if "magnitude_type" in columns:
        codes = columns["magnitude_type"]
        columns["magnitude"] = np.where(codes == "n", np.nan, columns["magnitude"])
        columns["magnitude_type"] = in_words(codes, _SCALES)
        columns["event_type"] = in_words(columns["event_type"], SCEDC)
    return columns


def _looks_scedc(head: bytes) -> bool:
    rows = [line for line in head.splitlines() if line.strip() and not line.startswith(b"#")]
    if not rows:
        return _SCEDC_HEADER.search(head) is not None
    return _SCEDC_ROW.match(rows[0]) is not None


FORMATS: tuple[Format, ...] = (
    Format("ncedc", "NCEDC readable", lambda head: _NCEDC.match(head) is not None, _read_ncedc),
    Format("scedc", "SCEDC catalog", _looks_scedc, _read_scedc),
)
