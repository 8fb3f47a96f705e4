"""Polygons beside a class raster: what is asked for, its checks, and the layer itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geotools.effort import Effort
from geotools.errors import FileError, RasterError
from geotools.maps.inputs import FilePath, check_paths
from geotools.raster import Source
from geotools.spec import ClassInfo
from geotools.stream import Progress

__all__ = ["Polygons", "check_polygons", "write_polygons"]


@dataclass(frozen=True, slots=True)
class Polygons:
    """A polygon layer beside a class raster."""

    path: FilePath
    """The GeoPackage."""
    min_area_m2: float = 0.0
    """Smaller polygons join the neighbour with the longest shared border."""
    simplify_m: float = 0.0
    """Tolerance of simplified outlines, in metres; shared edges stay shared."""


def write_polygons(
    polygons: Polygons,
    forms: Source,
    sure: Source | None,
    classes: Sequence[ClassInfo],
    tags: Mapping[str, str],
    *,
    layer: str,
    effort: Effort,
    overwrite: bool,
    progress: Progress | None,
) -> None:
    """Writes the layer.

    Args:
        polygons: what is asked for.
        forms: class codes in its first band.
        sure: the confidence in per cent in its first band.
        classes: the classes.
        tags: provenance.
        layer: name of the layer.
        effort: threads.
        overwrite: replace what is there.
        progress: called after every read.
    """
    from geotools.convert.polygonize import polygon_arrays
    from geotools.io.geopackage import write_layer

    batches = polygon_arrays(
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
        crs=forms.grid.crs,
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
