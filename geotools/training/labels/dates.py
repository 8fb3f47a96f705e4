"""days: the dates of labels and rows as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import Series

__all__ = ["days"]

_YEARS = (1000, 3000)
_DATES = (10_000_000, 30_000_000)


def days(column: Series, name: str) -> NDArray[np.float64]:
    """(rows,) days since 1970-01-01 UTC; NaN where nothing is written.

    Dates and times of ISO 8601, and as numbers 1986 (its first day) and 19860206; a month or day
    that is unknown, written 00 or 99, is the first.

    Raises:
        LabelsError: what is written is no date; the message has its row.
    """
    import pandas as pd

    if column.dtype.kind != "M":
        words = column.where(column.notna(), None).map(_iso, na_action="ignore")
        stamps = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
    else:
        stamps = pd.to_datetime(column, utc=True)
    wrong = (stamps.isna() & column.notna()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise LabelsError(
            f"{name}: {column.name!r} has {str(column.iloc[row])[:40]!r} in row {row + 1}, which "
            "is no date: write it as 2019-07-06."
        )
    epoch = pd.Timestamp(0, tz="UTC")
    return np.asarray((stamps - epoch) / pd.Timedelta(days=1), np.float64)


def _iso(value: object) -> str:
    """A date as ISO 8601, or the text as it is."""
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    if not number.is_integer():
        return text
    if _YEARS[0] <= number < _YEARS[1]:
        return f"{number:04.0f}-01-01"
    if _DATES[0] <= number < _DATES[1]:
        year, month, day = f"{number:.0f}"[:4], f"{number:.0f}"[4:6], f"{number:.0f}"[6:]
        month = month if month not in ("00", "99") else "01"
        return f"{year}-{month}-{day if day not in ('00', '99') else '01'}"
    return text
