"""predict: a model over a source, tile by tile, into sinks; the whole of it, or one window.

What happens in a tile is in `prediction`. Runs that can be killed and go on are made of the same
pieces by `geotools.engine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.grid import Tile, Window
from geotools.inference.channels import channels_of
from geotools.inference.deciding import decide
from geotools.inference.output_cells import OutputCells
from geotools.inference.prediction import Asked, Prediction, tiling_of
from geotools.raster import Part, Raster, Sink, Source
from geotools.stream import Progress, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["decide", "predict", "predict_window"]


def predict(
    model: Predictor,
    source: Source,
    sink: Sink,
    *,
    confidence: bool = False,
    probabilities: Sink | None = None,
    tile: int | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> None:
    """Writes the most probable class of every valid cell to `sink`, or its values.

    Classes are uint8 codes, 0 where invalid; values float32, NaN where invalid. Tiles without a
    valid cell are neither computed nor written.

    Args:
        model: a model of cells and their surroundings, or of single cells.
        source: a raster with the bands that the model takes, in its order; with `spec.features`,
            a raster of these.
        sink: for classes, takes uint8 of one band, or of two with `confidence`; for values,
            float32 of `model.channels` bands.
        confidence: add the probability of the written class in per cent, 1 to 100, as band 2.
        probabilities: takes float32 of a band for each class; NaN where invalid.
        tile: cells on a side of a tile; the spec's when None. Models that take blocks of one size
            get that.
        threads: tiles computed at the same time.
        progress: called after every tile.

    Raises:
        ModelError: the model gives neither classes nor values, or takes other bands than the
            source has.
    """
    asked = Asked(confidence=confidence, probabilities="" if probabilities is None else "float32")
    prediction = Prediction(model, source, asked=asked, tile=tile)
    sinks = (sink,) if probabilities is None else (sink, probabilities)
    map_tiles(
        source, tuple(_Placed(one, prediction) for one in sinks), prediction.tiling,
        prediction.block,
        threads=threads, stage=prediction.stage, progress=progress,
    )  # fmt: skip


def predict_window(
    model: Predictor, source: Source, window: Window, *, threads: int = 1
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Index of the most probable class of every cell, -1 where invalid, and its probability.

    The surroundings of the window are read too, so that it is a piece of the whole map. Of a model
    that gives values, all indices are 0 and the second array holds its first value.

    Args:
        model: as in `predict`, with a map as fine as its raster.
        source: as in `predict`.
        window: which cells; inside the source's grid.
        threads: tiles computed at the same time.

    Returns:
        Two arrays of the window's shape, int16 and float32; the second is NaN where invalid.

    Raises:
        ModelError: as in `predict`.
    """
    part = Part(source, window)
    channels = channels_of(model, part, OutputCells(1, 1, part.grid))
    memory = _Memory(window.shape)

    def compute(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
        valid = block.valid[at.inner]
        if not valid.any():
            return None
        index, highest = model.decide(channels(block, at))
        valid = valid & np.isfinite(highest)
        both = np.stack(
            [np.where(valid, index.astype(np.int16), -1), np.where(valid, highest, np.nan)]
        )
        return (both,)  # (2, rows, cols)

    map_tiles(part, (memory,), tiling_of(model, None), compute, threads=threads)
    return memory.data[0].astype(np.int16), memory.data[1]


class _Placed:
    """A sink that is given windows of the source."""

    def __init__(self, sink: Sink, prediction: Prediction) -> None:
        self._sink, self._prediction = sink, prediction

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self._sink.write(data, self._prediction.placed(window))


class _Memory:
    """A sink in memory: -1 and NaN where nothing is written."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.data = np.full((2, *shape), np.nan, np.float32)
        self.data[0] = -1

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self.data[:, *window.slices()] = data
