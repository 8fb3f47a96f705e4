"""Preflight: what a prediction would take and whether its inputs suit the model, before it runs."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import available_bytes, available_cores
from geotools.engine.run import find_done
from geotools.engine.units import cells_of_unit
from geotools.grid import Tile, Window
from geotools.maps.predict_order import Order, Prepared, prepare
from geotools.maps.survey import Survey, look_at, sampled, try_tiles
from geotools.raster import Layer
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from geotools.inference.prediction import Prediction

__all__ = ["Foretold", "Preflight", "check_order", "room_warnings"]

_SETTLED_S, _LONG_S = 5.0, 60.0
"""After so long tiles tell how fast they are; a run that takes longer is foretold."""

_OVERVIEWS = 4 / 3
"""A raster with overviews of every halving, against the raster alone: 1 + 1/4 + 1/16 + …"""

_JOINED_S, _EMPTY_S = 1.5e-8, 5e-10
"""Seconds of joining, reading back and overviews for a cell that is written, and for any other: of
4096 x 4096 cells that hold values and 100,000 x 100,000 that do not, on two cores."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found; sizes in bytes, times in seconds."""

    model: str
    """Its name."""
    device: str
    """Where it runs."""
    seams: str
    """How its tiles join: `exact`, or what foreign models were found to do."""
    fill: str
    """What missing cells are to it."""
    rasters: tuple[str, ...]
    """Those that are read."""
    bands: tuple[tuple[str, str], ...]
    """What the model takes in its order, and the band that it gets."""
    dtype: str
    """Of the values that are read."""
    values: tuple[float, float] | None
    """Lowest and highest of a tile that holds valid cells; None: there is none."""
    crs: str
    """Of the map."""
    width: int
    """Columns of the map."""
    height: int
    """Rows of the map."""
    cell_size_m: tuple[float, float]
    """Smallest and largest side of the cells that are read."""
    made_for_m: tuple[float, float]
    """The same of the cells that the model was made for."""
    tile: int
    """Cells on a side of a tile."""
    threads: int
    """Tiles at the same time."""
    tiles: int
    """Of the whole map."""
    units: int
    """Of the whole map."""
    done: int
    """Units that an earlier run has done, which are gone on from."""
    valid_share: float
    """Share of the tiles that hold valid cells, as far as was looked."""
    disk_bytes: int
    """What parts and outputs take at worst, uncompressed."""
    free_bytes: int
    """Free where they go."""
    memory_bytes: int
    """What the run takes, about."""
    memory_limit_bytes: int | None
    """What it may take; None: no limit was given."""
    available_bytes: int | None
    """What the machine has free; None: it does not say."""
    seconds: float | None
    """What is left to do, without polygons, from a trial of two tiles; None: no valid cell was
    found to try it on."""
    warnings: tuple[str, ...]
    """What deserves caution, a sentence each."""

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """The same for people."""
        low, high = self.cell_size_m
        made_low, made_high = self.made_for_m
        cells = f"{low:.3g}" if high <= low * 1.001 else f"{low:.3g} to {high:.3g}"
        seconds = self.seconds
        lasts = "unknown, as no valid cell was found" if seconds is None else about(seconds)
        sampled = ""
        if self.values is not None:
            sampled = f", {self.values[0]:.5g} to {self.values[1]:.5g} where it was looked"
        made = "any" if made_high >= 1e9 else f"{made_low:.3g} to {made_high:.3g} m"
        limit = self.memory_limit_bytes
        said = [f"{_size(limit)} allowed"] if limit is not None else []
        if self.available_bytes is not None:
            said.append(f"{_size(self.available_bytes)} available")
        resumed = f", {self.done} of them done by an earlier run" if self.done else ""
        return [
            f"model: {self.model} on {self.device}, tiles joined {self.seams}",
            f"rasters: {', '.join(self.rasters)}",
            *(f"band: {name} <- {found}" for name, found in self.bands),
            f"values: {self.dtype}{sampled}",
            f"missing cells: {self.fill}",
            f"map: {self.width} x {self.height} cells in {self.crs}",
            f"cell size: {cells} m, the model is made for {made}",
            f"work: {self.tiles} tiles of {self.tile} in {self.units} units{resumed}; about "
            f"{round(self.tiles * self.valid_share)} tiles hold valid cells",
            f"disk: {_size(self.disk_bytes)} at most, {_size(self.free_bytes)} free",
            f"memory: about {_size(self.memory_bytes)}{''.join(f', {one}' for one in said)}",
            f"time: {lasts} with {self.threads} threads, without polygons",
        ]  # fmt: skip


def check_order(order: Order) -> Preflight:
    """What an order would take; a few tiles are run, nothing is written.

    Args:
        order: what is asked.

    Raises:
        GeotoolsError: an input or an output that cannot be used; a mismatch that no map should be
            made of.
    """
    warnings: list[str] = []
    with ExitStack() as stack:
        ready = prepare(order, stack, warnings.append)
        work, running = ready.work, order.running
        cells = running.unit_cells or cells_of_unit(work.layers)
        done = find_done(ready.task, work, order.wanted.path, running)
        survey = look_at(work, cells, done)
        share, valid = sampled(work, survey)
        seconds = _seconds(ready, survey, share, try_tiles(work, valid))
        dtype, values = _values(work, valid)
        spec = work.model.spec
        sizes = np.concatenate(ready.source.grid.cell_size_m())
        room = _room(order, ready)
        return Preflight(
            model=spec.name,
            device=work.model.device,
            seams=str(spec.parameters.get("seams", "exact")),
            fill=str(spec.parameters.get("fill", "seen as missing by the model itself")),
            rasters=tuple(os.fspath(raster) for raster in order.rasters),
            bands=_bands(work),
            dtype=dtype,
            values=values,
            crs=str(work.grid.crs),
            width=work.grid.width,
            height=work.grid.height,
            cell_size_m=(float(sizes.min()), float(sizes.max())),
            made_for_m=spec.cell_size_m,
            tile=ready.task.tile if work.model.side is None else max(work.model.side),
            threads=ready.threads,
            tiles=survey.tiles,
            units=survey.units,
            done=len(done),
            valid_share=share,
            memory_bytes=ready.memory_bytes,
            memory_limit_bytes=order.effort.memory_bytes,
            available_bytes=available_bytes(),
            disk_bytes=room[0],
            free_bytes=room[1],
            seconds=seconds,
            warnings=(*warnings, *room_warnings(order, ready)),
        )


def room_warnings(order: Order, ready: Prepared) -> list[str]:
    """A sentence where disk or memory may not do."""
    need, free = _room(order, ready)
    said = []
    if need > free:
        said.append(
            f"Parts and outputs take up to {_size(need)} uncompressed, {_size(free)} are free on "
            f"the disk of {order.wanted.path.parent}: compression may not be enough."
        )
    there = available_bytes()
    if there is not None and ready.memory_bytes > there and order.effort.memory_bytes is None:
        said.append(
            f"This takes about {_size(ready.memory_bytes)} of memory, {_size(there)} are "
            "available: give --memory, or fewer --threads."
        )
    return said


class Foretold:
    """A `Progress` that says once how long it will take, when that is more than a minute."""

    def __init__(
        self, stage: str, progress: Progress | None, inform: Callable[[str], None]
    ) -> None:
        """
        Args:
            stage: whose tiles are counted.
            progress: told of every step.
            inform: called with a sentence.
        """
        self._stage, self._progress, self._inform = stage, progress, inform
        self._start = time.monotonic()
        self._is_told = False

    def __call__(self, step: Step) -> None:
        """See `Progress`."""
        seconds = time.monotonic() - self._start
        if not self._is_told and step.stage == self._stage and seconds > _SETTLED_S:
            self._is_told = True
            left = seconds / max(step.done, 1) * (step.total - step.done)
            if left > _LONG_S:
                self._inform(f"{step.total - step.done} tiles are left, for {about(left)}.")
        if self._progress is not None:
            self._progress(step)


def about(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"


def _room(order: Order, ready: Prepared) -> tuple[int, int]:
    """Bytes that are needed at worst, and that are free."""
    work = ready.work
    cells = work.grid.width * work.grid.height
    written: Sequence[Layer] = work.layers
    sizes = [np.dtype(one.dtype).itemsize * len(one.bands) for one in written]
    per_cell = sum(sizes) + max(sizes) * order.wanted.cog  # a COG is a copy, one after the other
    folder = order.wanted.path.absolute().parent
    return int(cells * per_cell * (1 + _OVERVIEWS)), shutil.disk_usage(folder).free


def _bands(work: Prediction) -> tuple[tuple[str, str], ...]:
    """Name of each band in the model's order, and that of the source's that it gets."""
    info = work.model.spec.inputs[0]
    names = work.source.bands
    if work.model.spec.features:
        return tuple((name, name) for name in info.bands)
    return tuple(zip(info.bands, names, strict=False))


def _values(work: Prediction, tiles: Sequence[Tile]) -> tuple[str, tuple[float, float] | None]:
    """Type of the values, and the lowest and highest of the first of some tiles."""
    place = tiles[0].write if tiles else Window(work.window.col_off, work.window.row_off, 1, 1)
    block = work.source.read(place)
    cells = block.data[:, block.valid]
    cells = cells[np.isfinite(cells)]
    return str(block.data.dtype), (float(cells.min()), float(cells.max())) if cells.size else None


def _seconds(ready: Prepared, survey: Survey, share: float, trial: float | None) -> float | None:
    """What is left to do: tiles, looking at all of them again, and joining.

    Args:
        ready: the job.
        survey: its tiles.
        share: of the tiles, that hold valid cells.
        trial: seconds of one that does.
    """
    if trial is None:
        return None
    work = ready.work
    running = max(survey.left * share, 1 if survey.left else 0)
    cells = work.grid.width * work.grid.height
    joining = cells * (share * _JOINED_S + _EMPTY_S)
    # To see what is left, and when it is their turn.
    looking = 2 * survey.seconds * survey.left / max(survey.tiles, 1)
    return trial * running / min(ready.threads, available_cores()) + looking + joining


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"
