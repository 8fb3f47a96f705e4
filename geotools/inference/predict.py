"""predict: a model over a source, tile by tile, as classes with confidence, or as values.

Tiles are read with the halo that the model's spec gives, so the result does not depend on the
tile size; files are opened and written elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.grid import Grid, Tile, TileScheme, Window
from geotools.inference.deciding import decide
from geotools.inference.rows import run_rows
from geotools.inference.tiles import FixedTiles
from geotools.raster import Raster, Sink, Source
from geotools.stream import Progress, Tiling, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["decide", "predict", "predict_window"]


_MULTIPLES = (32, 16, 8, 4, 2, 1)
"""Cells on which blocks of one size begin, as far as they are large enough: five halvings."""


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
    output = model.spec.outputs[0]
    if output.kind == "values" and (confidence or probabilities is not None):
        raise ModelError(
            f"The model {model.file} gives values, not classes: it has no confidence and no "
            "probabilities."
        )
    channels = _channels(model, source)
    codes = np.array([info.code for info in output.classes], np.uint8)

    def values(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
        valid = block.valid[at.inner]
        if not valid.any():
            return None
        found = channels(block, at)
        known = valid & np.isfinite(found)
        return (np.where(known, found, np.float32(np.nan)),) if known.any() else None

    def classes(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
        valid = block.valid[at.inner]
        if not valid.any():
            return None
        found = channels(block, at)
        index, highest = model.decide(found)
        valid = valid & np.isfinite(highest)  # a graph that knows no missing values says NaN
        if not valid.any():
            return None
        bands = [codes[index]]
        if confidence:
            per_cent = np.clip(np.rint(np.where(valid, highest, 0) * 100), 1, 100)
            bands.append(per_cent.astype(np.uint8))
        written = np.stack(bands)  # (1 or 2, rows, cols)
        np.copyto(written, 0, where=~valid)
        if probabilities is None:
            return (written,)
        return written, np.where(valid, found, np.float32(np.nan))

    sinks = (sink,) if probabilities is None else (sink, probabilities)
    compute, stage = (values, "predicting") if output.kind == "values" else (classes, "classifying")
    map_tiles(
        source, sinks, _scheme(model, tile), compute,
        threads=threads, stage=stage, progress=progress,
    )  # fmt: skip


def predict_window(
    model: Predictor, source: Source, window: Window, *, threads: int = 1
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Index of the most probable class of every cell, -1 where invalid, and its probability.

    The surroundings of the window are read too, so that it is a piece of the whole map. Of a model
    that gives values, all indices are 0 and the second array holds its first value.

    Args:
        model: as in `predict`.
        source: as in `predict`.
        window: which cells; inside the source's grid.
        threads: tiles computed at the same time.

    Returns:
        Two arrays of the window's shape, int16 and float32; the second is NaN where invalid.

    Raises:
        ModelError: as in `predict`.
    """
    part = _Part(source, window)
    channels = _channels(model, part)
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

    map_tiles(part, (memory,), _scheme(model, None), compute, threads=threads)
    return memory.data[0].astype(np.int16), memory.data[1]


def _scheme(model: Predictor, tile: int | None) -> Tiling:
    spec = model.spec
    if model.side is not None:
        step = min(model.side) - 2 * spec.halo
        # Nets that halve their maps see the same cells together wherever a raster begins.
        multiple = next(one for one in _MULTIPLES if step >= 2 * one or one == 1)
        return FixedTiles(*model.side, spec.halo, multiple)
    return TileScheme(tile or spec.tile, margin=spec.halo, stride_multiple=spec.stride_multiple)


def _channels(model: Predictor, source: Source) -> Callable[[Raster, Tile], NDArray[np.float32]]:
    """A function from a block to (channels, rows, cols) of the cells that are to be written.

    Raises:
        ModelError: the model gives something else, or takes other bands than the source has.
    """
    spec = model.spec
    output = spec.outputs[0]
    if output.kind not in ("probabilities", "values"):
        raise ModelError(f"The model {model.file} gives {output.kind}, not classes or values.")
    kinds = {info.kind for info in spec.inputs}
    if not ({"raster", "features", "sequence"} & kinds) or "horizon" in kinds:
        raise ModelError(
            f"The model {model.file} takes {', '.join(sorted(kinds))}, not a raster: it is no "
            "model of cells."
        )
    order = _order(model, source.bands)

    def checked(found: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(found) != model.channels:
            raise ModelError(
                f"The model {model.file} gives {len(found)} numbers for a cell, its spec says "
                f"{model.channels}: export it again."
            )
        return found

    if "raster" not in kinds:
        return lambda block, at: checked(_by_rows(model, block, at, order))

    def by_surroundings(block: Raster, at: Tile) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[np.float32]] = {}
        for info in spec.inputs:
            if info.kind == "raster":
                filled = block.filled()
                inputs[info.name] = (filled if order is None else filled[order])[None]
            elif info.kind == "cell_size":
                sizes = np.stack(source.grid.cell_size_m(at.read))  # (2, H)
                inputs[info.name] = sizes.astype(np.float32)[None, :, :, None]  # (1, 2, H, 1)
            else:
                raise ModelError(
                    f"The model {model.file} takes a raster and {info.kind} at once: export it "
                    "with one of them."
                )
        given = model.run(inputs)[0]  # (1, channels, H, W)
        if given.ndim != 4 or given.shape[2:] != block.grid.shape:
            raise ModelError(
                f"The model {model.file} gives {given.shape} for a tile of {block.grid.shape} "
                "cells: export it again."
            )
        return checked(np.asarray(given[0][:, *at.inner], np.float32))  # a view, most often

    return by_surroundings


def _order(model: Predictor, bands: tuple[str, ...]) -> list[int] | None:
    """Where the bands of the model's input are among the source's; None: they are the same."""
    spec = model.spec
    needed = next(
        info.bands for info in spec.inputs if info.kind in ("raster", "features", "sequence")
    )
    if spec.features and set(needed) <= set(bands):
        order = [bands.index(name) for name in needed]
        return None if order == list(range(len(bands))) else order
    if spec.features or len(bands) != len(needed):
        raise ModelError(
            f"The model {model.file} takes {len(needed)} bands ({', '.join(needed)}), the "
            f"raster has {len(bands)} ({', '.join(bands)}): choose them with --band."
        )
    return None


def _by_rows(
    model: Predictor, block: Raster, at: Tile, order: list[int] | None
) -> NDArray[np.float32]:
    """(channels, rows, cols) of a model of single cells; NaN where invalid."""
    valid = block.valid[at.inner]
    data = block.data[:, *at.inner] if order is None else block.data[order][:, *at.inner]
    given = run_rows(model, data[:, valid].T.astype(np.float32))  # (cells, channels)
    found = np.full((given.shape[1], *valid.shape), np.nan, np.float32)
    found[:, valid] = given.T
    return found


class _Part:
    """A window of a source as a source whose surroundings are still there."""

    def __init__(self, source: Source, window: Window) -> None:
        self._source, self._window = source, window
        self.grid: Grid = source.grid.cut(window)
        self.bands = source.bands

    def read(self, window: Window) -> Raster:
        """The cells of `window`, counted from the part's own corner."""
        col, row = window.col_off + self._window.col_off, window.row_off + self._window.row_off
        return self._source.read(Window(col, row, window.width, window.height))


class _Memory:
    """A sink in memory: -1 and NaN where nothing is written."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.data = np.full((2, *shape), np.nan, np.float32)
        self.data[0] = -1

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self.data[:, *window.slices()] = data
