"""What the labels of one scene are to who collects them: windows, and what each cell of one is.

The kinds are in `polygons`, `points` and `rasters`; a `StudyArea` limits any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from geotools.grid import Grid, Window
from geotools.io.burning import Burner

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WINDOW", "Block", "CountedScene", "LabelScene", "LabelSet", "StudyArea", "lattice"]

WINDOW = 1024
"""Cells on a side of the windows in which labels are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The labels of a window."""

    target: NDArray[np.int32] | NDArray[np.float32]
    """(rows, cols) number of the class, -1 where unlabelled; or the value, NaN where unlabelled."""
    feature: NDArray[np.int32]
    """(rows, cols) number of the feature that the label comes from, -1 for none."""

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(rows, cols): True where there is a label."""
        if self.target.dtype.kind == "f":
            return np.isfinite(self.target)
        return np.asarray(self.target >= 0)


class LabelScene(Protocol):
    """The labels of one scene."""

    @property
    def grid(self) -> Grid:
        """The cells."""

    def may_hold(self, window: Window) -> bool:
        """False when the window holds no label for certain."""

    def read(self, window: Window) -> Block:
        """The labels of a window inside the grid."""


class CountedScene(LabelScene, Protocol):
    """Labels of a scene that may know what a window is without reading it."""

    def all_of(self, window: Window) -> int | None:
        """The class of all cells of a window, where that is certain at once."""


class StudyArea:
    """Labels of another scene object, without those outside some polygons, and with a background
    class inside them.
    """

    def __init__(self, inner: LabelScene, mask: Burner | None, background: int | None) -> None:
        """`background` is the number of the class of all cells without a label, if any."""
        self._inner = inner
        self._mask = mask
        self._background = background
        self.grid = inner.grid

    def may_hold(self, window: Window) -> bool:
        """See `LabelScene`."""
        if self._mask is not None and not len(self._mask.touching(window)):
            return False
        return self._background is not None or self._inner.may_hold(window)

    def all_of(self, window: Window) -> int | None:
        """See `CountedScene`."""
        if self._mask is not None or self._inner.may_hold(window):
            return None
        return self._background

    def read(self, window: Window) -> Block:
        """See `LabelScene`; -2 of the inner scene is a feature without a class, no background."""
        block = self._inner.read(window)
        target, feature = block.target, block.feature
        if target.dtype.kind == "i":
            if self._background is not None:
                target = np.where(target == -1, np.int32(self._background), target)
            target = np.maximum(target, np.int32(-1))
        if self._mask is not None:
            outside = self._mask.read(window) < 0
            none = np.float32(np.nan) if target.dtype.kind == "f" else np.int32(-1)
            target = np.where(outside, none, target)
            feature = np.where(outside, np.int32(-1), feature)
        return Block(target, feature)


def lattice(grid: Grid, size: int = WINDOW) -> Iterator[Window]:
    """Windows that cover the grid once, row by row."""
    for row in range(0, grid.height, size):
        for col in range(0, grid.width, size):
            yield Window(col, row, min(size, grid.width - col), min(size, grid.height - row))


@dataclass(frozen=True, slots=True, eq=False)
class LabelSet:
    """The labels of all scenes, as read from their files."""

    scenes: tuple[LabelScene, ...]
    """One a scene."""
    names: list[str]
    """Name of each number of a class; a raster's codes are added while it is read."""
    colors: dict[str, str]
    """Colours that the files give, by name of the class."""
    group: NDArray[np.int32]
    """(features,) group of each feature, -1 for none."""
    groups: tuple[str, ...]
    """Names of the groups; empty when every feature is its own."""
    time: NDArray[np.float64]
    """(features,) days since 1970-01-01 UTC, NaN for none."""
    polygons: bool
    """True when the labels are polygons."""
    why_empty: Callable[[], str]
    """One sentence, when not a cell is labelled."""
    remarks: Callable[[], list[str]]
    """Sentences on what is odd, when all has been read."""
    close: Callable[[], None] = lambda: None
    """Closes the files."""
