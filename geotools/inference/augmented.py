"""augmented: a model asked from several sides, whose map is the mean of the answers.

Blocks are turned and mirrored, run, and their maps put back into place (test-time augmentation);
directions among the features are turned with them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.features.directions import Directions, directions_of
from geotools.grid import Grid, Window
from geotools.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["Augmented", "augmented"]

_SQUARE = 0.01
"""Cells whose ratio of sides is this near to 1 are square."""

_FAR_ROWS = 1_000
"""Rows from which another row is looked at, to see whether cells change along a column."""


@dataclass(frozen=True, slots=True)
class _View:
    """One way to look at a block: mirrored, then with rows and columns exchanged."""

    up: bool
    """Rows are mirrored."""
    over: bool
    """Columns are mirrored."""
    across: bool
    """Rows become columns."""

    @property
    def matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """From a place in the turned block to its place in the block: rows, then columns."""
        row, col = -1.0 if self.up else 1.0, -1.0 if self.over else 1.0
        return ((0.0, row), (col, 0.0)) if self.across else ((row, 0.0), (0.0, col))

    def there(self, block: NDArray[Any]) -> NDArray[Any]:
        """(..., rows, cols) as it is seen."""
        seen = self._mirrored(block)
        return seen.swapaxes(-1, -2) if self.across else seen

    def back(self, seen: NDArray[Any]) -> NDArray[Any]:
        """(..., rows, cols) as it lies."""
        return self._mirrored(seen.swapaxes(-1, -2) if self.across else seen)

    def sizes(self, sizes: NDArray[Any], columns: int) -> NDArray[Any]:
        """(N, 2, rows, 1) cell sizes of the turned block; exchanged only where all rows are alike.

        Args:
            sizes: (N, 2, rows, 1), x then y, metres.
            columns: of the block.
        """
        if self.across:
            return np.repeat(sizes[:, ::-1, :1], columns, axis=2)
        return sizes[:, :, ::-1] if self.up else sizes

    def _mirrored(self, block: NDArray[Any]) -> NDArray[Any]:
        return block[..., :: -1 if self.up else 1, :: -1 if self.over else 1]


_VIEWS = tuple(
    _View(up, over, across)
    for across in (False, True)
    for up in (False, True)
    for over in (False, True)
)
"""The eight turns and mirrorings of a square; those that keep rows first."""


def augmented(model: Predictor, grid: Grid | None = None) -> Predictor:
    """A model whose map is the mean of what `model` says of a raster turned and mirrored.

    All eight turns and mirrorings of a square are taken where that is right: not where cells are
    no squares (all geographic grids), not where the model takes cell sizes that change from row
    to row, and not where it takes northness without eastness. There it is the four that keep rows
    as rows. The spec says how many. Answers that are directions themselves are averaged like any
    other value.

    Args:
        model: of cells and their surroundings.
        grid: that it is to be run on. When None, models that take cell sizes get four views, and
            the cells of others are taken to be squares.

    Raises:
        ModelError: it looks at single cells, gives rates, or takes what cannot be turned.
    """
    spec = model.spec
    raster = next((info for info in spec.inputs if info.kind == "raster"), None)
    if raster is None:
        raise ModelError(
            f"The model {model.file} looks at single cells, in which there is nothing to turn: map "
            "by it as it is."
        )
    if spec.outputs[0].kind not in ("probabilities", "values"):
        raise ModelError(
            f"The model {model.file} gives {spec.outputs[0].kind}, of which no mean over turned "
            "rasters can be taken: use it as it is."
        )
    directions = directions_of(raster.bands)
    if directions.lit:
        lit = ", ".join(raster.bands[number] for number in directions.lit)
        raise ModelError(
            f"The model {model.file} takes {lit}, whose light stays where it is when the ground is "
            "turned: map by it as it is."
        )
    sized = any(info.kind == "cell_size" for info in spec.inputs)
    quarters = (
        not directions.half_known
        and (model.side is None or model.side[0] == model.side[1])
        and (not sized if grid is None else _is_square(grid, alike=sized))
    )
    return Augmented(model, directions, _VIEWS if quarters else _VIEWS[:4])


class Augmented:
    """A model that is asked from several sides; a `Predictor`, made by `augmented`."""

    def __init__(self, model: Predictor, directions: Directions, views: tuple[_View, ...]) -> None:
        self._model, self._directions, self._views = model, directions, views
        self.file = model.file
        self.channels, self.side, self.notes = model.channels, model.side, model.notes
        self.finer, self.coarser = model.finer, model.coarser
        self.device = model.device
        self.cell_m: float | None = getattr(model, "cell_m", None)
        """Cell size that a foreign model was made for, in metres."""
        how = "turns and mirrorings" if len(views) == len(_VIEWS) else "mirrorings"
        how = f"mean of {len(views)} {how} of {model.sha256[:12]}"
        self.sha256 = hashlib.sha256(f"{model.sha256}\n{how}".encode()).hexdigest()
        """Of the model's own and of how it is asked: parts of its map are no parts of the other."""
        self.spec: ModelSpec = dataclasses.replace(
            model.spec,
            outputs=model.spec.outputs[:1],
            parameters={**model.spec.parameters, "augmented": how},
        )

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """The mean of the first output over all views, for one batch.

        Raises:
            ModelError: as the model's own.
        """
        total: NDArray[np.float64] | None = None
        for view in self._views:
            given = view.back(self._model.run(self._seen(view, inputs))[0])
            # Eight float32 numbers add up in float64 to the last bit, in any order.
            total = given.astype(np.float64) if total is None else np.add(total, given, out=total)
        if total is None:
            raise ModelError(f"The model {self.file} is asked from no side: give a view.")
        return [(total / len(self._views)).astype(np.float32)]

    def decide(
        self, probabilities: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """As the model does."""
        return self._model.decide(probabilities)

    def release(self) -> None:
        """See `Predictor`."""
        self._model.release()

    def _seen(
        self, view: _View, inputs: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """The inputs as they are seen; (N, bands, rows, cols) and cell sizes."""
        raster = next(info for info in self.spec.inputs if info.kind == "raster")
        seen: dict[str, NDArray[np.float32]] = {}
        for info in self.spec.inputs:
            array = inputs[info.name]
            if info.kind == "cell_size":
                array = view.sizes(array, inputs[raster.name].shape[3])
            elif info.kind == "raster":
                array = view.there(array).copy()  # what is given is not written to
                for block in array:
                    self._directions.turn(view.matrix, block)
            seen[info.name] = np.ascontiguousarray(array)
        return seen


def _is_square(grid: Grid, *, alike: bool) -> bool:
    """True when cells are as wide as high everywhere; with `alike` all of one size too.

    Rows beyond the grid count, so that a part of a raster is seen as the whole is.
    """
    if grid.is_geographic:
        return False
    rows = (Window(0, row, 1, 1) for row in (0, _FAR_ROWS))
    sizes = np.array([np.concatenate(grid.cell_size_m(row)) for row in rows])  # (2 rows, x and y)
    if alike and not np.array_equal(sizes[0], sizes[1]):
        return False
    return bool(np.abs(sizes[:, 0] / sizes[:, 1] - 1).max() < _SQUARE)
