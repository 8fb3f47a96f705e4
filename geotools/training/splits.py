"""Splits: which cells are learned from, which decide, which are kept for the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Round", "Split"]


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One round of a cross-validation; indices into the cells, disjoint."""

    train: NDArray[np.intp]
    """Cells that are learned from."""
    validation: NDArray[np.intp]
    """Cells that decide when a net stops; other learners learn from them too."""
    test: NDArray[np.intp]
    """Cells that the score is taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A split of labelled cells into rounds."""

    kind: str
    """`blocks`, `polygons`, `group`, `time`, `list`, `raster` or `random`."""
    title: str
    """What it is in a few words, with its sizes: "5 folds of blocks of 640 m"."""
    rounds: tuple[Round, ...]
    """Every cell is tested in at most one round."""
    unit: NDArray[np.int64]
    """(n,) block, polygon, group, period or raster of each cell: what is drawn again for
    intervals."""
    fold: NDArray[np.int16]
    """(n,) the round in which a cell is tested, from 0; -1 for cells that are never tested."""
