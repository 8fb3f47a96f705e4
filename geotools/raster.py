"""Pixels with their place (`Raster`), and the two shapes that all reading and writing takes.

A `Source` is anything with a grid that can be read by windows, a `Sink` anything that can be
written by windows, a `Layer` says what a sink takes; files are in `geotools.io`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geotools.errors import RasterError
from geotools.grid import Grid, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Chosen",
    "Layer",
    "Part",
    "Raster",
    "Shifted",
    "Sink",
    "Source",
    "foresee",
    "is_absent",
    "is_in_strips",
]


class Source(Protocol):
    """A raster that is read window by window."""

    @property
    def grid(self) -> Grid:
        """Where the cells are."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Name of each band."""

    def read(self, window: Window) -> Raster:
        """The cells of `window`; those beyond the raster are invalid."""


def is_absent(source: Source, window: Window) -> bool:
    """True when no cell of `window` is valid and that is known without reading it.

    Sources that know more than `Source` asks have a method of that name.
    """
    known: Callable[[Window], bool] | None = getattr(source, "is_absent", None)
    return known is not None and known(window)


def is_in_strips(source: Source) -> bool:
    """True when a window is read as cheaply as all cells beside it.

    Sources that know more than `Source` asks have a property of that name.
    """
    return bool(getattr(source, "is_in_strips", False))


class Sink(Protocol):
    """A raster that is written window by window."""

    def write(self, data: NDArray[Any], window: Window) -> None:
        """Writes `data` of shape (band, row, col) to the cells of `window`, each cell once."""


def foresee(sink: Sink, data: NDArray[Any], window: Window) -> None:
    """Nothing; a sink may look at what it will be given to write, in the thread that has made it.

    There the cells are still in the processor's cache. Sinks that do so have a method of that
    name; `data` must not change until it is written.
    """
    look: Callable[[NDArray[Any], Window], None] | None = getattr(sink, "foresee", None)
    if look is not None:
        look(data, window)


@dataclass(frozen=True, slots=True)
class Layer:
    """One raster among those that a computation gives."""

    name: str
    """What it holds, in a word."""
    bands: tuple[str, ...]
    """Name of each band."""
    dtype: str
    """numpy name of the cells' type."""
    nodata: float
    """Value of invalid cells."""
    units: tuple[str, ...] = ()
    """Unit of each band."""
    scale: float = 1.0
    """What a cell is multiplied by to give the quantity."""

    def empty(self, shape: tuple[int, int]) -> NDArray[Any]:
        """(band, row, col) of invalid cells."""
        return np.full((len(self.bands), *shape), self.nodata, self.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Pixels in memory with their place; itself a `Source`."""

    data: NDArray[Any]
    """(band, row, col), any numeric dtype; what invalid cells hold means nothing."""
    valid: NDArray[np.bool_]
    """(row, col), True = use."""
    grid: Grid
    """Where the cells are."""
    bands: tuple[str, ...]
    """Name of each band."""

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or self.data.shape != (len(self.bands), *self.grid.shape):
            raise RasterError(
                f"Raster data of shape {self.data.shape} for {len(self.bands)} bands on a grid of "
                f"{self.grid.shape} cells: give (band, row, col)."
            )
        if self.valid.shape != self.grid.shape or self.valid.dtype != np.bool_:
            raise RasterError(
                f"Raster valid of shape {self.valid.shape} and dtype {self.valid.dtype}: give "
                f"booleans of shape {self.grid.shape}."
            )

    def read(self, window: Window) -> Raster:
        """The cells of `window`, a copy; those beyond the raster are invalid and 0."""
        grid = self.grid.cut(window)
        data = np.zeros((len(self.bands), *window.shape), self.data.dtype)  # (band, row, col)
        valid = np.zeros(window.shape, np.bool_)
        inside = window.intersection(self.grid.window)
        if inside is not None:
            rows, cols = inside.slices(window)
            data[:, rows, cols] = self.data[:, *inside.slices()]
            valid[rows, cols] = self.valid[inside.slices()]
        return Raster(data, valid, grid, self.bands)

    def filled(self) -> NDArray[np.float32]:
        """The data as float32 of shape (band, row, col), NaN where invalid."""
        filled: NDArray[np.float32] = self.data.astype(np.float32)
        np.copyto(filled, np.nan, where=~self.valid)
        return filled


class Part:
    """A window of a source as a source of its own, whose surroundings can still be read."""

    def __init__(self, source: Source, window: Window) -> None:
        self._source, self.window = source, window
        self.grid: Grid = source.grid.cut(window)
        """Where its cells are."""
        self.bands = source.bands
        """Name of each band."""

    def read(self, window: Window) -> Raster:
        """The cells of `window`, counted from the part's own corner."""
        return self._source.read(self._moved(window))

    def is_absent(self, window: Window) -> bool:
        """See `is_absent`."""
        return is_absent(self._source, self._moved(window))

    @property
    def is_in_strips(self) -> bool:
        """See `is_in_strips`."""
        return is_in_strips(self._source)

    def _moved(self, window: Window) -> Window:
        col, row = window.col_off + self.window.col_off, window.row_off + self.window.row_off
        return Window(col, row, window.width, window.height)


class Shifted:
    """A sink of a window that is given windows of the whole."""

    def __init__(self, sink: Sink, window: Window) -> None:
        self._sink, self._window = sink, window

    def write(self, data: NDArray[Any], window: Window) -> None:
        """Writes to the cells of `window`, counted from the first of the whole."""
        self._sink.write(data, self._moved(window))

    def foresee(self, data: NDArray[Any], window: Window) -> None:
        """See `foresee`."""
        foresee(self._sink, data, self._moved(window))

    def _moved(self, window: Window) -> Window:
        col, row = window.col_off - self._window.col_off, window.row_off - self._window.row_off
        return Window(col, row, window.width, window.height)


class Chosen:
    """Some bands of a source as a source of its own."""

    def __init__(self, source: Source, numbers: Sequence[int]) -> None:
        """The bands of these numbers, from 0."""
        self._source, self._numbers = source, list(numbers)
        self.grid = source.grid
        """Where the cells are."""
        self.bands = tuple(source.bands[number] for number in numbers)
        """Name of each band."""

    def read(self, window: Window) -> Raster:
        """The cells of `window`; see `Source`."""
        block = self._source.read(window)
        return Raster(block.data[self._numbers], block.valid, block.grid, self.bands)

    def is_absent(self, window: Window) -> bool:
        """See `is_absent`."""
        return is_absent(self._source, window)
