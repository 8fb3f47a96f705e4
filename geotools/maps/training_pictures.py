"""The scenes of a training as the finished model maps them: pictures, and areas by class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.judgement import judge_areas
from geotools.evaluation.training_record import AreaRows, MapPicture
from geotools.grid import Grid, Window
from geotools.stream import Progress, Step
from geotools.training.choosing import decided
from geotools.training.job import Outcome
from geotools.training.prepare import Prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pictured"]

_SCENES = 3
"""Scenes that are shown at most."""

_SIDE = 2048
"""Cells on a side up to which a scene is mapped whole for the report; of larger ones the middle of
their labels."""

_SHOWN = 700
"""Cells on a side of a picture."""


def pictured(
    prepared: Prepared,
    outcome: Outcome,
    model: Path,
    *,
    warn: Callable[[str], None],
    progress: Progress | None = None,
) -> tuple[tuple[MapPicture, ...], AreaRows | None]:
    """The scenes as the finished model maps them, and the area of each class on them.

    Args:
        prepared: scenes and labels.
        outcome: what the rounds said of the test cells.
        model: the finished `.onnx`.
        warn: called when areas cannot be had.
        progress: called after each scene.
    """
    if not prepared.stacks:
        return (), None
    from geotools.inference.model import open_model
    from geotools.inference.predict import predict_window

    opened = open_model(model)
    pictures = []
    mapped_m2 = np.zeros(len(prepared.classes))
    shown = range(min(len(prepared.stacks), _SCENES))
    whole = len(prepared.stacks) <= _SCENES
    for scene in shown:
        source = prepared.stacks[scene]
        window = _window(prepared, scene)
        whole = whole and window == source.grid.window
        index, value = predict_window(opened, source, window, threads=2)
        if prepared.classes:
            rows_m2 = source.grid.cut(window).cell_area_m2()
            for place in range(len(prepared.classes)):
                mapped_m2[place] += float(((index == place).sum(1) * rows_m2).sum())
        told = index if prepared.classes else value
        pictures.append(_picture(prepared, outcome, scene, window, told))
        if progress is not None:
            progress(Step("mapping", scene + 1, len(shown)))
    if not prepared.classes:
        return tuple(pictures), None
    if not whole:
        warn(
            "The scenes are too large, or too many, to count areas on: map them with geotools "
            "predict, then see geotools evaluate map."
        )
        return tuple(pictures), None
    tested = np.flatnonzero(prepared.split.fold >= 0)
    areas = judge_areas(
        prepared.material.cells.target[tested],
        decided(outcome.predictions[tested]),
        prepared.split.unit[tested],
        mapped_m2,
        seed=prepared.config.seed,
    )
    return tuple(pictures), areas


def _window(prepared: Prepared, scene: int) -> Window:
    """The whole scene, or as much of it around its labels as can be shown."""
    grid, cells = prepared.material.grids[scene], prepared.material.cells
    here = cells.scene == scene
    row = int(np.median(cells.row[here])) if here.any() else grid.height // 2
    col = int(np.median(cells.col[here])) if here.any() else grid.width // 2
    height, width = min(grid.height, _SIDE), min(grid.width, _SIDE)
    top = min(max(row - height // 2, 0), grid.height - height)
    left = min(max(col - width // 2, 0), grid.width - width)
    return Window(left, top, width, height)


def _picture(
    prepared: Prepared, outcome: Outcome, scene: int, window: Window, told: NDArray[Any]
) -> MapPicture:
    """The scene, every so many cells, with the labels and folds at the cells that are shown."""
    step = max(1, -(-max(window.shape) // _SHOWN))
    grid = prepared.material.grids[scene].cut(window)
    predicted = told[::step, ::step]
    cells, split = prepared.material.cells, prepared.split
    row, col = cells.row - window.row_off, cells.col - window.col_off
    here = np.flatnonzero(
        (cells.scene == scene) & (row >= 0) & (row < window.height) & (col >= 0)
        & (col < window.width)
    )  # fmt: skip
    row, col = row[here] // step, col[here] // step
    nothing: Any = -1 if prepared.classes else np.nan
    fold = np.full(predicted.shape, -2, np.int64)
    fold[row, col] = split.fold[here]
    truth = np.full(predicted.shape, nothing, predicted.dtype)
    truth[row, col] = cells.target[here]
    tested = np.full(predicted.shape, nothing, predicted.dtype)
    said = split.fold[here] >= 0
    tested[row[said], col[said]] = decided(outcome.predictions[here[said]])
    left, bottom, right, top = grid.bounds
    x_m, y_m = _unit_m(grid)
    return MapPicture(
        title=prepared.scenes[scene],
        predicted=predicted,
        extent=(left, right, bottom, top),
        fold=fold,
        truth=truth,
        tested=tested,
        metres_per_unit=x_m,
        aspect=y_m / x_m,
    )


def _unit_m(grid: Grid) -> tuple[float, float]:
    """Metres of a unit of the CRS along x and along y, in the middle of the grid."""
    x_m, y_m = grid.cell_size_m()
    middle = grid.height // 2
    return float(x_m[middle]) / grid.transform.a, float(y_m[middle]) / -grid.transform.e
