"""Splits by folds: blocks, polygons, groups, rasters, and cells at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.training.splits.blocks import lay_blocks
from geotools.training.splits.cautions import tell_cut, tell_near, tell_small
from geotools.training.splits.folds import deal, tabulate
from geotools.training.splits.job import SplitJob
from geotools.training.splits.nearness import Near, near_polygons
from geotools.training.splits.rounds import Split, cross_rounds
from geotools.training.splits.units import (
    block_units,
    in_words,
    joined_units,
    polygon_units,
    shared_ground,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ALONE", "at_random", "by_blocks", "by_group", "by_polygons", "by_raster"]

ALONE = "draw another, or leave it out in labels.classes"
"""What to do about a class that one polygon has."""
_WIDTHS = (1.0, 0.5, 0.25, 0.0)
"""Polygons with less ground between them than so many of their widths are kept together: the most
that leaves enough to split."""
_CLUSTERS = 4
"""Clusters of polygons that are enough."""


def _crossed(job: SplitJob, kind: str, unit: NDArray[np.int64], what: str) -> Split:
    """Folds of units; cells of unit -1 are not used."""
    used = unit >= 0
    units, counts, place = tabulate(unit[used], job.strata[used])
    folds = min(job.config.folds, len(units))
    fold = np.full(len(unit), -1, np.int16)
    fold[used] = deal(counts, folds, seed=job.seed)[place]
    rounds = cross_rounds(fold, job.strata, unit, seed=job.seed)
    title = f"{folds} folds of {what}"
    return Split(kind, title, rounds, unit, fold, unit_word=what.partition(" ")[0])


def by_blocks(job: SplitJob) -> Split:
    """Folds of square blocks on the ground.

    Raises:
        LabelsError: no places; a class in one block only.
    """
    cells, ground, config = job.cells, job.ground, job.config
    found = block_units(
        cells, job.strata, ground, folds=config.folds, size_m=config.size_m, seed=job.seed
    )
    smallest = in_words(ground.smallest_m)
    remedy = f"label it elsewhere too, or make split.size_m smaller, down to {smallest}"
    if found is None:
        remedy = "label it elsewhere too"
    blocks = found or lay_blocks(ground.crs, cells.x, cells.y, ground.smallest_m, half=ground.half)
    unit = blocks.locate(cells.x, cells.y)
    side = in_words(blocks.size_m)
    job.check(unit, f"block of {side}", remedy)
    tell_small(job, blocks)
    split = _crossed(job, "blocks", unit, f"blocks of {side}")
    tell_cut(job, split.fold)
    return replace(split, blocks=blocks)


def by_polygons(job: SplitJob) -> Split:
    """Folds of polygons or points; cells outside of any go by blocks. Polygons beside each other
    are kept together where this is `auto`, and told of where it is asked for.

    Raises:
        LabelsError: no polygons; a class with one polygon only.
    """
    cells = job.cells
    if (cells.group < 0).all():
        raise LabelsError(
            'split.kind = "polygons" needs polygons or points, which these labels are not: take '
            '"blocks".'
        )
    blocks = None
    if (cells.group < 0).any() and job.ground.crs is not None:
        blocks = block_units(
            cells, job.strata, job.ground, folds=job.config.folds,
            size_m=job.config.size_m, seed=job.seed,
        )  # fmt: skip
    unit = polygon_units(cells, blocks, job.ground)
    job.check(unit, "polygon", ALONE)
    drawn = np.where(cells.group >= 0, unit, -1)
    count = len(np.unique(drawn[drawn >= 0]))
    near = near_polygons(cells, drawn, job.ground)
    if job.config.kind != "auto":
        tell_near(job, near, count, why='split.kind = "auto" keeps them together')
    elif near.count():
        joined = _joined(job, unit, near)
        if len(np.unique(joined)) < len(np.unique(unit)):
            return _crossed(job, "polygons", joined, "clusters of polygons")
    return _crossed(job, "polygons", unit, "polygons")


def _joined(job: SplitJob, unit: NDArray[np.int64], near: Near) -> NDArray[np.int64]:
    """(n,) units with polygons that are near to each other made one, as far as the classes allow;
    warns of what stays apart.
    """
    for widths in _WIDTHS:
        joined = near.joined(widths)[unit]
        units, counts, _ = tabulate(joined, job.strata)
        fewest = int((counts > 0).sum(axis=0).min()) if job.cells.is_classes else 2
        if len(units) >= _CLUSTERS and fewest >= 2:
            break
    else:
        joined, widths = unit, -1.0
    if widths < _WIDTHS[0]:
        left = replace(
            near,
            **{name: getattr(near, name)[near.gap > widths] for name in ("one", "other", "gap")},
        )
        why = "kept together, they would leave too little to split. Draw more further off"
        tell_near(job, left, near.units, why=why)
    return joined


def by_group(job: SplitJob) -> Split:
    """Folds of the groups that a field gives.

    Raises:
        LabelsError: no groups; a class in one group only.
    """
    if not job.groups:
        raise LabelsError(
            'split.kind = "group" needs groups: name their field with labels.group, or their '
            "column with table.group."
        )
    unit = job.cells.group.astype(np.int64)
    without = int(np.count_nonzero(unit < 0))
    if without == len(unit):
        raise LabelsError("No label has a group: name another field with labels.group.")
    if without:
        job.warn(f"Cells without a group: {without} are neither learned from nor tested.")
    groups = len(np.unique(unit[unit >= 0]))
    unit = joined_units(unit, job.cells, job.ground)
    left = len(np.unique(unit[unit >= 0]))
    remedy = "label it in another group too, or take another kind of split"
    if left < groups:
        job.warn(
            f"Groups of several scenes lie on the same ground and count as one: {groups} groups "
            f"are {left}."
        )
        remedy = f"groups on the same ground count as one; {remedy}"
    job.check(unit, "group", remedy)
    return job.with_parts(_crossed(job, "group", unit, "groups"), unit, job.groups, "groups")


def by_raster(job: SplitJob) -> Split:
    """Every scene is left out once.

    Raises:
        LabelsError: one scene; a class in one scene only.
    """
    unit = job.cells.scene.astype(np.int64)
    if len(np.unique(unit)) < 2:
        raise LabelsError(
            'split.kind = "raster" needs labels in two scenes: give several paths, or take '
            '"blocks".'
        )
    job.check(unit, "scene", 'label it in another too, or set split.kind = "blocks"')
    _, number = np.unique(unit, return_inverse=True)
    fold = number.reshape(-1).astype(np.int16)
    if len(shared_ground(job.cells, job.ground)[0]):
        job.warn(
            "Scenes of the split share ground: a place is tested that is learned from in another "
            'scene, so the score flatters; split.kind = "blocks" keeps places apart.'
        )
    rounds = cross_rounds(fold, job.strata, job.finer(), seed=job.seed)
    title = f"each of {int(fold.max()) + 1} scenes left out once"
    split = Split("raster", title, rounds, unit, fold, unit_word="rasters")
    return job.with_parts(split, unit, job.scenes, "scenes")


def at_random(job: SplitJob) -> Split:
    """Folds of single cells, each class dealt out evenly."""
    folds = min(job.config.folds, len(job.cells))
    shuffled = np.random.default_rng(job.seed).permutation(len(job.cells))
    dealt = shuffled[np.argsort(job.strata[shuffled], kind="stable")]
    fold = np.empty(len(dealt), np.int16)
    fold[dealt] = np.arange(len(dealt)) % folds
    unit = np.arange(len(dealt), dtype=np.int64)
    rounds = cross_rounds(fold, job.strata, unit, seed=job.seed)
    if job.ground.crs is None:
        title = f"{folds} folds of rows at random"
        return Split("random", title, rounds, unit, fold, unit_word=job.ground.single)
    job.warn(
        'split.kind = "random" tests cells beside those that are learned from, so that the score '
        'is optimistic: "blocks" tells what to expect elsewhere.'
    )
    title = f"{folds} folds of cells at random, optimistic because neighbours are learned from"
    return Split("random", title, rounds, unit, fold, unit_word=job.ground.single)
