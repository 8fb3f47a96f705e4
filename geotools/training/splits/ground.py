"""Ground: places of a CRS as metres, on a plane or on the ellipsoid, of whatever body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geotools.errors import GridError
from geotools.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["metres_a_unit", "places_m"]


def metres_a_unit(crs: Any, y: float) -> tuple[float, float]:
    """Metres in one unit of the CRS along x and along y, at this northing.

    Args:
        crs: rasterio.crs.CRS.
        y: in units of the CRS.
    """
    step = 1e-6  # a cell as good as a point
    x_m, y_m = Grid(crs, Affine(step, 0, 0, 0, -step, y + step / 2), 1, 1).cell_size_m()
    return float(x_m[0]) / step, float(y_m[0]) / step


def places_m(crs: Any, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) or (n, 3) metres: places whose straight distances are those on the ground, nearly.

    Geographic: on the ellipsoid in three dimensions (Snyder 1987, eq. 4-20 gives the radius), so
    that longitudes go round; a chord of 1,000 km is 0.1 % short. Projected: the plane, by the
    scale at its middle.
    """
    if not crs.is_geographic:
        along_x, along_y = metres_a_unit(crs, float(y.min() + y.max()) / 2 if len(y) else 0.0)
        return np.column_stack([x * along_x, y * along_y])
    from pyproj import CRS

    ellipsoid = CRS.from_wkt(crs.wkt).ellipsoid
    if ellipsoid is None:
        raise GridError(f"The CRS {crs} names no ellipsoid: assign one with labels.crs.")
    major, minor = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    factor = float(crs.units_factor[1])
    lon, lat = x * factor, y * factor
    shrunk = (minor / major) ** 2
    radius = major / np.sqrt(1 - (1 - shrunk) * np.sin(lat) ** 2)
    return np.column_stack(
        [
            radius * np.cos(lat) * np.cos(lon),
            radius * np.cos(lat) * np.sin(lon),
            radius * shrunk * np.sin(lat),
        ]
    )
