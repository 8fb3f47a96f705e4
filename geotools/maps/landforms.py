"""map_landforms: an elevation model becomes a class GeoTIFF and polygons, by model or algorithm."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from geotools.effort import Effort
from geotools.errors import RasterError
from geotools.io.writing import GeotiffWriter, create_geotiff, create_scratch
from geotools.maps.inputs import (
    DemOptions,
    FilePath,
    check_apart,
    check_paths,
    elevation,
    open_dem,
    provenance,
)
from geotools.maps.mappers import Geomorphons, Warn, choose
from geotools.maps.polygons import Apart, Polygons, check_polygons, write_polygons
from geotools.raster import Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress

__all__ = ["LandformMap", "map_landforms"]

_LAYER = "landforms"
"""Name of the polygon layer."""


@dataclass(frozen=True, slots=True)
class LandformMap:
    """What `map_landforms` has written."""

    path: Path
    """The class GeoTIFF."""
    polygons: Path | None
    """The polygon GeoPackage."""
    classes: tuple[ClassInfo, ...]
    """The classes of the map."""
    area_m2: Mapping[str, float]
    """Area by class name."""
    method: str
    """Model name and version, or the algorithm's settings."""
    seconds: float
    """Wall time."""


def map_landforms(
    dem: FilePath,
    output: FilePath,
    *,
    method: Geomorphons | FilePath | None = None,
    polygons: Polygons | FilePath | None = None,
    confidence: bool = False,
    reading: DemOptions | None = None,
    effort: Effort | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> LandformMap:
    """Maps the landforms of an elevation model: ten forms, coded 1 to 10 as r.geomorphon has them.

    Args:
        dem: any raster of elevations that GDAL reads.
        output: class GeoTIFF, uint8, 0 where there is no elevation; with colours and names.
        method: an `.onnx` file, the exact algorithm with its settings, or the shipped model
            when None.
        polygons: GeoPackage of polygons, one for each connected piece of a class.
        confidence: add the model's probability of the written class in per cent as band 2.
        reading: how to read the elevation model.
        effort: threads, tile size, memory.
        overwrite: replace outputs that exist.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.

    Raises:
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    start = time.monotonic()
    reading, effort, warn = reading or DemOptions(), effort or Effort(), warn or _ignore
    target = check_paths(dem, [output], overwrite)[0]
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    if polygons is not None:
        check_polygons(polygons, dem, target, overwrite, layer=_LAYER)
    mapper = choose(method)
    if confidence and not mapper.has_confidence:
        raise RasterError(
            "Geomorphons are exact and have no confidence: leave --confidence out, or use "
            "--method model."
        )
    with ExitStack() as stack:
        file = stack.enter_context(open_dem(dem, reading))
        check_apart(file, [target, *([Path(polygons.path)] if polygons else [])])
        source = elevation(file, reading)
        mapper.check(source.grid, file.name, warn)
        origin = stack.enter_context(provenance(file))
        tags = mapper.tags()
        writer = stack.enter_context(
            create_geotiff(
                target,
                source.grid,
                bands=["landform", "confidence"] if confidence else ["landform"],
                units=["", "%"] if confidence else [""],
                dtype="uint8",
                nodata=0,
                classes=mapper.classes,
                tags=tags,
                overwrite=overwrite,
            )
        )
        sink: Sink = writer
        sure: GeotiffWriter | None = None
        if polygons is not None and not confidence and mapper.has_confidence:
            sure = stack.enter_context(
                create_scratch(target, source.grid, bands=["confidence"], dtype="uint8", nodata=0)
            )
            sink = Apart(writer, sure)
        with_confidence = confidence or sure is not None
        tile, threads = mapper.plan(effort)
        stack.enter_context(file.block_cache(tile + 2 * mapper.halo))
        mapper.run(
            source, sink,
            confidence=with_confidence, tile=tile, threads=threads, progress=progress,
        )  # fmt: skip
        if writer.is_empty:
            raise RasterError(
                f"{file.name} holds no valid cell: there is nothing to map (is its nodata value "
                "right? --nodata sets another)."
            )
        tags |= origin()
        writer.tag(tags)
        writer.complete()
        if polygons is not None:
            write_polygons(
                polygons, writer, sure, mapper.classes, tags, layer=_LAYER,
                confidence=with_confidence, effort=effort, overwrite=overwrite, progress=progress,
            )  # fmt: skip
    area = {info.name: writer.area_m2()[info.code] for info in mapper.classes}
    return LandformMap(
        path=target,
        polygons=Path(polygons.path) if polygons else None,
        classes=mapper.classes,
        area_m2=area,
        method=mapper.title,
        seconds=time.monotonic() - start,
    )


def _ignore(sentence: str) -> None:
    """Says nothing."""
