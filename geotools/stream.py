"""map_tiles: a source through a function into a sink, tile by tile, in bounded memory.

Reading and computing run in worker threads (GDAL, numba and ONNX Runtime let go of Python's
lock), writing in the caller's; at most two tiles a worker are in memory. No file is opened here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from geotools.grid import Grid, Tile, Window
from geotools.raster import Raster, Sink, Source, foresee

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Progress", "Step", "Tiling", "Within", "map_tiles"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a piece of work has come."""

    stage: str
    """What is being done, in a word or two."""
    done: int
    """Units finished."""
    total: int
    """Units in all."""
    figures: tuple[tuple[str, float], ...] = ()
    """Name and value of what shows how it goes, such as the loss of an epoch; finite."""


Progress = Callable[[Step], None]
"""Called after every unit of work; an exception from it stops the work."""


class Tiling(Protocol):
    """A way to cut grids, such as `TileScheme`."""

    def count(self, grid: Grid) -> int:
        """Number of tiles of `grid`."""

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        """The tiles of `grid`; their write windows cover it exactly once."""


@dataclass(frozen=True, slots=True)
class Within:
    """The tiles of a window of a grid, in the cells of the whole grid; itself a `Tiling`."""

    scheme: Tiling
    """How grids are cut."""
    window: Window
    """Which cells are written; inside the grid."""
    as_whole: bool = False
    """Take the tiles that the whole grid has, and write less of them; else the window is cut by
    itself."""

    def count(self, grid: Grid) -> int:
        """Number of tiles of the window."""
        if self.as_whole:
            return sum(1 for _ in self.tiles(grid))
        return self.scheme.count(grid.cut(self.window))

    def tiles(self, grid: Grid) -> Iterator[Tile]:
        """The tiles of the window of `grid`."""
        if self.as_whole:
            for tile in self.scheme.tiles(grid):
                write = tile.write.intersection(self.window)
                if write is not None:
                    yield Tile(tile.read, write)
            return
        for tile in self.scheme.tiles(grid.cut(self.window)):
            yield Tile(*(self._moved(window) for window in (tile.read, tile.write)))

    def _moved(self, window: Window) -> Window:
        col, row = window.col_off + self.window.col_off, window.row_off + self.window.row_off
        return Window(col, row, window.width, window.height)


def map_tiles(
    source: Source,
    sinks: tuple[Sink, ...],
    scheme: Tiling,
    compute: Callable[[Raster, Tile], tuple[NDArray[Any], ...] | None],
    *,
    threads: int = 1,
    stage: str = "computing",
    progress: Progress | None = None,
) -> None:
    """Writes `compute(block, tile)` of every tile of the source's grid to the sinks.

    Tiles are written in their order, so the bytes do not depend on the number of threads.

    Args:
        source: what to read; its `read` is called from several threads.
        sinks: one for each array that `compute` returns.
        scheme: how the grid is cut.
        compute: from a block of the read window's shape to arrays of shape (band, row, col) of
            the write window's; None writes nothing. They stay as they are until they are written.
        threads: worker threads.
        stage: the word for progress.
        progress: called after every tile.
    """
    grid = source.grid
    total = scheme.count(grid)
    pending: deque[tuple[Tile, Future[tuple[NDArray[Any], ...] | None]]] = deque()
    done = 0

    def work(tile: Tile) -> tuple[NDArray[Any], ...] | None:
        arrays = compute(source.read(tile.read), tile)
        for sink, array in zip(sinks if arrays else (), arrays or (), strict=True):
            foresee(sink, array, tile.write)
        return arrays

    def write_first() -> None:
        nonlocal done
        tile, future = pending.popleft()
        arrays = future.result()
        for sink, array in zip(sinks if arrays else (), arrays or (), strict=True):
            sink.write(array, tile.write)
        done += 1
        if progress is not None:
            progress(Step(stage, done, total))

    executor = ThreadPoolExecutor(max(1, threads), thread_name_prefix="geotools")
    try:
        for tile in scheme.tiles(grid):
            pending.append((tile, executor.submit(work, tile)))
            if len(pending) >= 2 * threads:
                write_first()
        while pending:
            write_first()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
