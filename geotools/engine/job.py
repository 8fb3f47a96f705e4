"""Job: a task with its folder of parts; run_unit: one unit of it, the same in every executor."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.engine.units import Unit
from geotools.engine.work import Task, Work
from geotools.errors import FileError
from geotools.io.parts import write_part
from geotools.version import VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Job", "Record", "UnitCells", "identify_job", "run_unit"]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be computed, and where its parts go; small, and pickled for other processes."""

    task: Task
    """What is computed."""
    folder: Path
    """The folder of the parts."""
    id: str
    """Of everything that the parts depend on."""
    unit_cells: int
    """Cells along a side of a unit."""


@dataclass(frozen=True, slots=True)
class Record:
    """What has become of a unit."""

    name: str
    """Of the unit."""
    state: str
    """`done`: its parts are there; `empty`: nothing is known in it; `failed`."""
    tiles: int
    """How many it has."""
    seconds: float = 0.0
    """Wall time."""
    reason: str = ""
    """Why it failed, in words."""
    attempts: int = 1
    """How often it was begun."""


def identify_job(task: Task, work: Work, unit_cells: int) -> str:
    """Hash of the task, the layers, the grid, the units and the version of the code."""
    grid = work.grid
    body = {
        "geotools": VERSION,
        "task": _plain(task.identity()),
        "layers": [asdict(layer) for layer in work.layers],
        "grid": [grid.crs.to_wkt(), list(grid.transform)[:6], grid.width, grid.height],
        "tiling": repr(work.tiling),
        "unit_cells": unit_cells,
    }
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """The same, however its whole numbers are written: 10 and 10.0 are one."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class UnitCells:
    """The cells of a unit while its tiles come in, from any thread."""

    def __init__(self, work: Work, unit: Unit) -> None:
        self._work, self._unit = work, unit
        self._layers: list[NDArray[Any]] | None = None

    def put(self, number: int, arrays: tuple[NDArray[Any], ...]) -> None:
        """What the layers hold in tile `number` of the unit."""
        if self._layers is None:
            self._layers = [layer.empty(self._unit.window.shape) for layer in self._work.layers]
        place = self._work.placed(self._unit.tiles[number].write).slices(self._unit.window)
        for cells, array in zip(self._layers, arrays, strict=True):
            cells[:, *place] = array

    def store(self, folder: Path) -> bool:
        """Writes the parts; False when nothing is known in the unit.

        Raises:
            FileError: the disk refuses.
        """
        if self._layers is None:
            return False
        grid = self._work.grid.cut(self._unit.window)
        for number, (layer, cells) in enumerate(zip(self._work.layers, self._layers, strict=True)):
            write_part(folder, self._unit.name, number, cells, grid, layer)
        return True


def run_unit(job: Job, unit: Unit, work: Work) -> Record:
    """Computes a unit and writes its parts; again it writes the same bytes to the same names.

    Args:
        job: whose unit.
        unit: which.
        work: the job's task, open.

    Raises:
        GeotoolsError: the model refuses, or the disk does. Where the input cannot be read, the
            record says so.
    """
    start = time.monotonic()
    cells = UnitCells(work, unit)
    for number, tile in enumerate(unit.tiles):
        try:
            arrays = work.tile(tile)
        except FileError as error:  # a damaged block: other units can be had
            return Record(unit.name, "failed", len(unit.tiles), reason=str(error))
        if arrays is not None:
            cells.put(number, arrays)
    state = "done" if cells.store(job.folder) else "empty"
    return Record(unit.name, state, len(unit.tiles), time.monotonic() - start)
