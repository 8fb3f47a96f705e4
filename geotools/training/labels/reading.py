"""read_labels: polygons, points or a raster as labelled cells of the scenes' grids.

What is unlabelled stays unlabelled, unless a background is named. How each kind of label is read
is in `vectors` and `rasters`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.io.burning import Burner
from geotools.io.vectors import is_vector, read_vector
from geotools.spec import ClassInfo
from geotools.training.labels.cells import Cells
from geotools.training.labels.classes import FEWEST, check_counts, class_infos, in_order
from geotools.training.labels.collecting import Collected, Valid, collect
from geotools.training.labels.rasters import raster_scenes
from geotools.training.labels.scenes import LabelSet, StudyArea
from geotools.training.labels.shapes import crs_of, on_grid, repaired
from geotools.training.labels.vectors import vector_scenes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.config import TrainConfig
    from geotools.training.sections import LabelsConfig

__all__ = ["Labels", "read_labels"]

_APART = 0.5
"""Polygons that label less than this share of the rectangle around them stand apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labelled cells, and what their targets and groups are called."""

    cells: Cells
    """The labelled cells."""
    classes: tuple[ClassInfo, ...]
    """The classes, codes 1, 2, … in the order of `Cells.target`; empty for values."""
    background: int | None
    """Which of them is the background."""
    groups: tuple[str, ...]
    """Names of the groups in the order of `Cells.group`; empty when groups are features."""
    apart: bool
    """True for polygons between which most is unlabelled."""
    total: int
    """Labelled cells before thinning."""
    counts: tuple[int, ...]
    """Of each class; empty for values."""


def read_labels(
    config: TrainConfig,
    grids: Sequence[Grid],
    *,
    find: Callable[[str], Path],
    warn: Callable[[str], None],
    valid: Valid | None = None,
) -> Labels:
    """The labelled cells of all scenes.

    Args:
        config: with `labels`.
        grids: the grid of each scene.
        find: the file that a path of the configuration means.
        warn: takes sentences on what is odd but can be used.
        valid: where the features of a scene are; cells elsewhere are not labelled.

    Raises:
        LabelsError: nothing can be learned from the labels.
        ConfigError: classes or colours that cannot be.
        FileError: a file that cannot be read.
    """
    labels = config.labels
    if labels is None:
        raise LabelsError("There are no labels: give [labels].")
    paths = labels.path if isinstance(labels.path, tuple) else (labels.path,)
    if len(paths) not in (1, len(grids)):
        raise LabelsError(
            f"labels.path names {len(paths)} files for {len(grids)} "
            f"scene{'s' if len(grids) > 1 else ''}: give one for each, or merge them into one, in "
            "which a field (labels.group) may say where each feature comes from."
        )
    files = [find(path) for path in paths]
    files = files * len(grids) if len(files) == 1 else files
    values = config.task == "regression"
    masks = _masks(labels.mask, grids, find)
    if is_vector(files[0]):
        read = vector_scenes(labels, files, grids, values=values)
    else:
        read = raster_scenes(config, files, grids, find=find)
    with contextlib.closing(read):
        found, background = _collected(labels, config, read, masks, valid)
    for remark in read.remarks():
        warn(remark)
    if found.total > len(found.row):
        warn(
            f"Of {found.total} labelled cells {len(found.row)} are kept, by whole patches "
            "(labels.max_cells)."
        )
    if values:
        cells = _cells(grids, read, found, found.target.astype(np.float32))
        _check_values(cells)
        return Labels(cells, (), None, read.groups, _apart(read, cells, grids), found.total, ())
    order = _order(labels, read.names, found.counts)
    names = [read.names[number] for number in order]
    infos = class_infos(names, labels.colors, found=read.colors, background=labels.background)
    counts = np.pad(found.counts, (0, max(0, len(read.names) - len(found.counts))))[order].tolist()
    check_counts(infos, counts, background=labels.background)
    place = np.full(len(read.names), -1, np.int16)
    place[order] = np.arange(len(order))
    cells = _cells(grids, read, found, place[found.target])
    apart = background is None and _apart(read, cells, grids)
    last = None if background is None else order.index(background)
    return Labels(cells, infos, last, read.groups, apart, found.total, tuple(counts))


def _collected(
    labels: LabelsConfig,
    config: TrainConfig,
    read: LabelSet,
    masks: Sequence[Burner | None],
    valid: Valid | None,
) -> tuple[Collected, int | None]:
    """The labelled cells, and the number of the background among the classes."""
    background = None
    if labels.background is not None and config.task == "classification":
        if labels.background not in read.names:
            read.names.append(labels.background)
        background = read.names.index(labels.background)
    scenes = [
        StudyArea(scene, mask, background) for scene, mask in zip(read.scenes, masks, strict=True)
    ]
    found = collect(scenes, max_cells=labels.max_cells, seed=config.seed, valid=valid)
    if found.total == 0 or (
        background is not None
        and found.counts[:background].sum() + found.counts[background + 1 :].sum() == 0
    ):
        raise LabelsError(read.why_empty())
    return found, background


def _order(labels: LabelsConfig, names: list[str], counts: NDArray[np.int64]) -> list[int]:
    """Numbers of the classes in their final order: that of the configuration, else sorted; the
    background last where the configuration does not place it.
    """
    if labels.classes is not None:
        wanted = list(labels.classes)
    else:
        there = [name for name, count in zip(names, counts.tolist(), strict=False) if count]
        wanted = in_order([name for name in there if name != labels.background])
    if labels.background is not None and labels.background not in wanted:
        wanted.append(labels.background)
    return [names.index(name) for name in wanted]


def _cells(
    grids: Sequence[Grid],
    read: LabelSet,
    found: Collected,
    target: NDArray[np.int16] | NDArray[np.float32],
) -> Cells:
    """The cells with their places, groups and times."""
    x, y = np.empty(len(found.row)), np.empty(len(found.row))
    for number, grid in enumerate(grids):
        mine = found.scene == number
        t = grid.transform
        px, py = t.c + t.a * (found.col[mine] + 0.5), t.f + t.e * (found.row[mine] + 0.5)
        if number and grid.crs != grids[0].crs:
            from pyproj import Transformer

            there = Transformer.from_crs(crs_of(grid), crs_of(grids[0]), always_xy=True)
            px, py = there.transform(px, py)
        x[mine], y[mine] = px, py
    group = np.append(read.group, np.int32(-1))[found.feature]  # -1 takes the last
    time = np.append(read.time, np.nan)[found.feature]
    return Cells(found.scene, found.row, found.col, target, group, x, y, time)


def _check_values(cells: Cells) -> None:
    low, high = float(cells.target.min()), float(cells.target.max())
    if len(cells) < FEWEST:
        raise LabelsError(f"The labels have {len(cells)} cells, needed are {FEWEST}: label more.")
    if low == high:
        raise LabelsError(f"All labels have the value {low:g}: there is nothing to learn.")


def _apart(read: LabelSet, cells: Cells, grids: Sequence[Grid]) -> bool:
    """True for polygons that label little of the rectangle around them."""
    if not read.polygons:
        return False
    area = 0
    for number in range(len(grids)):
        mine = cells.scene == number
        if mine.any():
            row, col = cells.row[mine], cells.col[mine]
            area += (int(np.ptp(row)) + 1) * (int(np.ptp(col)) + 1)
    return len(cells) < _APART * area


def _masks(
    mask: str | None, grids: Sequence[Grid], find: Callable[[str], Path]
) -> list[Burner | None]:
    """The study area on each grid; None without one."""
    if mask is None:
        return [None] * len(grids)
    file = find(mask)
    frame = read_vector(file)
    geometry, _ = repaired(np.asarray(frame.geometry.array, dtype=object))
    frame = frame.set_geometry(geometry, crs=frame.crs)
    return [Burner(on_grid(frame.geometry, grid, file.name)) for grid in grids]
