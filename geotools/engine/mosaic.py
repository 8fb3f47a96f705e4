"""write_mosaic: the parts of a job into sinks, always in the same order, whoever made them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.engine.manifest import read_manifests
from geotools.engine.units import units_of
from geotools.engine.work import Work
from geotools.errors import FileError
from geotools.grid import Grid, Tile, Window
from geotools.io.parts import PartsSource, find_parts
from geotools.raster import Raster, Sink, Source, is_absent
from geotools.stream import Progress, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["open_parts", "write_mosaic"]

_SIDES = (1024, 512)
"""Cells along a side of a window: whole blocks of the file, so that no block is written twice."""

_BYTES = 48 * 2**20
"""What a window may hold, about; of float32."""

_READERS = 2
"""Parts read at the same time: one thread writes, and each reader holds two windows."""

_NAMED = 5
"""Missing units that a message names."""


def open_parts(
    folder: Path, work: Work, unit_cells: int, *, without: Sequence[str] = ()
) -> tuple[PartsSource, ...]:
    """The parts of a job as one raster for each layer.

    Args:
        folder: where they are.
        work: whose parts.
        unit_cells: cells along a side of a unit.
        without: names of units that may be missing.

    Raises:
        FileError: units are missing; the message names some.
    """
    layers = work.layers
    found = find_parts(folder, len(layers))
    known = read_manifests(folder)
    places: dict[str, Window] = {}
    missing = []
    for unit in units_of(work, unit_cells):
        if unit.name in found:
            places[unit.name] = unit.window
        elif unit.name not in without:
            record = known.get(unit.name)
            if record is None or record.state != "empty":
                missing.append(unit)
    if missing:
        named = "; ".join(unit.place for unit in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise FileError(
            f"{len(missing)} units have no parts in {folder} ({named}{more}): run what makes them "
            "first."
        )
    return tuple(
        PartsSource(
            work.grid, layer, {place: found[name][number] for name, place in places.items()}
        )
        for number, layer in enumerate(layers)
    )


def write_mosaic(
    parts: Source, sink: Sink, *, threads: int, progress: Progress | None = None
) -> None:
    """Writes all that is known to a sink, row by row in windows of whole blocks.

    Args:
        parts: a layer.
        sink: takes its bands.
        threads: parts read at the same time.
        progress: called after every window, stage `joining`.

    Raises:
        FileError: a part is damaged, or the disk refuses.
    """

    def same(block: Raster, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        return (block.data,) if block.valid.any() else None

    map_tiles(
        parts, (sink,), _Windows(parts), same,
        threads=min(threads, _READERS), stage="joining", progress=progress,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Windows:
    """Windows of whole blocks in which something is known, see `Tiling`."""

    parts: Source
    """What is known."""

    def count(self, grid: Grid) -> int:
        return sum(1 for _ in self.tiles(grid))

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        per_cell = 4 * len(self.parts.bands)
        side = next((one for one in _SIDES if one * one * per_cell <= _BYTES), _SIDES[-1])
        for row in range(0, grid.height, side):
            for col in range(0, grid.width, side):
                window = Window(col, row, min(side, grid.width - col), min(side, grid.height - row))
                if not is_absent(self.parts, window):
                    yield Tile(window, window)
