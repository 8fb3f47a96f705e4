"""Training tiles of the landform net: pieces of DEMs, turned, rescaled, labelled, then degraded.

Labels are always computed here, on the clean piece as the net will see it; so every change of
scale or shape is right by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geotools.errors import FileError
from geotools.io.geotiff import open_raster
from geotools.terrain.geomorphons import geomorphons
from geotools.training.landforms.degrade import degrade, draw_degradation

__all__ = ["LABELS", "Batch", "Dem", "TileSampler", "label_forms", "open_dem"]

LABELS = {"search": 10, "skip": 0, "flat_deg": 1.0, "flat_distance": 0.0, "dialect": "grass"}
"""The forms that the shipped model names: options of `geotools.terrain.geomorphons`."""


@dataclass(frozen=True, eq=False)
class Dem:
    """One DEM in memory with the size of its cells."""

    name: str
    """File name without suffixes."""
    elevation: NDArray[np.float32]
    """(rows, cols), metres; NaN = invalid."""
    x_m: NDArray[np.float64]
    """(rows,), east-west size of the cells of each row, metres."""
    y_m: NDArray[np.float64]
    """(rows,), north-south size."""

    def columns(self, start: float, stop: float) -> Dem:
        """The part between two shares of the width, 0 to 1."""
        cols = self.elevation.shape[1]
        part = self.elevation[:, round(start * cols) : round(stop * cols)]
        return Dem(self.name, part, self.x_m, self.y_m)


@dataclass(frozen=True, eq=False)
class Batch:
    """Training tiles, stacked."""

    elevation: NDArray[np.float32]
    """(N, 1, H, W), metres, degraded; NaN = invalid."""
    cell_size: NDArray[np.float32]
    """(N, 2, H, 1), metres, x then y."""
    labels: NDArray[np.int64]
    """(N, H, W), 0 to 9 (code - 1), -1 where there is nothing to learn."""
    clean: NDArray[np.float32]
    """(N, 1, H, W), metres; NaN where the DEM itself has no height."""


def open_dem(path: Path) -> Dem:
    """The first band of a raster file as a `Dem`."""
    with open_raster(path) as source:
        raster = source.read(source.grid.window)
        x_m, y_m = source.grid.cell_size_m()
    elevation = np.where(raster.valid, raster.data[0], np.nan).astype(np.float32)
    return Dem(path.name.split(".")[0], elevation, x_m, y_m)


def find_dem(folder: Path, name: str) -> Path:
    """The file of the DEM `name` in `folder`, whatever its suffix.

    Raises:
        FileError: there is none, or more than one.
    """
    found = sorted(folder.glob(f"{name}.*"))
    if len(found) != 1:
        raise FileError(f"{folder} holds {len(found)} files named {name}.*: one is needed.")
    return found[0]


def label_forms(
    elevation: NDArray[np.float32], x_m: NDArray[np.float64], y_m: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Geomorphons as the model is taught them: (rows, cols) uint8, 0 where invalid.

    The search distance is 10 times the smallest north-south cell size of the raster. (r.geomorphon
    takes the first row's; on a geographic grid the tenth cell to the north and south then comes
    and goes with the extent, and a model whose answer depends on the extent is of no use.)
    """
    return geomorphons(
        elevation, x_m, y_m, search=10, skip=0, flat_deg=1.0, unit_m=float(y_m.min())
    )


class TileSampler:
    """An endless, seeded source of training batches."""

    def __init__(self, dems: Sequence[Dem], *, size: int, batch: int, seed: int) -> None:
        """
        Args:
            dems: where tiles are cut from, each in proportion to the square root of its area.
            size: cells on a side of a tile.
            batch: tiles in a batch.
            seed: fixes every batch.
        """
        self._dems = list(dems)
        areas = np.array([np.isfinite(dem.elevation).sum() for dem in self._dems])
        self._shares = np.sqrt(areas) / np.sqrt(areas).sum()
        self._size = size
        self._batch = batch
        self._rng = np.random.default_rng(seed)

    def next(self) -> Batch:
        """The next batch."""
        tiles = [self._tile() for _ in range(self._batch)]
        elevation, cells, labels, clean = zip(*tiles, strict=True)
        return Batch(
            np.stack(elevation)[:, None],
            np.stack(cells)[..., None],
            np.stack(labels),
            np.stack(clean)[:, None],
        )

    def _tile(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64],
                             NDArray[np.float32]]:  # fmt: skip
        """One tile: elevation (H, W), cell size (2, H), labels (H, W), clean elevation (H, W)."""
        rng = self._rng
        clean, x, y = self._piece()
        if rng.random() < 0.5:
            clean = clean.T
        if rng.random() < 0.5:
            clean = clean[::-1]
        if rng.random() < 0.5:
            clean = clean[:, ::-1]
        clean = self._framed(np.ascontiguousarray(clean))
        # The labels of a terrain scaled alike in all directions are the same; noise in metres is
        # not: small scales stand for fine grids.
        scale = 1.0
        if rng.random() < 0.45:
            scale = float(np.exp(rng.uniform(np.log(0.06), np.log(1.2))))
            clean, x, y = clean * np.float32(scale), x * scale, y * scale
        rows = clean.shape[0]
        forms = label_forms(clean, np.full(rows, x), np.full(rows, y))
        labels = forms.astype(np.int64) - 1
        labels[_beside_hole(clean)] = -1
        elevation = degrade(clean, draw_degradation(rng, largest_sd_m=5.5 * scale**0.35), rng)
        labels[np.isnan(elevation)] = -1
        cells = np.repeat(np.array([[x], [y]], dtype=np.float32), rows, axis=1)
        return elevation, cells, labels, clean

    def _framed(self, clean: NDArray[np.float32]) -> NDArray[np.float32]:
        """The piece, every other time as at the edge of a raster: NaN on one or two sides.

        Inference feeds NaN beyond the raster; the labels are those of a raster that ends there.
        """
        if self._rng.random() < 0.5:
            clean = clean.copy()
            for _ in range(int(self._rng.integers(1, 3))):
                width = int(self._rng.integers(1, self._size // 3))
                side = int(self._rng.integers(4))
                part = clean.T if side % 2 else clean
                if side < 2:
                    part[:width] = np.nan
                else:
                    part[-width:] = np.nan
        return clean

    def _piece(self) -> tuple[NDArray[np.float32], float, float]:
        """A square of clean terrain and its cell size: as it is, averaged 2 x 2, or refined.

        Refined pieces (cubic, 2 or 3 times) stand for smooth DEMs on fine grids, averaged ones for
        coarse grids. A third of the tiles get the cell shape of another latitude.
        """
        rng = self._rng
        dem = self._dems[int(rng.choice(len(self._dems), p=self._shares))]
        kind = rng.random()
        if kind < 0.15:
            factor = int(rng.integers(2, 4))
            part, x, y = self._cut(dem, -(-self._size // factor) + 3)
            part = _refine(part, factor)[: self._size, : self._size]
            x, y = x / factor, y / factor
        elif kind < 0.30:
            part, x, y = self._cut(dem, 2 * self._size)
            size = self._size
            part = part.reshape(size, 2, size, 2).mean((1, 3))
            x, y = 2 * x, 2 * y
        else:
            part, x, y = self._cut(dem, self._size)
        if rng.random() < 0.33:
            x = y * float(np.cos(np.deg2rad(rng.uniform(0.0, 62.0))))
        return part.astype(np.float32), x, y

    def _cut(self, dem: Dem, size: int) -> tuple[NDArray[np.float32], float, float]:
        """A square of `size` cells that is at least half valid, and the size of its cells."""
        rows, cols = dem.elevation.shape
        if min(rows, cols) < size:
            raise ValueError(f"{dem.name} has {rows} x {cols} cells, a tile needs {size}.")
        while True:
            row = int(self._rng.integers(0, rows - size + 1))
            col = int(self._rng.integers(0, cols - size + 1))
            part = dem.elevation[row : row + size, col : col + size]
            # Nine level tiles in ten are passed over: the sea has nothing more to teach.
            valid = np.isfinite(part)
            if valid.mean() < 0.5:
                continue
            level = float(np.mean(np.abs(np.diff(part, axis=1)) < 1e-6))
            if level > 0.8 and self._rng.random() < 0.8:
                continue
            middle = row + size // 2
            return part, float(dem.x_m[middle]), float(dem.y_m[middle])


def _refine(part: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Catmull-Rom (cubic) interpolation to `factor` times finer cells; NaN spreads."""
    for axis in (0, 1):
        part = np.moveaxis(part, axis, 0)
        a, b, c, d = part[:-3], part[1:-2], part[2:-1], part[3:]
        pieces = []
        for k in range(factor):
            t = k / factor
            pieces.append(
                b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
            )
        stacked = np.stack(pieces, 1).astype(np.float32)  # (n - 3, factor, other)
        part = np.moveaxis(stacked.reshape(-1, stacked.shape[2]), 0, axis)
    return np.ascontiguousarray(part)


def _beside_hole(clean: NDArray[np.float32]) -> NDArray[np.bool_]:
    """True for cells that touch a hole of the DEM itself, where r.geomorphon sees level ground.

    Rows and columns that are NaN throughout are the edge of the raster, not holes.
    """
    void = np.isnan(clean)
    void &= ~np.all(void, axis=1, keepdims=True) & ~np.all(void, axis=0, keepdims=True)
    void = np.pad(void, 1)
    rows, cols = clean.shape
    near = np.zeros((rows, cols), dtype=bool)
    for row in range(3):
        for col in range(3):
            near |= void[row : row + rows, col : col + cols]
    return near
