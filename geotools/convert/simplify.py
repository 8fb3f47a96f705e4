"""Simplify: borders between classes without their steps, still shared, in strips of rows.

A border is a line between places where three or more polygons meet. Corners are dropped by
Visvalingam and Whyatt (1993): the corner whose triangle with its two neighbours is the smallest
goes first, until all triangles are larger than the square of `simplify_m`; GEOS's coverage
simplification measures its tolerance in the same way. A corner stays when another corner lies in
its triangle, or when its border would fall onto another one: then nothing can cross or touch
that did not before, so polygons stay valid and a coverage stays a coverage.

Both polygons at a border are changed by the same decision, there is no gap and no overlap. These
corners always stay: where three polygons meet, where one touches another or itself diagonally,
all corners towards invalid cells and the raster's edge (the area covered does not change at all),
and those on the lines between strips of some eight million cells, which depend on the raster
alone. So the work needs one strip in memory, and two rasters of one grid give the same result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geotools.grid import Grid

__all__ = ["area_limit"]

_TOUCH = 1e-9
"""Relative; a triangle of just the limit goes, in spite of rounding."""


def area_limit(grid: Grid, simplify_m: float) -> NDArray[np.float64]:
    """Twice the area, in cells, of the largest triangle that goes, for each line (rows + 1,).

    Areas in cells are ground areas up to one factor for each row, so unequal cell sides and
    degrees need nothing else.
    """
    area = grid.cell_area_m2()  # (rows,)
    lines = np.concatenate([area[:1], (area[1:] + area[:-1]) / 2, area[-1:]])
    return np.asarray(2 * simplify_m**2 / lines * (1 + _TOUCH))
