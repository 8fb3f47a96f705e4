"""Predictor: what `predict` asks of a model, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geotools.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Predictor"]


class Predictor(Protocol):
    """A model in memory; `run` may be called from several threads."""

    @property
    def file(self) -> str:
        """Where it came from."""

    @property
    def sha256(self) -> str:
        """Of the file."""

    @property
    def spec(self) -> ModelSpec:
        """What it takes and gives."""

    @property
    def channels(self) -> int:
        """Classes of the first output, or the bands of its values."""

    @property
    def side(self) -> tuple[int, int] | None:
        """(rows, columns) of the only block that it takes; None: blocks of any size."""

    @property
    def finer(self) -> int:
        """Output cells along a side of an input cell: 1, or more where a net sharpens images."""

    @property
    def coarser(self) -> int:
        """Input cells along a side of an output cell: 1, or more where a net summarises blocks."""

    @property
    def device(self) -> str:
        """Where it runs: `cpu`, `cuda`, …"""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user of its map should know; a sentence each."""

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """The outputs in the order of the spec, for one batch.

        Maps are (N, channels, rows * finer, cols * finer), or (N, channels, rows / coarser,
        cols / coarser), of blocks of (rows, cols); one of the two factors is 1.
        """

    def decide(
        self, probabilities: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Index of the class of every cell of (classes, rows, cols), and its probability."""

    def release(self) -> None:
        """Gives back the memory of its graph: what it takes beside its maps. It runs no more."""
