"""execute: the units of a job that are not done yet, by an executor; what is done stays done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from geotools.engine.executors import Executor, Told
from geotools.engine.job import Job, Record
from geotools.engine.manifest import Manifest, read_manifests
from geotools.engine.units import Unit, units_of
from geotools.engine.work import Work
from geotools.errors import FileError, GeotoolsError
from geotools.io.parts import find_parts
from geotools.raster import is_absent
from geotools.stream import Progress, Step

__all__ = ["Outcome", "Shard", "execute"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs that share a job's units."""

    number: int
    """From 1."""
    count: int
    """Of all."""

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= 100_000:
            raise GeotoolsError(
                f"There is no shard {self.number} of {self.count}: give 1 of 4, 2 of 4 and so on."
            )

    def has(self, index: int) -> bool:
        """True for the units of this one."""
        return index % self.count == self.number - 1

    @property
    def name(self) -> str:
        """For messages, and the name of its manifest."""
        return f"{self.number}-of-{self.count}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a job's units."""

    units: int
    """That this run had to see to."""
    found: int
    """Of these, done by an earlier run."""
    failed: tuple[tuple[Unit, Record], ...]
    """Those that could not be done."""


def execute(
    job: Job,
    work: Work,
    executor: Executor,
    *,
    shard: Shard | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Outcome:
    """Runs the units of a job that have no parts yet.

    Args:
        job: what.
        work: the job's task, open.
        executor: how.
        shard: only some of the units; all when None.
        progress: called as tiles are done; they are counted without those of earlier runs.
        warn: called with a sentence when an earlier run is gone on from.

    Raises:
        FileError: no unit could be read.
        GeotoolsError: as the executor.
    """
    known = read_manifests(job.folder)
    tiles = {unit.name: len(unit.tiles) for unit in _mine(job, work, shard)}
    parts = find_parts(job.folder, len(work.layers), check=tiles.keys())
    ready = parts.keys() | {name for name, one in known.items() if one.state == "empty"}
    left = {name: count for name, count in tiles.items() if name not in ready}
    found, total = len(tiles) - len(left), sum(left.values())
    if found and warn is not None:
        warn(f"Going on from an earlier run: {found} of {len(tiles)} units are done.")
    failed: dict[str, Record] = {}
    done = 0
    with Manifest(job.folder, shard.name if shard else "units") as manifest:

        def told(tiles: int, record: Record | None) -> None:
            nonlocal done
            done += tiles
            if record is not None:
                manifest.add(record)
                if record.state == "failed":
                    failed[record.name] = record
            if progress is not None:
                progress(Step(work.stage, done, total))

        # Units are made as they are needed: their tiles are many.
        units = (unit for unit in _mine(job, work, shard) if unit.name in left)
        executor(job, work, _known(work, units, told), told)
    if failed and len(failed) == len(tiles):
        raise FileError(next(iter(failed.values())).reason)  # nothing can be read: no part is kept
    places = [unit for unit in _mine(job, work, shard) if unit.name in failed] if failed else []
    return Outcome(len(tiles), found, tuple((unit, failed[unit.name]) for unit in places))


def _mine(job: Job, work: Work, shard: Shard | None) -> Iterator[Unit]:
    """The units of a shard."""
    for index, unit in enumerate(units_of(work, job.unit_cells)):
        if shard is None or shard.has(index):
            yield unit


def _known(work: Work, units: Iterable[Unit], told: Told) -> Iterator[Unit]:
    """The units without those that are known to be empty, of which it tells."""
    for unit in units:
        if is_absent(work.source, unit.source_window):
            told(len(unit.tiles), Record(unit.name, "empty", len(unit.tiles)))
        else:
            yield unit
