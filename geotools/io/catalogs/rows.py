"""Rows of events while a file is read: which are left out and why, and columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.io.catalogs.formats import Columns
from geotools.io.catalogs.report import Tally

__all__ = ["Kept", "Rows"]


class Kept:
    """Which rows of a block are kept; one that is left out counts once, for its first reason."""

    def __init__(self, tally: Tally, lines: NDArray[np.int64], rows: NDArray[np.bool_]) -> None:
        self.rows = rows
        """(rows,) True for what is kept."""
        self._tally, self._lines = tally, lines

    def drop(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Leaves rows out and counts those that were still there."""
        rows = rows & self.rows
        if rows.any():
            first = self._lines[np.argmax(rows)]
            self._tally.skip(reason, f"line {first}", int(rows.sum()))
            self.rows = self.rows & ~rows


class Rows:
    """Columns of events, gathered block by block."""

    def __init__(self) -> None:
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(self, columns: dict[str, NDArray[Any]], kept: NDArray[np.bool_]) -> None:
        """Takes the rows of a block that are kept; every block brings the same columns."""
        self._parts.append({name: values[kept] for name, values in columns.items()})

    def columns(self) -> Columns:
        """All rows; empty columns of time and place when none came."""
        if not self._parts:
            nothing = np.empty(0)
            times = np.empty(0, dtype="datetime64[us]")
            return {"time": times, "longitude": nothing, "latitude": nothing}
        names = tuple(self._parts[0])
        return {name: np.concatenate([part.pop(name) for part in self._parts]) for name in names}
