"""look_at: the tiles of a prediction before it runs: how many, which hold cells, how they run."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from geotools.engine.units import units_of
from geotools.grid import Tile, Window
from geotools.raster import is_absent

if TYPE_CHECKING:
    from geotools.inference.prediction import Prediction

__all__ = ["Survey", "look_at", "sampled", "try_tiles"]

_KEPT = 4096
"""Tiles that are remembered, spread evenly."""

_SAMPLE = 64
"""Tiles that are looked at for valid cells, spread evenly."""

_TRIED = 2
"""Tiles that are run; the first also starts what later ones find running."""


class Survey(NamedTuple):
    """What the units of a job hold."""

    units: int
    """How many."""
    tiles: int
    """Of all units."""
    left: int
    """Tiles of units that are not done."""
    there: int
    """Tiles that are in the file."""
    some: list[Tile]
    """Of these, evenly."""
    seconds: float
    """That it took to look at them all."""


def look_at(work: Prediction, cells: int, done: Collection[str]) -> Survey:
    """Looks at every tile as the run will, without reading any.

    Args:
        work: whose tiles.
        cells: on a side of a unit.
        done: names of units that an earlier run has done.
    """
    start = time.perf_counter()
    units = tiles = left = there = 0
    some: list[Tile] = []
    step = 1
    for unit in units_of(work, cells):
        units += 1
        tiles += len(unit.tiles)
        left += 0 if unit.name in done else len(unit.tiles)
        if is_absent(work.source, unit.source_window):
            continue
        for tile in unit.tiles:
            if is_absent(work.source, tile.write):
                continue
            if there % step == 0:
                some.append(tile)
            there += 1
            if len(some) > _KEPT:
                some, step = some[::2], 2 * step
    return Survey(units, tiles, left, there, some, time.perf_counter() - start)


def sampled(work: Prediction, survey: Survey) -> tuple[float, list[Tile]]:
    """Share of the tiles that hold valid cells, of some that are looked at; some that do."""
    looked = survey.some[:: max(1, len(survey.some) // _SAMPLE)]
    holding = [tile for tile in looked if _has_cell(work, tile)]
    share = survey.there / max(survey.tiles, 1) * len(holding) / max(len(looked), 1)
    return share, holding[:_TRIED]


def _has_cell(work: Prediction, tile: Tile) -> bool:
    """True when a valid cell that is wanted is in the middle of a tile, or else anywhere in it."""
    write = tile.write
    width, height = min(write.width, 64), min(write.height, 64)
    col = write.col_off + (write.width - width) // 2
    row = write.row_off + (write.height - height) // 2
    return any(
        bool((work.source.read(window).valid & work.wanted(window)).any())
        for window in (Window(col, row, width, height), write)
    )


def try_tiles(work: Prediction, tiles: Sequence[Tile]) -> float | None:
    """Seconds of a tile; the last of those that are run."""
    seconds = None
    for tile in tiles:
        start = time.perf_counter()
        work.tile(tile)
        seconds = time.perf_counter() - start
    return seconds
