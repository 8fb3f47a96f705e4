"""check_ranges: a sentence where rasters hold other values than a model has learned from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Grid, Window
from geotools.raster import Source
from geotools.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_ranges"]

_ACROSS, _DOWN = 4, 5
"""Windows that are looked at."""

_SIDE = 64
"""Cells on a side of such a window."""

_LISTED = 8
"""Codes that a sentence lists."""

_MOST_OUTSIDE = 0.5
"""Share of the valid cells that may lie far outside of what was learned."""


def check_ranges(spec: ModelSpec, source: Source, warn: Callable[[str], None]) -> None:
    """Says so where most values of a feature are far from those that the model learned from.

    Far is more than the whole learned range below or above it: other units, scaled values, or
    rasters in another order, not merely another landscape. Windows spread over the raster are
    looked at, always the same ones. Codes that were not learned are told wherever they are seen.

    Args:
        spec: of the model; `training["ranges"]` gives low and high of each feature,
            `parameters["codes"]` the codes of those that are codes.
        source: a raster of the features, by name.
        warn: called with a sentence on values and on each feature of codes, or not at all.
    """
    known, codes = _known(spec.training.get("ranges")), _codes(spec.parameters.get("codes"))
    wanted = [
        (number, name) for number, name in enumerate(source.bands) if name in known or name in codes
    ]
    if not wanted:
        return
    parts: list[list[Any]] = [[] for _ in wanted]
    for window in _windows(source.grid):
        block = source.read(window)
        for part, (number, _) in zip(parts, wanted, strict=True):
            values = block.data[number][block.valid]
            part.append(values[np.isfinite(values)])
    odd = []
    for part, (_, name) in zip(parts, wanted, strict=True):
        values = np.concatenate(part)  # (cells,)
        if name in codes:
            _check_codes(name, values, codes[name], warn)
            continue
        low, high = known[name]
        span = high - low
        if values.size and np.mean((values < low - span) | (values > high + span)) > _MOST_OUTSIDE:
            odd.append((name, float(np.median(values)), low, high))
    if not odd:
        return
    name, about, low, high = odd[0]
    more = f" (likewise {', '.join(one[0] for one in odd[1:6])})" if len(odd) > 1 else ""
    warn(
        f"Feature {name} has values of about {_short(about)}, the model learned {_short(low)} to "
        f"{_short(high)}{more}: check units and the order of the rasters."
    )


def _check_codes(
    name: str, values: NDArray[Any], codes: tuple[float, ...], warn: Callable[[str], None]
) -> None:
    """Says which codes the model has not learned, and of how many of the cells looked at."""
    odd = ~np.isin(values, codes)
    strange = np.unique(values[odd])
    if len(strange):
        more = ", …" if len(strange) > _LISTED else ""
        share = float(odd.mean())
        warn(
            f"Feature {name} has codes that the model has not learned "
            f"({', '.join(f'{code:g}' for code in strange[:_LISTED])}{more}) in "
            f"{f'{share:.1%}' if share >= 0.001 else 'less than 0.1%'} of the cells looked at: "
            "expect little of the map there."
        )


def _codes(codes: Any) -> dict[str, tuple[float, ...]]:
    """Learned codes by feature; whatever a file may hold there."""
    return {
        name: tuple(listed)
        for name, listed in (codes.items() if isinstance(codes, Mapping) else ())
        if isinstance(listed, (list, tuple))
        and listed
        and all(isinstance(code, (int, float)) for code in listed)
    }


def _known(ranges: Any) -> dict[str, tuple[float, float]]:
    """Low and high by feature, of those that vary; whatever a file may hold there."""
    found = {}
    for name, pair in ranges.items() if isinstance(ranges, Mapping) else ():
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            continue
        if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in pair):
            continue
        if pair[0] < pair[1]:
            found[name] = (float(pair[0]), float(pair[1]))
    return found


def _windows(grid: Grid) -> Iterator[Window]:
    """Windows spread evenly; they do not overlap."""
    for top, height in _pieces(grid.height, _DOWN):
        for left, width in _pieces(grid.width, _ACROSS):
            yield Window(left, top, width, height)


def _pieces(length: int, count: int) -> list[tuple[int, int]]:
    """Begin and length of the middle of each of as many parts."""
    edges = [length * k // count for k in range(count + 1)]
    pieces = []
    for first, last in pairwise(edges):
        size = min(last - first, _SIDE)
        if size:
            pieces.append((first + (last - first - size) // 2, size))
    return pieces


def _short(number: float) -> str:
    """To three digits, without an exponent where it is a common number."""
    return f"{float(f'{number:.3g}'):g}"
