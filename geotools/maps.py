"""From files to maps: open, compute by tiles, write. What scripts, command line and QGIS call.

Every function takes the names of inputs and outputs, checks all of them before it reads a cell,
and leaves complete outputs or none.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geotools.dem import Dem, vertical_unit_m
from geotools.effort import Effort
from geotools.errors import FileError, RasterError
from geotools.grid import Grid, Tile, TileScheme, Window
from geotools.io.atomic import check_output
from geotools.io.geotiff import RasterFile, open_raster
from geotools.io.writing import GeotiffWriter, create_geotiff, create_scratch
from geotools.raster import Raster, Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.model import Model

__all__ = ["DemOptions", "Geomorphons", "LandformMap", "Polygons", "landforms"]

Path_ = str | os.PathLike[str]
Warn = Callable[[str], None]

_BYTES_PER_CELL = {"model": 1500, "geomorphons": 60, "terrain": 60}
"""Working memory for a cell of a tile, measured as peak RSS over tiles of 512 and 1024 cells."""

_MAX_REACH = 2000
"""Cells; looking farther means rows so near to a pole that a cell has no width."""


@dataclass(frozen=True, slots=True)
class DemOptions:
    """How an elevation model is to be read where its file does not say, or says it wrongly."""

    crs: str | None = None
    """CRS to assume, such as "EPSG:32633"."""
    band: int | None = None
    """Band number from 1."""
    nodata: float | None = None
    """Value that stands for missing cells."""
    z_factor: float | None = None
    """Metres in one unit of the values; from the vertical CRS or the band's unit when None."""


@dataclass(frozen=True, slots=True)
class Geomorphons:
    """The exact algorithm and its settings; see `geotools.terrain.geomorphons`."""

    search: int = 10
    """How far to look, in cells."""
    skip: int = 0
    """Cells not looked at at the start of each ray."""
    flat_deg: float = 1.0
    """Flatness threshold in degrees."""
    flat_distance: float = 0.0
    """Cells from which the threshold shrinks; 0 for none."""
    dialect: Literal["grass", "whitebox", "paper"] = "grass"
    """Whose rules to follow."""


@dataclass(frozen=True, slots=True)
class Polygons:
    """A polygon layer beside a class raster."""

    path: Path_
    """The GeoPackage."""
    min_area_m2: float = 0.0
    """Smaller polygons join the neighbour with the longest shared border."""
    simplify_m: float = 0.0
    """Tolerance of simplified outlines, in metres; shared edges stay shared."""


@dataclass(frozen=True, slots=True)
class LandformMap:
    """What `landforms` has written."""

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


def landforms(
    dem: Path_,
    output: Path_,
    *,
    method: Geomorphons | Path_ | None = None,
    polygons: Polygons | Path_ | None = None,
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
    target = _check_paths(dem, [output], overwrite)[0]
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    if polygons is not None:
        _check_polygons(polygons, dem, target, overwrite)
    mapper = _mapper(method)
    if confidence and isinstance(mapper, _ExactMapper):
        raise RasterError(
            "Geomorphons are exact and have no confidence: leave --confidence out, or use "
            "--method model."
        )
    with ExitStack() as stack:
        file = stack.enter_context(_open_dem(dem, reading))
        source = _dem(file, reading)
        mapper.check(source.grid, file.name, warn)
        tags = {**mapper.tags(), "source": Path(file.name).name, "source_sha256": _sha256(file)}
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
        if polygons is not None and not confidence and isinstance(mapper, _ModelMapper):
            sure = stack.enter_context(
                create_scratch(target, source.grid, bands=["confidence"], dtype="uint8", nodata=0)
            )
            sink = _Apart(writer, sure)
        with_confidence = confidence or sure is not None
        mapper.run(source, sink, with_confidence, effort, progress)
        if writer.is_empty:
            raise RasterError(
                f"{file.name} holds no valid cell: there is nothing to map (is its nodata value "
                "right? --nodata sets another)."
            )
        writer.complete()
        if polygons is not None:
            _write_polygons(
                polygons, writer, sure, mapper.classes, tags, with_confidence, overwrite, progress
            )
    area = {info.name: writer.area_m2()[info.code] for info in mapper.classes}
    return LandformMap(
        path=target,
        polygons=Path(polygons.path) if polygons else None,
        classes=mapper.classes,
        area_m2=area,
        method=mapper.title,
        seconds=time.monotonic() - start,
    )


class _ModelMapper:
    """Landforms by a model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes: tuple[ClassInfo, ...] = model.spec.classes
        self.title = f"{model.spec.name} {model.spec.version}"

    def tags(self) -> dict[str, str]:
        spec = self.model.spec
        return {
            "method": "model",
            "model": spec.name,
            "model_version": spec.version,
            "model_sha256": self.model.sha256,
            "parameters": _as_text(spec.parameters),
        }

    def check(self, grid: Grid, name: str, warn: Warn) -> None:
        """Refuses cell sizes that the model never saw; says so when they are near the limits."""
        low, high = self.model.spec.cell_size_m
        sizes = np.concatenate(grid.cell_size_m())
        smallest, largest = float(sizes.min()), float(sizes.max())
        if low <= smallest and largest <= high:
            return
        found = f"{name} has cells of {smallest:.3g} to {largest:.3g} m"
        made = f"the model {self.title} is made for {low:g} to {high:g} m"
        if smallest < low / 3 or largest > high * 3:
            raise RasterError(f"{found}, {made}: resample the raster, or use --method geomorphons.")
        warn(f"{found}, {made}: expect a poorer map.")

    def run(
        self,
        source: Dem,
        sink: Sink,
        confidence: bool,
        effort: Effort,
        progress: Progress | None,
    ) -> None:
        from geotools.inference.predict import predict

        spec = self.model.spec
        tile, threads = effort.plan(
            tile=spec.tile, halo=spec.halo, bytes_per_cell=_BYTES_PER_CELL["model"]
        )
        predict(
            self.model, source, sink,
            confidence=confidence, tile=tile, threads=threads, progress=progress,
        )  # fmt: skip


class _ExactMapper:
    """Landforms by the exact algorithm."""

    def __init__(self, settings: Geomorphons) -> None:
        from geotools.terrain.geomorphons import FORMS

        self.settings = settings
        self.classes: tuple[ClassInfo, ...] = FORMS
        self.title = (
            f"geomorphons (search {settings.search}, skip {settings.skip}, flat "
            f"{settings.flat_deg:g}°)"
        )

    def tags(self) -> dict[str, str]:
        settings = self.settings
        return {
            "method": "geomorphons",
            "parameters": _as_text(
                {name: getattr(settings, name) for name in settings.__dataclass_fields__}
            ),
        }

    def check(self, grid: Grid, name: str, warn: Warn) -> None:
        from geotools.terrain.geomorphons import reach, search_unit

        x_m, y_m = grid.cell_size_m()
        self.unit_m = search_unit(x_m, y_m)
        self.reach = min(
            reach(
                self.settings.search,
                x_m=x_m,
                y_m=y_m,
                dialect=self.settings.dialect,
                unit_m=self.unit_m,
            ),
            max(grid.shape),
        )
        if self.reach > _MAX_REACH:
            raise RasterError(
                f"{name} would have to be looked over for {self.reach} cells: give a smaller "
                "--search, or warp a raster near a pole to a polar projection."
            )

    def run(
        self,
        source: Dem,
        sink: Sink,
        confidence: bool,
        effort: Effort,
        progress: Progress | None,
    ) -> None:
        from geotools.terrain.geomorphons import geomorphons

        settings = self.settings

        def compute(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
            valid = block.valid[at.inner]
            if not valid.any():
                return None
            x_m, y_m = source.grid.cell_size_m(at.read)
            forms = geomorphons(
                block.data[0], x_m, y_m,
                search=settings.search, skip=settings.skip, flat_deg=settings.flat_deg,
                flat_distance=settings.flat_distance, dialect=settings.dialect,
                unit_m=self.unit_m, threads=1,
            )  # fmt: skip
            return (forms[at.inner][None],)

        tile, threads = effort.plan(
            tile=1024, halo=self.reach, bytes_per_cell=_BYTES_PER_CELL["geomorphons"]
        )
        map_tiles(
            source, (sink,), TileScheme(tile, margin=self.reach), compute,
            threads=threads, stage="classifying", progress=progress,
        )  # fmt: skip


class _Apart:
    """A `Sink` of two bands that are written to two files."""

    def __init__(self, first: Sink, second: Sink) -> None:
        self._first, self._second = first, second

    def write(self, data: NDArray[Any], window: Window) -> None:
        """Band 1 to the first, band 2 to the second."""
        self._first.write(data[:1], window)
        self._second.write(data[1:], window)


def _mapper(method: Geomorphons | Path_ | None) -> _ModelMapper | _ExactMapper:
    if isinstance(method, Geomorphons):
        return _ExactMapper(method)
    from geotools.inference.model import open_model, shipped_model

    model = shipped_model("landforms-v1") if method is None else open_model(method)
    if len(model.spec.bands) != 1:
        raise RasterError(
            f"The model {model.file} takes {len(model.spec.bands)} bands "
            f"({', '.join(model.spec.bands)}), an elevation model has one: give a landform model."
        )
    return _ModelMapper(model)


def _write_polygons(
    polygons: Polygons,
    writer: GeotiffWriter,
    scratch: GeotiffWriter | None,
    classes: Sequence[ClassInfo],
    tags: Mapping[str, str],
    confidence: bool,
    overwrite: bool,
    progress: Progress | None,
) -> None:
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
            progress=progress,
        )
        write_layer(
            polygons.path,
            batches,
            layer="landforms",
            classes=classes,
            metadata=tags,
            crs=writer.grid.crs,
            overwrite=overwrite,
        )


def _open_dem(dem: Path_, reading: DemOptions) -> RasterFile:
    bands = None if reading.band is None else [reading.band]
    file = open_raster(dem, crs=reading.crs, bands=bands, nodata=reading.nodata)
    if file.has_palette:
        file.close()
        raise RasterError(
            f"{file.name} has a colour table, so its values are classes and not elevations: give "
            "an elevation model."
        )
    return file


def _dem(file: RasterFile, reading: DemOptions) -> Dem:
    factor = reading.z_factor
    if factor is None:
        factor = vertical_unit_m(file.grid.crs.wkt, file.units[0])
    return Dem(file, name=file.name, z_factor=factor)


def _check_paths(source: Path_, outputs: Sequence[Path_], overwrite: bool) -> list[Path]:
    """The outputs, which may be written and are neither the input nor one another."""
    targets = [check_output(output, overwrite=overwrite) for output in outputs]
    origin = Path(os.fspath(source))
    for target in targets:
        if target.exists() and origin.exists() and target.samefile(origin):
            raise FileError(f"{target} is the input itself: name another output.")
    return targets


def _check_polygons(polygons: Polygons, dem: Path_, raster: Path, overwrite: bool) -> None:
    target = _check_paths(dem, [polygons.path], overwrite)[0]
    if target.absolute() == raster.absolute():
        raise FileError(f"{target} is named for raster and polygons: give two names.")
    if target.suffix.lower() != ".gpkg":
        raise FileError(f"{target} is no GeoPackage: give a name that ends in .gpkg.")
    for name, value in (("--min-area", polygons.min_area_m2), ("--simplify", polygons.simplify_m)):
        if not (np.isfinite(value) and value >= 0):
            raise RasterError(f"{name} is {value}: give 0 or more.")


def _sha256(file: RasterFile) -> str:
    """Of the input as it lies on disk; of the archive when it is in one."""
    path = Path(file.name)
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _as_text(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _ignore(sentence: str) -> None:
    """Says nothing."""
