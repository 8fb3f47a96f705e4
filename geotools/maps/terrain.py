"""map_terrain: an elevation model becomes a GeoTIFF of slope, aspect, curvature and the like."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geotools.effort import Effort
from geotools.errors import RasterError
from geotools.grid import Tile, TileScheme, Window
from geotools.io.writing import create_geotiff
from geotools.maps.inputs import (
    DemOptions,
    FilePath,
    as_text,
    check_apart,
    check_paths,
    elevation,
    open_dem,
    provenances,
)
from geotools.maps.shown import shown_range
from geotools.raster import Raster, Sink, foresee
from geotools.stream import Progress, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TerrainMap", "TerrainSettings", "map_terrain"]

_TILE = 1024
_FEW = 7
"""Attributes that a tile of this size holds in 32 MB: larger arrays glibc gives back to the system
each time, which clears them for the next tile. One attribute more takes smaller tiles."""

_BYTES_PER_CELL = 90
"""Working memory for a cell of a tile, beside 16 bytes for each attribute."""

_SAMPLE = 97
"""Every 97th cell of a tile is looked at for the range that the style draws."""


@dataclass(frozen=True, slots=True)
class TerrainSettings:
    """How attributes are taken; see `geotools.terrain.attributes`."""

    method: Literal["horn", "zevenbergen-thorne"] = "horn"
    """Stencil of the derivatives."""
    radius: int | None = None
    """Cells to every side, for windows and openness; each attribute's own when None."""
    azimuth_deg: float = 315.0
    """Where the light of the hillshade comes from, clockwise from north."""
    altitude_deg: float = 45.0
    """How high the light stands."""
    slope_unit: Literal["degrees", "percent", "radians"] = "degrees"
    """Unit of the slope."""
    edges: bool = False
    """Compute cells at edges and voids too, as gdaldem -compute_edges."""


@dataclass(frozen=True, slots=True)
class TerrainMap:
    """What `map_terrain` has written."""

    path: Path
    """The GeoTIFF, a band for each attribute."""
    attributes: tuple[str, ...]
    """Names of the bands."""
    seconds: float
    """Wall time."""


def map_terrain(
    dem: FilePath,
    output: FilePath,
    attributes: Sequence[str] = ("slope",),
    *,
    settings: TerrainSettings | None = None,
    reading: DemOptions | None = None,
    effort: Effort | None = None,
    compress: str = "zstd",
    cog: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TerrainMap:
    """Writes terrain attributes of an elevation model: float32 bands with names and units.

    Cells where an attribute is undefined are NaN, which is declared as nodata.

    Args:
        dem: any raster of elevations that GDAL reads.
        output: GeoTIFF.
        attributes: names from `geotools.terrain.attributes.ATTRIBUTES`, in the order of the bands.
        settings: how they are taken.
        reading: how to read the elevation model.
        effort: threads, tile size, memory.
        compress: one of `geotools.io.writing.COMPRESSIONS`.
        cog: lay the file out as a cloud-optimised GeoTIFF.
        overwrite: replace an output that exists.
        progress: called after every tile.

    Raises:
        GeotoolsError: an input, an output or a setting that cannot be; nothing is written then.
    """
    from geotools.terrain.attributes import ATTRIBUTES, reach
    from geotools.terrain.attributes import attributes as compute_attributes
    from geotools.terrain.cell_sizes import search_unit

    start = time.monotonic()
    settings, reading, effort = (
        settings or TerrainSettings(), reading or DemOptions(), effort or Effort(),
    )  # fmt: skip
    names = list(attributes)
    target = check_paths(dem, [output], overwrite)[0]
    with ExitStack() as stack:
        file = stack.enter_context(open_dem(dem, reading))
        check_apart(file, [target])
        source = elevation(file, reading)
        x_m, y_m = source.grid.cell_size_m()
        unit_m = search_unit(x_m, y_m)
        origin = stack.enter_context(provenances([file.name]))
        halo = min(
            reach(names, radius=settings.radius, x_m=x_m, y_m=y_m, unit_m=unit_m),
            max(source.grid.shape),
        )
        units = [
            settings.slope_unit if name == "slope" else ATTRIBUTES[name].unit for name in names
        ]
        writer = stack.enter_context(
            create_geotiff(
                target,
                source.grid,
                bands=names,
                units=units,
                dtype="float32",
                nodata=float("nan"),
                tags={"parameters": as_text(asdict(settings))},
                gray=(0.0, 1.0),  # until the values are known
                compress=compress,
                method="terrain attributes",
                cog=cog,
                overwrite=overwrite,
            )
        )
        rooms = _Rooms(writer)
        sample: list[NDArray[np.float32]] = []

        def compute(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
            if not block.valid[at.inner].any():
                return None
            rows_x_m, rows_y_m = source.grid.cell_size_m(at.read)
            out = rooms.take((len(names), *at.write.shape))
            values = compute_attributes(
                block.data[0], rows_x_m, rows_y_m, names,
                method=settings.method, radius=settings.radius,
                azimuth_deg=settings.azimuth_deg, altitude_deg=settings.altitude_deg,
                slope_unit=settings.slope_unit, edges=settings.edges, unit_m=unit_m, threads=1,
                inner=at.inner, out=out,
            )  # fmt: skip
            sample.append(values[0].ravel()[::_SAMPLE].copy())
            return (values,)

        # A wide halo on small tiles would be computed over and over.
        size = max(_TILE if len(names) <= _FEW else _TILE // 2, -(-2 * halo // 512) * 512)
        tile, threads = effort.plan(
            tile=size, halo=halo, bytes_per_cell=_BYTES_PER_CELL + 16 * len(names)
        )
        stack.enter_context(file.block_cache(tile + 2 * halo))
        map_tiles(
            source, (rooms,), TileScheme(tile, margin=halo), compute,
            threads=threads, stage="terrain", progress=progress,
        )  # fmt: skip
        if writer.is_empty:
            raise RasterError(
                f"{file.name} holds no valid cell: there is nothing to map (is its nodata value "
                "right? --nodata sets another)."
            )
        writer.tag(origin())
        writer.gray = shown_range(np.concatenate(sample)) or writer.gray
    return TerrainMap(target, tuple(names), time.monotonic() - start)


class _Rooms:
    """A sink before another that keeps the arrays it has seen, to be filled again.

    Large arrays that are let go of are given back to the system, which clears them for the next.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._free: list[Any] = []  # flat

    def take(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """An array of this shape with anything in it."""
        size = math.prod(shape)
        try:
            room = self._free.pop()
        except IndexError:
            room = np.empty(size, np.float32)
        if room.size < size:
            room = np.empty(size, np.float32)
        taken: NDArray[np.float32] = room[:size].reshape(shape)
        return taken

    def foresee(self, data: NDArray[np.float32], window: Window) -> None:
        """See `geotools.raster.foresee`."""
        foresee(self._sink, data, window)

    def write(self, data: NDArray[np.float32], window: Window) -> None:
        """Writes an array from `take`, which may be taken again from now on."""
        self._sink.write(data, window)
        self._free.append(data.base)
