"""circles, widened: what lies within a radius of points and lines on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from affine import Affine

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.io.burning import to_steps
from geotools.training.labels.shapes import on_grid

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.typing import NDArray
    from pyproj import CRS

__all__ = ["circles", "widened"]

_CORNERS, _FEW_CORNERS, _MANY = 96, 32, 20_000
"""Corners of a circle; fewer where there are many circles."""
_WIDEST = 100_000
"""Cells beyond the edge that are looked at for what reaches over it."""


def circles(
    x: NDArray[np.float64], y: NDArray[np.float64], radius_m: NDArray[np.float64], crs: CRS
) -> NDArray[np.object_]:
    """(n,) polygons: circles on the ground, of their true area, in the same CRS.

    The circle is geodesic on the ellipsoid of the CRS, on whatever body; one around a pole of a
    geographic CRS reaches up to it at all longitudes. Where the CRS has no place for a part of a
    circle it is empty.

    Args:
        x, y: (n,) centres in units of the CRS.
        radius_m: (n,) metres.
        crs: geographic or projected.
    """
    import shapely
    from pyproj import Transformer

    geod, geographic = crs.get_geod(), crs if crs.is_geographic else crs.geodetic_crs
    if geod is None or geographic is None:
        raise LabelsError(f"{crs.name} has no ellipsoid to draw circles on: name another CRS.")
    to_degrees = np.rad2deg(geographic.axis_info[0].unit_conversion_factor)
    lon, lat = x, y
    if not crs.is_geographic:
        back = Transformer.from_crs(crs, geographic, always_xy=True)
        lon, lat = back.transform(x, y)
    lon, lat = lon * to_degrees, lat * to_degrees
    corners = _CORNERS if len(x) <= _MANY else _FEW_CORNERS
    wider = _wider(corners)
    azimuth = np.arange(corners) * 360.0 / corners
    ring_lon, ring_lat, _ = geod.fwd(
        np.repeat(lon, corners), np.repeat(lat, corners), np.tile(azimuth, len(x)),
        np.repeat(radius_m * wider, corners),
    )  # fmt: skip
    ring_lon = np.asarray(ring_lon).reshape(-1, corners)  # (n, corners)
    ring_lat = np.asarray(ring_lat).reshape(-1, corners)
    if not crs.is_geographic:
        there = Transformer.from_crs(geographic, crs, always_xy=True)
        px, py = there.transform(ring_lon / to_degrees, ring_lat / to_degrees)
        good = np.isfinite(px).all(axis=1) & np.isfinite(py).all(axis=1)
        shapes = np.full(len(x), shapely.Polygon(), dtype=object)
        shapes[good] = shapely.polygons(np.stack([px[good], py[good]], axis=-1))
        return shapes
    ring_lon = lon[:, None] + (ring_lon - lon[:, None] + 180) % 360 - 180
    shapes = np.asarray(shapely.polygons(np.stack([ring_lon, ring_lat], axis=-1) / to_degrees))
    for pole in (90.0, -90.0):
        _, _, distance = geod.inv(lon, lat, lon, np.full(len(x), pole))
        for number in np.flatnonzero(distance < radius_m):
            order = np.argsort(ring_lon[number])
            around, up = ring_lon[number][order], ring_lat[number][order]
            level = np.interp(
                lon[number] + 180, [around[-1], around[0] + 360], [up[-1], up[0]]
            )  # where the ring meets itself
            first, last = lon[number] - 180, lon[number] + 180
            xs = np.r_[first, around, last, last, first]
            ys = np.r_[level, up, level, pole, pole]
            shapes[number] = shapely.Polygon(np.column_stack([xs, ys]) / to_degrees)
    return shapes


def _wider(corners: int) -> float:
    """By how much a polygon of so many corners is wider than the circle of its area."""
    step = 2 * np.pi / corners
    return float(np.sqrt(step / np.sin(step)))


def widened(
    frame: GeoSeries, radius_m: NDArray[np.float64], grid: Grid, name: str
) -> NDArray[np.object_]:
    """(n,) as `on_grid`, each with its radius around: on the ground, by the scale at its middle.

    Args:
        frame: (n,) geometries with their CRS; None for none.
        radius_m: (n,) metres; 0 for those that stay as they are.
        grid: the cells.
        name: what messages call the labels.

    Raises:
        LabelsError: the CRS cannot be brought to the grid's.
    """
    import shapely

    sizes_m = np.column_stack(grid.cell_size_m())  # (rows, 2)
    # What lies beyond the edge may reach over it.
    margin = int(min(np.ceil(radius_m.max() / sizes_m.min()), _WIDEST)) + 1
    t = grid.transform
    around = Grid(
        grid.crs, t @ Affine.translation(-margin, -margin),
        grid.width + 2 * margin, grid.height + 2 * margin,
    )  # fmt: skip
    shapes = on_grid(frame, around, name)
    wide = np.flatnonzero((radius_m > 0) & ~shapely.is_empty(shapes))
    bounds = shapely.bounds(shapes[wide])  # (wide, 4)
    row = np.clip((bounds[:, 1] + bounds[:, 3]) / 2 - margin, 0, grid.height - 1).astype(np.intp)
    lines = _scaled(shapes[wide], sizes_m[row])
    lines = shapely.buffer(lines, radius_m[wide] * _wider(_CORNERS), quad_segs=_CORNERS // 4)
    shapes[wide] = _scaled(lines, 1 / sizes_m[row])
    return np.asarray(shapely.transform(shapes, lambda cells: to_steps(cells - margin)))


def _scaled(shapes: NDArray[np.object_], by: NDArray[np.float64]) -> NDArray[np.object_]:
    """(n,) the shapes with each its x and y times those of `by`, of shape (n, 2)."""
    import shapely

    places, owner = shapely.get_coordinates(shapes, return_index=True)
    return np.asarray(shapely.set_coordinates(shapes.copy(), places * by[owner]))
