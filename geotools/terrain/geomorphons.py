"""Geomorphons: the ten landforms of Jasiewicz & Stepinski (2013), cell by cell.

The rules, settings and checks are here; the loops over cells are in `_forms`. No file is opened.

J. Jasiewicz, T. F. Stepinski: Geomorphons, a pattern recognition approach to classification and
mapping of landforms. Geomorphology 182 (2013), 147-156.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geotools.compiled import KeptLoop
from geotools.errors import RasterError
from geotools.spec import ClassInfo
from geotools.terrain.cell_sizes import per_row, search_unit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["DIALECTS", "FORMS", "Dialect", "geomorphons", "reach", "search_unit"]

Dialect = Literal["grass", "whitebox", "paper"]

STRIP = 1280
"""Cells of a row done at once along rays: those of many rows stay in the cache."""

DIALECTS: tuple[Dialect, ...] = ("grass", "whitebox", "paper")
"""The rules that are known, by name; the position is the number that the kernels take."""

FORMS = (
    ClassInfo(1, "flat", "#dcdcdc"),
    ClassInfo(2, "peak", "#380000"),
    ClassInfo(3, "ridge", "#c80000"),
    ClassInfo(4, "shoulder", "#ff5014"),
    ClassInfo(5, "spur", "#fad23c"),
    ClassInfo(6, "slope", "#ffff3c"),
    ClassInfo(7, "hollow", "#b4e614"),
    ClassInfo(8, "footslope", "#3cfa96"),
    ClassInfo(9, "valley", "#0000ff"),
    ClassInfo(10, "pit", "#000038"),
)
"""The ten forms with the codes and colours of r.geomorphon."""

# Form by number of lower directions (rows, 0 to 8) and of higher directions (columns from 0):
# Jasiewicz & Stepinski 2013, figure 4.
_TABLE = (
    (1, 1, 1, 8, 8, 9, 9, 9, 10),
    (1, 1, 8, 8, 8, 9, 9, 9),
    (1, 4, 6, 6, 7, 7, 9),
    (4, 4, 6, 6, 6, 7),
    (4, 4, 5, 6, 6),
    (3, 3, 5, 5),
    (3, 3, 3),
    (3, 3),
    (2,),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run looks for, in metres and radians."""

    dialect: int
    """Position in `DIALECTS`."""
    search_m: float
    """Length of a ray."""
    search: int
    """The same in cells."""
    skip: int
    """Cells at the start of each ray that are not looked at."""
    flat_rad: float
    """Angle up to which a direction counts as level."""
    flat_distance_m: float
    """Distance from which the angle shrinks; 0 for none."""


def reach(
    search: int = 10,
    *,
    x_m: ArrayLike = 1.0,
    y_m: ArrayLike = 1.0,
    dialect: Dialect = "grass",
    unit_m: float | None = None,
) -> int:
    """How many cells away a form can depend on: the halo that a tile needs.

    Rays have a length in metres, so cells that are narrower than they are high (geographic grids
    away from the equator) are looked over farther, in cells, along a row.
    """
    if dialect == "whitebox":
        return search
    unit = search_unit(x_m, y_m) if unit_m is None else unit_m
    smallest = min(float(np.min(x_m)), float(np.min(y_m)))
    return math.ceil(search * unit / smallest * (1 + 1e-9))


def geomorphons(
    elevation: NDArray[np.float32],
    x_m: ArrayLike,
    y_m: ArrayLike,
    *,
    search: int = 10,
    skip: int = 0,
    flat_deg: float = 1.0,
    flat_distance: float = 0.0,
    dialect: Dialect = "grass",
    unit_m: float | None = None,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Landform code of every cell: (rows, cols) uint8, 1 to 10 as in `FORMS`, 0 where invalid.

    From each cell eight rays go out. On each, the steepest angle up (zenith) and the steepest
    down (nadir) to a cell between `skip` and `search` make the direction higher, lower or level;
    the numbers of higher and lower directions give the form (the paper's table).

    Args:
        elevation: (rows, cols) float32, metres; NaN where invalid.
        x_m, y_m: cell size in metres, a number or (rows,) float64, one value per row, for
            geographic grids. Along a ray distances add up the sizes of the rows it crosses, which
            is the distance on the ellipsoid.
        search: how far to look, in cells; `search * unit_m` metres.
        skip: cells not looked at at the start of each ray, the same number in all directions.
        flat_deg: flatness threshold in degrees.
        flat_distance: in cells (`flat_distance * unit_m` metres); 0 for none. Beyond this distance
            D the threshold t becomes atan(D tan(t) / d): a height instead of an angle.
        dialect: `"grass"`: rays of d < search metres, level unless zenith or nadir angle exceeds
            the threshold in size, then the larger of the two decides: equal to r.geomorphon
            (comparison anglev1). `"whitebox"`: `search` cells on every ray, angles up and down
            from the horizontal, their sum against the threshold: equal to WhiteboxTools.
            `"paper"`: d <= search metres, sum of the angles against the threshold.
        unit_m: metres in one cell of `search`; by default `search_unit(x_m, y_m)`.
        threads: how many threads share the rows; by default one per available core.

    In the GRASS dialect a ray is level when its angles up and down are of one size: on a
    perfectly even slope, or when one cell alone is seen; so a search of 1 or 2 cells says nothing.

    A ray ends at the edge of the raster; invalid cells on it are passed over. As in r.geomorphon
    a direction is level when the very next cell is invalid. r.geomorphon leaves the outermost
    `skip + 1` rows and columns empty; here they have a form like all others, from the rays
    that stay inside. r.geomorphon 8.2 moreover never looks at the last row of a raster; the forms
    of the rows within `search` of it differ for that reason.

    Raises:
        RasterError: an array that is not two-dimensional, a cell size that is not positive, or
            settings that cannot be.
    """
    z = np.ascontiguousarray(elevation, dtype=np.float32)
    if z.ndim != 2 or z.size == 0:
        raise RasterError(
            f"Geomorphons need an elevation array of shape (rows, cols), got {z.shape}: "
            "give one band."
        )
    x = per_row(x_m, z.shape[0], "x_m")
    y = per_row(y_m, z.shape[0], "y_m")
    unit = search_unit(y, y) if unit_m is None else unit_m
    settings = _settings(search, skip, flat_deg, flat_distance, dialect, unit)

    rows, cols = z.shape
    longest = reach(search, x_m=x, y_m=y, dialect=dialect, unit_m=unit)
    padded, pad = framed_for_rays(z, longest)
    forms = np.empty((rows, cols), dtype=np.uint8)
    uniform = int(np.all(x == x[0]) and np.all(y == y[0]))

    def run(start: int) -> None:
        stop = min(start + band, rows)
        _forms_of_rows(
            padded, pad, start, stop, x, y, uniform,
            settings.dialect, settings.search_m, settings.search, settings.skip,
            settings.flat_rad, settings.flat_distance_m, _LOOKUP, forms,
            np.zeros((5, pad + 1)), np.zeros(5, np.int64),
            np.empty((2, STRIP), np.float32), np.empty((2, STRIP), np.int32),
        )  # fmt: skip

    count = _threads(threads)
    band = -(-rows // (4 * count)) if count > 1 else rows
    starts = range(0, rows, band)
    if count == 1 or len(starts) == 1:
        for start in starts:
            run(start)
    else:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(run, starts))
    return forms


def _settings(
    search: int, skip: int, flat_deg: float, flat_distance: float, dialect: str, unit: float
) -> Settings:
    """The settings in metres and radians, checked."""
    if dialect not in DIALECTS:
        raise RasterError(f"Geomorphon dialect {dialect!r} is unknown: use {', '.join(DIALECTS)}.")
    if search < 1:
        raise RasterError(f"Search radius {search} cells is too small: give at least 1.")
    if not 0 <= skip < search:
        raise RasterError(
            f"Skip radius {skip} cells must be at least 0 and below the search radius {search}."
        )
    if not 0 < flat_deg < 90:
        raise RasterError(f"Flatness threshold {flat_deg} degrees must lie between 0 and 90.")
    if flat_distance and not skip < flat_distance < search:
        raise RasterError(
            f"Flatness distance {flat_distance} cells must lie between the skip radius {skip} and "
            f"the search radius {search}, or be 0 for none."
        )
    if not (unit > 0 and math.isfinite(unit)):
        raise RasterError(f"A cell of {unit} m is no unit of length: give a positive unit_m.")
    return Settings(
        dialect=DIALECTS.index(dialect),
        search_m=search * unit,
        search=search,
        skip=skip,
        flat_rad=math.radians(flat_deg),
        flat_distance_m=flat_distance * unit,
    )


def framed_for_rays(z: NDArray[np.float32], longest: int) -> tuple[NDArray[np.float32], int]:
    """A copy with NaN around it, (rows + 2 pad, cols + 2 pad), and pad, the cells a ray can go."""
    rows, cols = z.shape
    pad = max(1, min(longest, max(rows, cols)))
    padded = np.full((rows + 2 * pad, cols + 2 * pad), np.nan, dtype=np.float32)
    padded[pad : pad + rows, pad : pad + cols] = z
    return padded, pad


def _threads(threads: int | None) -> int:
    """Number of threads to use."""
    return max(1, len(os.sched_getaffinity(0)) if threads is None else threads)


def _lookup() -> NDArray[np.uint8]:
    """Form by 16 * lower + higher directions: (256,) uint8."""
    table = np.zeros(256, dtype=np.uint8)
    for lower, row in enumerate(_TABLE):
        table[16 * lower : 16 * lower + len(row)] = row
    return table


_LOOKUP = _lookup()
_forms_of_rows = KeptLoop("geotools.terrain._forms", "forms_of_rows")
