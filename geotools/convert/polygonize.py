"""polygonize, polygon_arrays: a class raster of any size as polygons, in bounded memory.

Rows are read once from the top (twice with a smallest area); what is kept is the outlines still
open, not the raster. Nothing is written here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geotools.convert.frames import Frames, unit_areas
from geotools.convert.simplify import area_limit
from geotools.errors import GridError, RasterError
from geotools.grid import Grid, Window
from geotools.raster import Source
from geotools.spec import ClassInfo
from geotools.stream import Progress, Step
from geotools.vector import VectorBatch

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from geotools.convert.sieve import Sieve
    from geotools.convert.trace import Outlines

__all__ = ["polygon_arrays", "polygonize"]

_NOTHING = 255
"""The code that a class cannot have and that, like 0, means no class (see `ClassInfo`)."""

_READ_CELLS = 2**24
"""Cells read at one time."""

_STRIP_CELLS = 2**16
"""Cells between two looks for complete polygons: few, so that the tables stay in the cache."""

_THIN_CELLS = 2**23
"""Cells of a strip whose borders are thinned together; corners on its two lines stay."""

_BATCH_POLYGONS = 2**18
_BATCH_CORNERS = 2**21
"""A batch is given out when it has as many polygons or corners; some 200 MB. Few are better:
GDAL builds the index of the first one at once, and adds the others one by one."""


def polygonize(
    classes: Source,
    *,
    class_info: Sequence[ClassInfo],
    confidence: Source | None = None,
    min_area_m2: float = 0,
    simplify_m: float = 0,
    threads: int = 1,
    progress: Progress | None = None,
    rows_per_read: int | None = None,
) -> Iterator[GeoDataFrame]:
    """Batches of polygons, one for each set of equal cells that hang together by their edges.

    Columns: `class` (int32, the code), `name`, `area_m2` (float64), `confidence` (float32, mean
    over the cells that have one, NaN when none has; only when asked for) and `geometry`, a valid
    Polygon with its holes, counter-clockwise shell. Invalid cells and the codes 0 and 255 belong
    to no polygon. Together the polygons are a valid coverage: neighbours have the same corners
    along their border. There is always at least one batch, perhaps an empty one.

    The area is that of the cells: on the ellipsoid when the CRS is geographic, planar otherwise
    (`Grid.cell_area_m2`); simplified outlines do not change it.

    Order and batches depend on the raster alone: polygons come out in the strip of rows in which
    they end, in it in the reading order of their first cells.

    Args:
        classes: class codes in its first band, integers.
        class_info: the classes; every code in the raster must be there.
        confidence: on the same grid, its first band is averaged over each polygon.
        min_area_m2: polygons smaller than this are given to a neighbour, see `sieve`.
        simplify_m: borders between classes lose their steps up to this size, see `simplify`.
        threads: with 2 or more, the next batch is prepared while the last one is used.
        progress: called after every read, stage `polygons`.
        rows_per_read: rows read at one time; changes nothing in the result.

    Raises:
        RasterError: not integers, or a code that is not in `class_info`.
        GridError: the confidence is on another grid.
    """
    frames, groups = _outlined(
        classes, class_info, confidence, min_area_m2, simplify_m, threads, progress, rows_per_read
    )
    return (frames.of(group) for group in groups)


def polygon_arrays(
    classes: Source,
    *,
    class_info: Sequence[ClassInfo],
    confidence: Source | None = None,
    min_area_m2: float = 0,
    simplify_m: float = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[VectorBatch]:
    """The batches of `polygonize`, with its arguments and errors, for a file to be written.

    Nothing is made an object that a file does not need: a third of the time from outlines to disk.
    """
    frames, groups = _outlined(
        classes, class_info, confidence, min_area_m2, simplify_m, threads, progress, None
    )
    return (frames.arrays(group) for group in groups)


def _outlined(
    classes: Source,
    class_info: Sequence[ClassInfo],
    confidence: Source | None,
    min_area_m2: float,
    simplify_m: float,
    threads: int,
    progress: Progress | None,
    rows_per_read: int | None,
) -> tuple[Frames, Iterator[list[Outlines]]]:
    """What makes features, and the outlines of each batch of them."""
    if not (math.isfinite(min_area_m2) and min_area_m2 >= 0):
        raise RasterError(f"min_area_m2 is {min_area_m2}: give square metres, 0 or more.")
    if not (math.isfinite(simplify_m) and simplify_m >= 0):
        raise RasterError(f"simplify_m is {simplify_m}: give metres, 0 or more.")
    if confidence is not None and confidence.grid != classes.grid:
        raise GridError(
            f"The confidence is on a grid of {confidence.grid.shape} cells at "
            f"{tuple(confidence.grid.transform)[:6]}, the classes on one of "
            f"{classes.grid.shape} at {tuple(classes.grid.transform)[:6]}: give both on one grid."
        )
    rows = rows_per_read or max(256, _READ_CELLS // classes.grid.width // 256 * 256)
    groups = _grouped(_strips(classes, confidence, min_area_m2, simplify_m, rows, progress))
    frames = Frames(classes.grid, class_info, with_confidence=confidence is not None)
    if threads > 1:
        groups = _ahead(groups)
    return frames, groups


def _strips(
    classes: Source,
    confidence: Source | None,
    min_area_m2: float,
    simplify_m: float,
    rows: int,
    progress: Progress | None,
) -> Iterator[Outlines]:
    """Outlines of the polygons that end in each strip of rows; values are class codes."""
    from geotools.convert.trace import Tracer

    grid = classes.grid
    unit_area, unit_m2 = unit_areas(grid)
    sieve = None
    if min_area_m2 > 0:
        sieve = _surveyed(classes, unit_area, min_area_m2 / unit_m2, rows, progress)
    thins = simplify_m > 0
    limit = area_limit(grid, simplify_m)
    strip = _strip_rows(grid.width, thins)
    below = 1 if thins else 0  # rows needed below a strip: its last line is to be complete
    tracer = Tracer(*_edges(grid), unit_area, keep_fresh=thins)
    top = 0

    def complete(bottom: int) -> Iterator[Outlines]:
        if thins:
            tracer.thin(limit, top, bottom)
        for outlines in tracer.take():
            if sieve is None:
                yield outlines
            else:
                yield replace(outlines, value=sieve.code[outlines.value].astype(np.int32))

    for window in _windows(grid, rows):
        codes: NDArray[Any] = _read_codes(classes, window)
        if sieve is not None:
            codes = sieve.relabel(codes)
        values = None if confidence is None else _read_confidence(confidence, window)
        # Strips end at multiples of their height in the raster, wherever a read ends.
        first = window.row_off
        while first < window.row_stop:
            bottom = top + strip
            stop = min(bottom + below, window.row_stop)
            part = slice(first - window.row_off, stop - window.row_off)
            seam = bottom if thins and bottom < grid.height else -1
            tracer.feed(codes[part], None if values is None else values[part], seam=seam)
            if stop == bottom + below:
                yield from complete(bottom)
                top = bottom
            first = stop
        if progress is not None:
            progress(Step("polygons", window.row_stop, grid.height))
    tracer.finish()
    yield from complete(grid.height)


def _surveyed(
    classes: Source,
    cell_area: NDArray[np.float64],
    least: float,
    rows: int,
    progress: Progress | None,
) -> Sieve:
    """A sieve that has seen the whole raster."""
    from geotools.convert.sieve import Sieve

    sieve = Sieve(classes.grid, cell_area, least)
    for window in _windows(classes.grid, rows):
        sieve.survey(_read_codes(classes, window))
        if progress is not None:
            progress(Step("regions", window.row_stop, classes.grid.height))
    sieve.close()
    return sieve


def _strip_rows(width: int, thins: bool) -> int:
    """Height of a strip, from the raster's width alone."""
    return max(64, _THIN_CELLS // width) if thins else max(4, _STRIP_CELLS // width)


def _windows(grid: Grid, rows: int) -> Iterator[Window]:
    """The grid from the top in windows of whole rows."""
    for row in range(0, grid.height, rows):
        yield Window(0, row, grid.width, min(rows, grid.height - row))


def _grouped(strips: Iterator[Outlines]) -> Iterator[list[Outlines]]:
    """Outlines enough for one batch each; at least one group, perhaps of nothing."""
    group: list[Outlines] = []
    polygons = corners = batches = 0
    for outlines in strips:
        group.append(outlines)
        polygons += outlines.value.size
        corners += outlines.coords.shape[0]
        if polygons >= _BATCH_POLYGONS or corners >= _BATCH_CORNERS:
            yield group
            group, polygons, corners, batches = [], 0, 0, batches + 1
    if polygons or not batches:
        yield group


def _edges(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of all cell edges, (cols + 1,) and (rows + 1,): the same for every polygon."""
    t = grid.transform
    cols = np.arange(grid.width + 1, dtype=np.float64)
    rows = np.arange(grid.height + 1, dtype=np.float64)
    return t.c + t.a * cols, t.f + t.e * rows


def _read_codes(classes: Source, window: Window) -> NDArray[np.uint8]:
    """(rows, cols) class codes, 0 where there is none."""
    block = classes.read(window)
    data = block.data[0]  # (row, col)
    if data.dtype.kind not in "iu":
        raise RasterError(
            f"The class raster holds {data.dtype}: give integers, one code for each class."
        )
    if data.dtype != np.uint8:
        wrong = block.valid & ((data < 0) | (data > _NOTHING))
        if wrong.any():
            raise RasterError(
                f"The class raster holds the code {data[wrong][0]}: class codes are 1 to 254."
            )
        data = data.astype(np.uint8)
    codes = data * block.valid  # (row, col); 0 where invalid
    codes[codes == _NOTHING] = 0
    return np.asarray(codes)


def _read_confidence(confidence: Source, window: Window) -> NDArray[np.float32]:
    """(rows, cols) float32, NaN where invalid."""
    block = confidence.read(window)
    return np.where(block.valid, block.data[0], np.float32(np.nan)).astype(np.float32, copy=False)


def _ahead(items: Iterator[list[Outlines]]) -> Iterator[list[Outlines]]:
    """The same items, each made in a second thread while the one before is in use."""
    with ThreadPoolExecutor(1, thread_name_prefix="geotools") as pool:
        waiting = pool.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, items, None)
            yield item
