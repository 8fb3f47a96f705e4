"""What every learner takes and gives: `Material`, `Learner`, `Fitted`, `Traced`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geotools.grid import Grid, Window
from geotools.raster import Raster
from geotools.spec import InputInfo
from geotools.training.labels.cells import Cells

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

__all__ = ["Epoch", "Fitted", "Learner", "Material", "Traced"]

Indices = "NDArray[np.intp]"


class Material(Protocol):
    """What a learner learns from: cells with their targets, and the features around them."""

    @property
    def cells(self) -> Cells:
        """All labelled cells; learners are told by index which of them to use."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of `Cells.target`; empty for regression."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in the order of the arrays."""

    @property
    def categories(self) -> dict[int, tuple[int, ...]]:
        """For features that are codes and not quantities: index of the feature -> its codes."""

    @property
    def steps(self) -> tuple[tuple[int, ...], ...]:
        """Of a stack of dates, which features belong to each, the oldest first; else empty."""

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The grid of every scene; empty for a table."""

    def rows(self, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, features) float32 at these cells; NaN where a feature is undefined."""

    def tile(self, scene: int, window: Window) -> Raster:
        """Features of a window, which may reach beyond the grid: data (features, row, col) float32,
        NaN where undefined or invalid; `valid` as in the source.
        """


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the curve of a fit that goes in epochs."""

    number: int
    """From 1."""
    train_loss: float
    """Mean loss of the epoch."""
    validation_loss: float
    """Loss on the validation cells; NaN without any."""
    score: float
    """Score on the validation cells by the configured metric, or NaN."""


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A fitted learner as a graph, before its spec is attached."""

    graph: onnx.ModelProto
    """Inputs as `inputs` says. One output, `probabilities` or `values`: (N, K) after `features` and
    `sequence` inputs, (N, K, H, W) after `raster` ones."""
    inputs: tuple[InputInfo, ...]
    """Inputs of the graph; `bands` are names of features."""
    halo: int = 0
    """Cells of surroundings that a written cell depends on."""
    stride_multiple: int = 1
    """See `ModelSpec.stride_multiple`."""
    tile: int = 512
    """Cells on a side of a tile that run well."""


class Fitted(Protocol):
    """A fitted learner."""

    @property
    def curve(self) -> Sequence[Epoch]:
        """One entry an epoch; empty where there are none."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a card should say of it: parameters, trees, best epoch; plain JSON values."""

    def predict(self, material: Material, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, K) probabilities that sum to 1, or (n, 1) values, at these cells."""

    def trace(self, temperature: float = 1.0) -> Traced:
        """The graph, with normalisation and p^(1/temperature) (normalised) inside."""


class Learner(Protocol):
    """One way to learn, with its settings."""

    name: str
    """As in the configuration: `unet`, `forest`, …"""

    def fit(
        self,
        material: Material,
        train: NDArray[np.intp],
        validation: NDArray[np.intp] | None,
        *,
        seed: int,
        epochs: int | None = None,
        checkpoint: Path | None = None,
        progress: Callable[[Epoch], None] | None = None,
        like: Fitted | None = None,
    ) -> Fitted:
        """The learner fitted to the cells `train`.

        Args:
            material: cells and features.
            train: cells to learn from.
            validation: cells that decide when to stop; None: `epochs` are run and none is left out.
            seed: fixes everything that is drawn.
            epochs: how many, instead of the learner's own; ignored where there are none.
            checkpoint: file that holds the state after every epoch; when it exists and belongs to
                the same fit, the fit goes on from there, to the same bits.
            progress: called after every epoch.
            like: the same learner fitted to some of these cells: what it had to search for is taken
                from there, where it had nearly as many to search with.
        """
