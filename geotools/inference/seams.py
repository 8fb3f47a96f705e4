"""measure_seams: whether a map shows where its tiles meet, measured on a few places of a raster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.grid import Tile, TileScheme, Window
from geotools.inference.tiles import FixedTiles
from geotools.raster import is_absent
from geotools.stream import Within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.prediction import Prediction
    from geotools.spec import ModelSpec

__all__ = ["Seams", "measure_seams"]

_PLACES = 4
"""Places that are compared."""

_TRIES = 64
"""Places that are looked at for valid cells."""

_EXACT_PERCENT = 99.98
"""Of the classes: rounding turns those of cells between two."""

_SIDE = 256
"""Cells on a side of what is compared around a place."""


@dataclass(frozen=True, slots=True)
class Seams:
    """How well tiles agree with what no seam runs through."""

    against: str
    """`one pass`, or `blocks half a block further` for models that take blocks of one size."""
    places: int
    """Where tiles meet and were compared."""
    cells: int
    """Of the map, that were compared."""
    agreement_percent: float | None
    """Cells of the same class; None for values."""
    largest_difference: float
    """Of a probability, or of a value."""

    def as_promised(self, spec: ModelSpec) -> bool:
        """False where the spec says that tiles join exactly, and classes differ."""
        exact = str(spec.parameters.get("seams", "exact")) == "exact"
        percent = self.agreement_percent
        return not exact or percent is None or percent >= _EXACT_PERCENT

    @property
    def sentence(self) -> str:
        """The same in words."""
        what = "probability" if self.agreement_percent is not None else "value"
        same = "" if self.agreement_percent is None else f"{self.agreement_percent:.4g} % of "
        classes = f"{same}the classes agree, " if same else ""
        return (
            f"seams: tiles against {self.against} at {self.places} places where they meet "
            f"({self.cells:,} cells): {classes}largest difference of a {what} "
            f"{self.largest_difference:.2g}"
        )


def measure_seams(prediction: Prediction) -> Seams | None:
    """How well tiles agree around places where they meet; None where none meet on valid cells.

    Models of blocks of any size are run once over the surroundings of such a place, with twice the
    halo. There is no one pass of those that take blocks of one size: the same blocks are laid half
    a block further. A place holds a few tiles in memory.

    Args:
        prediction: the model on its source.
    """
    places = list(_chosen(prediction))
    beside: list[list[Tile]] = [[] for _ in places]
    for tile in prediction.tiling.tiles(prediction.source.grid):
        for other, listed in zip(places, beside, strict=True):
            if other.write.intersection(tile.write) is not None:
                listed.append(tile)
    cells = same = 0
    largest = 0.0
    compared = 0
    for other, tiles in zip(places, beside, strict=True):
        whole = prediction.answer(other)
        if whole is None or len(tiles) < 2:
            continue
        compared += 1
        for tile in tiles:
            part = prediction.answer(tile)
            common = other.write.intersection(tile.write)
            if part is None or common is None:
                continue
            at = prediction.placed(common)
            one, valid = _cut(part, at, prediction.placed(tile.write))
            two, there = _cut(whole, at, prediction.placed(other.write))
            both = valid & there & np.isfinite(one).all(axis=0) & np.isfinite(two).all(axis=0)
            if not both.any():
                continue
            cells += int(both.sum())
            largest = max(largest, float(np.abs(one - two)[:, both].max()))
            if prediction.is_of_classes:
                decide = prediction.model.decide
                same += int((decide(one)[0] == decide(two)[0])[both].sum())
    if not cells:
        return None
    is_fixed = prediction.model.side is not None
    return Seams(
        against="blocks half a block further" if is_fixed else "one pass",
        places=compared,
        cells=cells,
        agreement_percent=100 * same / cells if prediction.is_of_classes else None,
        largest_difference=largest,
    )


def _cut(
    answer: tuple[NDArray[np.float32], NDArray[np.bool_]], at: Window, origin: Window
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The cells of a window out of an answer whose first cell is that of `origin`."""
    found, valid = answer
    rows, cols = at.slices(origin)
    return found[:, rows, cols], valid[rows, cols]


def _chosen(prediction: Prediction) -> Iterator[Tile]:
    """Tiles laid over places where others meet, with valid cells, always the same ones."""
    grid = prediction.source.grid
    found = 0
    firsts: dict[int, None] = {}
    rows: dict[int, None] = {}
    for tile in prediction.tiling.tiles(grid):
        firsts.setdefault(tile.write.col_off)
        rows.setdefault(tile.write.row_off)
    cols_at = list(firsts)[1:] or list(firsts)
    rows_at = list(rows)[1:] or list(rows)
    if len(firsts) < 2 and len(rows) < 2:
        return
    rng = np.random.default_rng(0)
    tried = rng.permutation(len(cols_at) * len(rows_at))[:_TRIES]
    for number in tried:
        col, row = cols_at[number % len(cols_at)], rows_at[number // len(cols_at)]
        over = _over(prediction, col, row)
        if over is None or is_absent(prediction.source, over.write):
            continue
        if not (prediction.source.read(over.write).valid & prediction.wanted(over.write)).any():
            continue
        found += 1
        yield over
        if found == _PLACES:
            return


def _over(prediction: Prediction, col: int, row: int) -> Tile | None:
    """A tile whose middle is about a place; None where there can be none."""
    model, grid = prediction.model, prediction.source.grid
    if model.side is None:
        half = _SIDE // 2
        window = Window(col - half, row - half, _SIDE, _SIDE).intersection(prediction.window)
        if window is None:
            return None
        scheme = TileScheme(_SIDE, 2 * model.spec.halo, model.spec.stride_multiple)
        return next(Within(scheme, window).tiles(grid))
    blocks = FixedTiles.over(model.side, model.spec.halo, model.coarser)
    begun = (
        tile
        for tile in prediction.tiling.tiles(grid)
        if (tile.write.col_off, tile.write.row_off) == (col, row)
    )
    tile = next(begun)
    back = [-(step // 2 // blocks.multiple * blocks.multiple) for step in blocks.steps]
    if not all(back):
        return None
    read = Window(tile.read.col_off + back[1], tile.read.row_off + back[0], *model.side[::-1])
    margin = blocks.margin
    middle = Window(
        read.col_off + margin, read.row_off + margin,
        read.width - 2 * margin, read.height - 2 * margin,
    )  # fmt: skip
    write = middle.intersection(prediction.window)
    return None if write is None else Tile(read, write)
