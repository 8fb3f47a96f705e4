"""write_model: the `.onnx` of an outcome, with all that is needed to run it elsewhere.

The spec is put together here; the graph, its proof and its halo are those of `writer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.grid import Tile, TileScheme
from geotools.spec import ModelSpec, OutputInfo
from geotools.training.export.parity import Run
from geotools.training.export.writer import BACKBONE_TOLERANCE, TOLERANCE, Feeds, export_model
from geotools.training.job import Outcome
from geotools.training.learners.protocol import Material, Traced
from geotools.training.prepare import Prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["write_model"]

_ROWS = 4096
"""Cells of the proof, for models of single cells."""

_TILES = 4
"""Tiles of the proof, for models that look around."""

_TILE = 128
"""Cells on a side of such a tile."""

_ANY_SIZE_M = (1e-3, 1e7)
"""Cell sizes of a table, which has none."""

_OUTER = (0.5, 99.5)
"""Percentiles of a feature between which is what the model has learned."""

_MOST_ROWS = 200_000
"""Labelled cells that these are taken of."""

_TOLERATED = 1.25
"""Cells may be so much larger or smaller than those it was trained on."""


def write_model(
    outcome: Outcome, prepared: Prepared, path: Path, *, training: Mapping[str, Any]
) -> ModelSpec:
    """Writes the final model and returns its spec.

    Args:
        outcome: what was learned.
        prepared: what it was learned from.
        path: the `.onnx` file; replaced when it exists.
        training: where it comes from, for the spec: score, split, seed, files.

    Raises:
        ModelError: the graph does not give what the framework gives; nothing is written.
    """
    traced = outcome.fitted.trace(outcome.temperature)
    spec = _spec(outcome, prepared, traced, training)
    kinds = {info.kind for info in traced.inputs}
    if "raster" in kinds:
        here, feeds, on = _on_tiles(outcome, prepared, traced)
    else:
        here, feeds, on = _on_rows(outcome, prepared, traced)
    tolerance = BACKBONE_TOLERANCE if "cell_size" in kinds else TOLERANCE
    return export_model(traced, spec, path, here=here, feeds=feeds, tolerance=tolerance, on=on)


def _spec(
    outcome: Outcome, prepared: Prepared, traced: Traced, training: Mapping[str, Any]
) -> ModelSpec:
    config, material = prepared.config, prepared.material
    kind = "probabilities" if material.classes else "values"
    task = "regression"
    if material.classes:
        task = "classification" if config.table is not None else "semantic-segmentation"
    described = config.description or (
        f"{', '.join(material.classes)} from {', '.join(material.features[:6])}"
        if material.classes
        else f"Values from {', '.join(material.features[:6])}"
    )
    return ModelSpec(
        name=config.name,
        version="1",
        task=task,
        description=described,
        inputs=traced.inputs,
        outputs=(OutputInfo(kind, kind, prepared.classes),),
        cell_size_m=_cell_sizes(prepared),
        tile=traced.tile,
        halo=traced.halo,
        stride_multiple=traced.stride_multiple,
        parameters={
            "learner": outcome.settings.name,
            "temperature": outcome.temperature,
            "table": config.table is not None,
            **_categories(prepared),
        },
        training={**training, "ranges": _ranges(prepared.material)},
        licence=config.licence,
        sources=prepared.sources,
        features=material.features,
    )


def _categories(prepared: Prepared) -> dict[str, Any]:
    """Features that hold codes with their codes, and the texts that codes of a table stand for."""
    material = prepared.material
    found: dict[str, Any] = {}
    if material.categories:
        found["codes"] = {
            material.features[place]: list(codes) for place, codes in material.categories.items()
        }
    if prepared.words:
        found["words"] = {name: list(words) for name, words in prepared.words.items()}
    return found


def _cell_sizes(prepared: Prepared) -> tuple[float, float]:
    """Smallest and largest cell in metres that the model is made for."""
    grids = prepared.material.grids
    if not grids:
        return _ANY_SIZE_M
    sizes = np.concatenate([np.concatenate(grid.cell_size_m()) for grid in grids])
    return float(sizes.min()) / _TOLERATED, float(sizes.max()) * _TOLERATED


def _ranges(material: Material) -> dict[str, list[float]]:
    """Low and high of each feature at the labelled cells, to six digits; not of codes."""
    count = len(material.cells)
    index = np.arange(0, count, max(1, -(-count // _MOST_ROWS)))
    rows = material.rows(index)  # (n, features)
    ranges = {}
    for number, name in enumerate(material.features):
        values = rows[:, number]
        values = values[np.isfinite(values)]
        if number not in material.categories and values.size:
            ends = np.percentile(values.astype(np.float64), _OUTER)
            ranges[name] = [float(f"{end:.6g}") for end in ends]
    return ranges


def _on_rows(
    outcome: Outcome, prepared: Prepared, traced: Traced
) -> tuple[NDArray[np.float32], Feeds, str]:
    """What the framework says of single cells, and the same cells for the graph."""
    material = prepared.material
    rng = np.random.default_rng(prepared.config.seed)
    count = len(material.cells)
    index = np.sort(rng.choice(count, min(count, _ROWS), replace=False))
    here = _tempered(outcome.fitted.predict(material, index), outcome)
    rows = material.rows(index)  # (n, features)
    info = traced.inputs[0]
    if info.kind == "sequence":
        rows = rows.reshape(len(rows), info.length, -1)  # (n, dates, bands)
    return here, {info.name: rows}, f"{len(index):,} labelled cells"


def _on_tiles(
    outcome: Outcome, prepared: Prepared, traced: Traced
) -> tuple[NDArray[np.float32], Feeds, str]:
    """What the framework says of the labelled cells of some tiles, and the graph on these tiles."""
    material = prepared.material
    scheme = TileScheme(_TILE, margin=traced.halo, stride_multiple=traced.stride_multiple)
    chosen = _fullest(prepared, scheme)
    index = np.concatenate([cells for _, _, cells in chosen])
    here = _tempered(outcome.fitted.predict(material, index), outcome)

    def feeds(run: Run) -> NDArray[np.float32]:
        parts = []
        for scene, tile, cells in chosen:
            block = material.tile(scene, tile.read)
            inputs: dict[str, NDArray[Any]] = {}
            for info in traced.inputs:
                if info.kind == "raster":
                    inputs[info.name] = block.data[None]  # (1, features, H, W)
                else:
                    sizes = np.stack(material.grids[scene].cell_size_m(tile.read))  # (2, H)
                    inputs[info.name] = sizes.astype(np.float32)[None, :, :, None]  # (1, 2, H, 1)
            said = run(inputs)[0]  # (K, H, W)
            row = material.cells.row[cells] - tile.read.row_off
            col = material.cells.col[cells] - tile.read.col_off
            parts.append(said[:, row, col].T)  # (n, K)
        return np.concatenate(parts)

    return here, feeds, f"{len(index):,} labelled cells in {len(chosen)} tiles"


def _fullest(prepared: Prepared, scheme: TileScheme) -> list[tuple[int, Tile, NDArray[np.intp]]]:
    """Some tiles that hold labelled cells, spread over those that do."""
    cells, grids = prepared.material.cells, prepared.material.grids
    found: list[tuple[int, Tile, NDArray[np.intp]]] = []
    for scene, grid in enumerate(grids):
        here = np.flatnonzero(cells.scene == scene)
        down, across = cells.row[here] // _TILE, cells.col[here] // _TILE
        places = np.unique(np.stack([down, across], 1), axis=0)
        step = max(1, len(places) // _TILES)
        for row, col in places[::step][:_TILES]:
            piece = np.flatnonzero((down == row) & (across == col))
            tile = _tile_at(scheme, grid, int(cells.row[here[piece[0]]]),
                            int(cells.col[here[piece[0]]]))  # fmt: skip
            write = tile.write
            inside = here[
                (cells.row[here] >= write.row_off) & (cells.row[here] < write.row_stop)
                & (cells.col[here] >= write.col_off) & (cells.col[here] < write.col_stop)
            ]  # fmt: skip
            found.append((scene, tile, inside))
    if not found:
        raise ModelError("There is no labelled cell to prove the model on: check the labels.")
    step = max(1, len(found) // _TILES)
    return found[::step][:_TILES]


def _tile_at(scheme: TileScheme, grid: Any, row: int, col: int) -> Tile:
    """The tile of the scheme that writes this cell."""
    for tile in scheme.tiles(grid):
        write = tile.write
        if write.row_off <= row < write.row_stop and write.col_off <= col < write.col_stop:
            return tile
    raise ModelError(f"The cell in row {row}, column {col} lies outside its scene.")


def _tempered(said: NDArray[np.float32], outcome: Outcome) -> NDArray[np.float32]:
    """p^(1/T), normalised; values as they are."""
    if said.shape[1] == 1 or outcome.temperature == 1.0:
        return said
    powers = said.astype(np.float64) ** (1.0 / outcome.temperature)
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)
