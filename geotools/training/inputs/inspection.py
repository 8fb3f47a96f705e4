"""inspect, codes_of: what the rasters of a training hold: empty bands, constant ones, codes.

A few million cells are looked at, in windows spread over the scene; all of them where those hold
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.features.names import bands_of_index, find_band, parse_feature
from geotools.features.opening import SourceFiles
from geotools.features.stack import FeatureStack
from geotools.grid import Grid, Window
from geotools.imagery.indices import INDICES
from geotools.io.aligned import open_aligned
from geotools.raster import Source
from geotools.spec import SourceInfo
from geotools.training.labels.fills import USUAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["codes_of", "inspect"]

_SIDE = 256
_MOST_CELLS = 4_000_000
"""Cells of a scene that are looked at."""

_MUCH = 0.1
"""Share of cells beyond which a band that is missing there is told of."""

_MOST_CELLS_OF_CODES = 2**26
"""The same for codes, of which a rare one may be in a corner."""

_LARGEST = 1e30
"""Values beyond are no quantities; the largest numbers of a type often stand for missing cells."""

_REFLECTANCE = 5.0
"""No reflectance, glint and snow included, is larger."""

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
        LabelsError: a band has no valid cell, or values that cannot be; no cell is valid in all.
    """
    ranges: dict[tuple[int, int, int], list[float]] = {}
    for scene, stack in enumerate(stacks):
        for number, info in enumerate(infos):
            for date, source in enumerate(stack.sources(number)):
                seen = _look(source)
                if seen.missing > _MUCH and (len(info.bands) > 1 or not seen.valid):
                    _explain(files[scene][number], date, info, stack.grid, seen, warn)
                _check_size(seen, files[scene][number], date, info)
                for band in range(len(info.bands)):
                    found = ranges.setdefault((number, date, band), [np.inf, -np.inf])
                    found[0] = min(found[0], float(seen.low[band]))
                    found[1] = max(found[1], float(seen.high[band]))
        if not _any_valid(stack):
            raise LabelsError(
                f"No cell is valid in all of {', '.join(info.name for info in infos)}: give "
                "rasters that cover the same place, or leave one out."
            )
    for (number, date, band), (lowest, highest) in ranges.items():
        info = infos[number]
        name = files[0][number].paths[date][0]
        label = _label(info.bands[band], info.numbers[band])
        if lowest < highest and lowest in USUAL and info.kind == "values":
            warn(
                f"Band {label} of {name} holds {lowest:.0f}, which is learned from and often "
                f"stands for missing values: if it does, set nodata = {lowest:.0f} of the input "
                f"{info.name}."
            )
        if lowest == highest:
            warn(
                f"Band {label} of {name} is {lowest:g} wherever it was looked at: nothing can be "
                "learned from it."
            )
    _check_reflectance(stacks[0].bands, infos, ranges, warn)


def _check_size(seen: _Seen, files: SourceFiles, date: int, info: SourceInfo) -> None:
    """Refuses values that no quantity has, which stand for missing cells."""
    for band, number in enumerate(files.numbers[date]):
        low, high = float(seen.low[band]), float(seen.high[band])
        value = low if -low > high else high
        if abs(value) > _LARGEST and np.isfinite(value):
            raise LabelsError(
                f"Band {_label(info.bands[band], number)} of {files.paths[date][0]} holds "
                f"{value:.9g}: if it stands for missing cells, set nodata = {value!r} of the input "
                f"{info.name}."
            )


def _check_reflectance(
    features: Sequence[str],
    infos: Sequence[SourceInfo],
    ranges: Mapping[tuple[int, int, int], Sequence[float]],
    warn: Callable[[str], None],
) -> None:
    """Tells of indices with constants in their formula whose bands are no reflectances."""
    names = dict.fromkeys(
        parse_feature(name).name for name in features if name.startswith("imagery.")
    )
    for name in (name for name in names if INDICES[name].needs_reflectance):
        for role, (number, band) in bands_of_index(name, infos).items():
            high = max(ranges[key][1] for key in ranges if key[0] == number and key[2] == band)
            if high > _REFLECTANCE:
                warn(
                    f"imagery.{name} is made for reflectances from 0 to 1, and the {role} band of "
                    f"{infos[number].name} reaches {high:g}: its values are not those of the "
                    "literature, so give the file a scale or take another index."
                )
                break


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
            for window in _windows(source.grid, _MOST_CELLS_OF_CODES):
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


@dataclass(slots=True)
class _Seen:
    """What was seen of a source."""

    low: NDArray[np.float64]
    """(bands,) lowest value; infinite where no cell is valid."""
    high: NDArray[np.float64]
    """(bands,) highest value."""
    cells: int = 0
    """Cells looked at."""
    valid: int = 0
    """Valid ones among them."""

    @property
    def missing(self) -> float:
        """Share of cells that are invalid."""
        return 1 - self.valid / self.cells


def _look(source: Source) -> _Seen:
    """What a sample of the source holds; all of it until a valid cell is found, if need be."""
    count = len(source.bands)
    seen = _Seen(np.full(count, np.inf), np.full(count, -np.inf))
    for most in (_MOST_CELLS, None):
        for window in _windows(source.grid, most):
            block = source.read(window)
            seen.cells += block.valid.size
            seen.valid += int(block.valid.sum())
            if block.valid.any():
                values = block.data[:, block.valid]  # (band, cells)
                seen.low = np.minimum(seen.low, values.min(axis=1))
                seen.high = np.maximum(seen.high, values.max(axis=1))
                if most is None:
                    return seen
        if seen.valid:
            break
    return seen


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


def _explain(
    files: SourceFiles,
    date: int,
    info: SourceInfo,
    grid: Grid,
    whole: _Seen,
    warn: Callable[[str], None],
) -> None:
    """Says which bands make cells of a source invalid; an error when that is all cells."""
    paths, numbers = files.paths[date], files.numbers[date]
    missing = {}
    for band, number in zip(info.bands, numbers, strict=True):
        with open_aligned(
            paths, grid, bands=[number], kind=info.kind, resampling=info.resampling,
            crs=files.crs, nodata=files.nodata,
        ) as source:  # fmt: skip
            missing[_label(band, number)] = _look(source).missing
    name = paths[0]
    empty = [label for label, share in missing.items() if share == 1]
    if empty and len(missing) > len(empty):
        raise LabelsError(
            f"{name} has no valid cell on the grid in band {', '.join(empty)}: leave it out, with "
            f"bands = [...] of the input {info.name}."
        )
    if not whole.valid:
        where = " in any band" if empty and len(missing) > 1 else ""
        where = where or (" in all its bands at once" if len(missing) > 1 else "")
        raise LabelsError(
            f"{name} has no valid cell on the grid{where}: is its nodata value right, and does it "
            f"cover the place? Set nodata of the input {info.name}, or leave it out."
        )
    worst, share = max(missing.items(), key=lambda item: item[1])
    if share > min(missing.values()) + _MUCH:
        warn(
            f"Band {worst} of {name} is missing in {share:.0%} of the cells, which are left out: "
            f"leave the band out instead, with bands = [...] of the input {info.name}, to keep "
            "them."
        )


def _label(band: str, number: int) -> str:
    return band if band == str(number) else f"{number} ({band})"


def _windows(grid: Grid, most: int | None = None) -> Iterator[Window]:
    """Windows that cover the grid, or so many of them, evenly spread, that hold `most` cells."""
    across, down = -(-grid.width // _SIDE), -(-grid.height // _SIDE)
    step = 1 if most is None else -(-across * down * _SIDE**2 // most)
    # A step that shares no divisor with the row's length does not stay in a few columns.
    while step > 1 and np.gcd(step, across) > 1:
        step += 1
    for place in range(0, across * down, step):
        row, col = divmod(place, across)
        left, top = col * _SIDE, row * _SIDE
        yield Window(left, top, min(_SIDE, grid.width - left), min(_SIDE, grid.height - top))
