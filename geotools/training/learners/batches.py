"""Batches of cells for nets that see one cell, or one cell at several dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geotools.training.learners.protocol import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Batch", "Feed", "Piece", "Reader", "RowFeed", "RowReader", "draw_cells"]

_PIECE = 65_536
"""Cells that are predicted at once."""

_STEPS = 64
"""Steps in an epoch for which batches become smaller where cells are few, …"""
_SMALLEST = 16
"""… down to so many cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a net takes in one step, and what it should say."""

    inputs: tuple[NDArray[np.float32], ...]
    """Inputs of the net, N first."""
    target: NDArray[Any]
    """(N,) or (N, H, W) class int64, or standardised value float32."""
    known: NDArray[np.bool_]
    """As `target`: True where it is one, False where nothing is labelled or valid."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some of the cells that were asked for, in a form that a net takes."""

    inputs: tuple[NDArray[np.float32], ...]
    """Inputs of the net, N first."""
    place: NDArray[np.intp]
    """(n,) where these cells are among those that were asked for."""
    at: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
    """(n,) rows and columns of the cells in the net's output (1, K, H, W); None: it is (n, K)."""


class Reader(Protocol):
    """Where cells are read."""

    def read(self, index: NDArray[np.intp]) -> Iterator[Piece]:
        """These cells, each once, as they are."""

    def some(self, index: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """As many of these cells as can be looked at after every epoch."""


class Feed(Reader, Protocol):
    """Where batches come from."""

    steps: int
    """Batches in an epoch."""

    def draw(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch."""


class RowReader:
    """Reads cells without surroundings."""

    def __init__(self, material: Material, *, dates: int = 1) -> None:
        """
        Args:
            material: cells and features.
            dates: dates that the net goes along.
        """
        self._material, self._dates = material, dates

    def shaped(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, F) rows; (n, T, F / T) for nets that go along dates."""
        if self._dates == 1:
            return rows
        return rows.reshape(len(rows), self._dates, rows.shape[1] // self._dates)

    def read(self, index: NDArray[np.intp]) -> Iterator[Piece]:
        """See `Reader`."""
        for start in range(0, len(index), _PIECE):
            place = np.arange(start, min(start + _PIECE, len(index)))
            yield Piece((self.shaped(self._material.rows(index[place])),), place)

    def some(self, index: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """See `Reader`."""
        return np.sort(rng.choice(index, min(len(index), _PIECE), replace=False))


class RowFeed(RowReader):
    """Cells without surroundings, in batches."""

    def __init__(
        self,
        material: Material,
        train: NDArray[np.intp],
        targets: NDArray[Any],
        *,
        dates: int,
        batch: int,
        max_cells: int,
        rng: np.random.Generator,
    ) -> None:
        """
        Args:
            material: cells and features.
            train: cells to learn from.
            targets: (cells,) what is learned, of all cells.
            dates: dates that the net goes along.
            batch: cells in a step.
            max_cells: learned from at most.
            rng: draws them.
        """
        super().__init__(material, dates=dates)
        chosen = draw_cells(train, targets[train], max_cells, rng)
        self._rows = self.shaped(material.rows(chosen))
        self._targets = targets[chosen]
        self._batch = min(batch, max(len(chosen) // _STEPS, _SMALLEST))
        self.steps = -(-len(chosen) // self._batch)

    def draw(self, rng: np.random.Generator) -> Iterator[Batch]:
        """See `Feed`."""
        order = rng.permutation(len(self._rows))
        for part in np.array_split(order, self.steps):
            known = np.ones(len(part), np.bool_)
            yield Batch((self._rows[part],), self._targets[part], known)


def draw_cells(
    index: NDArray[np.intp], target: NDArray[Any], limit: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """At most about `limit` of these cells, in their order, drawn so that rare classes stay.

    Classes keep their shares, but none falls below a fifth of an equal share as long as it has so
    many cells.

    Args:
        index: (n,) cells.
        target: (n,) their classes, or values, which are drawn evenly.
        limit: cells at most.
        rng: draws them.
    """
    if len(index) <= limit:
        return index
    if target.dtype.kind == "f":
        return np.sort(rng.choice(index, limit, replace=False))
    classes, counts = np.unique(target, return_counts=True)
    least = max(limit // (5 * len(classes)), 1)
    wanted = np.minimum(counts, np.maximum(counts * limit // len(index), least))
    parts = [
        rng.choice(index[target == one], count, replace=False)
        for one, count in zip(classes, wanted, strict=True)
    ]
    return np.sort(np.concatenate(parts))
