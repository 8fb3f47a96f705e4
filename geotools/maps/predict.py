"""map_predictions: rasters become a class GeoTIFF with polygons, or values, by any model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import Effort
from geotools.errors import ModelError, RasterError
from geotools.grid import Grid, Window
from geotools.io.writing import GeotiffWriter, create_geotiff, create_scratch
from geotools.maps.inputs import FilePath, as_text
from geotools.maps.polygons import Apart, Polygons, check_polygons, write_polygons
from geotools.maps.predict_inputs import (
    RasterOptions,
    check_cells,
    check_targets,
    open_source,
    provenances,
)
from geotools.raster import Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.foreign import ForeignSettings
    from geotools.inference.predictor import Predictor

__all__ = ["PredictionMap", "map_predictions"]

_LAYER = "classes"
"""Name of the polygon layer."""

_BYTES_PER_CELL = {"raster": 1700, "rows": 100}
"""Working memory for a cell of a tile: of nets as measured on landforms-v1, of models of single
cells beside their inputs and outputs."""

_LARGEST_TILE = 4096
"""Cells; a spec that asks for more gets this."""

_SAMPLE = 1009
"""Every so many values are looked at to choose what is drawn."""


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
    start = time.monotonic()
    reading, effort, warn = reading or RasterOptions(), effort or Effort(), warn or _ignore
    rasters = [rasters] if isinstance(rasters, str | os.PathLike) else list(rasters)
    opened = _open(model, foreign)
    output_kind = opened.spec.outputs[0]
    with_classes = output_kind.kind == "probabilities"
    if not with_classes and (confidence or probabilities or polygons is not None):
        raise ModelError(
            f"The model {opened.file} gives {output_kind.kind}, not classes: leave --confidence, "
            "--probabilities and --polygons out."
        )
    wanted = [Path(output)]
    if probabilities:
        wanted.append(wanted[0].with_name(f"{wanted[0].stem}_probabilities.tif"))
    targets = check_targets(rasters, wanted, overwrite)
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    if polygons is not None:
        for raster in rasters:
            check_polygons(polygons, raster, targets[0], overwrite, layer=_LAYER)
    with ExitStack() as stack:
        tile, threads = _plan(opened, effort)
        source = open_source(
            opened,
            rasters,
            [*targets, *([Path(polygons.path)] if polygons else [])],
            reading,
            stack,
            tile + 2 * opened.spec.halo,
        )
        check_cells(opened, source.grid, str(rasters[0]), warn)
        for note in opened.notes:
            warn(note)
        origin = stack.enter_context(provenances(rasters))
        tags = _tags(opened)
        create = _create_classes if with_classes else _create_values
        writer = stack.enter_context(
            create(opened, targets[0], source.grid, confidence, tags, overwrite)
        )
        sink: Sink = writer if with_classes else _Sampled(writer)
        sure: GeotiffWriter | None = None
        if polygons is not None and not confidence:
            sure = stack.enter_context(
                create_scratch(
                    targets[0], source.grid, bands=["confidence"], dtype="uint8", nodata=0
                )
            )
            sink = Apart(writer, sure)
        every = None
        if probabilities:
            every = stack.enter_context(
                _create_probabilities(opened, targets[1], source.grid, tags, overwrite)
            )
        from geotools.inference.predict import predict

        predict(
            opened, source, sink,
            confidence=confidence or sure is not None, probabilities=every,
            tile=tile, threads=threads, progress=progress,
        )  # fmt: skip
        if writer.is_empty:
            raise RasterError(
                f"{' and '.join(str(raster) for raster in rasters)} hold no cell that is valid in "
                "all: there is nothing to map (is the nodata value right? --nodata sets another)."
            )
        tags |= origin()
        for file in (writer, every):
            if file is not None:
                file.tag(tags)
        if isinstance(sink, _Sampled):
            writer.gray = sink.range()
        writer.complete()
        if polygons is not None:
            write_polygons(
                polygons, writer, sure, opened.spec.classes, tags, layer=_LAYER,
                confidence=True, effort=effort, overwrite=overwrite, progress=progress,
            )  # fmt: skip
    classes = opened.spec.classes if with_classes else ()
    return PredictionMap(
        path=targets[0],
        polygons=Path(polygons.path) if polygons else None,
        probabilities=targets[1] if probabilities else None,
        classes=classes,
        area_m2={info.name: writer.area_m2()[info.code] for info in classes},
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


def _create_classes(
    model: Predictor,
    target: Path,
    grid: Grid,
    confidence: bool,
    tags: Mapping[str, str],
    overwrite: bool,
) -> Any:
    return create_geotiff(
        target,
        grid,
        bands=["class", "confidence"] if confidence else ["class"],
        units=["", "%"] if confidence else [""],
        dtype="uint8",
        nodata=0,
        classes=model.spec.classes,
        tags=tags,
        overwrite=overwrite,
    )


def _create_values(
    model: Predictor,
    target: Path,
    grid: Grid,
    confidence: bool,
    tags: Mapping[str, str],
    overwrite: bool,
) -> Any:
    output, count = model.spec.outputs[0], model.channels
    names = [output.name] if count == 1 else [f"{output.name} {n + 1}" for n in range(count)]
    return create_geotiff(
        target,
        grid,
        bands=names,
        units=[output.unit] * count,
        dtype="float32",
        nodata=float("nan"),
        gray=(0.0, 1.0),  # until the values are known
        tags=tags,
        overwrite=overwrite,
    )


def _create_probabilities(
    model: Predictor, target: Path, grid: Grid, tags: Mapping[str, str], overwrite: bool
) -> Any:
    return create_geotiff(
        target,
        grid,
        bands=[info.name for info in model.spec.classes],
        dtype="float32",
        nodata=float("nan"),
        gray=(0.0, 1.0),
        tags=tags,
        overwrite=overwrite,
    )


class _Sampled:
    """A `Sink` that remembers some of what passes, to know what should be drawn."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sample: list[NDArray[np.float32]] = []

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self._sink.write(data, window)
        self._sample.append(data[0].ravel()[::_SAMPLE].copy())

    def range(self) -> tuple[float, float]:
        """The values between which nearly all of band 1 lies: its 2nd and 98th percentile."""
        drawn = np.concatenate(self._sample)
        drawn = drawn[np.isfinite(drawn)]
        if not drawn.size:
            return 0.0, 1.0
        low, high = np.percentile(drawn, [2, 98])
        return float(low), float(high)


def _ignore(sentence: str) -> None:
    """Says nothing."""
