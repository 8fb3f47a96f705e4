"""Rasters: what one `[[inputs]]` names, with its files, bands, role and way onto the grid.

Each is found step by step, because each step may need the files of all inputs; the steps are
taken in `scenes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from geotools.errors import ConfigError
from geotools.features.opening import SourceFiles, band_names, find_bands, has_band, slug
from geotools.grid import Grid
from geotools.io.aligned import open_aligned
from geotools.io.geotiff import open_raster
from geotools.spec import SourceInfo
from geotools.training.sections import InputConfig

__all__ = ["Rasters", "take_bands", "take_resampling", "take_roles"]

_ELEVATION_NAMES = ("dem", "dsm", "dtm", "elevation", "srtm", "aster", "lola")

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?)?)?")


@dataclass(slots=True)
class Rasters:
    """One input, with its files found and its bands named step by step."""

    config: InputConfig
    """What the configuration says."""
    where: str
    """What messages call it."""
    paths: list[tuple[tuple[Path, ...], ...]]
    """For each scene, for each date: the files of a mosaic."""
    dates: tuple[str, ...]
    """The dates, the oldest first."""
    info: SourceInfo
    """What is known of it so far."""
    numbers: dict[Path, tuple[int, ...]] = field(default_factory=dict)
    """Band numbers in each file."""

    @classmethod
    def of(cls, config: InputConfig, scenes: int, find: Callable[[str], Path]) -> Rasters:
        """The input with the files that it names."""
        where = f"The input {config.name}"
        dates: tuple[str, ...] = ()
        paths: list[tuple[tuple[Path, ...], ...]]
        if config.dates is not None:
            dates = _ordered(config.dates, where)
            paths = [tuple((find(config.dates[date]),) for date in dates)] * scenes
        elif config.mosaic is not None:
            if not config.mosaic:
                raise ConfigError(f"{where} is a mosaic of no rasters: name some.")
            paths = [(tuple(map(find, config.mosaic)),)] * scenes
        else:
            listed = [config.path] if isinstance(config.path, str) else list(config.path or ())
            if len(listed) == 1:
                listed *= scenes
            paths = [((find(text),),) for text in listed]
        return cls(config, where, paths, dates, SourceInfo(config.name, (), (), 0))

    def keep_bands(self, bands: Sequence[int]) -> None:
        """Leaves out all others: a map needs no band that no feature is taken from.

        Args:
            bands: which, from 0, among those that it has.
        """
        self.info = replace(
            self.info,
            bands=tuple(self.info.bands[band] for band in bands),
            numbers=tuple(self.info.numbers[band] for band in bands),
        )
        for path, numbers in self.numbers.items():
            self.numbers[path] = tuple(numbers[band] for band in bands)

    def files(self, scene: int) -> SourceFiles:
        """What is opened for a scene."""
        paths = self.paths[scene]
        numbers = tuple(self.numbers[mosaic[0]] for mosaic in paths)
        return SourceFiles(paths, numbers, self.config.crs, self.config.nodata)


def _ordered(dates: Mapping[str, str], where: str) -> tuple[str, ...]:
    """The dates in the order of time."""
    if not dates:
        raise ConfigError(f"{where} has no dates: give some, as in {{ 1986 = 'a.tif' }}.")
    for date in dates:
        if not _is_date(date):
            raise ConfigError(
                f"{where} has the date {date!r}: write 1986, 1986-02 or 1986-02-06 before the path."
            )
    return tuple(sorted(dates))


def _is_date(text: str) -> bool:
    """True for a year, a month, a day, or a time of day, in ISO 8601."""
    try:
        datetime.fromisoformat(text + "-01-01"[max(len(text) - 4, 0) :] if len(text) < 10 else text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def take_bands(inputs: Sequence[Rasters], warn: Callable[[str], None]) -> None:
    """Nothing; gives every input its bands, by the first of its files, which all must have."""
    for one in inputs:
        first = one.paths[0][0][0]
        with open_raster(first, crs=one.config.crs, nodata=one.config.nodata) as file:
            names, numbers = band_names(file), file.band_numbers
            kind = one.config.kind
            if file.has_palette and kind == "values":
                warn(
                    f"{file.name} has a colour table, so its values are taken as codes of classes: "
                    'write kind = "classes" there.'
                )
                kind = "classes"
        bands, chosen = _chosen(one, names, numbers, first)
        one.info = SourceInfo(
            one.config.name, bands, chosen, max(len(numbers), *chosen), kind,
            dates=one.dates, z_factor=one.config.z_factor, nodata=one.config.nodata,
        )  # fmt: skip
        one.numbers = _numbers(one)


def _numbers(one: Rasters) -> dict[Path, tuple[int, ...]]:
    """Band numbers in each file: those that are stated, else those of the same names."""
    wanted = one.config.bands
    listed = list(wanted.values()) if isinstance(wanted, Mapping) else list(wanted or ())
    stated = isinstance(wanted, Mapping) or any(isinstance(band, int) for band in listed)
    by_name = stated and any(isinstance(band, str) for band in listed)
    numbers = {one.paths[0][0][0]: one.info.numbers}
    for mosaic in (mosaic for scene in one.paths for mosaic in scene):
        for path in mosaic:
            if path not in numbers:
                numbers[path] = one.info.numbers
                if by_name:
                    with open_raster(path, crs=one.config.crs) as file:
                        names, there = band_names(file), file.band_numbers
                    _, numbers[path] = _chosen(one, names, there, path)
                elif not stated:
                    numbers[path] = find_bands(one.info, path, one.config.crs)
            if numbers[path] != numbers[mosaic[0]]:
                raise ConfigError(
                    f"{one.where} is a mosaic, and {path} has its bands in another order than "
                    f"{mosaic[0]}: give files alike."
                )
    return numbers


def _chosen(
    one: Rasters, names: Sequence[str], numbers: Sequence[int], path: Path
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and numbers of the bands that are used."""
    wanted = one.config.bands
    if wanted is None:
        return tuple(names), tuple(numbers)
    if not wanted:
        raise ConfigError(f"{one.where} has bands, but none in them: name some, or leave it out.")
    known = dict(zip(names, numbers, strict=True))
    chosen: dict[str, int] = {}
    pairs = wanted.items() if isinstance(wanted, Mapping) else ((None, band) for band in wanted)
    for name, band in pairs:
        number = band if isinstance(band, int) else known.get(band, known.get(slug(band)))
        if number is None or not (number in numbers or has_band(path, number, crs=one.config.crs)):
            raise ConfigError(
                f"{one.where} names the band {band!r}, which {path} does not have: its bands are "
                f"{_listed(names, numbers)}."
            )
        described = names[numbers.index(number)] if number in numbers else str(number)
        label = described if name is None else name
        if not re.fullmatch(r"\w+", label):
            raise ConfigError(
                f"{one.where} calls a band {label!r}: give it letters, digits and _ alone."
            )
        if label in chosen or number in chosen.values():
            raise ConfigError(f"{one.where} names the band {band!r} twice: name it once.")
        chosen[label] = number
    return tuple(chosen), tuple(chosen.values())


def _listed(names: Sequence[str], numbers: Sequence[int]) -> str:
    shown = [
        str(number) if name == str(number) else f"{number} ({name})"
        for name, number in zip(names, numbers, strict=True)
    ]
    return ", ".join(shown[:24]) + (", …" if len(shown) > 24 else "")


def take_roles(inputs: Sequence[Rasters], features: Sequence[str]) -> None:
    """Nothing; says which inputs are elevation models."""
    single = [
        one
        for one in inputs
        if one.info.kind == "values" and len(one.info.bands) == 1 and not one.dates
    ]
    wants_terrain = any(name.startswith("terrain.") for name in features)
    stated = any(one.config.role == "elevation" for one in inputs)
    named = [one for one in single if one.info.name.lower() in _ELEVATION_NAMES]
    for one in inputs:
        role = one.config.role
        if role == "auto":
            alone = wants_terrain and single == [one]
            is_one = not stated and (one in named or (alone and not named))
            role = "elevation" if is_one else "other"
        if role == "elevation" and (one.info.kind != "values" or len(one.info.bands) != 1):
            raise ConfigError(
                f"{one.where} is to be the elevation, and has {len(one.info.bands)} bands of kind "
                f"{one.info.kind}: choose one band, as in bands = [1]."
            )
        if role != "elevation" and one.config.z_factor is not None:
            raise ConfigError(
                f"{one.where} has a z_factor and is no elevation: leave it out, or set role = "
                '"elevation".'
            )
        one.info = replace(one.info, role=role)


def take_resampling(inputs: Sequence[Rasters], grid: Grid) -> None:
    """Nothing; settles how each input is brought onto the cells."""
    for one in inputs:
        with open_aligned(
            one.paths[0][0], grid, bands=one.info.numbers, kind=one.info.kind,
            resampling=one.config.resampling, crs=one.config.crs, nodata=one.config.nodata,
        ) as file:  # fmt: skip
            one.info = replace(one.info, resampling=file.resampling)
