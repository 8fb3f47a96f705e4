"""Polygons beside a class raster: what is asked for, its checks, and the layer itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import Effort
from geotools.errors import FileError, RasterError
from geotools.grid import Window
from geotools.io.geotiff import open_raster
from geotools.io.writing import GeotiffWriter
from geotools.maps.inputs import FilePath, check_paths
from geotools.raster import Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Apart", "Polygons", "check_polygons", "write_polygons"]


@dataclass(frozen=True, slots=True)
class Polygons:
    """A polygon layer beside a class raster."""

    path: FilePath
    """The GeoPackage."""
    min_area_m2: float = 0.0
    """Smaller polygons join the neighbour with the longest shared border."""
    simplify_m: float = 0.0
    """Tolerance of simplified outlines, in metres; shared edges stay shared."""


class Apart:
    """A `Sink` of two bands that are written to two files."""

    def __init__(self, first: Sink, second: Sink) -> None:
        self._first, self._second = first, second

    def write(self, data: NDArray[Any], window: Window) -> None:
        """Band 1 to the first, band 2 to the second."""
        self._first.write(data[:1], window)
        self._second.write(data[1:], window)


def write_polygons(
    polygons: Polygons,
    writer: GeotiffWriter,
    scratch: GeotiffWriter | None,
    classes: Sequence[ClassInfo],
    tags: Mapping[str, str],
    *,
    layer: str,
    confidence: bool,
    effort: Effort,
    overwrite: bool,
    progress: Progress | None,
) -> None:
    """Writes the layer from the finished raster, which has no name yet.

    Args:
        polygons: what is asked for.
        writer: the raster of class codes.
        scratch: the confidence in per cent, when it is in a file of its own.
        classes: the classes.
        tags: provenance.
        layer: name of the layer.
        confidence: there is one, in `scratch` or as band 2 of the raster.
        effort: threads.
        overwrite: replace what is there.
        progress: called after every read.
    """
    from geotools.convert import polygonize
    from geotools.io.geopackage import write_layer

    with ExitStack() as stack:
        forms = stack.enter_context(open_raster(writer.path, bands=[1]))
        sure = None
        if scratch is not None:
            scratch.complete()
            sure = stack.enter_context(open_raster(scratch.path))
        elif confidence:
            sure = stack.enter_context(open_raster(writer.path, bands=[2]))
        batches = polygonize(
            forms,
            class_info=classes,
            confidence=sure,
            min_area_m2=polygons.min_area_m2,
            simplify_m=polygons.simplify_m,
            threads=effort.cores,
            progress=progress,
        )
        write_layer(
            polygons.path,
            batches,
            layer=layer,
            classes=classes,
            metadata=tags,
            crs=writer.grid.crs,
            overwrite=overwrite,
        )


def check_polygons(
    polygons: Polygons, source: FilePath, raster: Path, overwrite: bool, *, layer: str
) -> None:
    """Nothing, when the layer may be written.

    Raises:
        FileError: its path is no GeoPackage, that of the raster or of the input, or not to be had.
        RasterError: settings that make no sense.
    """
    from geotools.io.geopackage import check_layer

    target = check_paths(source, [polygons.path], overwrite)[0]
    if target.suffix.lower() == ".gpkg":
        check_layer(target, layer, overwrite=overwrite)
    if target.absolute() == raster.absolute():
        raise FileError(f"{target} is named for raster and polygons: give two names.")
    if target.suffix.lower() != ".gpkg":
        raise FileError(f"{target} is no GeoPackage: give a name that ends in .gpkg.")
    for name, value in (("--min-area", polygons.min_area_m2), ("--simplify", polygons.simplify_m)):
        if not (np.isfinite(value) and value >= 0):
            raise RasterError(f"{name} is {value}: give 0 or more.")
