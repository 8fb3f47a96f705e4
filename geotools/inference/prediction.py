"""Prediction: how the cells of a source become classes or values by a model, tile by tile.

Tiles are read with the halo that the model's spec gives, so the result does not depend on how the
grid is cut; files are opened and written elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geotools.errors import ModelError
from geotools.grid import Grid, Tile, TileScheme, Window
from geotools.inference.channels import channels_of
from geotools.inference.output_cells import OutputCells
from geotools.inference.tiles import FixedTiles
from geotools.raster import Layer, Raster, Source, is_absent
from geotools.stream import Tiling, Within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["PROBABILITY_TYPES", "Area", "Asked", "Prediction", "layers_of", "tiling_of"]

PROBABILITY_TYPES = ("float16", "uint8", "float32")
"""How probabilities may be stored: 11 bits of a fraction, steps of 0.4 %, or all."""

_UINT8_STEPS = 250
"""Probabilities as uint8 are in 250ths; 255 is nodata."""


class Area(Protocol):
    """Which cells are wanted."""

    def cells(self, window: Window) -> NDArray[np.bool_]:
        """(row, col): True where the cells of `window` are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be told of every cell beside its class or values."""

    confidence: bool = False
    """The probability of the class in per cent, 1 to 100."""
    entropy: bool = False
    """Shannon's entropy of the probabilities, in per cent of that of even ones, 1 to 100."""
    probabilities: str = ""
    """The probability of every class, as one of PROBABILITY_TYPES; empty for none."""


class Prediction:
    """A model on a source: its tiles, and the layers of the map that they give."""

    def __init__(
        self,
        model: Predictor,
        source: Source,
        *,
        asked: Asked | None = None,
        tile: int | None = None,
        area: Area | None = None,
        window: Window | None = None,
    ) -> None:
        """
        Args:
            model: a model of cells and their surroundings, or of single cells.
            source: a raster with the bands that the model takes, in its order; with
                `spec.features`, a raster of these.
            asked: more than the class.
            tile: cells on a side of a tile; the spec's when None. Models that take blocks of one
                size get that.
            area: the cells that are wanted; all of them when None. Those around are read all the
                same.
            window: the map has these cells of the source alone, made whole cells of the map; they
                are what they are in the map of all.

        Raises:
            ModelError: the model gives neither classes nor values, takes other bands than the
                source has, or gives values and something of classes is asked.
        """
        asked = asked or Asked()
        output = model.spec.outputs[0]
        if output.kind == "values" and (asked.confidence or asked.entropy or asked.probabilities):
            raise ModelError(
                f"The model {model.file} gives values, not classes: it has no confidence, no "
                "entropy and no probabilities."
            )
        self._cells = OutputCells(model.finer, model.coarser, source.grid)
        self._asked, self._area = asked, area
        self.model = model
        """Whose answers the map holds."""
        self._channels = channels_of(model, source, self._cells)
        self._codes = np.array([info.code for info in output.classes], np.uint8)
        self.source = source
        """What is read."""
        self.tiling: Tiling = tiling_of(model, tile)
        """How its grid is cut."""
        self.window: Window = source.grid.window
        """The cells of the source that are mapped."""
        if window is not None:
            self.window = self._cells.whole(window)
            # Blocks of one size may show where they were cut: they stay where the whole has them.
            as_whole = model.side is not None
            self.tiling = Within(self.tiling, self.window, as_whole)
        self._origin = self._cells.window(self.window)
        self.grid: Grid = self._cells.grid.cut(self._origin)
        """Where the cells of the map are."""
        self.layers: tuple[Layer, ...] = layers_of(model, asked)
        """What the map holds: `classes` or `values`, then `entropy`, `probabilities` if asked."""
        self.stage = "predicting" if output.kind == "values" else "classifying"
        """The word for progress."""
        self._compute: Callable[[Raster, Tile], tuple[NDArray[Any], ...] | None] = (
            self._values if output.kind == "values" else self._classes
        )

    def wanted(self, window: Window) -> NDArray[np.bool_]:
        """(row, col): True for the cells of a window of the source that are to be mapped."""
        return np.ones(window.shape, np.bool_) if self._area is None else self._area.cells(window)

    def placed(self, window: Window) -> Window:
        """The cells of the map that a written window of the source is."""
        placed = self._cells.window(window)
        col, row = placed.col_off - self._origin.col_off, placed.row_off - self._origin.row_off
        return Window(col, row, placed.width, placed.height)

    @property
    def is_of_classes(self) -> bool:
        """True when the map is of classes, not of values."""
        return self.model.spec.outputs[0].kind == "probabilities"

    def answer(self, tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """What the model says of a tile, whichever is asked of the map: (channels, row, col).

        The second array is (row, col), True where cells are to be written; None: there are none.
        """
        block = self.source.read(tile.read)
        valid = self._valid(block, tile)
        return None if valid is None else (self._channels(block, tile), valid)

    def tile(self, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        """What the layers hold in a tile, (band, row, col) each; None where nothing is known."""
        if is_absent(self.source, tile.write):
            return None
        if self._area is not None and not self.wanted(tile.write).any():
            return None
        return self.block(self.source.read(tile.read), tile)

    def block(self, block: Raster, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        """The same of a tile whose read window is already there."""
        return self._compute(block, tile)

    def _valid(self, block: Raster, tile: Tile) -> NDArray[np.bool_] | None:
        """(row, col) of the map: cells to be written; None: there are none."""
        valid = block.valid[tile.inner]
        if self._area is not None:
            valid = valid & self._area.cells(tile.write)
        return self._cells.spread(valid) if valid.any() else None

    def _values(self, block: Raster, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        valid = self._valid(block, tile)
        if valid is None:
            return None
        found = self._channels(block, tile)
        known = valid & np.isfinite(found)
        return (np.where(known, found, np.float32(np.nan)),) if known.any() else None

    def _classes(self, block: Raster, tile: Tile) -> tuple[NDArray[Any], ...] | None:
        valid = self._valid(block, tile)
        if valid is None:
            return None
        found = self._channels(block, tile)
        index, highest = self.model.decide(found)
        valid = valid & np.isfinite(highest)  # a graph that knows no missing values says NaN
        if not valid.any():
            return None
        bands = [self._codes[index]]
        if self._asked.confidence:
            bands.append(_per_cent(highest, valid))
        written = np.stack(bands)  # (1 or 2, rows, cols)
        np.copyto(written, 0, where=~valid)
        layers = [written]
        if self._asked.entropy:
            layers.append(np.where(valid, _per_cent(_entropy(found), valid), np.uint8(0))[None])
        if self._asked.probabilities:
            layers.append(_stored(found, valid, self._asked.probabilities))
        return tuple(layers)


def tiling_of(model: Predictor, tile: int | None) -> Tiling:
    """How a grid is cut for a model."""
    spec = model.spec
    if model.side is not None:
        return FixedTiles.over(model.side, spec.halo, model.coarser)
    return TileScheme(tile or spec.tile, margin=spec.halo, stride_multiple=spec.stride_multiple)


def layers_of(model: Predictor, asked: Asked) -> tuple[Layer, ...]:
    """What a map holds: `classes` or `values`, then `entropy`, `probabilities` if asked."""
    output, count = model.spec.outputs[0], model.channels
    if output.kind == "values":
        names = [output.name] if count == 1 else [f"{output.name} {n + 1}" for n in range(count)]
        return (Layer("values", tuple(names), "float32", float("nan"), (output.unit,) * count),)
    bands = ("class", "confidence") if asked.confidence else ("class",)
    layers = [Layer("classes", bands, "uint8", 0, ("", "%")[: len(bands)])]
    if asked.entropy:
        layers.append(Layer("entropy", ("entropy",), "uint8", 0, ("%",)))
    if asked.probabilities:
        shares = tuple(info.name for info in output.classes)
        if asked.probabilities == "uint8":
            layers.append(Layer("probabilities", shares, "uint8", 255, (), 1 / _UINT8_STEPS))
        else:
            layers.append(Layer("probabilities", shares, "float32", float("nan")))
    return tuple(layers)


def _per_cent(share: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Whole per cent, at least 1: 0 is nothing."""
    per_cent = np.rint(np.where(valid, share, 0) * 100)
    return np.asarray(np.clip(per_cent, 1, 100), np.uint8)


def _entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, cols): -sum(p log p) / log(classes), Shannon (1948); 0 for a single class."""
    if len(probabilities) < 2:
        return np.zeros(probabilities.shape[1:], np.float32)
    total = np.zeros(probabilities.shape[1:], np.float32)
    for plane in probabilities:
        share = np.clip(plane, np.float32(1e-12), 1)  # NaN stays
        total -= share * np.log(share)
    return total / np.float32(np.log(len(probabilities)))


def _stored(
    probabilities: NDArray[np.float32], valid: NDArray[np.bool_], kind: str
) -> NDArray[Any]:
    """(classes, rows, cols) as they are written."""
    if kind == "uint8":  # beyond 0 and 1 by rounding is 0 and 1, and not another number
        shares = np.clip(np.where(valid, probabilities, 0), 0, 1)
        steps = np.rint(shares * _UINT8_STEPS).astype(np.uint8)
        return np.where(valid, steps, np.uint8(255))
    if kind == "float16":
        probabilities = probabilities.astype(np.float16).astype(np.float32)
    return np.where(valid, probabilities, np.float32(np.nan))
