"""inspect, codes_of: what the rasters of a training hold: empty bands, constant ones, codes.

A few million cells are looked at, in windows spread over the scene; all of them where those hold
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.features.names import find_band, parse_feature
from geotools.features.opening import SourceFiles
from geotools.features.stack import FeatureStack
from geotools.grid import Grid, Window
from geotools.io.aligned import open_aligned
from geotools.raster import Source
from geotools.spec import SourceInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["codes_of", "inspect"]

_SIDE = 256
_MOST_CELLS = 4_000_000
"""Cells of a scene that are looked at."""

_MOST_CODES = 256
"""Codes that a band of classes may have."""


def inspect(
    files: Sequence[Sequence[SourceFiles]],
    infos: Sequence[SourceInfo],
    stacks: Sequence[FeatureStack],
    warn: Callable[[str], None],
) -> None:
    """Nothing, when every band holds something; `warn` is told of constant ones.

    Args:
        files: for each scene, for each source.
        infos: the sources.
        stacks: one for each scene.
        warn: called with one sentence.

    Raises:
        LabelsError: a band has no valid cell, or no cell is valid in all bands.
    """
    ranges: dict[tuple[int, int, int], list[float]] = {}
    for scene, stack in enumerate(stacks):
        for number, info in enumerate(infos):
            for date, source in enumerate(stack.sources(number)):
                low, high = _ranges(source)
                if not np.isfinite(low).all():
                    _explain(files[scene][number], date, info, stack.grid)
                for band in range(len(info.bands)):
                    found = ranges.setdefault((number, date, band), [np.inf, -np.inf])
                    found[0] = min(found[0], float(low[band]))
                    found[1] = max(found[1], float(high[band]))
        if not _any_valid(stack):
            raise LabelsError(
                f"No cell is valid in all of {', '.join(info.name for info in infos)}: give "
                "rasters that cover the same place, or leave one out."
            )
    for (number, date, band), (lowest, highest) in ranges.items():
        if lowest == highest:
            info = infos[number]
            name = files[0][number].paths[date][0]
            warn(
                f"Band {info.numbers[band]} ({info.bands[band]}) of {name} is {lowest:g} wherever "
                "it was looked at: nothing can be learned from it."
            )


def codes_of(
    features: Sequence[str], infos: Sequence[SourceInfo], stacks: Sequence[FeatureStack]
) -> dict[int, tuple[int, ...]]:
    """Index of every feature that is codes -> the codes in all scenes, in order.

    Raises:
        LabelsError: values that are no whole numbers, or too many of them.
    """
    codes = {}
    for index, name in enumerate(features):
        feature = parse_feature(name)
        if feature.kind != "band":
            continue
        number, band = find_band(name, infos)
        info = infos[number]
        if info.kind != "classes":
            continue
        date = info.dates.index(feature.date) if feature.date else 0
        found: NDArray[np.float64] = np.empty(0)
        for stack in stacks:
            source = stack.sources(number)[date]
            for window in _windows(source.grid):
                block = source.read(window)
                new = np.unique(block.data[band][block.valid]).astype(np.float64)
                found = np.union1d(found, new)
                if len(found) > _MOST_CODES or (found != np.floor(found)).any():
                    odd = found[found != np.floor(found)]
                    held = f"{odd[0]:g}" if len(odd) else f"more than {_MOST_CODES} values"
                    raise LabelsError(
                        f'The input {info.name} is of kind "classes", and its band '
                        f'{info.bands[band]} holds {held}: make it kind = "values".'
                    )
        codes[index] = tuple(int(code) for code in found)
    return codes


def _ranges(source: Source) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest value of each band; infinite where no cell is valid."""
    low = np.full(len(source.bands), np.inf)
    high = np.full(len(source.bands), -np.inf)
    for first in (True, False):
        for window in _windows(source.grid, sampled=first):
            block = source.read(window)
            if block.valid.any():
                values = block.data[:, block.valid]  # (band, cells)
                low = np.minimum(low, values.min(axis=1))
                high = np.maximum(high, values.max(axis=1))
                if not first:
                    return low, high
        if np.isfinite(low).any():
            break
    return low, high


def _any_valid(stack: FeatureStack) -> bool:
    """True when some cell is valid in all sources."""
    for window in _windows(stack.grid):
        valid = np.ones(window.shape, np.bool_)
        for number in range(len(stack.infos)):
            for source in stack.sources(number):
                if valid.any():
                    valid &= source.read(window).valid
        if valid.any():
            return True
    return False


def _explain(files: SourceFiles, date: int, info: SourceInfo, grid: Grid) -> None:
    """Raises the error that says which bands hold nothing."""
    paths, numbers = files.paths[date], files.numbers[date]
    empty = []
    for band, number in zip(info.bands, numbers, strict=True):
        with open_aligned(
            paths, grid, bands=[number], kind=info.kind, resampling=info.resampling,
            crs=files.crs, nodata=files.nodata,
        ) as source:  # fmt: skip
            if not np.isfinite(_ranges(source)[0]).all():
                empty.append(f"{number} ({band})" if band != str(number) else band)
    name = paths[0]
    if empty and len(info.bands) > len(empty):
        raise LabelsError(
            f"{name} has no valid cell on the grid in band {', '.join(empty)}: leave it out, with "
            f"bands of the input {info.name}."
        )
    raise LabelsError(
        f"{name} has no valid cell on the grid{' in any band' if len(info.bands) > 1 else ''}: is "
        f"its nodata value right, and does it cover the place? Set nodata of the input "
        f"{info.name}, or leave it out."
    )


def _windows(grid: Grid, *, sampled: bool = False) -> Iterator[Window]:
    """Windows that cover the grid, or as many of them, evenly spread, as may be looked at."""
    across, down = -(-grid.width // _SIDE), -(-grid.height // _SIDE)
    most = _MOST_CELLS // _SIDE**2
    # Steps that share no divisor with the row's length do not stay in one column.
    step = max(across * down // most, 1) if sampled else 1
    while step > 1 and np.gcd(step, across) > 1:
        step += 1
    for place in range(0, across * down, step):
        row, col = divmod(place, across)
        left, top = col * _SIDE, row * _SIDE
        yield Window(left, top, min(_SIDE, grid.width - left), min(_SIDE, grid.height - top))
