"""run_job: a task from the first unit to the parts of all of them, and what earlier runs left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geotools.engine.execute import Outcome, Shard, execute
from geotools.engine.executors import Executor, in_threads, serially
from geotools.engine.folder import JobFolder
from geotools.engine.job import Job, identify_job
from geotools.engine.mosaic import open_parts
from geotools.engine.units import cells_of_unit
from geotools.engine.work import Task, Work
from geotools.errors import GeotoolsError, PartialError
from geotools.io.parts import PartsSource
from geotools.stream import Progress

__all__ = ["EXECUTORS", "Running", "run_job", "run_shard"]

EXECUTORS = ("threads", "serial")
"""Ways to run the units of a job."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a job is run; nothing of it changes the result."""

    executor: str = "threads"
    """One of EXECUTORS."""
    folder: Path | None = None
    """Where its parts lie, also after it was cancelled; hidden beside the output when None."""
    unit_cells: int | None = None
    """Cells along a side of a unit; what suits its layers when None."""

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise GeotoolsError(
                f"The executor {self.executor!r} is not known: use one of {', '.join(EXECUTORS)}."
            )
        if self.unit_cells is not None and not 64 <= self.unit_cells <= 16384:
            raise GeotoolsError(f"Units of {self.unit_cells} cells: give 64 to 16384.")


def run_job(
    task: Task,
    work: Work,
    output: Path,
    *,
    running: Running,
    threads: int,
    stack: ExitStack,
    description: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> tuple[PartsSource, ...]:
    """The parts of all units, as one raster for each layer of the work.

    Args:
        task: what.
        work: the same, open.
        output: what the parts are for.
        running: how.
        threads: workers.
        stack: keeps the parts until it is closed; enter the outputs after this call.
        description: of the job, for those who open its folder later.
        progress: called as tiles are done.
        warn: called with a sentence when an earlier run is gone on from.

    Raises:
        PartialError: units failed; those that are done are kept for the next run.
        GeotoolsError: an input cannot be read, the model refuses, or the disk does.
    """
    job, folder = _job(task, work, output, running, description, shared=False)
    stack.enter_context(folder)
    executor = _executor(running, threads)
    outcome = execute(job, work, executor, progress=progress, warn=warn)
    if outcome.failed:
        folder.keep()
        raise PartialError(_failures(outcome, folder.path))
    return open_parts(job.folder, work, job.unit_cells)


def run_shard(
    task: Task,
    work: Work,
    output: Path,
    shard: Shard,
    *,
    running: Running,
    threads: int,
    description: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Outcome:
    """Some of the units of a job, whose parts stay in its folder.

    Args:
        task, work, output, running, threads, description, progress, warn: as in `run_job`.
        shard: which units.

    Raises:
        PartialError, GeotoolsError: as in `run_job`.
    """
    job, folder = _job(task, work, output, running, description, shared=True)
    folder.keep()
    with folder:
        outcome = execute(
            job, work, _executor(running, threads), shard=shard, progress=progress, warn=warn
        )
    if outcome.failed:
        raise PartialError(_failures(outcome, folder.path))
    return outcome


def _job(
    task: Task,
    work: Work,
    output: Path,
    running: Running,
    description: Mapping[str, Any] | None,
    *,
    shared: bool,
) -> tuple[Job, JobFolder]:
    cells = running.unit_cells or cells_of_unit(work.layers)
    job_id = identify_job(task, work, cells)
    folder = JobFolder(
        output, job_id, path=running.folder, shared=shared,
        description={"unit_cells": cells, **(description or {})},
    )  # fmt: skip
    return Job(task, folder.path, job_id, cells), folder


def _executor(running: Running, threads: int) -> Executor:
    return serially if running.executor == "serial" else in_threads(threads)


def _failures(outcome: Outcome, folder: Path) -> str:
    unit, record = outcome.failed[0]
    more = len(outcome.failed) - 1
    others = f", and {more} more" if more else ""
    return (
        f"{len(outcome.failed)} of {outcome.units} units failed ({unit.place}: {record.reason}"
        f"{others}); all others are kept in {folder}: run the same command again to try these once "
        "more."
    )
