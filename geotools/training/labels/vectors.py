"""vector_scenes: the features of vector files as the labels of scenes.

Which feature is which class, value, group and date is read here; the cells are found by
`polygons` and `points`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, FileError, LabelsError
from geotools.grid import Grid
from geotools.io.tables import numbers, texts
from geotools.io.vectors import read_vector
from geotools.training.labels.classes import MAX_CLASSES, in_order, lookup, truth
from geotools.training.labels.dates import days
from geotools.training.labels.points import PointScene, as_circles, radius_of
from geotools.training.labels.polygons import PolygonScene
from geotools.training.labels.radii import widened
from geotools.training.labels.scenes import LabelSet
from geotools.training.labels.shapes import (
    bounds_between,
    crs_of,
    degrees_of,
    moved,
    on_grid,
    repaired,
    shown,
)
from geotools.training.labels.unmatched import missing_words, unmatched

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray
    from pandas import Series

    from geotools.training.sections import LabelsConfig

__all__ = ["vector_scenes"]

_LISTED = 20
_POLYGON = 2
"""Dimensions of a polygon."""


@dataclass(slots=True)
class _File:
    """A vector file, read once for all scenes."""

    name: str
    frame: GeoDataFrame
    first: int
    """Number of its first feature among those of all files."""
    mended: int
    """Features whose geometry was repaired."""
    odd: list[str] = dataclass_field(default_factory=list)
    """Sentences on its values."""


def vector_scenes(
    labels: LabelsConfig,
    files: Sequence[Path],
    grids: Sequence[Grid],
    *,
    values: bool,
) -> LabelSet:
    """The labels of each scene from its vector file.

    Args:
        labels: the configuration.
        files: the file of each scene.
        grids: the grid of each scene.
        values: targets are values, not classes.

    Raises:
        FileError: a file that cannot be read.
        LabelsError: a field that is not there or cannot be what it is to be; a CRS that does not
            fit.
        ConfigError: classes that cannot be.
    """
    read: dict[Path, _File] = {}
    for file in files:
        if file not in read:
            first = sum(len(one.frame) for one in read.values())
            frame = read_vector(
                file, layer=labels.layer, columns=labels.columns, crs=labels.crs,
                degrees=degrees_of(grids[0]),
            )  # fmt: skip
            geometry, mended = repaired(np.asarray(frame.geometry.array, dtype=object))
            frame = frame.set_geometry(geometry, crs=frame.crs)
            read[file] = _File(file.name, frame, first, mended)
    names = list(labels.classes or ())
    targets: dict[tuple[Path, str | None], tuple[NDArray[Any], int]] = {}
    scenes: list[PolygonScene | PointScene] = []
    for file, field, grid in zip(files, _fields(labels, len(grids)), grids, strict=True):
        if (file, field) not in targets:
            targets[file, field] = _targets(labels, read[file], field, names, values)
        scenes.append(_scene(labels, read[file], targets[file, field][0], grid))
    group, groups = _groups(labels, list(read.values()))
    missing = sum(without for _, without in targets.values())
    mended = sum(one.mended for one in read.values())
    return LabelSet(
        scenes=tuple(scenes),
        names=names,
        colors={},
        group=group,
        groups=groups,
        time=np.concatenate([_times(labels, one) for one in read.values()]),
        polygons=all(isinstance(scene, PolygonScene) and not scene.round for scene in scenes),
        why_empty=lambda: _why_empty(labels, read[files[0]], grids[0], scenes),
        remarks=lambda: [
            *(sentence for one in read.values() for sentence in dict.fromkeys(one.odd)),
            *_remarks(labels, scenes, mended, missing),
        ],
    )


def _fields(labels: LabelsConfig, scenes: int) -> list[str | None]:
    """The field of each scene."""
    given = labels.field if isinstance(labels.field, tuple) else (labels.field,)
    if len(given) not in (1, scenes):
        raise LabelsError(
            f"labels.field names {len(given)} fields for {scenes} scenes: give one, or one each."
        )
    if labels.class_name is not None and labels.field is not None:
        raise ConfigError("[labels] has field and class_name: give one of them.")
    return list(given) * scenes if len(given) == 1 else list(given)


def _column(one: _File, field: str, key: str) -> Series:
    """A field of the features.

    Raises:
        LabelsError: it is not there.
    """
    there = [str(name) for name in one.frame.columns if name != one.frame.geometry.name]
    if field not in there:
        near = [name for name in there if name.lower() == field.lower()]
        near = near or difflib.get_close_matches(field, there, 1)
        hint = f"did you mean {near[0]!r}? It" if near else "it"
        listed = ", ".join(there[:_LISTED]) + (", …" if len(there) > _LISTED else "")
        raise LabelsError(
            f"{one.name} has no field {field!r}, which labels.{key} names: {hint} has "
            f"{listed or 'none'}."
        )
    return one.frame[field]


def _targets(
    labels: LabelsConfig, one: _File, field: str | None, names: list[str], values: bool
) -> tuple[NDArray[Any], int]:
    """(n,) class or value of each feature, and how many have none; new names are added."""
    count = len(one.frame)
    if field is None and labels.class_name is not None and not values:
        if labels.class_name not in names:
            names.append(labels.class_name)
        return np.full(count, names.index(labels.class_name), np.int32), 0
    if field is None:
        there = ", ".join(name for name in one.frame.columns if name != one.frame.geometry.name)
        what = "value" if values else "class"
        also = "" if values else ", or what all features are with labels.class_name"
        raise LabelsError(
            f"{one.name}: which field holds the {what} is not said: name it with labels.field "
            f"(there is {there or 'none'}){also}."
        )
    column = _column(one, field, "field")
    if values:
        try:
            found = numbers(column, one.name).astype(np.float32)
        except FileError as error:
            raise LabelsError(str(error)) from None
        return found, int(np.count_nonzero(~np.isfinite(found)))
    words = texts(column)
    without = int(sum(word is None for word in words))
    if labels.classes is not None:
        words, meaning = _matched(words, labels.classes)
    else:
        meaning = {word: word for word in set(words) if word is not None}
        if len(meaning) > MAX_CLASSES:
            raise LabelsError(
                f"{one.name}: the field {field!r} has {len(meaning)} different values, at most "
                f'{MAX_CLASSES} classes can be mapped: for quantities set task = "regression", '
                "else merge them with labels.classes."
            )
        names.extend(name for name in sorted(meaning) if name not in names)
    number = {word: names.index(name) for word, name in meaning.items()}
    target = np.array([number.get(word, -2) for word in words], np.int32)
    if (target < 0).all():
        values_there = sorted({word for word in words if word is not None})
        more = ", …" if len(values_there) > _LISTED else ""
        listed = ", ".join(values_there[:_LISTED]) + more
        raise LabelsError(
            f"{one.name}: no feature has a class: the field {field!r} has {listed or 'no value'}, "
            f"labels.classes asks for {', '.join(number) or 'any'}."
        )
    met = {word for word in words if word is not None}
    if labels.classes is not None:
        one.odd += unmatched(one.name, "feature", meaning, met, None)
    else:
        one.odd += missing_words(one.name, f"the field {field!r}", met)
    return target, without


def _matched(
    words: NDArray[np.object_], classes: Mapping[str, Any]
) -> tuple[NDArray[np.object_], dict[str, str]]:
    """The values and the class of each; of true and false however either side writes them, since
    a field of these comes as 1 and 0 from a file where some are missing.
    """
    meaning = lookup(classes)
    there = {word for word in words if word is not None}
    if not any(truth(word) for word in (*there, *meaning) if not word.isdigit()):
        return words, meaning
    if not all(truth(word) for word in (*there, *meaning)):
        return words, meaning
    plain = [None if word is None else truth(word) for word in words]
    return np.array(plain, dtype=object), {str(truth(word)): meaning[word] for word in meaning}


def _scene(
    labels: LabelsConfig, one: _File, target: NDArray[Any], grid: Grid
) -> PolygonScene | PointScene:
    """The features on one grid."""
    import geopandas
    import shapely

    frame = one.frame
    geometry = np.asarray(frame.geometry.array, dtype=object)
    feature = np.arange(one.first, one.first + len(frame), dtype=np.int32)
    radius = radius_of(frame, labels.columns, labels.buffer_m, one.name)
    if (shapely.get_dimensions(geometry) > 0).any():
        return PolygonScene(
            grid, _drawn(frame.geometry, radius, grid, one.name), target, feature,
            overlap=labels.overlap, all_touched=labels.all_touched,
        )  # fmt: skip
    places, owner = shapely.get_coordinates(geometry, return_index=True)  # (points, 2)
    x, y = moved(places[:, 0], places[:, 1], frame.crs, grid, one.name)
    if radius is None:
        return PointScene(grid, x, y, target[owner], feature[owner], overlap=labels.overlap)
    around = geopandas.GeoSeries(as_circles(x, y, radius[owner], grid), crs=crs_of(grid))
    return PolygonScene(
        grid, on_grid(around, grid, one.name), target[owner], feature[owner],
        overlap=labels.overlap, all_touched=labels.all_touched, round_=True,
    )  # fmt: skip


def _drawn(
    geometry: GeoSeries, radius: NDArray[np.float64] | None, grid: Grid, name: str
) -> NDArray[np.object_]:
    """(n,) polygons and lines in cells of the grid, lines and points with their radius around.

    Raises:
        LabelsError: a radius where all are polygons.
    """
    import shapely

    if radius is None:
        return on_grid(geometry, grid, name)
    thin = shapely.get_dimensions(np.asarray(geometry.array, dtype=object)) < _POLYGON
    if not thin.any():
        raise LabelsError(
            f"{name} holds polygons, and labels.buffer_m is a radius around points and lines: "
            "leave it out, or give the file buffered polygons."
        )
    return widened(geometry, np.where(thin, radius, 0.0), grid, name)


def _groups(
    labels: LabelsConfig, files: Sequence[_File]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Group of each feature of all files, and the names of the groups when a field has them."""
    if labels.group is None:
        return np.arange(sum(len(one.frame) for one in files), dtype=np.int32), ()
    words = np.concatenate([texts(_column(one, labels.group, "group")) for one in files])
    groups = in_order(sorted({word for word in words if word is not None}))
    number = {name: index for index, name in enumerate(groups)}
    return np.array([number.get(word, -1) for word in words], np.int32), tuple(groups)


def _times(labels: LabelsConfig, one: _File) -> NDArray[np.float64]:
    """(features,) days since 1970-01-01 UTC."""
    if labels.time is None:
        return np.full(len(one.frame), np.nan)
    return days(_column(one, labels.time, "time"), one.name)


def _why_empty(
    labels: LabelsConfig, one: _File, grid: Grid, scenes: Sequence[PolygonScene | PointScene]
) -> str:
    """One sentence on labels that label no cell."""
    if any(scene.number for scene in scenes):
        return (
            f"{one.name} labels no cell of the rasters: its features are on them, but hold no "
            "centre of a cell that has data: set labels.all_touched, or check labels.mask."
        )
    theirs = bounds_between(one.frame.total_bounds, one.frame.crs, grid)
    where = f"it covers {shown(theirs)}" if theirs else "it has no place in their CRS"
    return (
        f"{one.name} does not overlap the rasters: in {crs_of(grid).name}, {where}, they cover "
        f"{shown(grid.bounds)} (left, bottom, right, top): check labels.crs."
    )


def _remarks(
    labels: LabelsConfig, scenes: Sequence[PolygonScene | PointScene], mended: int, missing: int
) -> list[str]:
    """Sentences on what is odd but was used."""
    found = []
    if mended:
        found.append(f"Invalid geometries in the labels: {mended} were repaired.")
    if missing:
        found.append(f"Features without a class or value: {missing} label nothing.")
    cells = sum(scene.dropped for scene in scenes)
    if cells and labels.overlap == "drop":
        found.append(
            f"Features of different classes overlap: {cells} cells stay unlabelled "
            "(labels.overlap says whose they are)."
        )
    return found
