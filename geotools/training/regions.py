"""The regions of the shipped forecast models: their grids, and which cells belong to them.

The California testing region is a list of cells that was agreed on; it is kept as one run of cells
per row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geotools.grid import Grid
from geotools.seismicity.backbone import lonlat_grid

__all__ = ["california", "globe"]

# First cell and the one after the last, counted from 125.4 W, of each row of 0.1 degrees from
# 43.0 N southwards: the 7,682 cells of the RELM and CSEP testing region (Schorlemmer and
# Gerstenberger 2007, Seismological Research Letters 78, 30-36).
_CALIFORNIA = (
    "2-64 2-64 2-64 2-64 2-64 2-64 1-64 1-64 1-64 1-64 1-64 1-64 1-64 1-64 1-64 1-64 1-64 "
    "1-64 1-64 0-64 0-64 0-64 0-64 0-64 0-64 0-64 0-64 0-64 0-64 1-64 2-64 2-64 3-64 4-64 "
    "4-64 5-64 5-65 6-66 7-67 7-69 8-70 9-71 9-73 10-74 11-75 11-77 12-78 12-80 13-81 14-82 "
    "14-84 15-85 16-86 16-88 17-89 18-90 18-92 19-93 19-94 20-96 21-97 21-98 22-100 23-101 "
    "23-103 24-104 24-105 25-107 26-108 26-109 27-111 28-112 28-113 29-114 30-115 30-116 "
    "31-116 31-117 32-118 33-118 33-119 34-119 35-120 35-121 36-121 36-122 37-123 38-123 "
    "39-123 40-122 41-122 42-122 43-121 45-121 48-121 51-121 54-120 57-120 60-120 63-119 "
    "66-119 69-119 70-119 71-119 71-118 72-118 72-118 73-118 74-117 74-115 75-113 76-112 "
    "78-110 80-102 82-90"
)


def california() -> tuple[Grid, NDArray[np.bool_]]:
    """The grid of 0.1 degrees and the 7,682 cells of the CSEP California testing region."""
    runs = [tuple(map(int, run.split("-"))) for run in _CALIFORNIA.split()]
    region = np.zeros((len(runs), max(stop for _, stop in runs)), dtype=bool)
    for row, (first, stop) in zip(region, runs, strict=True):
        row[first:stop] = True
    return lonlat_grid(-125.4, 43.0, (0.1, 0.1), region.shape), region


def globe() -> tuple[Grid, NDArray[np.bool_]]:
    """The grid of 1 degree round the Earth, and all of its 64,800 cells."""
    shape = (180, 360)
    return lonlat_grid(-180.0, 90.0, (1.0, 1.0), shape), np.ones(shape, dtype=bool)
