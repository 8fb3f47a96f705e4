"""Directions: which features point somewhere, and how they turn when a raster is turned.

The one rule for tiles that vary in training and for maps that are the mean of several views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Directions", "directions_of"]

Matrix = tuple[tuple[float, float], tuple[float, float]]
"""On metres southward and eastward: from a place in the turned raster to its place before."""


@dataclass(frozen=True, slots=True)
class Directions:
    """Places, in a list of features, of those that are directions."""

    aspects: tuple[int, ...]
    """Degrees clockwise from north."""
    pairs: tuple[tuple[int, int], ...]
    """Northness and eastness of the same radius."""
    lone_north: tuple[int, ...]
    """Northness without its eastness: half of a direction."""
    lone_east: tuple[int, ...]
    """Eastness without its northness."""
    lit: tuple[int, ...]
    """Hillshades: their light stays where it is, whatever is turned."""

    @property
    def half_known(self) -> bool:
        """True when half of a direction is missing: there is no turning by less than a half."""
        return bool(self.lone_north or self.lone_east)

    def turn(self, matrix: Matrix, values: NDArray[Any]) -> None:
        """Nothing; directions in `values` become those of the turned raster.

        Its heights are z'(p) = z(M p), so that its gradient is M^T times that of z: the inverse
        transpose of the map from the raster before. Downhill is against the gradient.

        Args:
            matrix: M.
            values: (F, ...) float32, written to; NaN stays NaN.
        """
        (a, b), (c, d) = matrix
        if (a, b, c, d) == (1.0, 0.0, 0.0, 1.0):
            return
        for f in self.aspects:
            angle = np.deg2rad(values[f])
            south, east = -np.cos(angle), np.sin(angle)
            turned = np.arctan2(b * south + d * east, -(a * south + c * east))
            values[f] = np.rad2deg(turned) % 360
        for north_at, east_at in self.pairs:
            south, east = -values[north_at], values[east_at].copy()
            length = np.hypot(south, east)
            north, east = -(a * south + c * east), b * south + d * east
            factor = length / np.maximum(np.hypot(north, east), 1e-12)
            values[north_at], values[east_at] = north * factor, east * factor
        for f in self.lone_north:
            values[f] *= np.sign(a)
        for f in self.lone_east:
            values[f] *= np.sign(d)


def directions_of(features: Sequence[str]) -> Directions:
    """The directions among features.

    Args:
        features: names; `terrain.aspect` (degrees clockwise from north), `terrain.northness` and
            `terrain.eastness` are directions, whatever their `@` says.
    """
    names = [name.partition("@") for name in features]

    def places(name: str) -> dict[str, int]:
        return {at: f for f, (body, _, at) in enumerate(names) if body == f"terrain.{name}"}

    north, east = places("northness"), places("eastness")
    return Directions(
        aspects=tuple(places("aspect").values()),
        pairs=tuple((north[at], east[at]) for at in north if at in east),
        lone_north=tuple(f for at, f in north.items() if at not in east),
        lone_east=tuple(f for at, f in east.items() if at not in north),
        lit=tuple(places("hillshade").values()),
    )
