"""open_scenes: the rasters of a configuration as one stack of features for every scene.

Which files, bands, dates and cells; what is in them is looked at in `inspection`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from geotools.errors import ConfigError, FileError, GeotoolsError
from geotools.features.kept import bytes_of
from geotools.features.names import (
    bands_of_index,
    elevation_of,
    expand_features,
    find_band,
    parse_feature,
)
from geotools.features.opening import grid_of, open_files
from geotools.features.stack import FeatureStack
from geotools.grid import Grid
from geotools.io.geotiff import parse_crs
from geotools.io.places import regrid
from geotools.spec import SourceInfo
from geotools.training.config import TrainConfig
from geotools.training.inputs.inspection import codes_of, inspect
from geotools.training.inputs.rasters import Rasters, take_bands, take_resampling, take_roles

__all__ = ["Scenes", "find_path", "open_scenes"]

_KEPT_BYTES = 512 * 2**20
"""Memory for features that are read over and over while something learns; scenes that do not fit
are read from their files each time."""

_KEYS = (
    (r"--crs (EPSG:\d+)", r'crs = "\1"'),
    (r"--nodata (\S+?)([.,;]?)(?=\s|$)", r"nodata = \1\2"),
    (r"--crs\b", "crs"),
    (r"--nodata\b", "nodata"),
    (r"--z-factor\b", "z_factor"),
    (r"--band\b", "bands"),
)
"""Flags, and the keys that do the same."""


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
    path = Path(text)
    if path.is_absolute():
        places = [path]
    elif data is None:
        places = [config_folder / path]
    else:
        places = [data / path, data / name / path]
    for place in places:
        with contextlib.suppress(OSError, ValueError):  # names that no file can have
            if place.exists():
                return place
    tried = " nor ".join(map(str, places))
    more = "" if path.is_absolute() else ", or the folder of the data (--data)"
    raise FileError(f"{text or 'A path without a name'} is not at {tried}: check the path{more}.")


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

    with _in_words_of_toml():
        return _open(config, find, warn)


def _open(config: TrainConfig, find: Callable[[str], Path], warn: Callable[[str], None]) -> Scenes:
    """See `open_scenes`."""
    count = _count(config)
    inputs = [Rasters.of(one, count, find) for one in config.inputs]
    take_bands(inputs, warn)
    grids = [_grid(config, inputs, scene, count, find) for scene in range(count)]
    take_roles(inputs, config.features or ())
    take_resampling(inputs, grids[0])
    infos = [one.info for one in inputs]
    features = expand_features(config.features, infos)
    used = _used(features, infos)
    for number, info in enumerate(infos):
        if number not in used and info.name != config.grid.like:
            warn(f"No feature is taken from the input {info.name}: it is not used.")
    for number, bands in used.items():
        inputs[number].keep_bands(bands)
    inputs = [inputs[number] for number in used]
    infos = [one.info for one in inputs]
    features = expand_features(features, infos)  # a band that is alone is called by its input
    with ExitStack() as stack:
        stacks = []
        for scene, grid in enumerate(grids):
            files = [one.files(scene) for one in inputs]
            stacks.append(stack.enter_context(open_files(files, infos, features, grid=grid)))
        names = _scene_names(config, inputs, count)
        paths = [[one.files(scene) for one in inputs] for scene in range(count)]
        inspect(paths, infos, stacks, warn)
        kept = 0
        for one in stacks:
            kept += bytes_of(one.grid, len(one.bands))
            if kept <= _KEPT_BYTES:
                one.keep()
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


@contextlib.contextmanager
def _in_words_of_toml() -> Iterator[None]:
    """Errors that name flags of the command line name the keys of an input instead."""
    try:
        yield
    except GeotoolsError as error:
        said = str(error)
        for flag, key in _KEYS:
            said = re.sub(flag, key, said)
        if said == str(error):
            raise
        raise type(error)(said) from None


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


def _grid(
    config: TrainConfig,
    inputs: Sequence[Rasters],
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


def _used(features: Sequence[str], infos: Sequence[SourceInfo]) -> dict[int, list[int]]:
    """The sources that features are taken from, and their bands; all from 0, in order."""
    used: set[tuple[int, int]] = set()
    for name in features:
        feature = parse_feature(name)
        if feature.kind == "terrain":
            used.add((elevation_of(infos), 0))
        elif feature.kind == "imagery":
            used |= set(bands_of_index(feature.name, infos).values())
        else:
            used.add(find_band(name, infos))
    bands: dict[int, list[int]] = {}
    for source, band in sorted(used):
        bands.setdefault(source, []).append(band)
    return bands


def _scene_names(config: TrainConfig, inputs: Sequence[Rasters], count: int) -> tuple[str, ...]:
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
