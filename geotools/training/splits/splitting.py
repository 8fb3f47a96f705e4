"""split_cells: which cells are learned from, which decide, which are kept for the score.

What may not be torn apart is a unit: a block, a polygon, a group. How each kind makes its units is
in `kinds` and `given`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import LabelsError
from geotools.training.labels.classes import check_counts
from geotools.training.splits.cautions import in_one_polygon
from geotools.training.splits.folds import strata_of
from geotools.training.splits.given import by_list, by_time
from geotools.training.splits.ground import places_m
from geotools.training.splits.job import SplitJob
from geotools.training.splits.kinds import (
    ALONE,
    at_random,
    by_blocks,
    by_group,
    by_polygons,
    by_raster,
)
from geotools.training.splits.rounds import Round, Split, without_near
from geotools.training.splits.units import Ground, in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid
    from geotools.spec import ClassInfo
    from geotools.training.labels.cells import Cells
    from geotools.training.sections import SplitConfig

__all__ = ["Round", "Split", "split_cells"]

_KINDS: dict[str, Callable[[SplitJob], Split]] = {
    "blocks": by_blocks,
    "polygons": by_polygons,
    "group": by_group,
    "time": by_time,
    "list": by_list,
    "raster": by_raster,
    "random": at_random,
}

_BORDERS = 0.1
"""Polygons stand apart where less than this share of their cells lies beside another polygon; the
polygon of a class, where none does."""


def split_cells(
    cells: Cells,
    config: SplitConfig,
    *,
    grids: Sequence[Grid] = (),
    crs: Any = None,
    classes: Sequence[ClassInfo] = (),
    groups: Sequence[str] = (),
    scenes: Sequence[str] = (),
    apart: bool = False,
    seed: int = 0,
    warn: Callable[[str], None] | None = None,
) -> Split:
    """The split of labelled cells that the configuration asks for; the same for any order of them.

    Args:
        cells: the labelled cells.
        config: the configuration.
        grids: the grid of each scene; none for a table.
        crs: rasterio.crs.CRS of the places of a table.
        classes: the classes, for messages.
        groups: names of the groups in the order of `Cells.group`, when a field gives them.
        scenes: names of the scenes; numbers from 1 when there are none.
        apart: the labels are polygons that stand apart.
        seed: fixes everything that is drawn.
        warn: takes sentences on what is odd but can be done.

    Raises:
        LabelsError: the cells do not allow it: a class with fewer than 10 of them or that only one
            unit has, a group that is not there, no dates.
    """
    if classes and cells.is_classes:
        check_counts(classes, np.bincount(cells.target, minlength=len(classes)).tolist())
    order = np.lexsort((cells.col, cells.row, cells.scene))
    inner = cells.take(order)
    job = SplitJob(
        cells=inner,
        strata=strata_of(inner.target),
        config=config,
        ground=Ground.of(inner, grids, crs),
        names=tuple(info.name for info in classes),
        groups=tuple(groups),
        scenes=tuple(scenes) or tuple(f"scene {n + 1}" for n in range(len(grids))),
        seed=seed,
        warn=warn or (lambda text: None),
    )
    kind = config.kind if config.kind != "auto" else _best(job, apart)
    split = _KINDS[kind](job)
    rounds, title = split.rounds, split.title
    if config.buffer_m > 0:
        rounds = _apart(job, rounds)
        title += f", {in_words(config.buffer_m)} apart"
    unit, fold = np.empty_like(split.unit), np.empty_like(split.fold)
    unit[order], fold[order] = split.unit, split.fold
    part = None
    if split.part is not None:
        part = np.empty_like(split.part)
        part[order] = split.part
    back = tuple(
        Round(*(np.sort(order[part]) for part in (one.train, one.validation, one.test)))
        for one in rounds
    )
    return replace(split, title=title, rounds=back, unit=unit, fold=fold, part=part)


def _best(job: SplitJob, apart: bool) -> str:
    """What `auto` is.

    Raises:
        LabelsError: a class in one polygon only, where polygons stand apart: blocks would cut it,
            and its cells would be learned from and tested.
    """
    if job.groups:
        return "group"
    if job.ground.crs is None:
        return "random"
    beside = _bordering(job.cells)
    apart = apart and float(beside.mean()) < _BORDERS
    if job.ground.on_grid:
        alone = in_one_polygon(job)
        stands = [apart or not beside[job.strata == one].any() for one in alone.tolist()]
        job.check_alone(alone[np.array(stands, np.bool_)], "polygon", ALONE)
    return "polygons" if apart else "blocks"


def _bordering(cells: Cells) -> NDArray[np.bool_]:
    """(n,) True for cells beside a cell of another polygon; cells in order of rows."""
    width, height = int(cells.col.max()) + 2, int(cells.row.max()) + 2
    key = (cells.scene.astype(np.int64) * height + cells.row) * width + cells.col
    beside: NDArray[np.bool_] = np.zeros(len(key), np.bool_)
    for step in (1, width):
        place = np.minimum(np.searchsorted(key, key + step), len(key) - 1)
        borders = (
            (key[place] == key + step)
            & (cells.group[place] != cells.group)
            & (cells.group >= 0)
            & (cells.group[place] >= 0)
        )
        beside |= borders
        beside[place[borders]] = True
    return beside


def _apart(job: SplitJob, rounds: tuple[Round, ...]) -> tuple[Round, ...]:
    """The rounds without what is nearer to a test cell than the buffer."""
    buffer_m = job.config.buffer_m
    if job.ground.crs is None:
        raise LabelsError("split.buffer_m needs places, which these rows do not have: set it to 0.")
    places = places_m(job.ground.crs, job.cells.x, job.cells.y)
    kept = []
    for number, one in enumerate(rounds, 1):
        less = without_near(one, places, buffer_m)
        gone = set(job.strata[one.train]) - set(job.strata[less.train])
        if gone:
            what = f"of the class {job.called(min(gone))} " if job.cells.is_classes else ""
            raise LabelsError(
                f"split.buffer_m of {in_words(buffer_m)} leaves no cell {what}to learn from in "
                f"round {number}: make it smaller, or split.size_m larger."
            )
        kept.append(less)
    return tuple(kept)
