"""Means: what the inputs of a batch are run with; nothing of it changes a map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from geotools.effort import Effort
from geotools.engine.run import Running as UnitRunning
from geotools.errors import ConfigError, FileError

__all__ = ["Means"]


@dataclass(frozen=True, slots=True)
class Means:
    """Threads, memory, and what runs the units of every map by a model."""

    effort: Effort = field(default_factory=Effort)
    """Threads, tile size, memory."""
    units: UnitRunning = field(default_factory=UnitRunning)
    """Executor or scheduler; its folder holds one for each input."""

    def units_of(self, target: Path) -> UnitRunning:
        """What runs the units of one map.

        Args:
            target: its GeoTIFF.
        """
        if self.units.folder is None:
            return self.units
        return replace(self.units, folder=self.units.folder / target.stem)

    @contextmanager
    def folder(self) -> Iterator[None]:
        """The folder of the units, where one is named: there, and gone again when it is empty.

        Raises:
            FileError: it cannot be made.
        """
        folder = self.units.folder
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FileError(f"{folder} cannot be made ({error.strerror}).") from None
        yield
        if folder is not None:
            with suppress(OSError):  # somebody's unfinished work is in it
                folder.rmdir()

    def shared(self, jobs: int) -> Means:
        """What each of so many processes may take.

        Raises:
            ConfigError: they would start processes of their own.
        """
        if self.units.executor == "processes" or self.units.scheduler == "local":
            raise ConfigError(
                "Several inputs at a time, and several processes for each, are too many: give one "
                "of --jobs and --executor processes or --scheduler local."
            )
        memory = self.effort.memory_bytes
        effort = replace(
            self.effort,
            threads=max(1, self.effort.cores // jobs),
            memory_bytes=None if memory is None else memory // jobs,
        )
        return replace(self, effort=effort)
