"""Terrain attributes: their table, and the one function that computes any of them together.

Formulas are in `stencils` (a cell and its neighbours), `windows` (any radius) and `openness`;
checks and the sharing of rows among threads are here. No file is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geotools.errors import RasterError
from geotools.terrain.cell_sizes import per_row, search_unit
from geotools.terrain.stencils import STENCILS, StencilOptions, stencils_of_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ATTRIBUTES", "Attribute", "attributes", "reach"]

Method = Literal["horn", "zevenbergen-thorne"]
SlopeUnit = Literal["degrees", "percent", "radians"]

_METHODS = ("horn", "zevenbergen-thorne")
_SLOPE_UNITS = ("degrees", "percent", "radians")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property of the surface that can be computed."""

    name: str
    """Name in calls, on the command line and of the band."""
    unit: str
    """Unit of the values; empty for pure numbers."""
    description: str
    """What it is, for people."""
    kind: Literal["stencil", "window", "openness"] = "stencil"
    """What a cell's value depends on: its neighbours, a square window, or rays."""
    radius: int = 1
    """Radius in cells when none is given; stencils have 1 always."""
    signed: bool = False
    """Whether zero is the middle of its values."""


_CONVEX = "positive where convex, negative where concave; 0 where level"

_TABLE = (
    Attribute("slope", "degrees", "angle of steepest descent (Horn 1981)"),
    Attribute("aspect", "degrees", "downhill direction, clockwise from north; none where level"),
    Attribute("northness", "", "cosine of the aspect, 1 facing north; 0 where level", signed=True),
    Attribute("eastness", "", "sine of the aspect, 1 facing east; 0 where level", signed=True),
    Attribute("hillshade", "", "light on the surface, 1 (none) to 255, as gdaldem scales it"),
    Attribute(
        "profile_curvature",
        "1/m",
        f"normal curvature down the slope, {_CONVEX}",
        signed=True,
    ),
    Attribute(
        "plan_curvature", "1/m", f"curvature of the contour line, {_CONVEX}", signed=True
    ),
    Attribute(
        "tangential_curvature",
        "1/m",
        f"normal curvature across the slope, {_CONVEX}",
        signed=True,
    ),
    Attribute(
        "mean_curvature", "1/m", "mean of the normal curvatures, positive on hilltops", signed=True
    ),
    Attribute("tri", "m", "terrain ruggedness index (Riley 1999): root of the summed squares"),
    Attribute("tri_wilson", "m", "terrain ruggedness index (Wilson 2007): mean difference"),
    Attribute("roughness", "m", "highest less lowest of the nine cells"),
    Attribute(
        "tpi", "m", "topographic position: elevation less the mean of the others around",
        "window", 1, signed=True,
    ),
    Attribute("relief", "m", "highest less lowest in the window", "window", 10),
    Attribute(
        "dev", "", "deviation from mean elevation, in standard deviations of the window",
        "window", 10, signed=True,
    ),
    Attribute(
        "positive_openness", "degrees", "mean zenith angle of the horizon (Yokoyama 2002)",
        "openness", 10,
    ),
    Attribute(
        "negative_openness", "degrees", "the same seen from below: large in hollows",
        "openness", 10,
    ),
)  # fmt: skip

ATTRIBUTES: dict[str, Attribute] = {attribute.name: attribute for attribute in _TABLE}
"""Every attribute by its name."""


def reach(
    names: Sequence[str],
    *,
    radius: int | None = None,
    x_m: ArrayLike = 1.0,
    y_m: ArrayLike = 1.0,
    unit_m: float | None = None,
) -> int:
    """How many cells away the values can depend on: the halo that a tile needs.

    Args:
        names: keys of `ATTRIBUTES`.
        radius: as in `attributes`.
        x_m, y_m: cell size in metres, a number or one value per row of the whole grid.
        unit_m: as in `attributes`.
    """
    widest = 1
    for attribute in _chosen(names):
        cells = _radius(attribute, radius)
        if attribute.kind == "openness":
            from geotools.terrain.geomorphons import reach as reach_of_rays

            cells = reach_of_rays(cells, x_m=x_m, y_m=y_m, dialect="paper", unit_m=unit_m)
        widest = max(widest, cells)
    return widest


def attributes(
    elevation: NDArray[np.float32],
    x_m: ArrayLike,
    y_m: ArrayLike,
    names: Sequence[str],
    *,
    method: Method = "horn",
    radius: int | None = None,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    z_factor: float = 1.0,
    slope_unit: SlopeUnit = "degrees",
    edges: bool = False,
    unit_m: float | None = None,
    threads: int | None = None,
    inner: tuple[slice, slice] | None = None,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The attributes asked for, together: (len(names), rows, cols) float32, NaN where undefined.

    Args:
        elevation: (rows, cols) float32, NaN where invalid; an invalid cell stays invalid in all
            attributes.
        x_m, y_m: cell size in metres, a number or (rows,) float64, one value per row, for
            geographic grids.
        names: keys of `ATTRIBUTES`, in the order of the result.
        method: how slope, aspect, hillshade and curvatures take derivatives: `"horn"` (Horn 1981,
            eight neighbours; second differences averaged 1 4 1 as r.slope.aspect does) or
            `"zevenbergen-thorne"` (Zevenbergen & Thorne 1987, four neighbours).
        radius: cells to every side, for tpi, relief, dev and openness; by default each attribute's
            own.
        azimuth_deg, altitude_deg: where the light of the hillshade comes from.
        z_factor: metres in one unit of elevation (0.3048 for feet).
        slope_unit: `"degrees"`, `"percent"` or `"radians"`.
        edges: for attributes of the neighbouring cells. False: NaN where any of the eight is
            invalid or outside, as gdaldem does. True: the surface goes on linearly there, as in
            gdaldem -compute_edges, at voids too.
        unit_m: metres in one cell of `radius` for openness; by default, and for pieces of a
            geographic grid, see `geotools.terrain.geomorphons.search_unit`.
        threads: how many threads share the rows; by default one per available core.
        inner: rows and columns that are wanted, the rest being there to be looked at; all by
            default.
        out: (len(names), rows, cols) float32, C-contiguous, where to write them; by default new.

    Windows (tpi, relief, dev) are squares of 2 radius + 1 cells: cost does not depend on the
    radius, and at radius 1 tpi and relief are gdaldem's TPI and roughness. They take the valid
    cells that are there, so that a void or an edge takes no ring of cells away.

    Formulas, with zx, zy, zxx, zxy, zyy the derivatives and p2 = zx2 + zy2:

    - slope: atan sqrt(p2). aspect: atan2(-zx, -zy), NaN where level.
    - hillshade: 1 + 254 max(0, cosine of light and normal), as gdaldem.
    - profile: -(zxx zx2 + 2 zxy zx zy + zyy zy2) / (p2 (1 + p2)^1.5); tangential:
      -(zxx zy2 - 2 zxy zx zy + zyy zx2) / (p2 (1 + p2)^0.5); plan: the same over p2^1.5; mean:
      -((1 + zy2) zxx - 2 zxy zx zy + (1 + zx2) zyy) / (2 (1 + p2)^1.5). 1/m, positive where
      convex: Minar et al. 2020 (kn_s, kn_c, kp_c, k_mean); Wilson & Gallant 2000, chapter 3.
      Profile and tangential are those of r.slope.aspect, in sign and size.
    - tri: square root of the sum of squared differences to the eight neighbours (Riley et al. 1999,
      gdaldem's default since 3.3); tri_wilson: mean absolute difference (Wilson et al. 2007).
    - dev: (z - mean) / sd of the window with the cell itself (Wilson & Gallant 2000); 0 where the
      window is level.
    - openness: mean over eight directions of 90 degrees less the highest (positive), plus the
      lowest (negative) angle to a cell no farther than `radius * unit_m` metres (Yokoyama et al.
      2002); over the directions in which there are valid cells.

    Raises:
        RasterError: an unknown name, an array that is not two-dimensional, a cell size that is
            not positive, or a setting that cannot be.
    """
    chosen = _chosen(names)
    # Compiled code is made anew for read-only arrays: copy those.
    z = np.require(elevation, np.float32, ["C", "W"])
    if z.ndim != 2 or z.size == 0:
        raise RasterError(
            f"Attributes need an elevation array of shape (rows, cols), got {z.shape}: "
            "give one band."
        )
    x, y = per_row(x_m, z.shape[0], "x_m"), per_row(y_m, z.shape[0], "y_m")
    if method not in _METHODS:
        raise RasterError(f"Method {method!r} is unknown: use {' or '.join(_METHODS)}.")
    if slope_unit not in _SLOPE_UNITS:
        raise RasterError(f"Slope unit {slope_unit!r} is unknown: use {', '.join(_SLOPE_UNITS)}.")
    if not (np.isfinite(z_factor) and z_factor > 0):
        raise RasterError(f"A z factor of {z_factor} cannot be: give metres per unit, such as 1.")
    if not (np.isfinite(azimuth_deg) and 0 <= altitude_deg <= 90):
        raise RasterError(
            f"Light from azimuth {azimuth_deg}, altitude {altitude_deg} degrees cannot be: give an "
            "azimuth clockwise from north and an altitude from 0 to 90."
        )
    unit = search_unit(x, y) if unit_m is None else unit_m
    rows, cols = (
        range(*part.indices(size))
        for part, size in zip(inner or (slice(None), slice(None)), z.shape, strict=True)
    )
    shape = len(chosen), len(rows), len(cols)
    result = np.empty(shape, np.float32) if out is None else out
    if result.shape != shape or result.dtype != np.float32 or not result.flags.c_contiguous:
        raise RasterError(
            f"The result is {shape} float32, C-contiguous: {result.dtype} of shape {result.shape} "
            "cannot take it."
        )
    origin = rows.start, cols.start
    options = StencilOptions(method, slope_unit, azimuth_deg, altitude_deg, z_factor, edges)
    jobs: list[Callable[[int, int], None]] = []

    if any(name in STENCILS for name in names):

        def run_stencils(start: int, stop: int) -> None:
            stencils_of_rows(z, x, y, start, stop, names, result, options, origin)

        jobs.append(run_stencils)
    for kind in ("window", "openness"):
        rest = [(i, a) for i, a in enumerate(chosen) if a.kind == kind]
        for cells in sorted({_radius(a, radius) for _, a in rest}):
            outputs = {a.name: result[i] for i, a in rest if _radius(a, radius) == cells}
            if kind == "window":
                from geotools.terrain.windows import window_job

                jobs.append(window_job(z, cells, z_factor, outputs, origin))
            else:
                from geotools.terrain.openness import openness_job

                jobs.append(openness_job(z, x, y, cells * unit, z_factor, outputs, origin))
    _run(jobs, rows, threads)
    return result


def _run(jobs: list[Callable[[int, int], None]], rows: range, threads: int | None) -> None:
    """Nothing; calls each job on these rows, in bands shared among threads."""
    count = max(1, len(os.sched_getaffinity(0)) if threads is None else threads)
    band = max(1, -(-len(rows) // count))
    spans = [(start, min(start + band, rows.stop)) for start in rows[::band]]
    if len(spans) == 1:
        for job in jobs:
            job(*spans[0])
        return
    with ThreadPoolExecutor(count) as pool:
        for job in jobs:
            for done in [pool.submit(job, *span) for span in spans]:
                done.result()


def _chosen(names: Sequence[str]) -> list[Attribute]:
    """The attributes of these names."""
    if not names or isinstance(names, str):
        raise RasterError(
            f"Attribute names {names!r} are no list: give some of {', '.join(ATTRIBUTES)}."
        )
    if len(set(names)) != len(names):
        raise RasterError(f"Attribute names {list(names)} repeat one: give each once.")
    unknown = [name for name in names if name not in ATTRIBUTES]
    if unknown:
        raise RasterError(f"Attribute {unknown[0]!r} is unknown: use {', '.join(ATTRIBUTES)}.")
    return [ATTRIBUTES[name] for name in names]


def _radius(attribute: Attribute, radius: int | None) -> int:
    """Radius in cells of this attribute."""
    if radius is None or attribute.kind == "stencil":
        return attribute.radius
    if radius < 1:
        raise RasterError(f"Radius {radius} cells is too small: give at least 1.")
    return radius
