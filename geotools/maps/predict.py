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
from geotools.engine.run import Running, run_job
from geotools.errors import ModelError, RasterError
from geotools.maps.inputs import DemOptions, FilePath, as_text
from geotools.maps.polygons import Polygons
from geotools.maps.predict_inputs import RasterOptions, check_cells, open_input, provenances
from geotools.maps.predict_outputs import Outputs, Wanted, check_wanted
from geotools.maps.predict_task import PredictTask, stamps
from geotools.raster import Source
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from geotools.inference.predictor import Predictor
    from geotools.inference.terms import ForeignSettings

__all__ = ["PredictionMap", "map_predictions", "predict_to_files"]

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
    entropy: Path | None
    """The GeoTIFF of the entropy of the probabilities."""
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
    entropy: bool = False,
    probabilities: bool | str = False,
    reading: RasterOptions | None = None,
    foreign: ForeignSettings | None = None,
    effort: Effort | None = None,
    running: Running | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> PredictionMap:
    """Maps what a model says of every cell of its rasters: classes, or values.

    A run that is killed leaves what it has computed in a hidden folder beside the output; the same
    call goes on from there, and gives the same bytes.

    Args:
        model: an `.onnx` file, the name of a shipped model, or one in memory.
        rasters: in the order of the model's sources, the dates of a source one after the other;
            the map has the grid of the first.
        output: GeoTIFF; of classes uint8, 0 where nothing is known, with colours and names; of
            values float32, NaN where nothing is known.
        polygons: GeoPackage of polygons, one for each connected piece of a class.
        confidence: add the probability of the written class in per cent as band 2.
        entropy: write the entropy of the probabilities, in per cent of its maximum, to
            `OUTPUT_entropy.tif`.
        probabilities: write the probability of every class to `OUTPUT_probabilities.tif`, stored as
            `float16` (True), `uint8` (in 250ths, 255 is nodata) or `float32`.
        reading: how to read the rasters.
        foreign: what is to be known of a model that does not say it itself.
        effort: threads, tile size, memory.
        running: executor, folder of parts; nothing of it changes the map.
        overwrite: replace outputs that exist.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.

    Raises:
        PartialError: some of the raster could not be mapped; the rest is kept for the next run.
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    kind = probabilities if isinstance(probabilities, str) else "float16" * probabilities
    wanted = Wanted(
        path=Path(output),
        polygons=polygons
        if polygons is None or isinstance(polygons, Polygons)
        else Polygons(polygons),
        probabilities=kind,
        confidence=confidence,
        entropy=entropy,
        overwrite=overwrite,
    )
    rasters = [rasters] if isinstance(rasters, str | os.PathLike) else list(rasters)
    opened = _open(model, foreign)
    return predict_to_files(
        opened, model, rasters, wanted,
        reading=reading or RasterOptions(), foreign=foreign, effort=effort or Effort(),
        running=running or Running(), progress=progress, warn=warn or _ignore,
    )  # fmt: skip


def predict_to_files(
    opened: Predictor,
    model: Predictor | FilePath,
    rasters: Sequence[FilePath],
    wanted: Wanted,
    *,
    reading: RasterOptions | DemOptions,
    foreign: ForeignSettings | None,
    effort: Effort,
    running: Running,
    progress: Progress | None,
    warn: Callable[[str], None],
    check: Callable[[Source, str], None] | None = None,
) -> PredictionMap:
    """Writes what is wanted of a model that is open.

    Args:
        opened: the model.
        model: where it came from; other processes open it anew from there.
        rasters, foreign, effort, running, progress, warn: as in `map_predictions`.
        wanted: what to write.
        reading: how to read the rasters; DemOptions: one, as an elevation model.
        check: called with the source and its name instead of the usual look at its cell size.

    Raises:
        PartialError, GeotoolsError: as in `map_predictions`.
    """
    from geotools.inference.ranges import check_ranges

    start = time.monotonic()
    targets = check_wanted(opened, rasters, wanted)
    with ExitStack() as stack:
        tile, threads = _plan(opened, effort)
        source, files = open_input(
            opened, rasters, targets, reading, stack, tile + 2 * opened.spec.halo, warn=warn
        )
        if check is not None:
            check(source, str(rasters[0]))
        else:
            check_cells(opened, source.grid, str(rasters[0]), warn)
        check_ranges(opened.spec, source, warn)
        for note in opened.notes:
            warn(note)
        origin = stack.enter_context(provenances(rasters))
        task = PredictTask(
            model=os.fspath(model) if isinstance(model, str | os.PathLike) else "",
            sha256=opened.sha256,
            rasters=tuple(os.fspath(raster) for raster in rasters),
            stamps=stamps(files),
            reading=reading,
            foreign=foreign,
            asked=wanted.asked,
            tile=tile,
        )
        parts = run_job(
            task, task.prediction(opened, source), wanted.path,
            running=running, threads=threads, stack=stack, progress=progress, warn=warn,
        )  # fmt: skip
        tags = _tags(opened)
        outputs = Outputs(wanted, opened.spec.outputs[0].classes, parts, tags, stack)
        if not outputs.write(threads, progress):
            raise RasterError(
                f"{' and '.join(str(raster) for raster in rasters)} hold no cell that is valid in "
                "all and that the model knows an answer for: there is nothing to map (is the "
                "nodata value right? --nodata sets another)."
            )
        outputs.finish(tags | origin(), effort, progress)
    return PredictionMap(
        path=wanted.path,
        polygons=Path(wanted.polygons.path) if wanted.polygons else None,
        probabilities=wanted.beside.get("probabilities"),
        entropy=wanted.beside.get("entropy"),
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
