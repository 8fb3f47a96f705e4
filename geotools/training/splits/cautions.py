"""Cautions: what about a split makes its score better than the truth, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.training.splits.ground import places_m
from geotools.training.splits.units import in_words
from geotools.training.splits.variogram import range_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.splits.blocks import Blocks
    from geotools.training.splits.job import SplitJob
    from geotools.training.splits.nearness import Near

__all__ = ["in_one_polygon", "tell_cut", "tell_near", "tell_small"]

_SOME = 0.1
"""Share of the polygons that is worth a sentence."""


def in_one_polygon(job: SplitJob) -> NDArray[np.int64]:
    """The classes that one polygon alone has; none when labels are no polygons or are values."""
    cells = job.cells
    if job.groups or not cells.is_classes or (cells.group < 0).any():
        return np.empty(0, np.int64)
    pairs = np.unique(np.column_stack([job.strata, cells.group]), axis=0)
    return np.flatnonzero(np.bincount(pairs[:, 0]) == 1)


def tell_small(job: SplitJob, blocks: Blocks) -> None:
    """Warns of blocks on a side less than the range of the labels' semivariogram."""
    fit = blocks.fit
    side = in_words(blocks.size_m)
    if fit is None:
        places = places_m(job.ground.crs, job.cells.x, job.cells.y)
        reach = range_m(places, job.cells.target, seed=job.seed)
        if blocks.size_m < reach:
            job.warn(
                f"Blocks are {side} on a side, and labels are alike over {in_words(reach)} (the "
                "range of their semivariogram): test cells lie beside what is learned from, so "
                "the score flatters. Make split.size_m larger."
            )
        return
    if blocks.size_m >= fit.range_m:
        return
    why = f"there would be {fit.blocks} of them only"
    if fit.stratum is not None:
        what = f"the class {job.called(fit.stratum)}" if job.cells.is_classes else "some values"
        why = f"{what} would be in too few of them"
    job.warn(
        f"Blocks are {side} on a side instead of {in_words(fit.wanted_m)}, because {why}; labels "
        f"are alike over {in_words(fit.range_m)} (the range of their semivariogram), so that test "
        "cells lie beside what is learned from and the score flatters. Label more places."
    )


def tell_cut(job: SplitJob, fold: NDArray[np.int16]) -> None:
    """Warns of polygons, or groups, that blocks cut through, where all labels are in some."""
    cells = job.cells
    if not len(cells) or (cells.group < 0).any():
        return
    pairs = np.unique(np.column_stack([cells.group.astype(np.int64), fold]), axis=0)
    folds = np.bincount(pairs[:, 0])
    cut, count = int((folds > 1).sum()), int((folds > 0).sum())
    word = "groups" if job.groups else "polygons"
    if cut >= _SOME * count:
        job.warn(
            f"{cut} of {count} {word} are cut by blocks: cells of one of the {word} are learned "
            "from and tested."
        )
    for stratum in in_one_polygon(job).tolist():
        if folds[cells.group[job.strata == stratum][0]] > 1:
            job.warn(
                f"The class {job.called(stratum)} is in one polygon only, which is cut: how well "
                "it is found elsewhere is not known."
            )


def tell_near(job: SplitJob, near: Near, count: int, *, why: str) -> None:
    """Warns of polygons beside each other that are not kept together.

    Args:
        job: the split.
        near: those that are near to each other.
        count: polygons in all.
        why: why they are not kept together, or what does it; a clause.
    """
    beside = near.count()
    if beside and beside >= _SOME * count:
        job.warn(
            f"{beside} of {count} polygons are nearer to another than they are wide, and "
            f"neighbours are alike: the score flatters; {why}."
        )
