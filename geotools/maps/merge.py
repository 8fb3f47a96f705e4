"""merge_job: the outputs of a job whose units were run by shards, or anywhere else.

A job's folder says what it is a job of; it may come from somebody else, so that what it says is
checked as any input is, and nothing is replaced that the caller does not allow to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from geotools.effort import Effort
from geotools.engine.folder import read_job
from geotools.engine.run import Running
from geotools.errors import ConfigError, FileError
from geotools.inference.terms import ForeignSettings
from geotools.maps.area import AreaOptions
from geotools.maps.inputs import DemOptions, FilePath
from geotools.maps.predict import PredictionMap, predict_to_files
from geotools.maps.predict_inputs import RasterOptions
from geotools.maps.predict_order import Order, open_models
from geotools.maps.predict_outputs import Wanted
from geotools.schema import build
from geotools.stream import Progress

__all__ = ["merge_job"]

_NAME = re.compile(r"\w[\w .-]{0,60}")
"""Of layers and bands."""


@dataclass(frozen=True, slots=True)
class _Described:
    """What `describe_job` says of a job, read back."""

    id: str
    """Of the job."""
    unit_cells: int
    """Cells along a side of a unit."""
    models: tuple[str, ...]
    """Paths or names of the models whose mean is mapped."""
    rasters: tuple[str, ...]
    """Paths."""
    tile: int
    """Cells on a side of a tile."""
    wanted: Wanted
    """What to write."""
    bands: RasterOptions | None = None
    """How the rasters are read."""
    elevation: DemOptions | None = None
    """How they are read, where they are one elevation model."""
    area: AreaOptions | None = None
    """Which cells are mapped."""
    tta: bool = False
    """The model is asked from all sides."""
    device: str = "auto"
    """Where it runs."""
    foreign: ForeignSettings | None = None
    """What is to be known of a model that does not say it itself."""


def merge_job(
    folder: FilePath,
    *,
    effort: Effort | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> PredictionMap:
    """Writes what a job is for, of the parts of its units, and removes its folder.

    The files are those that the job would have written undivided, byte for byte.

    Args:
        folder: of the job, as it was given to all its shards.
        effort: threads.
        overwrite: replace outputs that exist, whatever the shards were allowed to.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.

    Raises:
        FileError: no job's folder, or units are missing; the message names some.
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    path = Path(folder)
    job = _read(path)
    model, origins = open_models(job.models, job.foreign, job.device)
    order = Order(
        model=model,
        origins=origins,
        rasters=job.rasters,
        wanted=replace(job.wanted, overwrite=overwrite),
        reading=job.elevation or job.bands or RasterOptions(),
        foreign=job.foreign,
        area=job.area,
        tta=job.tta,
        device=job.device,
        effort=Effort(
            effort.threads if effort else None, None if model.side is not None else job.tile
        ),
        running=Running(folder=path, unit_cells=job.unit_cells, only_join=True),
        check=lambda grid, name, warn: None,
    )
    return predict_to_files(order, progress=progress, warn=warn or _ignore, inform=_ignore)


def _read(folder: Path) -> _Described:
    """What the folder's job is.

    Raises:
        FileError: it is no job's folder.
        ConfigError: what it says cannot be.
    """
    body = read_job(folder)
    if body is None:
        raise FileError(
            f"{folder} is no folder of a job: give what was given to the shards as --job."
        )
    where = f"{folder / 'job.json'}"
    if "wanted" not in body:
        raise ConfigError(f"{where} does not say what the job writes: run the command again.")
    job = build(_Described, body, where)
    if not job.models or not job.rasters:
        raise ConfigError(f"{where} names no model or no raster: run the command again.")
    for name in (job.wanted.word, job.wanted.layer):
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{where} names a layer {name[:80]!r}: run the command again.")
    return job


def _ignore(sentence: str) -> None:
    """Says nothing."""
