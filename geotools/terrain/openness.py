"""Positive and negative openness (Yokoyama et al. 2002), along the eight rays of `_rays`.

R. Yokoyama, M. Shirasawa, R. J. Pike: Visualizing topography by openness: a new application of
image processing to digital elevation models. Photogrammetric Engineering & Remote Sensing 68
(2002), 257-265.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from geotools.compiled import KeptLoop
from geotools.terrain.geomorphons import STRIP, framed_for_rays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

__all__ = ["openness_job"]

_openness_of_rows = KeptLoop("geotools.terrain._openness", "openness_of_rows")


def openness_job(
    z: Array,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    search_m: float,
    z_factor: float,
    outputs: dict[str, Array],
    origin: tuple[int, int] = (0, 0),
) -> Callable[[int, int], None]:
    """A function that writes rows from `start` to `stop` of the outputs.

    Args:
        z: (rows, cols) float32, NaN where invalid; rays pass over invalid cells and end at the
            edge.
        x, y: (rows,) float64, cell size in metres.
        search_m: length of the rays in metres; a cell at just this distance is seen.
        z_factor: metres in one unit of elevation.
        outputs: positive_openness or negative_openness to float32 arrays of a part of the shape
            of z, written to.
        origin: row and column of z with which they begin.
    """
    longest = int(search_m * (1 + 1e-9) / min(x.min(), y.min()))
    padded, pad = framed_for_rays(z, longest)
    uniform = int(np.all(x == x[0]) and np.all(y == y[0]))
    none = np.empty((0, 0), dtype=np.float32)
    top, left = origin
    wide = {n: out if out.shape == z.shape else np.empty_like(z) for n, out in outputs.items()}

    def run(start: int, stop: int) -> None:
        _openness_of_rows(
            padded, pad, start, stop, x, y, uniform, search_m, float(z_factor),
            wide.get("positive_openness", none), wide.get("negative_openness", none),
            z.shape[1], np.zeros((5, pad + 1)), np.zeros(5, np.int64),
            np.empty((6, STRIP), np.float32),
        )  # fmt: skip
        for name, out in outputs.items():
            if out is not wide[name]:
                out[start - top : stop - top] = wide[name][start:stop, left : left + out.shape[1]]

    return run
