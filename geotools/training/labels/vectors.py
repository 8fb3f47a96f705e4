"""vector_scenes: the features of vector files as the labels of scenes.

Which feature is which class, value, group and date is told by `fields`; the cells are found by
`polygons` and `points`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, LabelsError
from geotools.grid import Grid
from geotools.io.vectors import read_vector
from geotools.training.labels.fields import VectorFile, groups_of, targets_of, times
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

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from geotools.training.sections import LabelsConfig

__all__ = ["vector_scenes"]

_POLYGON = 2
"""Dimensions of a polygon."""


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
    read: dict[Path, VectorFile] = {}
    for file in files:
        if file not in read:
            first = sum(len(one.frame) for one in read.values())
            frame = read_vector(
                file, layer=labels.layer, columns=labels.columns, crs=labels.crs,
                degrees=degrees_of(grids[0]),
            )  # fmt: skip
            geometry, mended = repaired(np.asarray(frame.geometry.array, dtype=object))
            frame = frame.set_geometry(geometry, crs=frame.crs)
            read[file] = VectorFile(file.name, frame, first, mended)
    names = list(labels.classes or ())
    targets: dict[tuple[Path, str | None], tuple[NDArray[Any], int]] = {}
    scenes: list[PolygonScene | PointScene] = []
    for file, field, grid in zip(files, _fields(labels, len(grids)), grids, strict=True):
        if (file, field) not in targets:
            targets[file, field] = targets_of(labels, read[file], field, names, values)
        scenes.append(_scene(labels, read[file], targets[file, field][0], grid))
    group, groups = groups_of(labels, list(read.values()))
    missing = sum(without for _, without in targets.values())
    mended = sum(one.mended for one in read.values())
    return LabelSet(
        scenes=tuple(scenes),
        names=names,
        colors={},
        group=group,
        groups=groups,
        time=np.concatenate([times(labels, one) for one in read.values()]),
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


def _scene(
    labels: LabelsConfig, one: VectorFile, target: NDArray[Any], grid: Grid
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


def _why_empty(
    labels: LabelsConfig, one: VectorFile, grid: Grid, scenes: Sequence[PolygonScene | PointScene]
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
    idle = sum(scene.idle for scene in scenes)
    if idle and labels.mask is None:  # what the mask keeps out is not looked at
        found.append(
            f"{idle} of {sum(scene.number for scene in scenes)} features on the rasters label "
            "nothing, as they hold no centre of a cell or lie under others: labels.all_touched "
            "labels each cell that one touches."
        )
    cells = sum(scene.dropped for scene in scenes)
    if cells and labels.overlap == "drop":
        found.append(
            f"Features of different classes overlap: {cells} cells stay unlabelled "
            "(labels.overlap says whose they are)."
        )
    return found
