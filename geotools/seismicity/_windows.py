# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loop of window declustering: each large event claims what lies in its window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled
from geotools.seismicity._walks import bin_columns, bin_rows

__all__ = ["claim"]

Array = NDArray[Any]


@compiled()
def claim(
    largest_first: Array,
    time: Array,
    longitude: Array,
    latitude: Array,
    vectors: Array,
    angle_deg: Array,
    chord2: Array,
    before: Array,
    after: Array,
    starts: Array,
    south_deg: float,
    size_deg: float,
    rows: int,
    cols: int,
) -> Array:
    """(events,) the event that claims each one; events lie in the order of the index, then time."""
    main = np.full(time.size, -1, np.int64)
    for event in largest_first:
        if main[event] >= 0:
            continue
        main[event] = event
        begin, end = time[event] - before[event], time[event] + after[event]
        x, y, z = vectors[event, 0], vectors[event, 1], vectors[event, 2]
        first_row, stop_row = bin_rows(latitude[event], angle_deg[event], south_deg, size_deg, rows)
        first_col, count = bin_columns(longitude[event], latitude[event], angle_deg[event], cols)
        for row in range(first_row, stop_row):
            for step in range(count):
                number = row * cols + (first_col + step) % cols
                low, high = starts[number], starts[number + 1]
                if low == high:
                    continue
                stop = high
                while low < high:  # the first event of the bin that is not before the window
                    middle = (low + high) // 2
                    if time[middle] < begin:
                        low = middle + 1
                    else:
                        high = middle
                while low < stop and time[low] <= end:
                    if main[low] < 0:
                        dx, dy, dz = vectors[low, 0] - x, vectors[low, 1] - y, vectors[low, 2] - z
                        if dx * dx + dy * dy + dz * dz <= chord2[event]:
                            main[low] = event
                    low += 1
    return main
