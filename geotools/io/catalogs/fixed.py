"""Lines of fixed columns as a sheet of characters, and fields cut out of it, all rows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sheet"]


class Sheet:
    """Lines of equal width; columns are counted from 1, as the documents of the formats do."""

    def __init__(self, data: bytes, width: int, first: int) -> None:
        """`data`: lines that end with \\n; `width`: columns that matter; `first`: line number."""
        lines = np.array(data.split(b"\n")[:-1], dtype=f"S{width}")  # cut or filled with zeros
        codes = lines.view(np.uint8).reshape(len(lines), width)
        self._codes = np.where(codes == 0, np.uint8(ord(" ")), codes)
        self.lines = np.arange(first, first + len(lines))
        """(rows,) number of the line of each row in the file."""

    def __len__(self) -> int:
        return len(self.lines)

    def only(self, rows: NDArray[np.bool_]) -> Sheet:
        """The sheet with some of its rows."""
        part = Sheet.__new__(Sheet)
        part._codes, part.lines = self._codes[rows], self.lines[rows]
        return part

    def codes(self, first: int, last: int) -> NDArray[np.uint8]:
        """(rows, columns) the characters of columns first to last, as numbers."""
        return np.ascontiguousarray(self._codes[:, first - 1 : last])

    def texts(self, first: int, last: int) -> NDArray[np.object_]:
        """(rows,) str of columns first to last, without blanks around them."""
        field = self.codes(first, last).view(f"S{last - first + 1}")[:, 0]
        return np.array([text.decode("latin-1").strip() for text in field.tolist()], dtype=object)

    def numbers(
        self, first: int, last: int, *, decimals: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Numbers of columns first to last, NaN where they are blank, and which rows hold
        something else.

        Args:
            first: first column.
            last: last column.
            decimals: digits after the decimal point where none is written, as F4.2 of Fortran;
                blanks after digits are zeros.
        """
        codes = self.codes(first, last)
        blank = (codes == _BLANK).all(axis=1)
        if decimals:
            places = codes[:, -decimals:]
            places[(places == _BLANK) & ~blank[:, None]] = _ZERO
        values, read = _whole(codes)
        if not decimals and not read[~blank].all():
            values, read = _pointed(codes, ~blank)
        values = np.where(read, values / 10**decimals, np.nan)
        wrong = ~read & ~blank
        rest = np.flatnonzero(wrong)
        if len(rest):
            field = codes[rest].view(f"S{codes.shape[1]}")[:, 0]
            texts = [text.decode("latin-1").strip() for text in field]
            values[rest], wrong[rest] = _floats(texts)
        return values, wrong


_BLANK, _ZERO, _POINT = ord(" "), ord("0"), ord(".")


def _whole(codes: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Whole numbers at the right edge of a field, and which rows hold such a one."""
    digits = codes - np.uint8(_ZERO)  # what is below "0" wraps to a big number
    is_digit = digits < 10
    width = codes.shape[1]
    length = np.where(is_digit.all(axis=1), width, np.argmin(is_digit[:, ::-1], axis=1))
    powers = 10.0 ** np.arange(width - 1, -1, -1)
    inside = np.arange(width) >= width - length[:, None]
    values = np.where(inside, digits, 0) @ powers
    before = np.where(inside, np.uint8(_BLANK), codes)
    minus = (before == ord("-")).any(axis=1)
    left = (before != _BLANK).sum(axis=1)
    signed = np.take_along_axis(before, np.maximum(width - length - 1, 0)[:, None], axis=1)[:, 0]
    read = (length > 0) & ((left == 0) | ((left == 1) & np.isin(signed, [ord("-"), ord("+")])))
    return np.where(minus, -values, values), read


def _pointed(
    codes: NDArray[np.uint8], rows: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Decimal numbers at the right edge of a field whose points stand below each other, and which
    rows hold such a one; a whole number over a power of ten is rounded as the decimal is.
    """
    none = np.full(len(codes), np.nan), np.zeros(len(codes), dtype=bool)
    points = codes == _POINT
    columns = np.flatnonzero(points[rows].any(axis=0))
    if len(columns) != 1:
        return none
    place = columns[0]
    values, read = _whole(np.ascontiguousarray(np.delete(codes, place, axis=1)))
    after = (codes[:, place + 1 :] - np.uint8(_ZERO) < 10).all(axis=1)
    return values / 10.0 ** (codes.shape[1] - 1 - place), read & points[:, place] & after


def _floats(texts: list[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of texts, NaN for what is no number, and which those are."""
    import pandas as pd

    values = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)
    return values, ~np.isfinite(values)
