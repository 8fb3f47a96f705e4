"""Lines of fixed columns as a sheet of characters, and fields cut out of it, all rows at once."""

from __future__ import annotations

from typing import Any

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
        return np.asarray(np.strings.strip(np.char.decode(field, "latin-1")), dtype=object)

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
        if not decimals:
            texts = self.texts(first, last)
        else:
            codes = self.codes(first, last)
            blank = (codes == ord(" ")).all(axis=1)
            digits = np.arange(codes.shape[1]) >= codes.shape[1] - decimals
            codes[(codes == ord(" ")) & digits & ~blank[:, None]] = ord("0")
            whole = codes.view(f"S{codes.shape[1]}")[:, 0]
            texts = np.asarray(np.strings.strip(np.char.decode(whole, "latin-1")), dtype=object)
        values, wrong = _floats(texts)
        pointed = np.array([decimals > 0 and "." in text for text in texts], dtype=bool)
        return np.where(pointed, values, values / 10**decimals), wrong


def _floats(texts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of texts, NaN for "" and for what is no number, and which are the latter."""
    import pandas as pd

    values = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)
    return values, ~np.isfinite(values) & (texts != "")
