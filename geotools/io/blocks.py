"""Blocks of a tiled raster: which a window touches, where they lie, what was written to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geotools.grid import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ALL", "BLOCK", "Level", "Piece", "Place", "blocks_of"]

BLOCK = 512
"""Cells on a side of a block in the file."""

ALL = slice(0, BLOCK)
"""The rows or columns of a whole block."""

Place = tuple[int, int]
"""Block row and block column."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of a block that were written together."""

    rows: slice
    cols: slice
    crcs: tuple[int, ...]
    """CRC-32 in each band."""

    @property
    def is_block(self) -> bool:
        """True when it is all of its block."""
        return self.rows == ALL and self.cols == ALL


@dataclass(slots=True)
class Level:
    """The raster, or one of its overviews."""

    shape: tuple[int, int]
    """(rows, columns)."""
    places: NDArray[np.int64]
    """(block row, block column): where the block of band 1 lies, those of the other bands behind
    it; 0 where nothing was written."""
    pieces: dict[Place, list[Piece]] = field(default_factory=dict)
    """What was written to each block."""
    crcs: dict[Place, list[int]] = field(default_factory=dict)
    """CRC-32 of each whole block in each band, as it was read back."""

    def filled(self) -> Iterator[Place]:
        """The blocks that there are."""
        for row, col in np.argwhere(self.places):
            yield int(row), int(col)


def blocks_of(window: Window) -> Iterator[tuple[Place, Window, Window]]:
    """The blocks that the window touches: place, cells, and those of them in the window."""
    for row in range(window.row_off // BLOCK, -(-window.row_stop // BLOCK)):
        for col in range(window.col_off // BLOCK, -(-window.col_stop // BLOCK)):
            block = Window(col * BLOCK, row * BLOCK, BLOCK, BLOCK)
            if part := block.intersection(window):
                yield (row, col), block, part
