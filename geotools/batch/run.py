"""run_batch: a job over all its inputs; what fails stops itself alone, what is done stays done."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geotools.batch.config import BatchJob, make_job, read_job
from geotools.batch.entries import BatchReport, Entry, entry_of
from geotools.batch.files import Identity
from geotools.batch.inputs import find_inputs
from geotools.batch.journal import Journal
from geotools.batch.means import Means
from geotools.batch.mosaic import Piece, write_mosaic
from geotools.batch.operations import OPERATIONS
from geotools.batch.plan import Task, plan
from geotools.batch.report import write_reports
from geotools.batch.workers import in_here, in_processes
from geotools.effort import Effort
from geotools.engine.run import Running as UnitRunning
from geotools.errors import ConfigError, FileError, GeotoolsError
from geotools.io.locking import locked
from geotools.spec import ClassInfo
from geotools.stream import Progress, Step

__all__ = ["run_batch"]

_LOCK = ".batch.lock"


def run_batch(
    job: BatchJob | Mapping[str, Any] | str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    effort: Effort | None = None,
    running: UnitRunning | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> BatchReport:
    """Runs one operation over many inputs, and reports on every one of them.

    An input that cannot be used fails alone. What an earlier run has made from the same input,
    model and options is kept. The folder gets the maps, `batch.html`, `batch.csv` and `batch.json`,
    and `batch.jsonl`, which says what each was made from.

    Args:
        job: the path of a TOML, or the same as a dictionary; see `geotools.batch.config`.
        output: the folder of the outputs, instead of the job's own.
        data: where paths of inputs and models begin; the TOML's folder, or the current one, when
            None.
        jobs: inputs at the same time, each in a process of its own; 1 is in this one.
        effort: threads, tile size and memory, of all processes together.
        running: what runs the units of each map by a model, such as a Dask scheduler; its folder
            gets one for each input.
        overwrite: make all anew, and replace files of the same names.
        dry_run: look what there is to do, and do nothing.
        progress: called as the work goes on, in kilobytes of the inputs that are to be run.
        warn: called with a sentence when an input fails, or a result deserves caution.

    Raises:
        GeotoolsError: the job, its lists or its folder cannot be used; nothing was run then.
        KeyboardInterrupt: as it was given; the reports say what is not done.
    """
    start = time.monotonic()
    settled, base = _settled(job)
    folder = Path(output) if output is not None else base / settled.output
    base = Path(data) if data is not None else base
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}: give 1 or more.")
    means = Means(effort or Effort(), running or UnitRunning())
    inputs = find_inputs(settled, base, folder)
    tasks = plan(settled, inputs, base, folder)
    _check_means(settled.operation, tasks, means)
    if dry_run:
        entries = _foreseen(tasks, Journal(folder), overwrite)
        return BatchReport(
            folder=folder, operation=settled.operation, entries=entries,
            seconds=time.monotonic() - start,
        )  # fmt: skip
    with _kept_out(folder), means.folder(), Journal(folder) as journal:
        run = _Run(tasks, journal, overwrite, progress, warn or _ignore)
        cancelled = False
        mosaic: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        try:
            run.all(jobs, means)
            if settled.mosaic is not None:
                mosaic, notes = run.mosaic(settled.mosaic, folder)
        except KeyboardInterrupt:
            cancelled = True
            raise
        finally:
            report = BatchReport(
                folder=folder, operation=settled.operation, entries=run.entries(),
                seconds=time.monotonic() - start, cancelled=cancelled, mosaic=mosaic, notes=notes,
            )  # fmt: skip
            write_reports(report)
            if cancelled:
                run.warn(f"{report.sentence}: the same command does the rest.")
    return report


def _check_means(operation: str, tasks: Sequence[Task], means: Means) -> None:
    """Nothing, when the tasks can be run so.

    Raises:
        ConfigError: none is made in units, or a shard of each map is asked for.
    """
    units = means.units
    if units.shard is not None:
        raise ConfigError("A batch makes whole maps: leave --shard out.")
    in_units = OPERATIONS[operation].in_units
    if units != UnitRunning() and not any(in_units(t.options) for t in tasks if not t.problem):
        raise ConfigError(
            f"Executors and schedulers run maps by models, and this {operation} is none: leave "
            "--executor, --scheduler, --job and --unit out."
        )


def _settled(
    job: BatchJob | Mapping[str, Any] | str | os.PathLike[str],
) -> tuple[BatchJob, Path]:
    """The job, and where its paths begin."""
    if isinstance(job, BatchJob):
        return job, Path()
    if isinstance(job, Mapping):
        return make_job(job), Path()
    return read_job(job), Path(job).parent


@contextmanager
def _kept_out(folder: Path) -> Iterator[None]:
    """Makes the folder, and keeps other runs out of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder / _LOCK, folder)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise FileError(
            f"The folder {folder} cannot be used ({reason}): name another with -o."
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / _LOCK).unlink()
        if lock is not None:
            os.close(lock)


def _foreseen(tasks: Sequence[Task], journal: Journal, overwrite: bool) -> tuple[Entry, ...]:
    """What a run would begin with."""
    entries = []
    for task in tasks:
        record = None if overwrite else journal.done(task)
        gone = [path for path in task.paths if Identity.state(path) is None]
        problem = task.problem or (f"{gone[0]} does not exist: check the path." if gone else "")
        status = "kept" if record else "failed" if problem else "not done"
        entries.append(entry_of(task, status, record or {"error": problem}))
    return tuple(entries)


class _Run:
    """The tasks of one run, and what has become of them so far."""

    def __init__(
        self,
        tasks: Sequence[Task],
        journal: Journal,
        overwrite: bool,
        progress: Progress | None,
        warn: Callable[[str], None],
    ) -> None:
        self.warn = warn
        self._tasks, self._journal = tasks, journal
        self._overwrite, self._progress = overwrite, progress
        kept = [None if overwrite else journal.done(task) for task in tasks]
        self._records: dict[int, tuple[str, Mapping[str, Any]]] = {
            number: ("kept", record) for number, record in enumerate(kept) if record is not None
        }
        """Status and record by number of the task."""
        self._left = [number for number in range(len(tasks)) if number not in self._records]
        sizes = [max(1, _bytes(tasks[number]) // 1000) for number in self._left]
        self._kilobytes = dict(zip(self._left, sizes, strict=True))
        self._total, self._done = sum(sizes), 0.0  # kilobytes
        self._shares = dict.fromkeys(self._left, 0.0)

    def all(self, jobs: int, means: Means) -> None:
        """Runs what is not done yet."""
        numbers = [number for number in self._left if not self._refused(number)]
        given = [
            (self._tasks[n], self._overwrite or self._journal.is_ours(self._tasks[n].target.name))
            for n in numbers
        ]

        def tell(what: str, place: int, value: Any) -> None:
            self._told(what, numbers[place], value)

        if jobs == 1 or len(given) < 2:
            in_here(given, means, tell)
            return
        jobs = min(jobs, len(given))
        in_processes(given, jobs, means.shared(jobs), tell)

    def _refused(self, number: int) -> bool:
        """True when somebody else's file has the name of an output, which is written down."""
        task = self._tasks[number]
        if self._overwrite or self._journal.is_ours(task.target.name):
            return False
        beside = (Path(f"{task.target}.aux.xml"), task.target.with_suffix(".qml"))
        taken = next((path for path in (*task.outputs, *beside) if path.exists()), None)
        if taken is None:
            return False
        error = f"{taken} exists and is not of this batch: give --overwrite to replace it."
        self._finish(number, {"status": "failed", "error": error})
        return True

    def _told(self, what: str, number: int, value: Any) -> None:
        task = self._tasks[number]
        if what == "begun":
            self._journal.write({"name": task.target.name, "status": "begun"})
        elif what == "warning":
            self.warn(f"{task.label}: {value}")
        elif what == "share":
            self._step(number, min(0.99, max(0.0, value)))
        else:
            self._records[number] = (str(value["status"]), value)  # whatever interrupts the disk
            self._journal.write(value)
            self._finish(number, value)

    def _finish(self, number: int, record: Mapping[str, Any]) -> None:
        self._records[number] = (str(record["status"]), record)
        if record["status"] == "failed":
            self.warn(f"{self._tasks[number].label} failed: {record['error']}")
        self._step(number, 1.0)

    def _step(self, number: int, share: float) -> None:
        self._done += (share - self._shares[number]) * self._kilobytes[number]
        self._shares[number] = share
        if self._progress is not None:
            self._progress(Step("inputs, kB", round(self._done), self._total))

    def entries(self) -> tuple[Entry, ...]:
        """What has become of every input."""
        return tuple(
            entry_of(task, *self._records.get(number, ("not done", {})))
            for number, task in enumerate(self._tasks)
        )

    def mosaic(self, rule: str, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the mosaic's files, and why there are none."""
        made = [
            (self._tasks[number], record)
            for number, (status, record) in sorted(self._records.items())
            if status in ("done", "kept")
        ]
        if rule == "last":
            made.reverse()
        sums = [[task.target.name, record["outputs"][0]["sha256"]] for task, record in made]
        digest = hashlib.sha256(json.dumps([rule, sums]).encode()).hexdigest()
        earlier = self._journal.records.get("mosaic.tif", {})
        names = ("mosaic.tif", "mosaic.vrt")
        if earlier.get("digest") == digest and not self._overwrite:
            known = [Identity.from_json(one) for one in earlier["outputs"]]
            if all(one.is_of(folder / one.name) for one in known):
                return names, ()
        pieces = [
            Piece(task.target, tuple(ClassInfo(*one) for one in record["classes"]))
            for task, record in made
        ]
        ours = self._overwrite or self._journal.is_ours("mosaic.tif")
        if ours or not any((folder / name).exists() for name in names):
            ours = True
            self._journal.write({"name": "mosaic.tif", "status": "begun"})
        try:
            write_mosaic(pieces, folder, overwrite=ours, progress=self._progress)
        except GeotoolsError as error:
            self.warn(str(error))
            return (), (str(error),)
        outputs = [asdict(Identity.of(folder / name)) for name in names]
        self._journal.write(
            {"name": "mosaic.tif", "status": "done", "digest": digest, "outputs": outputs}
        )
        return names, ()


def _bytes(task: Task) -> int:
    """Bytes of its files; 0 of those that are not there."""
    states = [Identity.state(path) for path in task.paths]
    return sum(state[0] for state in states if state is not None)


def _ignore(sentence: str) -> None:
    """Says nothing."""
