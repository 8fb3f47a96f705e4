"""Frames: outlines with their sums become features with names and areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import RasterError
from geotools.grid import Grid
from geotools.spec import ClassInfo
from geotools.vector import VectorBatch

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from geotools.convert.trace import Outlines

__all__ = ["Frames", "unit_areas"]


def unit_areas(grid: Grid) -> tuple[NDArray[np.float64], float]:
    """Area of a cell of each row in some unit, and that unit in square metres.

    Where all cells are equal the unit is one cell, so that sums are exact counts.
    """
    area = grid.cell_area_m2()
    if (area == area[0]).all():
        return np.ones_like(area), float(area[0])
    return area, 1.0


class Frames:
    """Makes features of outlines."""

    def __init__(
        self, grid: Grid, class_info: Sequence[ClassInfo], *, with_confidence: bool
    ) -> None:
        self._crs = grid.crs
        self._area_m2 = unit_areas(grid)[1]
        self._with_confidence = with_confidence
        self._names: NDArray[Any] = np.full(256, None, object)
        for info in class_info:
            self._names[info.code] = info.name

    def of(self, group: list[Outlines]) -> GeoDataFrame:
        """One batch; geometry objects are made in one call."""
        import geopandas
        import shapely

        coords, *offsets = _ragged(group)
        geometry = shapely.from_ragged_array(shapely.GeometryType.POLYGON, coords, tuple(offsets))
        return geopandas.GeoDataFrame(self._columns(group), geometry=geometry, crs=self._crs)

    def arrays(self, group: list[Outlines]) -> VectorBatch:
        """The same batch without objects."""
        from geotools.convert.wkb import polygons_as_wkb

        wkb = polygons_as_wkb(*_ragged(group))
        return VectorBatch(self._columns(group), wkb, "Polygon", self._crs)

    def _columns(self, group: list[Outlines]) -> dict[str, NDArray[Any]]:
        """What is known of each polygon, by name."""
        value = np.concatenate([part.value for part in group])
        sums = np.concatenate([part.sums for part in group])
        name = self._names[value]
        unknown = value[name == None]  # noqa: E711  element by element
        if unknown.size:
            known = ", ".join(str(code) for code in np.flatnonzero(self._names))
            raise RasterError(
                f"The class raster holds the code {unknown[0]}, the class list has {known}: add "
                f"a ClassInfo for {unknown[0]}."
            )
        columns: dict[str, NDArray[Any]] = {
            "class": value,
            "name": name,
            "area_m2": sums[:, 0] * self._area_m2,
        }
        if self._with_confidence:
            cells = np.where(sums[:, 2] > 0, sums[:, 2], np.nan)
            columns["confidence"] = (sums[:, 1] / cells).astype(np.float32)
        return columns


def _ragged(
    group: list[Outlines],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Corners of all polygons, where each ring begins in them, and each polygon in the rings."""
    return (
        np.concatenate([part.coords for part in group]),
        _offsets([part.ring_ends for part in group]),
        _offsets([part.part_ends for part in group]),
    )


def _offsets(ends: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One row of offsets, from 0, for lists of ends that each count from 0."""
    base = 0
    shifted = [np.zeros(1, np.int64)]
    for part in ends:
        shifted.append(part + base)
        base += int(part[-1]) if part.size else 0
    return np.concatenate(shifted)
