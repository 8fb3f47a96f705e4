"""Order: all that is asked of a prediction; prepare: the same with its files open, checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geotools.effort import Effort, need_bytes
from geotools.engine.run import Running
from geotools.engine.units import cells_of_unit
from geotools.errors import GeotoolsError, ModelError
from geotools.grid import Grid
from geotools.maps.area import AreaOptions
from geotools.maps.inputs import DemOptions, FilePath
from geotools.maps.polygons import Polygons
from geotools.maps.predict_inputs import RasterOptions, check_cells, open_input
from geotools.maps.predict_outputs import LayerFiles, Wanted, check_wanted
from geotools.maps.predict_task import PredictTask, absolute, stamps
from geotools.raster import Part, Source

if TYPE_CHECKING:
    from geotools.inference.prediction import Prediction
    from geotools.inference.predictor import Predictor
    from geotools.inference.sessions import SessionOptions
    from geotools.inference.terms import ForeignSettings

__all__ = ["Order", "Prepared", "open_models", "order_predictions", "prepare"]

_BYTES_PER_CELL = {"raster": 1700, "rows": 100}
"""Working memory for a cell of a tile: of nets as measured on landforms-v1, of models of single
cells beside their inputs and outputs."""

_LARGER_TILES = 1.5
"""Memory of a cell of any tile, over that of the tile it was measured on."""

_CACHE_BYTES, _CACHE_SHARE = 48 * 2**20, 8
"""What GDAL keeps of a raster; of striped ones up to this part of a limit of memory."""

_LARGEST_TILE = 4096
"""Cells; a spec that asks for more gets this."""


Check = Callable[[Grid, str, Callable[[str], None]], None]
"""A look at the cells that are mapped: their grid, the raster's name, what is called with a
sentence; it raises a GeotoolsError where no map should be made."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a prediction."""

    model: Predictor
    """Open: one, or the mean of several."""
    origins: tuple[str, ...]
    """Paths or names that other processes open it from; empty for one that is only in memory."""
    rasters: tuple[FilePath, ...]
    """In the order of the model's sources."""
    wanted: Wanted
    """What to write."""
    reading: RasterOptions | DemOptions
    """How to read the rasters; DemOptions: one, as an elevation model."""
    foreign: ForeignSettings | None = None
    """What is to be known of models that do not say it themselves."""
    area: AreaOptions | None = None
    """Which cells are mapped; all when None."""
    tta: bool = False
    """Ask the model from all sides."""
    device: str | SessionOptions = "auto"
    """Where the model runs."""
    seams: bool = False
    """Measure how well tiles agree where they meet."""
    effort: Effort = Effort()  # noqa: RUF009 - frozen
    """Threads, tile size, memory."""
    running: Running = Running()  # noqa: RUF009 - frozen
    """How the job is run."""
    check: Check | None = None
    """Instead of the usual look at the cell size."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order whose inputs are open and have been looked at."""

    task: PredictTask
    """The same for other processes."""
    work: Prediction
    """The same for this one."""
    source: Source
    """The cells that are mapped, of what is read."""
    running: Running
    """How the job is run, with as many workers as the memory allows."""
    threads: int
    """Tiles at the same time."""
    worker_bytes: int | None
    """Memory of one worker process; no limit when None."""
    memory_bytes: int
    """What all of it takes, about."""


def open_models(
    models: Predictor | FilePath | Sequence[Predictor | FilePath],
    settings: ForeignSettings | None,
    device: str | SessionOptions,
) -> tuple[Predictor, tuple[str, ...]]:
    """A model, or the mean of several, and where other processes find them.

    Args:
        models: paths, names of shipped models, or models in memory.
        settings: what is to be known of models that do not say it themselves.
        device: where those that are opened run.

    Raises:
        FileError, ModelError: one cannot be used, or they make no ensemble.
    """
    from geotools.inference.ensemble import ensemble
    from geotools.inference.opening import open_any
    from geotools.inference.sessions import session_options

    several = isinstance(models, Sequence) and not isinstance(models, str)
    listed: list[Predictor | FilePath] = list(models) if several else [models]  # type: ignore[arg-type, list-item]
    options = session_options(device)
    opened = [
        open_any(model, settings, options=options)
        if isinstance(model, str | os.PathLike)
        else model
        for model in listed
    ]
    named = all(isinstance(model, str | os.PathLike) for model in listed)
    origins = tuple(os.fspath(model) for model in listed) if named else ()  # type: ignore[arg-type]
    return opened[0] if len(opened) == 1 else ensemble(opened), origins


def order_predictions(
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
) -> Order:
    """What `map_predictions` makes of the same arguments, to be looked at by `check_order` first.

    Raises:
        FileError, ModelError: a model cannot be used.
    """
    files = files or LayerFiles()
    kind = probabilities if isinstance(probabilities, str) else "float16" * probabilities
    if files.probabilities is not None:
        kind = kind or "float16"
    if polygons is not None and not isinstance(polygons, Polygons):
        polygons = Polygons(polygons)
    opened, origins = open_models(model, foreign, device)
    return Order(
        model=opened,
        origins=origins,
        rasters=(rasters,) if isinstance(rasters, str | os.PathLike) else tuple(rasters),
        wanted=Wanted(
            path=Path(output),
            polygons=polygons,
            confidence=confidence,
            entropy=entropy or files.entropy is not None,
            probabilities=kind,
            cog=cog,
            overwrite=overwrite,
            files=files,
        ),
        reading=reading or RasterOptions(),
        foreign=foreign,
        area=area,
        tta=tta,
        device=device,
        seams=seams,
        effort=effort or Effort(),
        running=running or Running(),
    )


def prepare(
    order: Order,
    stack: ExitStack,
    warn: Callable[[str], None],
) -> Prepared:
    """The order with its files open; nothing is written, and few cells are read.

    Args:
        order: what is asked.
        stack: closes the files.
        warn: called with a sentence when the result deserves caution.

    Raises:
        GeotoolsError: an input or an output that cannot be used.
    """
    from geotools.inference.ranges import check_ranges
    from geotools.inference.sessions import runtime_version

    model, name = order.model, os.fspath(order.rasters[0])
    targets = check_wanted(model, order.rasters, order.wanted)
    plan = _plan(model, order)
    tile, threads, limit = plan.tile, plan.threads, order.effort.memory_bytes
    running = replace(order.running, workers=threads) if order.running.is_apart else order.running
    source, files = open_input(
        model, order.rasters, targets, order.reading, stack, tile + 2 * model.spec.halo,
        cache_bytes=None if limit is None else limit // _CACHE_SHARE, warn=warn,
    )  # fmt: skip
    mask = () if order.area is None or order.area.mask is None else (order.area.mask,)
    task = PredictTask(
        models=tuple(absolute(origin) for origin in order.origins),
        sha256=model.sha256,
        spec_sha256=hashlib.sha256(model.spec.to_json().encode()).hexdigest(),
        runtime=f"ONNX Runtime {runtime_version()} on {model.device}",
        rasters=tuple(absolute(raster) for raster in order.rasters),
        stamps=stamps((*files, *map(Path, mask))),
        reading=order.reading,
        foreign=order.foreign,
        asked=order.wanted.asked,
        tile=tile,
        area=_anywhere(order.area),
        tta=order.tta,
        device=order.device,
    )
    work = task.prediction(model, source)
    part = Part(source, work.window)
    if order.check is not None:
        order.check(part.grid, name, warn)
    else:
        check_cells(model, part.grid, name, warn)
    check_ranges(model.spec, part, warn)
    for note in model.notes:
        warn(note)
    return Prepared(task, work, part, running, threads, plan.worker_bytes, plan.memory_bytes)


def _anywhere(area: AreaOptions | None) -> AreaOptions | None:
    """The same area, said from any folder."""
    if area is None or area.mask is None:
        return area
    return replace(area, mask=absolute(area.mask))


class _Plan(NamedTuple):
    """How the memory is shared out."""

    tile: int
    threads: int  # or worker processes
    worker_bytes: int | None  # limit of a worker process
    memory_bytes: int  # all of it, about


def _plan(model: Predictor, order: Order) -> _Plan:
    """Tile size, threads or workers that stay within the memory."""
    spec, effort, running = model.spec, order.effort, order.running
    if model.side is not None:
        if effort.tile is not None:
            raise ModelError(
                f"The model {model.file} is run on tiles of {model.side[0]} x {model.side[1]} "
                "cells and no others: leave --tile out."
            )
        effort = replace(effort, tile=max(model.side))
    kind = "raster" if any(info.kind == "raster" for info in spec.inputs) else "rows"
    bands = max(len(info.bands) for info in spec.inputs)
    halo = 0 if model.side else spec.halo
    limit = effort.memory_bytes
    each = 24 if order.tta else 12  # its sum is kept in float64
    cache = 0 if limit is None else max(limit // _CACHE_SHARE - _CACHE_BYTES, 0)
    needs = {
        "halo": halo,
        "bytes_per_cell": _graph_bytes(model, kind, limit) + 16 * bands + each * model.channels,
        "kept_bytes": _kept_bytes(model, order) + cache,
    }
    tile = min(spec.tile, _LARGEST_TILE)
    if not running.is_apart:
        size, threads = effort.plan(tile=tile, **needs)
        return _Plan(size, threads, None, need_bytes(size, threads, **needs))
    workers = running.workers or effort.cores
    if limit is None:
        size = effort.tile or tile
        return _Plan(size, workers, None, (workers + 1) * need_bytes(size, 1, **needs))
    while True:
        share = limit // (workers + 1)  # one of them is this process
        alone = replace(effort, threads=1, memory_bytes=share)
        try:
            size, _ = alone.plan(tile=tile, **needs)
            return _Plan(size, workers, share, (workers + 1) * need_bytes(size, 1, **needs))
        except GeotoolsError:
            if workers == 1:
                raise
        workers -= 1


def _graph_bytes(model: Predictor, kind: str, limit: int | None) -> int:
    """Memory of the graph for a cell of a tile; measured where there is a limit to keep."""
    if limit is None or kind != "raster":
        return _BYTES_PER_CELL[kind]
    from geotools.inference.trial import measure_bytes

    found = measure_bytes(model)
    return _BYTES_PER_CELL[kind] if found is None else int(_LARGER_TILES * found)


def _kept_bytes(model: Predictor, order: Order) -> int:
    """Memory of the units whose tiles are under way: two, and one that is being stored."""
    from geotools.inference.prediction import layers_of

    layers = layers_of(model, order.wanted.asked)
    cells = order.running.unit_cells or cells_of_unit(layers)
    per_cell = sum(len(one.bands) * np.dtype(one.dtype).itemsize for one in layers)
    return 3 * cells * cells * per_cell
