"""channels_of: what a model says of the cells of a tile, whichever way it takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ModelError
from geotools.grid import Tile
from geotools.inference.output_cells import OutputCells
from geotools.inference.rows import run_rows
from geotools.raster import Raster, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["channels_of"]


def channels_of(
    model: Predictor, source: Source, cells: OutputCells
) -> Callable[[Raster, Tile], NDArray[np.float32]]:
    """A function from a block to (channels, rows, cols) of the cells that are to be written.

    Args:
        model: the model.
        source: what blocks are read from.
        cells: where the cells of the map are.

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
        given = model.run(inputs)[0]  # (1, channels, H, W), in cells of the map
        if given.ndim != 4 or given.shape[2:] != cells.shape(block.grid.shape):
            raise ModelError(
                f"The model {model.file} gives {given.shape} for a tile of {block.grid.shape} "
                "cells: export it again."
            )
        inner = cells.slices(at.inner)
        return checked(np.asarray(given[0][:, *inner], np.float32))  # a view, most often

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
