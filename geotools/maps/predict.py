"""map_predictions: rasters become a class GeoTIFF with polygons, or values, by any model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.effort import Effort
from geotools.errors import ModelError, RasterError
from geotools.maps.inputs import FilePath, as_text
from geotools.maps.polygons import Polygons
from geotools.maps.predict_inputs import RasterOptions, check_cells, open_source, provenances
from geotools.maps.predict_outputs import Outputs, Wanted, check_wanted
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from geotools.inference.predictor import Predictor
    from geotools.inference.terms import ForeignSettings

__all__ = ["PredictionMap", "map_predictions"]

_BYTES_PER_CELL = {"raster": 1700, "rows": 100}
"""Working memory for a cell of a tile: of nets as measured on landforms-v1, of models of single
cells beside their inputs and outputs."""

_LARGEST_TILE = 4096
"""Cells; a spec that asks for more gets this."""


@dataclass(frozen=True, slots=True)
class PredictionMap:
    """What `map_predictions` has written."""

    path: Path
    """The GeoTIFF of classes or values."""
    polygons: Path | None
    """The polygon GeoPackage."""
    probabilities: Path | None
    """The GeoTIFF of the probability of every class."""
    classes: tuple[ClassInfo, ...]
    """The classes of the map; none for values."""
    area_m2: Mapping[str, float]
    """Area by class name; empty for values."""
    model: str
    """Name of the model."""
    seconds: float
    """Wall time."""


def map_predictions(
    model: Predictor | FilePath,
    rasters: Sequence[FilePath] | FilePath,
    output: FilePath,
    *,
    polygons: Polygons | FilePath | None = None,
    confidence: bool = False,
    probabilities: bool = False,
    reading: RasterOptions | None = None,
    foreign: ForeignSettings | None = None,
    effort: Effort | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> PredictionMap:
    """Maps what a model says of every cell of its rasters: classes, or values.

    Args:
        model: an `.onnx` file, the name of a shipped model, or one in memory.
        rasters: in the order of the model's sources, the dates of a source one after the other;
            the map has the grid of the first.
        output: GeoTIFF; of classes uint8, 0 where nothing is known, with colours and names; of
            values float32, NaN where nothing is known.
        polygons: GeoPackage of polygons, one for each connected piece of a class.
        confidence: add the probability of the written class in per cent as band 2.
        probabilities: write the probability of every class to `OUTPUT_probabilities.tif`, float32.
        reading: how to read the rasters.
        foreign: what is to be known of a model that does not say it itself.
        effort: threads, tile size, memory.
        overwrite: replace outputs that exist.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.

    Raises:
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    from geotools.inference.predict import predict
    from geotools.inference.ranges import check_ranges

    start = time.monotonic()
    reading, effort, warn = reading or RasterOptions(), effort or Effort(), warn or _ignore
    rasters = [rasters] if isinstance(rasters, str | os.PathLike) else list(rasters)
    opened = _open(model, foreign)
    wanted = Wanted(
        path=Path(output),
        polygons=polygons
        if polygons is None or isinstance(polygons, Polygons)
        else Polygons(polygons),
        probabilities=probabilities,
        confidence=confidence,
        overwrite=overwrite,
    )
    targets = check_wanted(opened, rasters, wanted)
    with ExitStack() as stack:
        tile, threads = _plan(opened, effort)
        rows = tile + 2 * opened.spec.halo
        source = open_source(opened, rasters, targets, reading, stack, rows, warn=warn)
        check_cells(opened, source.grid, str(rasters[0]), warn)
        check_ranges(opened.spec, source, warn)
        for note in opened.notes:
            warn(note)
        origin = stack.enter_context(provenances(rasters))
        tags = _tags(opened)
        outputs = Outputs(opened, wanted, source.grid, tags, stack)
        predict(
            opened, source, outputs.sink,
            confidence=outputs.confidence, probabilities=outputs.probabilities,
            tile=tile, threads=threads, progress=progress,
        )  # fmt: skip
        if outputs.is_empty:
            raise RasterError(
                f"{' and '.join(str(raster) for raster in rasters)} hold no cell that is valid in "
                "all and that the model knows an answer for: there is nothing to map (is the "
                "nodata value right? --nodata sets another)."
            )
        outputs.finish(tags | origin(), effort, progress)
    return PredictionMap(
        path=wanted.path,
        polygons=Path(wanted.polygons.path) if wanted.polygons else None,
        probabilities=wanted.probabilities_path if probabilities else None,
        classes=outputs.classes,
        area_m2=outputs.area_m2,
        model=opened.spec.name,
        seconds=time.monotonic() - start,
    )


def _open(model: Predictor | FilePath, settings: ForeignSettings | None) -> Predictor:
    from geotools.inference.opening import open_any

    return open_any(model, settings) if isinstance(model, str | os.PathLike) else model


def _plan(model: Predictor, effort: Effort) -> tuple[int, int]:
    """Tile size and threads that stay within the memory."""
    spec = model.spec
    if model.side is not None:
        if effort.tile is not None:
            raise ModelError(
                f"The model {model.file} is run on tiles of {model.side[0]} x {model.side[1]} "
                "cells and no others: leave --tile out."
            )
        effort = replace(effort, tile=max(model.side))
    kind = "raster" if any(info.kind == "raster" for info in spec.inputs) else "rows"
    bands = max(len(info.bands) for info in spec.inputs)
    return effort.plan(
        tile=min(spec.tile, _LARGEST_TILE),
        halo=0 if model.side else spec.halo,
        bytes_per_cell=_BYTES_PER_CELL[kind] + 16 * bands + 12 * model.channels,
    )


def _tags(model: Predictor) -> dict[str, str]:
    """Name, version and hash of the model."""
    spec = model.spec
    return {
        "method": "model",
        "model": spec.name,
        "model_version": spec.version,
        "model_sha256": model.sha256,
        "parameters": as_text(spec.parameters),
    }


def _ignore(sentence: str) -> None:
    """Says nothing."""
