"""Effort: how much of the machine a run may use, and what tile size and threads that gives."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from geotools.errors import GeotoolsError

__all__ = ["Effort", "available_bytes", "available_cores", "need_bytes", "parse_bytes"]

_TILES = (2048, 1024, 768, 512, 384, 256, 128, 64)
_SMALLEST = 16
_FLOOR_BYTES = 200 * 2**20
"""Interpreter, libraries and GDAL's cache: what a run needs whatever its tiles."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Threads, tile size and memory of a run; what is None is chosen."""

    threads: int | None = None
    """Tiles computed at the same time; all cores when None."""
    tile: int | None = None
    """Cells on a side of a tile; what runs well when None."""
    memory_bytes: int | None = None
    """Upper limit of the memory; none when None."""

    def __post_init__(self) -> None:
        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise GeotoolsError(f"{self.threads} threads: give 1 to 1024.")
        if self.tile is not None and not _SMALLEST <= self.tile <= 16384:
            raise GeotoolsError(f"A tile of {self.tile} cells: give 16 to 16384, such as 1024.")

    @property
    def cores(self) -> int:
        """Threads that may run."""
        return self.threads or available_cores()

    def plan(
        self, *, tile: int, halo: int, bytes_per_cell: int, kept_bytes: int = 0
    ) -> tuple[int, int]:
        """(tile size, threads) that stay within the memory.

        Args:
            tile: the size that runs well.
            halo: cells added on every side.
            bytes_per_cell: working memory for a cell of one tile, halo included.
            kept_bytes: what is held beside the tiles, whatever their size.

        Raises:
            GeotoolsError: no tile is small enough; the message says what would do.
        """
        threads = self.cores
        size = self.tile or tile
        if self.memory_bytes is None:
            return size, threads

        def need(size: int, threads: int) -> int:
            return need_bytes(size, threads, halo, bytes_per_cell, kept_bytes)

        sizes = (self.tile,) if self.tile else tuple(t for t in _TILES if t <= tile) or (tile,)
        for count in range(threads, 0, -1):
            for choice in sizes:
                # Small tiles are mostly halo: fewer threads come first.
                if need(choice, count) <= self.memory_bytes and (choice >= 256 or count == 1):
                    return choice, count
        least = need(sizes[-1], 1)
        smaller = " or give a smaller --tile" if need(_SMALLEST, 1) <= self.memory_bytes else ""
        raise GeotoolsError(
            f"This needs {least / 2**20:.0f} MB of memory, allowed are "
            f"{self.memory_bytes / 2**20:.0f} MB: raise --memory{smaller}."
        )


def need_bytes(tile: int, threads: int, halo: int, bytes_per_cell: int, kept_bytes: int = 0) -> int:
    """Memory of a run; arguments as in `Effort.plan`."""
    return _FLOOR_BYTES + kept_bytes + threads * (tile + 2 * halo) ** 2 * bytes_per_cell


def available_bytes() -> int | None:
    """Memory that may be taken without swapping; None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_bytes(text: str) -> int:
    """Bytes in a size such as `512M`, `2G` or `1.5 GiB`; powers of 1024.

    Raises:
        GeotoolsError: not a size.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if found is None:
        raise GeotoolsError(f"{text!r} is not a memory size: write, for example, 2G or 512M.")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))
