"""Cells: where labels are and what they say, as one table of arrays; no pixels and no files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import RasterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cells"]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The labelled cells of all scenes, or the labelled rows of a table; arrays of one length."""

    scene: NDArray[np.int32]
    """(n,) which scene, from 0; 0 throughout for a table."""
    row: NDArray[np.int32]
    """(n,) row in the scene's grid; the row of the table."""
    col: NDArray[np.int32]
    """(n,) column in the scene's grid; 0 for a table."""
    target: NDArray[np.int16] | NDArray[np.float32]
    """(n,) index of the class from 0, int16; or the value to learn, float32."""
    group: NDArray[np.int32]
    """(n,) polygon, point or group that the label comes from, alike in all scenes; -1 for none."""
    x: NDArray[np.float64]
    """(n,) place of the cell's centre in the CRS of the first scene; NaN where there is none."""
    y: NDArray[np.float64]
    """(n,) as `x`."""
    time: NDArray[np.float64]
    """(n,) days since 1970-01-01 UTC; NaN where the label has no time."""

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, item.name)) for item in fields(self)}
        if len(lengths) != 1:
            raise RasterError(f"Labelled cells with arrays of lengths {sorted(lengths)}: give one.")

    def __len__(self) -> int:
        return len(self.scene)

    @property
    def is_classes(self) -> bool:
        """True when the targets are classes, False when they are values."""
        return self.target.dtype.kind == "i"

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Cells:
        """The cells of these places, or those that are True."""
        return Cells(*(getattr(self, item.name)[index] for item in fields(self)))
