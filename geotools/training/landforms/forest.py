"""A random forest on terrain attributes: the usual way to learn landforms, as a yardstick.

Attributes have no unit of length (slopes, ratios), so that one forest serves all cell sizes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from geotools.training.landforms.dataset import TileSampler

__all__ = ["attributes", "fit_forest", "predict_forest"]

_RADII = (1, 2, 4, 9)
_ROWS_AT_ONCE = 100


def attributes(
    elevation: NDArray[np.float32], x_m: NDArray[np.float64], y_m: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Terrain attributes of every cell: (16, rows, cols) float32, finite everywhere.

    Horn's (1981) slope; profile and tangential curvature times the cell size (Zevenbergen & Thorne
    1987); the log cell size; and for square windows of radius 1, 2, 4 and 9 cells: height above
    the mean as a slope (TPI), the standard deviation as a slope, and their ratio (DEV).

    Args:
        elevation: (rows, cols), metres; NaN = invalid, taken for the mean of the nearest 9 x 9.
        x_m, y_m: (rows,), cell sizes.
    """
    valid = np.isfinite(elevation)
    mean = float(elevation[valid].mean()) if valid.any() else 0.0
    # Heights above the mean of all: sums of squares stay exact enough in float64.
    z = np.where(valid, elevation - mean, 0.0).astype(np.float64)
    count = _box(valid.astype(np.float64), 4)
    z = np.where(valid, z, _box(z, 4) / np.maximum(count, 1.0))
    x, y = x_m[:, None], y_m[:, None]
    cell = np.sqrt(x * y)
    p = np.pad(z, 1, mode="edge")
    north, south, west, east = p[:-2, 1:-1], p[2:, 1:-1], p[1:-1, :-2], p[1:-1, 2:]
    corners = (p[:-2, :-2], p[:-2, 2:], p[2:, :-2], p[2:, 2:])
    horn_x = (corners[1] + 2 * east + corners[3] - corners[0] - 2 * west - corners[2]) / (8 * x)
    horn_y = (corners[0] + 2 * north + corners[1] - corners[2] - 2 * south - corners[3]) / (8 * y)
    dx, dy = (east - west) / (2 * x), (north - south) / (2 * y)
    dxx, dyy = (east - 2 * z + west) / x**2, (north - 2 * z + south) / y**2
    dxy = (corners[1] + corners[2] - corners[0] - corners[3]) / (4 * x * y)
    steep = dx**2 + dy**2
    profile = (dxx * dx**2 + 2 * dxy * dx * dy + dyy * dy**2) / (steep + 1e-6)
    tangential = (dxx * dy**2 - 2 * dxy * dx * dy + dyy * dx**2) / (steep + 1e-6)
    out = [np.hypot(horn_x, horn_y), profile * cell, tangential * cell, np.log(cell) + 0 * z]
    for radius in _RADII:
        n = _box(np.ones_like(z), radius)
        average = _box(z, radius) / n
        deviation = np.sqrt(np.maximum(_box(z**2, radius) / n - average**2, 0.0))
        reach = radius * cell
        out += [(z - average) / reach, deviation / reach, (z - average) / (deviation + 1e-3)]
    return np.stack(out).astype(np.float32)


def fit_forest(
    sampler: TileSampler, *, batches: int = 60, cells: int = 150_000, seed: int = 0
) -> RandomForestClassifier:
    """A forest of 60 trees, fitted to cells of the same degraded tiles that the net learns from.

    Args:
        sampler: where tiles come from.
        batches: how many to draw cells from.
        cells: about how many cells to fit.
        seed: of the forest and the drawing.
    """
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for _ in range(batches):
        batch = sampler.next()
        share = cells / (batches * batch.labels.size)
        for tile in range(len(batch.labels)):
            size = batch.cell_size[tile, :, :, 0].astype(np.float64)
            values = attributes(batch.elevation[tile, 0], size[0], size[1])
            chosen = (batch.labels[tile] >= 0) & (rng.random(batch.labels[tile].shape) < share)
            features.append(values[:, chosen].T)
            labels.append(batch.labels[tile][chosen] + 1)
    forest = RandomForestClassifier(
        60, max_depth=18, min_samples_leaf=5, n_jobs=2, random_state=seed
    )
    return forest.fit(np.concatenate(features), np.concatenate(labels))


def predict_forest(
    forest: RandomForestClassifier,
    elevation: NDArray[np.float32],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Class codes (rows, cols) uint8; 0 where the elevation is NaN."""
    values = attributes(elevation, x_m, y_m)
    out: NDArray[np.uint8] = np.zeros(elevation.shape, dtype=np.uint8)
    for row in range(0, len(out), _ROWS_AT_ONCE):
        part = values[:, row : row + _ROWS_AT_ONCE]
        codes = forest.predict(part.reshape(len(values), -1).T)
        out[row : row + _ROWS_AT_ONCE] = codes.reshape(part.shape[1:])
    out[~np.isfinite(elevation)] = 0
    return out


def _box(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Sum over a square of (2 radius + 1)^2 cells, clipped at the edges."""
    for axis in (0, 1):
        size = int(values.shape[axis])
        total = np.concatenate(
            [np.zeros_like(values.take([0], axis)), np.cumsum(values, axis)], axis
        )
        last = np.minimum(np.arange(size) + radius + 1, size)
        first = np.maximum(np.arange(size) - radius, 0)
        values = total.take(last, axis) - total.take(first, axis)
    return values
