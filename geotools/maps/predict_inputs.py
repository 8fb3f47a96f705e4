"""What a prediction begins with: rasters in the order of the model's sources, and their checks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import FileError, ModelError, RasterError
from geotools.grid import Grid, Window
from geotools.io.geotiff import RasterFile, open_raster
from geotools.maps.inputs import DemOptions, FilePath, check_apart, elevation, open_dem
from geotools.raster import Source
from geotools.schema import any_number
from geotools.spec import ModelSpec, SourceInfo

if TYPE_CHECKING:
    from geotools.inference.predictor import Predictor

__all__ = [
    "RasterOptions",
    "check_cells",
    "open_input",
    "rasters_needed",
]


_MOST_CELLS = 2**22
"""Rows or columns of a raster that is resampled."""

_UNNAMED = re.compile(r"band_[0-9]+|[0-9]*")
"""Names of bands that tell nothing but their place."""


@dataclass(frozen=True, slots=True)
class RasterOptions:
    """How rasters are to be read where their files do not say, or say it wrongly."""

    crs: str | None = None
    """CRS to assume, such as "EPSG:32633"."""
    bands: tuple[int, ...] | None = None
    """Band numbers from 1, in the order that the model takes them; not of models that take
    several rasters, which find their bands by themselves."""
    nodata: float | None = field(default=None, metadata=any_number())
    """Value that stands for missing cells, in all rasters."""
    resample: bool = False
    """Bring a raster that is the only one to cells that the model was made for."""


def rasters_needed(spec: ModelSpec) -> list[str]:
    """What the model is given, one line for each raster, in order."""
    from geotools.features.names import shown_bands

    if not spec.sources:
        if all(name == f"band {number}" for number, name in enumerate(spec.bands, 1)):
            return [f"a raster of {len(spec.bands)} bands"] if spec.bands else []
        return [f"a raster with the bands {', '.join(spec.bands)}"]
    return [
        f"{source.name}{f' of {date}' if date else ''} (bands {shown_bands(source.bands)})"
        for source in spec.sources
        for date in source.dates or ("",)
    ]


def open_input(
    model: Predictor,
    rasters: Sequence[FilePath],
    targets: Sequence[Path],
    reading: RasterOptions | DemOptions,
    stack: ExitStack,
    rows: int,
    *,
    cache_bytes: int | None = None,
    warn: Callable[[str], None] | None = None,
) -> tuple[Source, tuple[str, ...]]:
    """What the model reads, made of the rasters, and the files that are read; closed with `stack`.

    Args:
        model: the model.
        rasters: in the order of `spec.sources`, the dates of a source one after the other.
        targets: outputs, which must not be files that a raster is read from.
        reading: how to read them; DemOptions: as an elevation model.
        stack: closes the files.
        rows: rows of a tile, halo included.
        cache_bytes: what GDAL may keep of the raster, if less than usual.
        warn: called with a sentence when bands deserve a look.

    Raises:
        FileError, GridError, RasterError: a raster that cannot be used.
        ModelError: more rasters or fewer than the model takes.
    """
    spec = model.spec
    _check_count(model, rasters)
    if isinstance(reading, DemOptions):
        file = stack.enter_context(open_dem(rasters[0], reading))
        source: Source = elevation(file, reading)
    elif spec.sources:
        return _open_stack(spec, rasters, targets, reading, stack, warn)
    elif _is_elevation(spec):
        if reading.bands is not None and len(reading.bands) != 1:
            raise RasterError(
                f"The model {model.file} takes one band of elevations: give one number to --bands."
            )
        dem = _as_dem(reading)
        file = stack.enter_context(open_dem(rasters[0], dem))
        if len(file.bands) != 1:
            raise RasterError(
                f"{file.name} has {len(file.bands)} bands and the model {model.file} takes one, of "
                "elevations: choose it, for example --bands 1."
            )
        source = elevation(file, dem)
        if reading.resample:
            source = _resampled(model, file, source, reading, stack)
    else:
        reading = replace(reading, bands=reading.bands or _by_name(spec, rasters[0], reading, warn))
        file = stack.enter_context(
            open_raster(rasters[0], crs=reading.crs, bands=reading.bands, nodata=reading.nodata)
        )
        source = _resampled(model, file, file, reading, stack) if reading.resample else file
    check_apart(file, targets)
    stack.enter_context(file.block_cache(rows, cache_bytes))
    if len(source.bands) != len(spec.bands):
        raise RasterError(
            f"{file.name} has {len(source.bands)} bands, the model {model.file} takes "
            f"{len(spec.bands)} ({', '.join(spec.bands)}): choose them in this order, for example "
            f"--bands {','.join(str(n + 1) for n in range(len(spec.bands)))}."
        )
    return source, file.files


def _by_name(
    spec: ModelSpec,
    raster: FilePath,
    reading: RasterOptions,
    warn: Callable[[str], None] | None,
) -> tuple[int, ...] | None:
    """Numbers of the bands in the model's order, where it names them; None: as they come.

    Raises:
        RasterError: the raster describes some of them, in another place.
    """
    from geotools.features.opening import band_names, find_bands, slug

    wanted = tuple(slug(band) for band in spec.bands)
    if len(set(wanted)) < len(wanted) or all(_UNNAMED.fullmatch(name) for name in wanted):
        return None
    with open_raster(raster, crs=reading.crs) as file:
        names = band_names(file)
    if len(names) != len(wanted) and not set(wanted) <= set(names):
        return None
    places = tuple(range(1, len(wanted) + 1))
    info = SourceInfo(f"the model {spec.name}", wanted, places, len(wanted))
    return find_bands(info, raster, reading.crs, warn=warn)


def _resampled(
    model: Predictor,
    file: RasterFile,
    source: Source,
    reading: RasterOptions,
    stack: ExitStack,
) -> Source:
    """The raster on cells of a size that the model was made for, from the same corner.

    Foreign models name one size; of those that name two limits it is the nearer, and rasters
    between stay as they are.

    Args:
        model: the model.
        file: the raster.
        source: the same as it is read otherwise.
        reading: how it is read.
        stack: closes what is opened.

    Raises:
        RasterError: the model names no size, or cells would be too many.
    """
    from geotools.io.aligned import open_aligned

    size_m = getattr(model, "cell_m", None)
    if size_m is None and not _is_ours(model):
        raise RasterError(
            f"The model {model.file} names no cell size: leave --resample out, or give "
            "--resolution."
        )
    grid = file.grid
    middle = Window(0, grid.height // 2, 1, 1)
    x_m, y_m = (float(sizes[0]) for sizes in grid.cell_size_m(middle))
    if size_m is None:
        low, high = model.spec.cell_size_m
        if low <= min(x_m, y_m) and max(x_m, y_m) <= high:
            return source
        size_m = low if min(x_m, y_m) < low else high
    x, y = size_m / x_m, size_m / y_m
    cells = math.ceil(grid.width / x), math.ceil(grid.height / y)
    if max(cells) > _MOST_CELLS:
        raise RasterError(
            f"{file.name} would have {cells[0]:,} x {cells[1]:,} cells of {size_m:g} m: give a "
            "larger --resolution."
        )
    finer = Grid(grid.crs, grid.transform @ grid.transform.scale(x, y), *cells)
    return stack.enter_context(
        open_aligned(
            file.name, finer, bands=reading.bands, resampling=None, crs=reading.crs,
            nodata=reading.nodata, kind="elevation" if _is_elevation(model.spec) else "values",
        )
    )  # fmt: skip


def _as_dem(reading: RasterOptions) -> DemOptions:
    return DemOptions(reading.crs, reading.bands[0] if reading.bands else None, reading.nodata)


def _is_ours(model: Predictor) -> bool:
    """True for models whose spec was made with them: its limits of cell sizes are meant."""
    return bool(model.spec.version)


def _is_elevation(spec: ModelSpec) -> bool:
    """True for models of one raster in metres, which are read as elevation models are."""
    return any(
        info.kind == "raster" and len(info.bands) == 1 and info.unit == "m" for info in spec.inputs
    )


def _check_count(model: Predictor, rasters: Sequence[FilePath]) -> None:
    needed = rasters_needed(model.spec)
    if len(rasters) == len(needed):
        return
    if model.spec.parameters.get("table"):
        raise ModelError(
            f"The model {model.file} was made from a table: give it one, .csv, .tsv or .parquet, "
            f"with the columns {', '.join(model.spec.features[:20])}."
        )
    if not needed:
        kinds = ", ".join(info.kind for info in model.spec.inputs)
        raise ModelError(f"The model {model.file} takes no raster (its inputs are {kinds}).")
    listed = "; ".join(f"{number}. {text}" for number, text in enumerate(needed, 1))
    raise ModelError(
        f"The model {model.file} takes {len(needed)} rasters, {len(rasters)} are given: give, in "
        f"this order, {listed}."
    )


def _open_stack(
    spec: ModelSpec,
    rasters: Sequence[FilePath],
    targets: Sequence[Path],
    reading: RasterOptions,
    stack: ExitStack,
    warn: Callable[[str], None] | None,
) -> tuple[Source, tuple[str, ...]]:
    from geotools.features.opening import open_stack

    paths, first = [], 0
    for info in spec.sources:
        count = max(1, len(info.dates))
        paths.append(list(rasters[first : first + count]))
        first += count
    source = stack.enter_context(
        open_stack(
            paths,
            spec.sources,
            spec.features,
            crs=reading.crs,
            nodata=reading.nodata,
            bands=reading.bands,
            warn=warn,
        )
    )
    if warn is not None:
        first = 0
        for info in spec.sources:
            taken = zip(info.dates, rasters[first:], strict=False)
            first += max(1, len(info.dates))
            if info.dates:
                listed = ", ".join(f"{Path(file).name} as {date}" for date, file in taken)
                warn(f"Dates are told by the order of the rasters: {info.name} takes {listed}.")
    for target in targets:
        for origin in map(Path, source.files):
            if target.exists() and origin.exists() and target.samefile(origin):
                raise FileError(f"{target} belongs to an input: name another output.")
    return source, source.files


def check_cells(model: Predictor, grid: Grid, name: str, warn: Callable[[str], None]) -> None:
    """Says so where cells are larger or smaller than what the model was made for.

    Raises:
        RasterError: by more than three times, and the model's own words are ours.
    """
    spec = model.spec
    low, high = spec.cell_size_m
    sizes = np.concatenate(grid.cell_size_m())
    smallest, largest = float(sizes.min()), float(sizes.max())
    if low <= smallest and largest <= high:
        return
    found = f"{name} has cells of {smallest:.3g} to {largest:.3g} m"
    made = f"the model {spec.name} is made for {low:.3g} to {high:.3g} m"
    single = not spec.sources
    if _is_ours(model) and (smallest < low / 3 or largest > high * 3):
        how = "give --resample" if single else "resample the first of them (gdalwarp -tr)"
        raise RasterError(f"{found}, {made}: {how}.")
    else_ = ", or give --resample" if single else ""
    warn(f"{found}, {made}: expect a poorer map{else_}.")
