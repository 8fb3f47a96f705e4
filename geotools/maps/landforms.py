"""map_landforms: an elevation model becomes a class GeoTIFF and polygons, by model or algorithm."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.effort import Effort
from geotools.engine.execute import Outcome
from geotools.engine.run import Running
from geotools.errors import RasterError
from geotools.io.geotiff import open_raster
from geotools.io.writing import create_geotiff
from geotools.maps.area import AreaOptions, place_area
from geotools.maps.inputs import (
    DemOptions,
    FilePath,
    check_apart,
    check_paths,
    elevation,
    open_dem,
    provenances,
)
from geotools.maps.mappers import ExactMapper, Geomorphons, Warn, choose
from geotools.maps.polygons import Polygons, check_polygons, write_polygons
from geotools.maps.predict import predict_to_files
from geotools.maps.predict_order import Order
from geotools.maps.predict_outputs import LayerFiles, Wanted
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from geotools.inference.seams import Seams
    from geotools.inference.sessions import SessionOptions

__all__ = ["LandformMap", "map_landforms", "order_landforms"]

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
    device: str
    """Where the model ran: `cpu`, `cuda`, …"""
    seams: Seams | None
    """How well tiles agree where they meet; None when it was not asked, or none meet."""
    seconds: float
    """Wall time."""
    confidence: Path | None = None
    """The GeoTIFF of the probability of the written class, where it has one of its own."""
    shard: Outcome | None = None
    """What became of the units of a run that was only a shard, which writes none of the files."""


def map_landforms(
    dem: FilePath,
    output: FilePath,
    *,
    method: Geomorphons | FilePath | Sequence[FilePath] | None = None,
    polygons: Polygons | FilePath | None = None,
    confidence: bool = False,
    confidence_path: FilePath | None = None,
    reading: DemOptions | None = None,
    area: AreaOptions | None = None,
    tta: bool = False,
    device: str | SessionOptions = "auto",
    seams: bool = False,
    effort: Effort | None = None,
    running: Running | None = None,
    cog: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Warn | None = None,
    inform: Warn | None = None,
) -> LandformMap:
    """Maps the landforms of an elevation model: ten forms, coded 1 to 10 as r.geomorphon has them.

    Args:
        dem: any raster of elevations that GDAL reads.
        output: class GeoTIFF, uint8, 0 where there is no elevation; with colours and names.
        method: an `.onnx` file or several whose mean is mapped, the exact algorithm with its
            settings, or the shipped model when None.
        polygons: GeoPackage of polygons, one for each connected piece of a class.
        confidence: add the model's probability of the written class in per cent as band 2.
        confidence_path: write it to a GeoTIFF of its own.
        reading: how to read the elevation model.
        area: map a part of it; its cells are what they are in the map of all.
        tta: map the mean of what the model says of the terrain turned and mirrored.
        device: where the model runs, or all of `SessionOptions`.
        seams: measure how well tiles agree where they meet, see `measure_seams`.
        effort: threads, tile size, memory.
        running: how a model's job is run, see `map_predictions`; the exact algorithm has none.
        cog: lay the GeoTIFF out as a cloud-optimised one.
        overwrite: replace outputs that exist.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.
        inform: called with a sentence when it will take minutes.

    Raises:
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    if not isinstance(method, Geomorphons):
        order = order_landforms(
            dem, output, method=method, polygons=polygons, confidence=confidence,
            confidence_path=confidence_path, reading=reading, area=area, tta=tta, device=device,
            seams=seams, effort=effort, running=running, cog=cog, overwrite=overwrite,
        )  # fmt: skip
        return _by_model(order, progress=progress, warn=warn or _ignore, inform=inform or _ignore)
    start = time.monotonic()
    reading, effort, warn = reading or DemOptions(), effort or Effort(), warn or _ignore
    target = check_paths(dem, [output], overwrite)[0]
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    if polygons is not None:
        check_polygons(polygons, dem, target, overwrite, layer=_LAYER)
    if running is not None and (running.shard is not None or running.is_apart):
        raise RasterError(
            "Geomorphons are so fast that they have no units: leave --shard, --executor and "
            "--scheduler out, or use --method model."
        )
    mapper = ExactMapper(method)
    if tta:
        raise RasterError(
            "Geomorphons are the same from all sides: leave --tta out, or use --method model."
        )
    if confidence or confidence_path:
        raise RasterError(
            "Geomorphons are exact and have no confidence: leave --confidence and "
            "--confidence-file out, or use --method model."
        )
    with ExitStack() as stack:
        file = stack.enter_context(open_dem(dem, reading))
        check_apart(file, [target, *([Path(polygons.path)] if polygons else [])])
        source = elevation(file, reading)
        mapper.check(source.grid, file.name, warn)
        placed = place_area(area, source.grid, file.name)
        origin = stack.enter_context(provenances([file.name]))
        tags = mapper.tags() | (area.tags() if area else {})
        writer = stack.enter_context(
            create_geotiff(
                target,
                source.grid if placed is None else source.grid.cut(placed.window),
                bands=["landform"],
                units=[""],
                dtype="uint8",
                nodata=0,
                classes=mapper.classes,
                tags=tags,
                cog=cog,
                overwrite=overwrite,
            )
        )
        tile, threads = mapper.plan(effort)
        stack.enter_context(file.block_cache(tile + 2 * mapper.halo))
        mapper.run(source, writer, tile=tile, threads=threads, area=placed, progress=progress)
        if writer.is_empty:
            where = " in the area" if area else ""
            raise RasterError(
                f"{file.name} holds no valid cell{where}: there is nothing to map (is its nodata "
                "value right? --nodata sets another)."
            )
        tags |= origin()
        writer.tag(tags)
        writer.complete()
        if polygons is not None:
            forms = stack.enter_context(open_raster(writer.path, bands=[1]))
            write_polygons(
                polygons, forms, None, mapper.classes, tags, layer=_LAYER,
                effort=effort, overwrite=overwrite, progress=progress,
            )  # fmt: skip
    area_m2 = {info.name: writer.area_m2()[info.code] for info in mapper.classes}
    return LandformMap(
        path=target,
        polygons=Path(polygons.path) if polygons else None,
        classes=mapper.classes,
        area_m2=area_m2,
        method=mapper.title,
        device="cpu",
        seams=None,
        seconds=time.monotonic() - start,
    )


def order_landforms(
    dem: FilePath,
    output: FilePath,
    *,
    method: FilePath | Sequence[FilePath] | None = None,
    polygons: Polygons | FilePath | None = None,
    confidence: bool = False,
    confidence_path: FilePath | None = None,
    reading: DemOptions | None = None,
    area: AreaOptions | None = None,
    tta: bool = False,
    device: str | SessionOptions = "auto",
    seams: bool = False,
    effort: Effort | None = None,
    running: Running | None = None,
    cog: bool = False,
    overwrite: bool = False,
) -> Order:
    """What `map_landforms` makes of the same arguments, to be looked at by `check_order` first.

    Raises:
        FileError, ModelError, RasterError: a model, or an output, cannot be used.
    """
    target = check_paths(dem, [output], overwrite)[0]
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    if polygons is not None:
        check_polygons(polygons, dem, target, overwrite, layer=_LAYER)
    mapper = choose(method, device)
    return Order(
        model=mapper.model,
        origins=mapper.origins,
        rasters=(dem,),
        wanted=Wanted(
            target,
            polygons,
            confidence,
            cog=cog,
            overwrite=overwrite,
            word="landform",
            layer=_LAYER,
            files=LayerFiles(confidence=confidence_path),
        ),
        reading=reading or DemOptions(),
        area=area,
        tta=tta,
        device=device,
        seams=seams,
        effort=effort or Effort(),
        running=running or Running(),
        check=mapper.check,
    )


def _by_model(order: Order, *, progress: Progress | None, warn: Warn, inform: Warn) -> LandformMap:
    made = predict_to_files(order, progress=progress, warn=warn, inform=inform)
    return LandformMap(
        path=made.path,
        polygons=made.polygons,
        classes=made.classes,
        area_m2=made.area_m2,
        method=order.model.spec.name,
        device=made.device,
        seams=made.seams,
        seconds=made.seconds,
        confidence=made.confidence,
        shard=made.shard,
    )


def _ignore(sentence: str) -> None:
    """Says nothing."""
