"""run_job: a task from the first unit to the parts of all of them, and what earlier runs left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geotools.engine.execute import Outcome, Shard, execute
from geotools.engine.executors import Executor, in_threads, serially
from geotools.engine.folder import JobFolder, hidden_folder, read_job
from geotools.engine.job import Job, identify_job
from geotools.engine.manifest import read_manifests
from geotools.engine.mosaic import open_parts
from geotools.engine.supervisor import in_processes
from geotools.engine.units import cells_of_unit
from geotools.engine.work import Task, Work
from geotools.errors import GeotoolsError, PartialError
from geotools.io.parts import PartsSource, find_parts
from geotools.stream import Progress

__all__ = ["EXECUTORS", "Running", "find_done", "run_job", "run_shard"]

EXECUTORS = ("threads", "processes", "serial")
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
    workers: int | None = None
    """Processes, here or of a scheduler that is `local`; as many as threads when None."""
    unit_limit_s: float | None = None
    """Seconds that a unit may take in another process; see `in_processes` when None."""
    shard: Shard | None = None
    """Only these units, whose parts stay in the folder; nothing is written."""
    scheduler: str | None = None
    """Address of a Dask scheduler, or `local` for one on this machine alone."""
    insecure: bool = False
    """The scheduler may be on another machine and know no TLS."""
    only_join: bool = False
    """Compute nothing: all parts are there, or it is an error."""

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise GeotoolsError(
                f"The executor {self.executor!r} is not known: use one of {', '.join(EXECUTORS)}."
            )
        if self.unit_cells is not None and not 64 <= self.unit_cells <= 16384:
            raise GeotoolsError(f"Units of {self.unit_cells} cells: give 64 to 16384.")
        if self.workers is not None and not 1 <= self.workers <= 1024:
            raise GeotoolsError(f"{self.workers} workers: give 1 to 1024.")
        if self.unit_limit_s is not None and not 0 < self.unit_limit_s < 1e9:
            raise GeotoolsError(f"Units of {self.unit_limit_s:g} s: give more than 0.")
        if self.folder is None and self.shard is not None:
            raise GeotoolsError("A shard needs a folder for its parts: give --job FOLDER.")
        if self.folder is None and self.scheduler not in (None, "local"):
            raise GeotoolsError(
                "Workers of a scheduler need a folder for their parts that all of them share: give "
                "--job FOLDER."
            )

    @property
    def is_apart(self) -> bool:
        """True when units run in other processes."""
        return self.executor == "processes" or self.scheduler is not None


def run_job(
    task: Task,
    work: Work,
    output: Path,
    *,
    running: Running,
    threads: int,
    stack: ExitStack,
    memory_bytes: int | None = None,
    description: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> tuple[tuple[PartsSource, ...], JobFolder]:
    """The parts of all units, as one raster for each layer of the work, and where they are.

    Args:
        task: what.
        work: the same, open.
        output: what the parts are for.
        running: how.
        threads: workers.
        stack: keeps the parts until it is closed; enter the outputs after this call.
        memory_bytes: what a worker process may take.
        description: of the job, for those who open its folder later.
        progress: called as tiles are done.
        warn: called with a sentence when an earlier run is gone on from.

    Raises:
        PartialError: units failed; those that are done are kept for the next run.
        GeotoolsError: an input cannot be read, the model refuses, or the disk does.
    """
    executor = _executor(running, threads, memory_bytes)  # which may refuse; then no folder is made
    job, folder = _job(task, work, output, running, description, shared=False)
    stack.enter_context(folder)
    if folder.removed and warn is not None:
        warn(
            f"What earlier runs with other settings had left for {output} was removed "
            f"({folder.removed} unfinished)."
        )
    if not running.only_join:
        outcome = execute(job, work, executor, progress=progress, warn=warn)
        if outcome.failed:
            folder.keep()
            raise PartialError(_failures(outcome, folder.path))
    return open_parts(job.folder, work, job.unit_cells), folder


def run_shard(
    task: Task,
    work: Work,
    output: Path,
    shard: Shard,
    *,
    running: Running,
    threads: int,
    memory_bytes: int | None = None,
    description: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Outcome:
    """Some of the units of a job, whose parts stay in its folder.

    Args:
        task, work, output, running, threads, memory_bytes, description, progress, warn: as in
            `run_job`.
        shard: which units.

    Raises:
        PartialError, GeotoolsError: as in `run_job`.
    """
    job, folder = _job(task, work, output, running, description, shared=True)
    folder.keep()
    with folder:
        outcome = execute(
            job, work, _executor(running, threads, memory_bytes),
            shard=shard, progress=progress, warn=warn,
        )  # fmt: skip
    if outcome.failed:
        raise PartialError(_failures(outcome, folder.path))
    return outcome


def find_done(task: Task, work: Work, output: Path, running: Running) -> set[str]:
    """Names of the units that earlier runs of the same job have done, whose parts are there.

    Args:
        task, work, output, running: as in `run_job`.

    Raises:
        FileError: the folder cannot be read.
    """
    cells = running.unit_cells or cells_of_unit(work.layers)
    job_id = identify_job(task, work, cells)
    folder = running.folder or hidden_folder(output, job_id)
    found = read_job(folder)
    if found is None or found.get("id") != job_id:
        return set()
    empty = {name for name, one in read_manifests(folder).items() if one.state == "empty"}
    return empty | set(find_parts(folder, len(work.layers)))


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
    return Job(task, folder.path.absolute(), job_id, cells), folder


def _executor(running: Running, threads: int, memory_bytes: int | None) -> Executor:
    workers = running.workers or threads
    if running.scheduler is not None:
        from geotools.engine.cluster import on_cluster

        return on_cluster(running.scheduler, workers=workers, insecure=running.insecure)
    if running.executor == "processes":
        return in_processes(workers, limit_s=running.unit_limit_s, memory_bytes=memory_bytes)
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
