"""Great-circle distances between places on a sphere; no projection anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EARTH_RADIUS_KM", "great_circle_km", "unit_vectors"]

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 of the Earth (IUGG, Moritz 2000). Against the ellipsoid, distances on this
sphere are wrong by up to 0.6 %, far less than epicentres are."""


def great_circle_km(
    longitude: ArrayLike,
    latitude: ArrayLike,
    other_longitude: ArrayLike,
    other_latitude: ArrayLike,
) -> NDArray[np.float64]:
    """Distance in km along the sphere, float64, of the shape that the arguments broadcast to.

    By the haversine formula (Sinnott 1984), which keeps its digits at small distances.

    Args:
        longitude, latitude: degrees.
        other_longitude, other_latitude: degrees.
    """
    lon, lat, lon2, lat2 = (
        np.radians(np.asarray(values, dtype=np.float64))
        for values in (longitude, latitude, other_longitude, other_latitude)
    )
    half = np.sin((lat2 - lat) / 2) ** 2
    half = half + np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return distance


def unit_vectors(longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.float64]:
    """(events, 3) float64: places on the unit sphere, for distances without trigonometry.

    Args:
        longitude, latitude: (events,) degrees.
    """
    lon = np.radians(np.asarray(longitude, dtype=np.float64))
    lat = np.radians(np.asarray(latitude, dtype=np.float64))
    return np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=-1)
