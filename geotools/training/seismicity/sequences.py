"""The latest events that reach a cell, as a sequence for a recurrent network.

An event reaches the cells of its near disc. Only events before the issue time are seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geotools.seismicity.backbone import Backbone
from geotools.seismicity.discs import cell_numbers, disc
from geotools.training.seismicity.data import Events

__all__ = ["SEQUENCE", "SEQUENCE_LENGTH", "sequences"]

SEQUENCE: tuple[str, ...] = ("age_days", "magnitude_above_mc", "distance_km")
"""Columns; rows without an event are zero."""

SEQUENCE_LENGTH = 64


def sequences(
    backbone: Backbone,
    events: Events,
    issues_days: NDArray[np.float64],
    cells: NDArray[np.int64],
) -> NDArray[np.float32]:
    """(rows, 64, 3) the latest events of each row's cell before its issue time, oldest first.

    Args:
        backbone: region and radii.
        events: as `usable_events` gives them.
        issues_days: (rows,) issue times.
        cells: (rows,) numbers of cells.
    """
    time, longitude, latitude, magnitude = events
    radius = backbone.scales_km[0]
    index = cell_numbers(backbone)
    first, reached, weights = disc(backbone, index, longitude, latitude, radius)
    event = np.repeat(np.arange(len(time)), np.diff(first))
    order = np.lexsort((event, reached))  # by cell, then by time
    event, reached, weights = event[order], reached[order].astype(np.int64), weights[order]
    distance = radius * np.sqrt(-2.0 * np.log(weights))
    # Whole numbers that rise with cell and event, so that no time is rounded.
    step = len(time) + 1
    keys = reached * step + event
    before = np.searchsorted(time, issues_days, side="left")
    stop = np.searchsorted(keys, cells * step + before)
    start = np.searchsorted(keys, cells * step)
    out = np.zeros((len(cells), SEQUENCE_LENGTH, len(SEQUENCE)), dtype=np.float32)
    for back in range(1, SEQUENCE_LENGTH + 1):
        place = stop - back
        rows = np.flatnonzero(place >= start)
        chosen = event[place[rows]]
        out[rows, -back, 0] = issues_days[rows] - time[chosen]
        out[rows, -back, 1] = magnitude[chosen] - backbone.mc
        out[rows, -back, 2] = distance[place[rows]]
    return out
