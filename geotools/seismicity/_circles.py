# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loop over the events in circles: counts by code, sums and the largest of a value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.seismicity._walks import bin_columns, bin_rows

__all__ = ["gather"]

Array = NDArray[Any]


@compiled()
def gather(
    cell_longitude: Array,
    cell_latitude: Array,
    cell_vectors: Array,
    vectors: Array,
    codes: Array,
    values: Array,
    ranked: Array,
    angle_deg: float,
    chord2: float,
    starts: Array,
    south_deg: float,
    size_deg: float,
    rows: int,
    cols: int,
    counts: Array,
    sums: Array,
    largest: Array,
) -> None:
    """Adds the events within the angle of each cell to `counts`, `sums` and `largest`.

    Events lie in the order of the index; those of code -1 are not counted.
    """
    kinds = values.shape[1]
    for cell in range(cell_longitude.size):
        if not np.isfinite(cell_longitude[cell]):
            continue
        x, y, z = cell_vectors[cell, 0], cell_vectors[cell, 1], cell_vectors[cell, 2]
        first_row, stop_row = bin_rows(cell_latitude[cell], angle_deg, south_deg, size_deg, rows)
        first_col, width = bin_columns(cell_longitude[cell], cell_latitude[cell], angle_deg, cols)
        for row in range(first_row, stop_row):
            # the bins of a row lie side by side, but for the date line
            for part in range(2):
                if part == 0:
                    begin = starts[row * cols + first_col]
                    end = starts[row * cols + min(first_col + width, cols)]
                else:
                    begin = starts[row * cols]
                    end = starts[row * cols + max(first_col + width - cols, 0)]
                for event in range(begin, end):
                    dx, dy, dz = vectors[event, 0] - x, vectors[event, 1] - y, vectors[event, 2] - z
                    if dx * dx + dy * dy + dz * dz > chord2:
                        continue
                    if codes[event] >= 0:
                        counts[cell, codes[event]] += 1
                    for kind in range(kinds):
                        sums[cell, kind] += values[event, kind]
                    largest[cell] = max(largest[cell], ranked[event])
