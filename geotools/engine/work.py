"""Work and Task: what the engine asks of a computation, here and in other processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from geotools.grid import Grid, Tile, Window
from geotools.raster import Layer, Source
from geotools.stream import Tiling

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Task", "Work"]


class Work(Protocol):
    """A computation that is ready: its files are open, its model is loaded."""

    @property
    def source(self) -> Source:
        """What is read; its `read` may be called from several threads."""

    @property
    def tiling(self) -> Tiling:
        """How the source's grid is cut."""

    @property
    def grid(self) -> Grid:
        """Where the cells of the result are."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The rasters of the result."""

    @property
    def stage(self) -> str:
        """The word for progress."""

    def placed(self, window: Window) -> Window:
        """The cells of the result that a written window of the source is."""

    def tile(self, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        """What the layers hold in a tile; None where nothing is known. Called from threads."""


class Task(Protocol):
    """A computation in a form that can be sent to another process (it is pickled)."""

    def identity(self) -> Mapping[str, Any]:
        """All that the result depends on, as JSON has it."""

    def open(self) -> AbstractContextManager[Work]:
        """The computation, ready; closed at the end of the `with` block.

        Raises:
            GeotoolsError: an input cannot be used.
        """
