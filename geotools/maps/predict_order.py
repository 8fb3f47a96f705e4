"""Order: all that is asked of a prediction; prepare: the same with its files open, checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.effort import Effort
from geotools.engine.run import Running
from geotools.errors import GeotoolsError, ModelError
from geotools.maps.area import AreaOptions
from geotools.maps.inputs import DemOptions, FilePath
from geotools.maps.predict_inputs import RasterOptions, check_cells, open_input
from geotools.maps.predict_outputs import Wanted, check_wanted
from geotools.maps.predict_task import PredictTask, absolute, stamps
from geotools.raster import Part, Source

if TYPE_CHECKING:
    from geotools.inference.prediction import Prediction
    from geotools.inference.predictor import Predictor
    from geotools.inference.terms import ForeignSettings

__all__ = ["Order", "Prepared", "open_models", "prepare"]

_BYTES_PER_CELL = {"raster": 1700, "rows": 100}
"""Working memory for a cell of a tile: of nets as measured on landforms-v1, of models of single
cells beside their inputs and outputs."""

_LARGEST_TILE = 4096
"""Cells; a spec that asks for more gets this."""


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
    device: str = "auto"
    """Where the model runs."""
    effort: Effort = Effort()  # noqa: RUF009 - frozen
    """Threads, tile size, memory."""
    running: Running = Running()  # noqa: RUF009 - frozen
    """How the job is run."""


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


def open_models(
    models: Predictor | FilePath | Sequence[Predictor | FilePath],
    settings: ForeignSettings | None,
    device: str,
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
    from geotools.inference.sessions import SessionOptions

    several = isinstance(models, Sequence) and not isinstance(models, str)
    listed: list[Predictor | FilePath] = list(models) if several else [models]  # type: ignore[arg-type, list-item]
    options = SessionOptions(device=device)
    opened = [
        open_any(model, settings, options=options)
        if isinstance(model, str | os.PathLike)
        else model
        for model in listed
    ]
    named = all(isinstance(model, str | os.PathLike) for model in listed)
    origins = tuple(os.fspath(model) for model in listed) if named else ()  # type: ignore[arg-type]
    return opened[0] if len(opened) == 1 else ensemble(opened), origins


def prepare(
    order: Order,
    stack: ExitStack,
    warn: Callable[[str], None],
    check: Callable[[Source, str], None] | None = None,
) -> Prepared:
    """The order with its files open; nothing is written, and few cells are read.

    Args:
        order: what is asked.
        stack: closes the files.
        warn: called with a sentence when the result deserves caution.
        check: called with the source and its name instead of the usual look at its cell size.

    Raises:
        GeotoolsError: an input or an output that cannot be used.
    """
    from geotools.inference.ranges import check_ranges

    model, name = order.model, os.fspath(order.rasters[0])
    targets = check_wanted(model, order.rasters, order.wanted)
    tile, threads, worker_bytes = _plan(model, order.effort, order.running)
    running = replace(order.running, workers=threads) if order.running.is_apart else order.running
    source, files = open_input(
        model, order.rasters, targets, order.reading, stack, tile + 2 * model.spec.halo, warn=warn
    )
    mask = () if order.area is None or order.area.mask is None else (order.area.mask,)
    task = PredictTask(
        models=tuple(absolute(origin) for origin in order.origins),
        sha256=model.sha256,
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
    if check is not None:
        check(part, name)
    else:
        check_cells(model, part.grid, name, warn)
    check_ranges(model.spec, part, warn)
    for note in model.notes:
        warn(note)
    return Prepared(task, work, part, running, threads, worker_bytes)


def _anywhere(area: AreaOptions | None) -> AreaOptions | None:
    """The same area, said from any folder."""
    if area is None or area.mask is None:
        return area
    return replace(area, mask=absolute(area.mask))


def _plan(model: Predictor, effort: Effort, running: Running) -> tuple[int, int, int | None]:
    """Tile size, threads or workers, and bytes of a worker, that stay within the memory."""
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
    tile = min(spec.tile, _LARGEST_TILE)
    halo = 0 if model.side else spec.halo
    bytes_per_cell = _BYTES_PER_CELL[kind] + 16 * bands + 12 * model.channels
    if not running.is_apart:
        return *effort.plan(tile=tile, halo=halo, bytes_per_cell=bytes_per_cell), None
    workers = running.workers or effort.cores
    if effort.memory_bytes is None:
        return effort.tile or tile, workers, None
    while True:
        share = effort.memory_bytes // (workers + 1)  # one of them is this process
        alone = replace(effort, threads=1, memory_bytes=share)
        try:
            size, _ = alone.plan(tile=tile, halo=halo, bytes_per_cell=bytes_per_cell)
            return size, workers, share
        except GeotoolsError:
            if workers == 1:
                raise
        workers -= 1
