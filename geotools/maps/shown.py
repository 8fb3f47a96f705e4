"""shown_range: between which values a band is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shown_range"]

_LEFT_OUT = 0.02
"""Share of the cells at either end that is drawn like the nearest of the others."""

_ENOUGH = 100_000
"""Cells; of a larger sample about so many are taken."""


def shown_range(sample: NDArray[np.float32]) -> tuple[float, float] | None:
    """The values between which nearly all of a band lies: its 2nd and 98th percentile.

    Of those that are known; None when none is. They are values of the sample, by nearest rank.

    Args:
        sample: (n,) some of the cells.
    """
    known = sample[:: 1 + sample.size // _ENOUGH]
    known = known[np.isfinite(known)]
    if not known.size:
        known = sample[np.isfinite(sample)]
    if not known.size:
        return None
    last = known.size - 1
    ranks = [round(share * last) for share in (_LEFT_OUT, 1 - _LEFT_OUT)]
    # np.percentile would do, but imports numpy.ma: a twentieth of the start of a short run.
    low, high = np.partition(known, ranks)[ranks]
    return float(low), float(high)
