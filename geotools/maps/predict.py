"""map_predictions: rasters become a class GeoTIFF with polygons, or values, by any model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.effort import Effort
from geotools.engine.execute import Outcome
from geotools.engine.folder import named_before
from geotools.engine.run import Running, run_job, run_shard
from geotools.errors import RasterError
from geotools.io.atomic import check_output
from geotools.maps.area import AreaOptions
from geotools.maps.inputs import FilePath, as_text, provenances
from geotools.maps.polygons import Polygons
from geotools.maps.predict_inputs import RasterOptions
from geotools.maps.predict_order import Order, order_predictions, prepare
from geotools.maps.predict_outputs import LayerFiles, Outputs, Wanted
from geotools.maps.predict_task import describe_job
from geotools.maps.preflight import Foretold, room_warnings
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from geotools.inference.predictor import Predictor
    from geotools.inference.seams import Seams
    from geotools.inference.sessions import SessionOptions
    from geotools.inference.terms import ForeignSettings

__all__ = ["PredictionMap", "map_predictions", "predict_to_files"]


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
    device: str
    """Where it ran: `cpu`, `cuda`, …"""
    seams: Seams | None
    """How well tiles agree where they meet; None when it was not asked, or none meet."""
    seconds: float
    """Wall time."""
    confidence: Path | None = None
    """The GeoTIFF of the probability of the written class, where it has one of its own."""
    shard: Outcome | None = None
    """What became of the units of a run that was only a shard, which writes none of the files."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All files, the map first."""
        found = (self.path, self.polygons, self.probabilities, self.entropy, self.confidence)
        return tuple(path for path in found if path is not None)


def map_predictions(
    model: Predictor | FilePath | Sequence[Predictor | FilePath],
    rasters: Sequence[FilePath] | FilePath,
    output: FilePath,
    *,
    polygons: Polygons | FilePath | None = None,
    confidence: bool = False,
    entropy: bool = False,
    probabilities: bool | str = False,
    files: LayerFiles | None = None,
    reading: RasterOptions | None = None,
    foreign: ForeignSettings | None = None,
    area: AreaOptions | None = None,
    tta: bool = False,
    device: str | SessionOptions = "auto",
    seams: bool = False,
    effort: Effort | None = None,
    running: Running | None = None,
    cog: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    inform: Callable[[str], None] | None = None,
) -> PredictionMap:
    """Maps what a model says of every cell of its rasters: classes, or values.

    A run that is killed leaves what it has computed in a hidden folder beside the output; the same
    call goes on from there, and gives the same bytes.

    Args:
        model: an `.onnx` file, the name of a shipped model, or one in memory; of several the mean
            is mapped.
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
        files: write these layers to files of their own, whether or not they are asked for above.
        reading: how to read the rasters.
        foreign: what is to be known of a model that does not say it itself.
        area: map a part of the raster; its cells are what they are in the map of all.
        tta: map the mean of what the model says of the raster turned and mirrored, see `augmented`.
        device: where the model runs, or all of `SessionOptions`.
        seams: measure how well tiles agree where they meet, see `measure_seams`.
        effort: threads, tile size, memory.
        running: executor, folder of parts; nothing of it changes the map. With a shard, units are
            computed and nothing is written: `merge_job` does that when all are there.
        cog: lay the GeoTIFFs out as cloud-optimised ones.
        overwrite: replace outputs that exist.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.
        inform: called with a sentence when it will take minutes.

    Raises:
        PartialError: some of the raster could not be mapped; the rest is kept for the next run.
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    order = order_predictions(
        model, rasters, output,
        polygons=polygons, confidence=confidence, entropy=entropy, probabilities=probabilities,
        files=files, reading=reading, foreign=foreign, area=area, tta=tta, device=device,
        seams=seams, effort=effort, running=running, cog=cog, overwrite=overwrite,
    )  # fmt: skip
    return predict_to_files(
        order, progress=progress, warn=warn or _ignore, inform=inform or _ignore
    )


def predict_to_files(
    order: Order,
    *,
    progress: Progress | None,
    warn: Callable[[str], None],
    inform: Callable[[str], None],
) -> PredictionMap:
    """Writes what is ordered.

    Args:
        order: what.
        progress, warn, inform: as in `map_predictions`.

    Raises:
        PartialError, GeotoolsError: as in `map_predictions`.
    """
    from geotools.inference.seams import measure_seams

    start = time.monotonic()
    order, half_named = _half_named(order)
    wanted, rasters = order.wanted, order.rasters
    with ExitStack() as stack:
        ready = prepare(order, stack, warn)
        for sentence in room_warnings(order, ready):
            warn(sentence)
        model = ready.work.model
        description = describe_job(ready.task, wanted)
        foretold = Foretold(ready.work.stage, progress, inform)
        if ready.running.shard is not None:
            outcome = run_shard(
                ready.task, ready.work, wanted.path, ready.running.shard, running=ready.running,
                threads=ready.threads, memory_bytes=ready.worker_bytes, description=description,
                progress=foretold, warn=warn,
            )  # fmt: skip
            return _shard(wanted, model, outcome, time.monotonic() - start)
        found = measure_seams(ready.work) if order.seams else None
        if found is not None and not found.as_promised(model.spec):
            warn(
                f"The model {model.spec.name} says that its tiles join exactly, and they do not: "
                f"its halo of {model.spec.halo} cells is too small, so export it again, or trust "
                "the map less where tiles meet."
            )
        origin = stack.enter_context(provenances(rasters))
        parts, folder = run_job(
            ready.task, ready.work, wanted.path, running=ready.running, threads=ready.threads,
            stack=stack, memory_bytes=ready.worker_bytes, description=description,
            progress=foretold, warn=warn,
        )  # fmt: skip
        if order.origins:  # it was opened for this; joining and tracing need none
            model.release()
        if not half_named <= folder.naming:
            check_output(wanted.path, overwrite=False)  # of another job: it stays
        tags = _tags(model) | (order.area.tags() if order.area else {})
        outputs = Outputs(wanted, model.spec.outputs[0].classes, parts, tags, stack)
        if not outputs.write(ready.threads, progress):
            where = " in the area" if order.area else ""
            raise RasterError(
                f"{' and '.join(str(raster) for raster in rasters)} hold no cell{where} that is "
                "valid in all and that the model knows an answer for: there is nothing to map (is "
                "the nodata value right? --nodata sets another)."
            )
        folder.begin_naming(wanted.paths)
        outputs.finish(tags | origin(), order.effort, progress)
    return PredictionMap(
        path=wanted.path,
        polygons=Path(wanted.polygons.path) if wanted.polygons else None,
        probabilities=wanted.beside.get("probabilities"),
        entropy=wanted.beside.get("entropy"),
        confidence=wanted.beside.get("confidence"),
        classes=outputs.classes,
        area_m2=outputs.area_m2,
        model=model.spec.name,
        device=model.device,
        seams=found,
        seconds=time.monotonic() - start,
    )


def _half_named(order: Order) -> tuple[Order, frozenset[str]]:
    """The order, and outputs that a run of the same job was giving names when it was killed.

    These may be replaced, and no others.
    """
    there = frozenset(str(path.absolute()) for path in order.wanted.paths if path.exists())
    known = named_before(order.wanted.path, order.running.folder)
    if order.wanted.overwrite or not there or not there <= known:
        return order, frozenset()
    return replace(order, wanted=replace(order.wanted, overwrite=True)), there


def _shard(wanted: Wanted, model: Predictor, outcome: Outcome, seconds: float) -> PredictionMap:
    """What is told of a run that writes nothing yet."""
    return PredictionMap(
        path=wanted.path,
        polygons=Path(wanted.polygons.path) if wanted.polygons else None,
        probabilities=wanted.beside.get("probabilities"),
        entropy=wanted.beside.get("entropy"),
        confidence=wanted.beside.get("confidence"),
        classes=model.spec.outputs[0].classes,
        area_m2={},
        model=model.spec.name,
        device=model.device,
        seams=None,
        seconds=seconds,
        shard=outcome,
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
        "seams": str(spec.parameters.get("seams", "exact")),
    }


def _ignore(sentence: str) -> None:
    """Says nothing."""
