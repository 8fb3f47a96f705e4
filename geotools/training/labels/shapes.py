"""Shapes: the geometries of labels brought onto a grid, whatever CRS and turn of longitude.

Coordinates are cells of the grid from here on; what a shape stands for is said elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.io.burning import in_cells

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.typing import NDArray
    from pyproj import CRS

__all__ = [
    "bounds_between",
    "crs_of",
    "degrees_of",
    "moved",
    "on_grid",
    "repaired",
    "shown",
]

_PARTS = 64
"""An edge longer than this part of the grid gets vertices between, so that it stays where it is
when it is reprojected."""
_FARTHEST = 1e12
"""No coordinate is so large, in whatever unit."""
_EARTH_M = (6_300_000.0, 6_400_000.0)
"""Radii of the earth in any datum; Venus has 6,051,800 m."""


def crs_of(grid: Grid) -> CRS:
    """The CRS of a grid for pyproj."""
    from pyproj import CRS

    return CRS.from_wkt(grid.crs.wkt)


def degrees_of(grid: Grid) -> CRS:
    """What longitude and latitude mean when nothing is said: WGS 84, or the body of the grid."""
    from pyproj import CRS

    geographic = crs_of(grid).geodetic_crs
    ellipsoid = geographic.ellipsoid if geographic is not None else None
    low, high = _EARTH_M
    if geographic is None or ellipsoid is None or low <= ellipsoid.semi_major_metre <= high:
        return CRS.from_epsg(4326)
    return geographic


def repaired(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """The geometries made valid, and how many were not.

    A bow tie becomes its two triangles; what a repair leaves as lines and points is taken away, and
    so is what has no place.
    """
    import shapely

    geometry = geometry.copy()
    drawn = shapely.get_dimensions(geometry) > 0
    with np.errstate(invalid="ignore"):
        nowhere = drawn & ~(np.abs(shapely.bounds(geometry)) < _FARTHEST).all(axis=1)
    nowhere &= ~shapely.is_empty(geometry)
    geometry[nowhere] = shapely.Polygon()
    wrong = np.flatnonzero(drawn & ~nowhere & ~shapely.is_valid(geometry))
    for number in wrong:
        wanted = shapely.get_dimensions(geometry[number])
        parts = shapely.get_parts(shapely.make_valid(geometry[number]))
        parts = shapely.get_parts(parts)
        parts = parts[shapely.get_dimensions(parts) == wanted]
        geometry[number] = shapely.union_all(parts)
    return geometry, len(wrong) + int(np.count_nonzero(nowhere))


def on_grid(frame: GeoSeries, grid: Grid, name: str) -> NDArray[np.object_]:
    """(n,) the geometries in cells of the grid; empty for those that are not on it.

    Args:
        frame: (n,) geometries with their CRS; None for none.
        grid: the cells.
        name: what messages call the labels.

    Raises:
        LabelsError: the CRS cannot be brought to the grid's.
    """
    import shapely

    target = crs_of(grid)
    geometry = np.asarray(frame.array, dtype=object).copy()
    geometry[shapely.is_missing(geometry)] = shapely.Polygon()
    if frame.crs != target:
        geometry = _reprojected(geometry, frame.crs, target, grid, name)
    left, bottom, right, top = grid.bounds
    if grid.is_geographic:
        geometry = _around(geometry, left, right, 2 * np.pi / float(grid.crs.units_factor[1]))
    bounds = shapely.bounds(geometry)  # (n, 4)
    away = ~(
        (bounds[:, 0] <= right) & (bounds[:, 2] >= left)
        & (bounds[:, 1] <= top) & (bounds[:, 3] >= bottom)
    )  # fmt: skip
    geometry[away] = shapely.Polygon()
    return in_cells(geometry, grid)


def _reprojected(
    geometry: NDArray[np.object_], source: Any, target: CRS, grid: Grid, name: str
) -> NDArray[np.object_]:
    """The geometries in the CRS of the grid, without what is far from it."""
    import shapely
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        there = Transformer.from_crs(source, target, always_xy=True)
        back = Transformer.from_crs(target, source, always_xy=True)
        around = back.transform_bounds(*grid.bounds, densify_pts=21)
    except ProjError as error:
        raise _other_place(name, source, target, error) from None
    left, bottom, right, top = around
    width, height = right - left, top - bottom
    if not target.is_geographic and np.isfinite(around).all() and width > 0:
        if source.is_geographic:
            turn = 2 * np.pi / source.axis_info[0].unit_conversion_factor
            geometry = _around(geometry, left, right, turn)
        # What is far away may have no place in the grid's CRS.
        box = shapely.box(left - width, bottom - height, right + width, top + height)
        beyond = shapely.intersects(geometry, box) & ~shapely.within(geometry, box)
        geometry[beyond] = shapely.intersection(geometry[beyond], box)
        geometry[~shapely.intersects(geometry, box)] = shapely.Polygon()
        geometry = np.asarray(shapely.segmentize(geometry, max(width, height) / _PARTS))

    def move(places: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = there.transform(places[:, 0], places[:, 1])
        return np.column_stack([x, y])

    moved = np.asarray(shapely.transform(geometry, move))
    finite = np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[~finite] = shapely.Polygon()
    return moved


def _around(
    geometry: NDArray[np.object_], left: float, right: float, turn: float
) -> NDArray[np.object_]:
    """The geometries with longitudes between these: -10 degrees is 350 degrees."""
    import shapely

    bounds = shapely.bounds(geometry)  # (n, 4)
    moved = geometry.copy()
    inside = (bounds[:, 0] >= left) & (bounds[:, 2] <= right)
    for number in np.flatnonzero(~inside & ~shapely.is_empty(geometry)):
        low, high = bounds[number, [0, 2]]
        turns = range(
            int(np.ceil((left - high) / turn)), int(np.floor((right - low) / turn)) + 1
        )  # those that reach the grid
        copies = [
            part
            for count in turns
            for part in shapely.get_parts(
                shapely.transform(
                    geometry[number], lambda xy, by=count: xy + np.array([by * turn, 0.0])
                )
            )
        ]
        if len(copies) == 1:
            moved[number] = copies[0]
        elif copies:
            moved[number] = _gathered(copies)
    return moved


def _gathered(parts: list[Any]) -> Any:
    """One geometry of parts that may overlap, which no one minds who burns it."""
    import shapely

    if all(part.geom_type == "Polygon" for part in parts):
        return shapely.MultiPolygon(parts)
    return shapely.GeometryCollection(parts)


def moved(
    x: NDArray[np.float64], y: NDArray[np.float64], source: Any, grid: Grid, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) places in the CRS of the grid; NaN or infinite where they have none in it.

    Raises:
        LabelsError: the CRS cannot be brought to the grid's.
    """
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    target = crs_of(grid)
    if source == target:
        return x, y
    try:
        there = Transformer.from_crs(source, target, always_xy=True)
        moved_x, moved_y = there.transform(x, y)
    except ProjError as error:
        raise _other_place(name, source, target, error) from None
    return np.asarray(moved_x), np.asarray(moved_y)


def _other_place(name: str, source: Any, target: CRS, error: Exception) -> LabelsError:
    return LabelsError(
        f"{name} in {source.name} cannot be brought to {target.name} of the rasters "
        f"({str(error)[:120]}): name the right CRS with labels.crs."
    )


def bounds_between(
    bounds: tuple[float, float, float, float], source: Any, grid: Grid
) -> tuple[float, float, float, float] | None:
    """(left, bottom, right, top) in the CRS of the grid; None where there is no such place."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        there = Transformer.from_crs(source, crs_of(grid), always_xy=True)
        found = there.transform_bounds(*bounds, densify_pts=21)
    except ProjError:
        return None
    left, bottom, right, top = found
    return (left, bottom, right, top) if np.isfinite(found).all() else None


def shown(bounds: tuple[float, float, float, float]) -> str:
    """Bounds as messages have them."""
    return "(" + ", ".join(f"{value:.8g}" for value in bounds) + ")"
