"""Backbone: what a forecast needs beside a fresh catalog, to and from the JSON of a model file.

Region, background, ETAS parameters and the shape of the features; what a network makes of them is
in the graph of the model. No file is opened here.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geotools.errors import EventsError, ModelError
from geotools.grid import Grid
from geotools.seismicity.etas import EtasParameters

__all__ = ["Backbone", "lonlat_grid"]

_MAX_CELLS = 4_000_000
"""Cells of a grid in a model file, at most: 0.1 degrees on a whole hemisphere."""

_SCHEMA_VERSION = 1

_HALF_BIN = 1e-6
"""Magnitudes are rounded to 0.1 or 0.01 and stored in binary: 3.2 may be 3.1999999."""


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """Everything that is needed to issue a forecast from a fresh catalog, but for the network."""

    name: str
    """Name of the region, for people."""
    grid: Grid
    """EPSG:4326; row 0 in the north."""
    region: NDArray[np.bool_]
    """(rows, cols) True for the cells that belong to the forecast."""
    mc: float
    """Smallest magnitude that is used and forecast: the lower edge."""
    b_value: float
    """Of Gutenberg and Richter, above `mc`."""
    etas: EtasParameters
    """Of the triggering; its reference magnitude is `mc`."""
    background: NDArray[np.float64]
    """(rows, cols) expected independent events of at least `mc` per day and cell; 0 outside."""
    smoothed: NDArray[np.float64]
    """(rows, cols) expected events of at least `mc` per day and cell, aftershocks and all: the
    long-term baseline, every event of the training years smoothed; 0 outside."""
    scales_km: tuple[float, float]
    """Radii of the two soft discs of the features."""
    bands_days: tuple[float, ...]
    """Ages in days where the time bands of the features end, rising; the first begins at 0."""

    def __post_init__(self) -> None:
        shape = self.grid.shape
        if any(a.shape != shape for a in (self.region, self.background, self.smoothed)):
            raise ModelError(
                f"The backbone {self.name!r} has arrays that differ from its grid of {shape}: "
                "give one value per cell."
            )
        if not self.region.any():
            raise ModelError(f"The backbone {self.name!r} has no cell in its region: give some.")
        for field in ("background", "smoothed"):
            values = getattr(self, field)[self.region]
            if not (np.isfinite(values).all() and (values > 0).all()):
                raise ModelError(
                    f"The backbone {self.name!r} has a {field} that is not positive in every cell "
                    "of its region: smooth it with a uniform part."
                )
        edges = (0.0, *self.bands_days)
        if not all(low < high < math.inf for low, high in pairwise(edges)):
            raise ModelError(
                f"The backbone {self.name!r} has time bands {self.bands_days}: they must rise."
            )
        numbers = (self.mc, self.b_value, *self.scales_km)
        if not (np.isfinite(numbers).all() and min(self.b_value, *self.scales_km) > 0):
            raise ModelError(
                f"The backbone {self.name!r} has mc {self.mc}, b {self.b_value} and scales "
                f"{self.scales_km}: numbers are needed, b and scales positive."
            )

    @property
    def history_days(self) -> float:
        """Days of events before the issue time that the features need."""
        return self.bands_days[-1]

    @property
    def cells(self) -> int:
        """Number of cells of the region."""
        return int(self.region.sum())

    def used(self, magnitude: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(events,) True where the magnitude is at least `mc`; False for NaN."""
        return np.asarray(magnitude >= self.mc - _HALF_BIN)

    def to_parameters(self) -> dict[str, Any]:
        """The backbone as JSON values; arrays are base64 of zlib of little-endian float32."""
        transform = self.grid.transform
        return {
            "schema_version": _SCHEMA_VERSION,
            "name": self.name,
            "west": transform.c,
            "north": transform.f,
            "cell_deg": [transform.a, -transform.e],
            "shape": list(self.grid.shape),
            "region": _packed(self.region.astype(np.uint8)),
            "mc": self.mc,
            "b_value": self.b_value,
            "etas": self.etas.to_dict(),
            "background": _packed(self.background.astype("<f4")),
            "smoothed": _packed(self.smoothed.astype("<f4")),
            "scales_km": list(self.scales_km),
            "bands_days": list(self.bands_days),
        }

    @classmethod
    def from_parameters(cls, body: Mapping[str, Any]) -> Backbone:
        """The backbone in `ModelSpec.parameters["backbone"]`.

        Raises:
            ModelError: a key that is missing, a value of a wrong type or out of range, arrays that
                do not fit the grid.
        """
        try:
            if body["schema_version"] != _SCHEMA_VERSION:
                raise ModelError(
                    f"The model's backbone has schema_version {body['schema_version']!r}, this "
                    f"geotools reads {_SCHEMA_VERSION}: update geotools."
                )
            rows, cols = (int(size) for size in body["shape"])
            if not (rows > 0 and cols > 0 and rows * cols <= _MAX_CELLS):
                raise ValueError(f"shape {body['shape']}")
            width, height = (float(size) for size in body["cell_deg"])
            west, north = float(body["west"]), float(body["north"])
            near, far = (float(scale) for scale in body["scales_km"])
            shape = (rows, cols)
            return cls(
                name=str(body["name"]),
                grid=lonlat_grid(west, north, (width, height), shape),
                region=_unpacked(body["region"], "u1", shape) != 0,
                mc=float(body["mc"]),
                b_value=float(body["b_value"]),
                etas=EtasParameters.from_dict(body["etas"]),
                background=_unpacked(body["background"], "<f4", shape).astype(np.float64),
                smoothed=_unpacked(body["smoothed"], "<f4", shape).astype(np.float64),
                scales_km=(near, far),
                bands_days=tuple(float(edge) for edge in body["bands_days"]),
            )
        except KeyError as error:
            raise ModelError(
                f"The model's backbone lacks the key {error}: export the model again."
            ) from None
        except (TypeError, ValueError, OverflowError, AttributeError, zlib.error) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(
                f"The model's backbone has a value that cannot be ({error}): export the model "
                "again."
            ) from None


def lonlat_grid(
    west: float, north: float, cell_deg: tuple[float, float], shape: tuple[int, int]
) -> Grid:
    """The grid in EPSG:4326 with that corner, cell size (x, y) in degrees and (rows, cols).

    Raises:
        EventsError: it reaches beyond the poles, or more than once round the Earth.
    """
    from rasterio.crs import CRS  # a name for coordinates; no raster is opened

    rows, cols = shape
    width, height = cell_deg
    south, east = north - rows * height, west + cols * width
    fits = south >= -90 - 1e-6 and north <= 90 + 1e-6 and cols * width <= 360 + 1e-6
    if not (fits and west >= -360 and east <= 540):
        raise EventsError(
            f"A grid from {west} to {east} east and {south} to {north} north is not on the Earth: "
            "give degrees."
        )
    transform = Affine(width, 0.0, west, 0.0, -height, north)
    return Grid(CRS.from_epsg(4326), transform, cols, rows)


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")


def _unpacked(text: Any, dtype: str, shape: tuple[int, int]) -> NDArray[Any]:
    """The array, when it holds exactly as many values as the shape; no more is decompressed."""
    if not isinstance(text, str):
        raise ValueError(f"an array is a {type(text).__name__}")
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize
    try:
        packed = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("an array is not base64") from None
    content = zlib.decompressobj().decompress(packed, size + 1)
    if len(content) != size:
        raise ValueError(f"an array does not hold {shape[0]} x {shape[1]} values")
    return np.frombuffer(content, dtype=dtype).reshape(shape)
