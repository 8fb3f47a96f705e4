"""Small materials that nets learn in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import make_grid

from geotools.grid import Grid
from geotools.raster import Raster
from geotools.training.labels.cells import Cells
from geotools.training.learners.fitted import FittedNet
from geotools.training.learners.nets import make_net
from geotools.training.learners.settings import LEARNERS
from geotools.training.material import RasterMaterial, TableMaterial, raster_material
from geotools.training.sections import AugmentConfig


def make_cells(grid: Grid, labels: np.ndarray, scene: int = 0) -> Cells:
    """The cells of a label array that are at least 0, or finite."""
    row, col = np.nonzero(labels >= 0 if labels.dtype.kind == "i" else np.isfinite(labels))
    n = len(row)
    target = labels[row, col].astype(np.int16 if labels.dtype.kind == "i" else np.float32)
    return Cells(
        np.full(n, scene, np.int32), row.astype(np.int32), col.astype(np.int32), target,
        np.full(n, -1, np.int32),
        grid.transform.c + grid.transform.a * (col + 0.5),
        grid.transform.f + grid.transform.e * (row + 0.5),
        np.full(n, np.nan),
    )  # fmt: skip


def make_scene(
    rows: int = 72,
    cols: int = 80,
    *,
    seed: int = 0,
    values: bool = False,
    codes: bool = False,
    crs: str = "EPSG:32633",
) -> RasterMaterial:
    """Two noisy features whose sum, smoothed, tells the class (or value), with a hole of NaN; the
    cells of a checkerboard of 8 cells are labelled.
    """
    rng = np.random.default_rng(seed)
    row, col = np.mgrid[:rows, :cols]
    form = np.sin(row / 9.0) + np.cos(col / 11.0)
    data = np.stack(
        [form + rng.normal(0, 0.5, form.shape), 100 + 30 * rng.normal(0, 1, form.shape)]
    )
    bands: tuple[str, ...] = ("a", "b")
    categories = {}
    if codes:
        data = np.concatenate([data, rng.integers(1, 4, (1, rows, cols))])
        bands, categories = (*bands, "kind"), {2: (1, 2, 3)}
    data = data.astype(np.float32)
    valid = np.ones((rows, cols), np.bool_)
    valid[10:14, 20:26] = False
    data[1, 40:44, 3:9] = np.nan
    labels = form.astype(np.float32) if values else (form > 0.3).astype(np.int16)
    labels[((row // 8 + col // 8) % 2) == 0] = np.nan if values else -1
    grid = make_grid(cols, rows, crs=crs)
    source = Raster(data, valid, grid, bands)
    return raster_material(
        [source], make_cells(grid, labels),
        classes=() if values else ("low", "high"), categories=categories,
    )  # fmt: skip


def make_table(
    count: int = 400, *, seed: int = 0, values: bool = False, dates: int = 1, classes: int = 3
) -> TableMaterial:
    """Rows of which the first features tell the class or value; one column has gaps."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (count, 4 * dates)).astype(np.float32)
    rows[:, 1] *= 1000
    total = rows[:, 0] + rows[:, -1]
    rows[::7, 2] = np.nan
    target = (
        (5 + 2 * total).astype(np.float32)
        if values
        else np.digitize(total, np.linspace(-1, 1, classes - 1)).astype(np.int16)
    )
    zero = np.zeros(count, np.int32)
    far = np.full(count, np.nan)
    cells = Cells(zero, np.arange(count, dtype=np.int32), zero, target, zero - 1, far, far, far)
    names = tuple(f"{band}@{date}" for date in range(dates) for band in "abcd")
    material = TableMaterial(
        cells, rows, classes=() if values else tuple("xyz"[:classes]), features=names
    )
    if dates > 1:
        material.steps = tuple(tuple(range(4 * date, 4 * date + 4)) for date in range(dates))
    return material


SMALL: dict[str, dict[str, int]] = {
    "dense": {"width": 16},
    "unet": {"width": 4, "depth": 2, "tile": 32, "batch": 4},
    "cnn": {"width": 4, "window": 9, "batch": 32},
    "gru": {"width": 8},
    "tcn": {"width": 8},
}
"""Settings of every net that are quick."""


def material_for(name: str, **options: Any) -> TableMaterial:
    """A material that the net of that name can learn from."""
    if name in ("unet", "cnn"):
        return make_scene(**options)
    return make_table(dates=3 if name in ("gru", "tcn") else 1, **options)


def fitted_net(
    name: str,
    material: TableMaterial,
    *,
    task: str = "classification",
    seed: int = 0,
    balanced: bool = False,
    validated: bool = True,
    train: np.ndarray | None = None,
    fit: dict[str, Any] | None = None,
    **options: Any,
) -> FittedNet:
    """The net fitted to three quarters of the cells, or to `train`; options are settings."""
    options = {"epochs": 2, "device": "cpu", **SMALL[name], **options}
    index = np.arange(len(material.cells))
    learner = make_net(
        LEARNERS[name](**options), task=task, balanced=balanced, augment=AugmentConfig(),
        metric="accuracy" if task == "classification" else "rmse",
    )  # fmt: skip
    train = index[index % 4 != 0] if train is None else train
    validation = index[index % 4 == 0] if validated else None
    return learner.fit(material, train, validation, seed=seed, **(fit or {}))
