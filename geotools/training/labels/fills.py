"""Fills: how many cells of a label raster hold what often stands for missing values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["USUAL", "Fills"]

USUAL = (-9999.0, -32768.0, -99999.0)
"""Values that are written where nothing was measured, of all types."""
_LARGEST = 1e38
"""Numbers beyond are the largest that single precision holds, or nearly."""
_BYTE = 255
"""Of bytes, where no others are near: the value that has no cell of data."""
_NEAR = 5
"""Values so near below are those of a quantity that reaches 255."""


class Fills:
    """Counts of cells as they are read; cells that are read twice count twice in all."""

    def __init__(self, name: str) -> None:
        """`name` is that of the file."""
        self._name = name
        self._cells = 0
        self._found: dict[float, int] = {}
        self._bytes = np.zeros(256, np.int64)

    def count(self, values: NDArray[np.generic]) -> None:
        """Counts in some valid values, of shape (n,)."""
        self._cells += len(values)
        if values.dtype == np.uint8:
            self._bytes += np.bincount(values, minlength=256)
            return
        numbers: NDArray[Any] = values
        for usual in USUAL:
            self._add(usual, int(np.count_nonzero(numbers == usual)))
        if numbers.dtype.kind == "f":
            large = numbers[np.abs(numbers) > _LARGEST]
            for value in np.unique(large).tolist():
                self._add(value, int(np.count_nonzero(large == value)))

    def _add(self, value: float, cells: int) -> None:
        if cells:
            self._found[value] = self._found.get(value, 0) + cells

    def remarks(self, learned: Callable[[float], bool] | None) -> list[str]:
        """A sentence on each of these values that is learned from.

        Args:
            learned: whether a code is; None for quantities, of which all are.
        """
        found = dict(self._found)
        others = np.flatnonzero(self._bytes[:_BYTE])
        near = learned is None and len(others) > 0 and others[-1] >= _BYTE - _NEAR
        is_mask = others.tolist() == [0]
        if self._bytes[_BYTE] and len(others) and not near and not is_mask:
            found[float(_BYTE)] = int(self._bytes[_BYTE])
        told = []
        for value, cells in found.items():
            if learned is None or learned(value):
                text = f"{value:.0f}" if abs(value) < _LARGEST else repr(value)
                told.append(
                    f"{self._name}: {_share(cells / self._cells)} of the cells hold {text}, which "
                    "is learned from and often stands for missing values: if it does, set "
                    f"labels.nodata = {text}."
                )
        return told


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
