"""open_scenes: the rasters of a configuration as one stack of features for every scene.

Which files, bands, dates and cells; what is in them is looked at in `inspection`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geotools.errors import ConfigError, FileError
from geotools.features.names import (
    bands_of_index,
    elevation_of,
    expand_features,
    find_band,
    parse_feature,
)
from geotools.features.opening import SourceFiles, band_names, grid_of, open_files
from geotools.features.stack import FeatureStack
from geotools.grid import Grid
from geotools.io.aligned import open_aligned
from geotools.io.geotiff import open_raster, parse_crs
from geotools.io.places import regrid
from geotools.spec import SourceInfo
from geotools.training.config import TrainConfig
from geotools.training.inspection import codes_of, inspect
from geotools.training.sections import InputConfig

__all__ = ["Scenes", "find_path", "open_scenes"]

_ELEVATION_NAMES = ("dem", "dsm", "dtm", "elevation", "srtm", "aster", "lola")

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?)?)?")


@dataclass(frozen=True, slots=True)
class Scenes:
    """The rasters of a training, open; to be used in a `with` statement."""

    stacks: tuple[FeatureStack, ...]
    """One for each scene, all with the same features."""
    infos: tuple[SourceInfo, ...]
    """The sources that features are taken from."""
    features: tuple[str, ...]
    """Names in full."""
    categories: dict[int, tuple[int, ...]]
    """For features that are codes: index of the feature -> the codes that the scenes hold."""
    names: tuple[str, ...]
    """A name for each scene, all different."""
    files: tuple[str, ...]
    """Every file that is read."""
    _closing: ExitStack = field(repr=False)

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The cells of each scene."""
        return tuple(stack.grid for stack in self.stacks)

    def close(self) -> None:
        """Closes the files."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def find_path(text: str, data: Path | None, config_folder: Path, name: str) -> Path:
    """The file that a path of a configuration means.

    Args:
        text: the path as written.
        data: folder that paths are relative to, or its folder `name`; the configuration's when
            None.
        config_folder: the folder that the configuration is in.
        name: name of the configuration.

    Raises:
        FileError: there is no such file in any of the places.
    """
    path = Path(text).expanduser()
    if path.is_absolute():
        places = [path]
    elif data is None:
        places = [config_folder / path]
    else:
        places = [data / path, data / name / path]
    for place in places:
        if place.exists():
            return place
    tried = " nor ".join(map(str, places))
    more = "" if path.is_absolute() else ", or name the folder of the data with --data"
    raise FileError(f"{text} is not found, not at {tried}: check the path{more}.")


def open_scenes(
    config: TrainConfig,
    data: Path | None,
    config_folder: Path,
    *,
    warn: Callable[[str], None] | None = None,
) -> Scenes:
    """The rasters that a configuration names, as features on the cells that it names.

    Args:
        config: with inputs.
        data: folder that paths are relative to.
        config_folder: the folder that the configuration is in.
        warn: called with one sentence for everything that is odd but can be learned from.

    Raises:
        ConfigError: inputs, bands, dates or features that do not go together.
        LabelsError: a band without any valid cell.
        FileError: a path that is not there, or no raster.
        GridError: a raster without a place, or outside the cells.
        RasterError: pixels that cannot be used as asked.
    """
    warn = warn or _ignore

    def find(text: str) -> Path:
        return find_path(text, data, config_folder, config.name)

    count = _count(config)
    inputs = [_Input.of(one, config, count, find) for one in config.inputs]
    _take_bands(inputs, warn)
    grids = [_grid(config, inputs, scene, count, find) for scene in range(count)]
    _take_roles(inputs, config)
    _take_resampling(inputs, grids[0])
    infos = [one.info for one in inputs]
    features = expand_features(config.features, infos)
    used = _used(features, infos)
    inputs = [inputs[number] for number in used]
    infos = [infos[number] for number in used]
    with ExitStack() as stack:
        stacks = []
        for scene, grid in enumerate(grids):
            files = [one.files(scene) for one in inputs]
            stacks.append(stack.enter_context(open_files(files, infos, features, grid=grid)))
        names = _scene_names(config, inputs, count)
        paths = [[one.files(scene) for one in inputs] for scene in range(count)]
        inspect(paths, infos, stacks, warn)
        scenes = Scenes(
            stacks=tuple(stacks),
            infos=tuple(infos),
            features=features,
            categories=codes_of(features, infos, stacks),
            names=names,
            files=tuple(dict.fromkeys(name for one in stacks for name in one.files)),
            _closing=stack.pop_all(),
        )
    return scenes


@dataclass(slots=True)
class _Input:
    """One input, with its files found and its bands named step by step."""

    config: InputConfig
    where: str
    paths: list[tuple[tuple[Path, ...], ...]]
    """For each scene, for each date: the files of a mosaic."""
    dates: tuple[str, ...]
    info: SourceInfo
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, config: InputConfig, whole: TrainConfig, scenes: int, find: Callable[[str], Path]
    ) -> _Input:
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

    def files(self, scene: int) -> SourceFiles:
        """What is opened for a scene."""
        paths = self.paths[scene]
        return SourceFiles(
            paths, (self.info.numbers,) * len(paths), self.config.crs, self.config.nodata
        )


def _count(config: TrainConfig) -> int:
    """How many scenes there are."""
    lengths = {
        one.name: len(one.path)
        for one in config.inputs
        if isinstance(one.path, tuple) and len(one.path) != 1
    }
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ConfigError(
            f"The inputs have rasters of different numbers of scenes, {shown}: give one path for "
            "each scene, or a single one for all."
        )
    return next(iter(lengths.values()), 1)


def _ordered(dates: Any, where: str) -> tuple[str, ...]:
    """The dates in the order of time."""
    if not dates:
        raise ConfigError(f"{where} has no dates: give some, as in {{ 1986 = 'a.tif' }}.")
    for date in dates:
        if not _DATE.fullmatch(date):
            raise ConfigError(
                f"{where} has the date {date!r}: write 1986, 1986-02 or 1986-02-06 before the path."
            )
    return tuple(sorted(dates))


def _take_bands(inputs: Sequence[_Input], warn: Callable[[str], None]) -> None:
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
            one.config.name, bands, chosen, len(numbers), kind,
            dates=one.dates, z_factor=one.config.z_factor,
        )  # fmt: skip


def _chosen(
    one: _Input, names: Sequence[str], numbers: Sequence[int], path: Path
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and numbers of the bands that are used."""
    wanted = one.config.bands
    if wanted is None:
        return tuple(names), tuple(numbers)
    if not wanted:
        raise ConfigError(f"{one.where} has bands, but none in them: name some, or leave it out.")
    known = dict(zip(names, numbers, strict=True))
    chosen: dict[str, int] = {}
    pairs = wanted.items() if hasattr(wanted, "items") else ((None, band) for band in wanted)
    for name, band in pairs:
        number = band if isinstance(band, int) else known.get(band, known.get(_plain(band)))
        if number is None or number not in numbers:
            raise ConfigError(
                f"{one.where} names the band {band!r}, which {path} does not have: its bands are "
                f"{_listed(names, numbers)}."
            )
        label = name if name is not None else names[numbers.index(number)]
        if not re.fullmatch(r"\w+", label):
            raise ConfigError(
                f"{one.where} calls a band {label!r}: give it letters, digits and _ alone."
            )
        if label in chosen or number in chosen.values():
            raise ConfigError(f"{one.where} names the band {band!r} twice: name it once.")
        chosen[label] = number
    return tuple(chosen), tuple(chosen.values())


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")


def _listed(names: Sequence[str], numbers: Sequence[int]) -> str:
    shown = [
        str(number) if name == str(number) else f"{number} ({name})"
        for name, number in zip(names, numbers, strict=True)
    ]
    return ", ".join(shown[:24]) + (", …" if len(shown) > 24 else "")


def _take_roles(inputs: Sequence[_Input], config: TrainConfig) -> None:
    """Nothing; says which inputs are elevation models."""
    single = [
        one
        for one in inputs
        if one.info.kind == "values" and len(one.info.bands) == 1 and not one.dates
    ]
    wants_terrain = any(name.startswith("terrain.") for name in config.features or ())
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
        one.info = replace(one.info, role=role)


def _take_resampling(inputs: Sequence[_Input], grid: Grid) -> None:
    """Nothing; settles how each input is brought onto the cells."""
    for one in inputs:
        with open_aligned(
            one.paths[0][0], grid, bands=one.info.numbers, kind=one.info.kind,
            resampling=one.config.resampling, crs=one.config.crs, nodata=one.config.nodata,
        ) as file:  # fmt: skip
            one.info = replace(one.info, resampling=file.resampling)


def _grid(
    config: TrainConfig,
    inputs: Sequence[_Input],
    scene: int,
    count: int,
    find: Callable[[str], Path],
) -> Grid:
    """The cells of a scene."""
    like = config.grid.like
    by_name = {one.config.name: one for one in inputs}
    if like == "labels" and "labels" not in by_name:
        grid = _grid_of_labels(config, scene, count, find)
    elif like is not None and like not in by_name:
        raise ConfigError(
            f"grid.like is {like!r}: give labels, or the name of an input: {', '.join(by_name)}."
        )
    else:
        one = by_name[like] if like is not None else inputs[0]
        grid = grid_of(one.paths[scene][0], crs=one.config.crs)
    crs = None if config.grid.crs is None else parse_crs(config.grid.crs)
    if crs is None and config.grid.cell_size is None:
        return grid
    return regrid(grid, crs=crs, cell_size=config.grid.cell_size)


def _grid_of_labels(
    config: TrainConfig, scene: int, count: int, find: Callable[[str], Path]
) -> Grid:
    labels = config.labels
    if labels is None:
        raise ConfigError('grid.like is "labels", and there are none: name an input.')
    listed = [labels.path] if isinstance(labels.path, str) else list(labels.path)
    if len(listed) not in (1, count):
        raise ConfigError(
            f"labels.path names {len(listed)} files, and there are {count} scenes: give one for "
            "each."
        )
    path = find(listed[scene if len(listed) > 1 else 0])
    try:
        return grid_of([path], crs=labels.crs)
    except FileError:
        raise ConfigError(
            f'grid.like is "labels", and {path} is no raster: name the input whose cells are to be '
            "classified."
        ) from None


def _used(features: Sequence[str], infos: Sequence[SourceInfo]) -> list[int]:
    """The sources that features are taken from."""
    used: set[int] = set()
    for name in features:
        feature = parse_feature(name)
        if feature.kind == "terrain":
            used.add(elevation_of(infos))
        elif feature.kind == "imagery":
            used |= {source for source, _ in bands_of_index(feature.name, infos).values()}
        else:
            used.add(find_band(name, infos)[0])
    return sorted(used)


def _scene_names(config: TrainConfig, inputs: Sequence[_Input], count: int) -> tuple[str, ...]:
    """What each scene is called: the name of its first raster, as far as they differ."""
    if count == 1:
        return (config.name,)
    differing = next((one for one in inputs if len(set(one.paths)) > 1), inputs[0])
    paths = [scene[0][0] for scene in differing.paths]
    for names in ([p.stem for p in paths], [p.parent.name for p in paths],
                  [f"{p.parent.name}/{p.stem}" for p in paths]):  # fmt: skip
        if len(set(names)) == count:
            return tuple(names)
    return tuple(f"scene {number}" for number in range(1, count + 1))


def _ignore(_: str) -> None:
    """Nothing."""
