"""Footprint: how the map that a graph gives for a block lies on that block.

Mostly cell on cell; smaller by a border, finer by a whole factor, coarser by one, or a single
cell. Only sizes are looked at, and what has been measured is taken in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Footprint", "footprint_of"]

_MOST_FINER = 16
"""Output cells along a side of an input cell, at most."""

_LEAST_CELLS = 16
"""Cells on a side of a map as fine as its block, at least."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Where the map of a block lies on the block."""

    side: tuple[int, int]
    """Rows and columns of the block."""
    inner: tuple[int, int]
    """Rows and columns that the graph gives for it."""
    finer: int = 1
    """Output cells along a side of an input cell."""
    coarser: int = 1
    """Input cells along a side of an output cell."""
    offset: tuple[int, int] = (0, 0)
    """Output cells above and left of the map that the graph does not give."""

    @property
    def missing(self) -> tuple[int, int]:
        """Rows and columns of the block, in output cells, that the graph does not give."""
        rows, cols = self._of(self.side)
        return rows - self.inner[0], cols - self.inner[1]

    @property
    def cut(self) -> int:
        """Input cells on a side of the block that have no output, where most are."""
        most = max(
            max(before, missing - before)
            for before, missing in zip(self.offset, self.missing, strict=True)
        )
        return -(-most * self.coarser // self.finer)

    @property
    def is_tile(self) -> bool:
        """True where a whole block becomes one cell."""
        return self.inner == (1, 1) and self.coarser > 1

    def place(self, planes: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
        """The planes on all output cells of a block, NaN where the graph gives none.

        Args:
            planes: (channels, rows, cols) float32 that the graph gave.
            shape: rows and columns of the block that it was given.

        Raises:
            ModelError: they are not as many as they were; the message lacks its subject.
        """
        whole, inner = self._of(shape), planes.shape[1:]
        missing = self.missing
        if inner == whole and missing == (0, 0):
            return planes
        if (whole[0] - inner[0], whole[1] - inner[1]) != missing:
            raise ModelError(
                f"gives {inner[0]} x {inner[1]} cells for {shape[0]} x {shape[1]}, and "
                f"{self.inner[0]} x {self.inner[1]} for {self.side[0]} x {self.side[1]}: give a "
                "--tile-size that it was made for"
            )
        placed = np.full((len(planes), *whole), np.nan, np.float32)
        row, col = self.offset
        placed[:, row : row + inner[0], col : col + inner[1]] = planes
        return placed

    def _of(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the output of a whole block."""
        rows, cols = shape
        return rows * self.finer // self.coarser, cols * self.finer // self.coarser


def footprint_of(side: tuple[int, int], inner: tuple[int, int]) -> Footprint:
    """What the sizes say: a border that is missing is missing on all sides alike.

    Args:
        side: rows and columns of the block.
        inner: rows and columns that the graph gives for it.

    Raises:
        ModelError: it is no map of the block's cells; the message lacks its subject.
    """
    (rows, cols), (given_rows, given_cols) = side, inner
    larger = given_rows > rows, given_cols > cols
    told = f"gives {given_rows} x {given_cols} cells for {rows} x {cols}"
    if any(larger) and not all(larger):
        raise ModelError(
            f"{told}, such as the boxes of a detector, which is no map of cells: use a "
            "segmentation model"
        )
    if all(larger):
        finer = -(-given_rows // rows)
        if finer != -(-given_cols // cols) or finer > _MOST_FINER:
            raise ModelError(
                f"{told}, which is not finer by one whole factor up to {_MOST_FINER}: export it "
                "with a map whose cells divide those of its image"
            )
        return _centred(Footprint(side, inner, finer))
    if min(inner) < 1:
        raise ModelError(f"{told}, which is no map: export it again")
    if 2 * given_rows > rows and 2 * given_cols > cols:
        if min(inner) < _LEAST_CELLS:
            raise ModelError(f"{told}, which is too little for a map: give a larger --tile-size")
        return _centred(Footprint(side, inner))
    coarser = rows // given_rows
    if (coarser * given_rows, coarser * given_cols) != side:
        raise ModelError(
            f"{told}, which is neither the map of a border less nor coarser by one whole factor, "
            "but may be the boxes of a detector: use a segmentation model"
        )
    return Footprint(side, inner, coarser=coarser)


def _centred(footprint: Footprint) -> Footprint:
    rows, cols = footprint.missing
    return Footprint(
        footprint.side, footprint.inner, footprint.finer, footprint.coarser, (rows // 2, cols // 2)
    )
