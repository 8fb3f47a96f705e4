"""Hazards of numbers: rasters with values, nodata or places that often go wrong without a word.

Each case is a function that gives `right`, `refused`, or what is wrong. Run by test_hazards.py,
and by benchmarks/faults.py.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from conftest import make_grid, write_tif
from onnx_bytes import image_model
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from geotools.errors import GeotoolsError
from geotools.grid import Grid, Window
from geotools.inference.terms import ForeignSettings
from geotools.io.aligned import open_aligned
from geotools.io.geotiff import open_raster, parse_crs
from geotools.io.writing import create_geotiff
from geotools.maps import DemOptions, map_terrain
from geotools.maps.predict import map_predictions

ROWS, COLS, CELL_M = 40, 60, 30.0
SLOPE_DEG = math.degrees(math.atan(0.1))
"""Of the plane that rises by 3 m a column."""

HOLE = (slice(10, 14), slice(20, 25))


def _plane() -> np.ndarray:
    """(ROWS, COLS) float32, metres."""
    return np.tile(500 + 3 * np.arange(COLS, dtype=np.float32), (ROWS, 1))


def _holed(value: float) -> np.ndarray:
    data = _plane()
    data[HOLE] = value
    return data


def _slope(path: Path, **reading: object) -> np.ndarray:
    """(rows, cols) the slope in degrees that `geotools terrain` writes; NaN is its nodata."""
    output = path.with_name("slope.tif")
    map_terrain(path, output, ["slope"], reading=DemOptions(**reading), overwrite=True)
    with rasterio.open(output) as dataset:
        assert math.isnan(dataset.nodata)
        return dataset.read(1)


def _judge(slope: np.ndarray, valid: np.ndarray, tolerance: float = 1e-3) -> str:
    """`right` when the slope is the plane's where a cell and its neighbours are valid, else NaN."""
    inner = np.zeros_like(valid)
    around = [valid[r : r + ROWS - 2, c : c + COLS - 2] for r in range(3) for c in range(3)]
    inner[1:-1, 1:-1] = np.all(around, axis=0)
    if not np.array_equal(np.isfinite(slope), inner):
        return f"{np.isfinite(slope).sum()} cells have a slope, {inner.sum()} should"
    worst = np.abs(slope[inner] - SLOPE_DEG).max()
    return "right" if worst < tolerance else f"wrong by {worst:.3g} degrees"


def _with_hole() -> np.ndarray:
    valid = np.ones((ROWS, COLS), bool)
    valid[HOLE] = False
    return valid


def _refusal(words: str, work: Callable[[], object], output: Path | None = None) -> str:
    """`refused` when the work ends in one sentence of ours with these words, and no output."""
    try:
        work()
    except GeotoolsError as error:
        if words not in str(error) or "\n" in str(error):
            return f"refused without a remedy: {error}"
        return "an output is left" if output is not None and output.exists() else "refused"
    except Exception as error:
        return f"a bug: {type(error).__name__}: {error}"
    return "silent"


def _refused_map(path: Path, words: str) -> str:
    return _refusal(words, lambda: _slope(path), path.with_name("slope.tif"))


def nan_without_nodata(folder: Path) -> str:
    return _judge(_slope(write_tif(folder / "a.tif", _holed(np.nan))), _with_hole())


def infinite_cells(folder: Path) -> str:
    data = _holed(np.inf)
    data[12, 22] = -np.inf
    return _judge(_slope(write_tif(folder / "a.tif", data)), _with_hole())


def nan_beside_a_nodata_value(folder: Path) -> str:
    data = _holed(-9999)
    data[30, 40] = np.nan
    valid = _with_hole()
    valid[30, 40] = False
    return _judge(_slope(write_tif(folder / "a.tif", data, nodata=-9999)), valid)


def nodata_that_the_cells_round(folder: Path) -> str:
    data = _holed(1e20)  # as float32 1.00000002004e20
    return _judge(_slope(write_tif(folder / "a.tif", data, nodata=1e20)), _with_hole())


def nodata_outside_the_dtype(folder: Path) -> str:
    path = write_tif(folder / "a.tif", _plane().astype(np.uint16), nodata=19999)
    path.write_bytes(path.read_bytes().replace(b"19999", b"-9999"))
    with rasterio.open(path) as dataset:
        assert dataset.dtypes[0] == "uint16"
    return _judge(_slope(path), np.ones((ROWS, COLS), bool))


def undeclared_9999(folder: Path) -> str:
    return _refused_map(write_tif(folder / "a.tif", _holed(-9999)), "--nodata -9999")


def undeclared_32768(folder: Path) -> str:
    return _refused_map(write_tif(folder / "a.tif", _holed(-32768)), "--nodata -32768")


def nodata_that_is_named(folder: Path) -> str:
    path = write_tif(folder / "a.tif", _holed(-32768))
    return _judge(_slope(path, nodata=-32768), _with_hole())


def mask_band(folder: Path) -> str:
    path = write_tif(folder / "a.tif", _holed(777))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(_with_hole())
    return _judge(_slope(path), _with_hole())


def alpha_band(folder: Path) -> str:
    alpha = np.where(_with_hole(), 65535, 0).astype(np.uint16)
    path = write_tif(folder / "a.tif", np.stack([_holed(777).astype(np.uint16), alpha]))
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
    return _judge(_slope(path), _with_hole())


def scale_and_offset(folder: Path) -> str:
    stored = np.round((_holed(0) - 500) / 0.5).astype(np.int16)
    stored[HOLE] = -1
    path = write_tif(folder / "a.tif", stored, nodata=-1)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.5,), (500.0,)
    return _judge(_slope(path), _with_hole())


def no_crs(folder: Path) -> str:
    return _refused_map(write_tif(folder / "a.tif", _plane(), crs=None), "--crs")


def no_place(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        path = write_tif(folder / "a.tif", _plane(), transform=Affine.identity())
    return _refused_map(path, "georeference")


def rotated(folder: Path) -> str:
    """A plane seen through a grid that is turned by 30 degrees is the same plane."""
    turned = (
        Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(CELL_M, -CELL_M)
    )
    row, col = np.mgrid[:200, :200] + 0.5
    x, _ = turned @ (col, row)
    path = write_tif(
        folder / "a.tif", (500 + 0.1 * (x - 500_000)).astype(np.float32), transform=turned
    )
    slope = _slope(path)
    with rasterio.open(folder / "slope.tif") as dataset:
        upright = dataset.transform.b == dataset.transform.d == 0 and dataset.transform.e < 0
    known = np.isfinite(slope)
    share = known.sum() * slope.size**-1
    # Beside its edge a warped raster has cells that are mixed of fewer.
    worst = np.percentile(np.abs(slope[known] - SLOPE_DEG), 95)
    if not upright or not 0.4 < share < 0.8:
        return f"not upright, or {share:.0%} of the cells"
    return "right" if worst < 0.01 else f"wrong by {worst:.3g} degrees"


def south_up_and_east_to_west(folder: Path) -> str:
    """Rasters whose rows run north, or columns west, give the map of the same ground."""
    rng = np.random.default_rng(0)
    data = _holed(-9999) + rng.normal(0, 1, (ROWS, COLS)).astype(np.float32)
    data[HOLE] = -9999
    grid = make_grid(COLS, ROWS)
    expected = _slope(write_tif(folder / "a.tif", data, nodata=-9999))
    right, bottom = grid.bounds[2], grid.bounds[1]
    flips = {
        "south up": (data[::-1], Affine(30, 0, grid.transform.c, 0, 30, bottom)),
        "east to west": (data[:, ::-1], Affine(-30, 0, right, 0, -30, grid.transform.f)),
        "both": (data[::-1, ::-1], Affine(-30, 0, right, 0, 30, bottom)),
    }
    for name, (flipped, transform) in flips.items():
        path = write_tif(folder / "b.tif", flipped, grid, nodata=-9999, transform=transform)
        found = _slope(path)
        with rasterio.open(folder / "slope.tif") as dataset:
            if dataset.transform != grid.transform:
                return f"{name}: another place"
        if not np.array_equal(found, expected, equal_nan=True):
            return f"{name}: other slopes"
    return "right"


def _lonlat(left: float) -> Grid:
    return Grid(parse_crs("EPSG:4326"), Affine(0.001, 0, left, 0, -0.001, 10), COLS, ROWS)


def across_180_degrees(folder: Path) -> str:
    """Degrees that go on beyond 180 give the map of the same cells elsewhere."""
    expected = _slope(write_tif(folder / "a.tif", _plane(), _lonlat(8.0)))
    found = _slope(write_tif(folder / "b.tif", _plane(), _lonlat(179.97)))
    with rasterio.open(folder / "slope.tif") as dataset:
        if abs(dataset.bounds.right - 180.03) > 1e-6:
            return f"its right edge is at {dataset.bounds.right}"
    return "right" if np.allclose(found, expected, equal_nan=True, atol=1e-5) else "other slopes"


def utm_1_onto_degrees_across_180(folder: Path) -> str:
    """A raster of UTM zone 1 covers the grid on both sides of 180 degrees."""
    path = folder / "a.tif"
    easting = np.tile(np.arange(1000, dtype=np.float32), (800, 1))
    place = Affine(60, 0, 140_000, 0, -60, 1_130_000)
    write_tif(path, easting, crs="EPSG:32601", transform=place)
    grid = Grid(parse_crs("EPSG:4326"), Affine(0.01, 0, 179.9, 0, -0.01, 10), 20, 10)
    with open_aligned(path, grid) as source:
        block = source.read(grid.window)
    if not block.valid.all():
        return f"{block.valid.mean():.0%} of the cells are valid"
    steps = np.diff(block.data[0], axis=1) * 60  # metres east from one cell to the next
    expected = grid.cell_size_m()[0][:, None]
    return "right" if np.allclose(steps, expected, rtol=0.01) else "other values"


def metres_as_degrees(folder: Path) -> str:
    path = write_tif(folder / "a.tif", _plane(), crs=parse_crs("EPSG:4326"))
    return _refused_map(path, "beyond the poles")


def cells_without_width(folder: Path) -> str:
    path = write_tif(folder / "a.tif", _plane(), transform=Affine(0, 0, 5e5, 0, -30, 5e6))
    return _refused_map(path, "-a_ullr")


def million_by_million(folder: Path) -> str:
    """A sparse raster of 10^12 cells is read where it is asked for."""
    path, side = folder / "a.tif", 1_000_000
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint8", nodata=0,
        crs="EPSG:32633", transform=Affine(1, 0, 0, 0, -1, 5e6), tiled=True, blockxsize=4096,
        blockysize=4096, sparse_ok=True, compress="deflate", bigtiff="yes",
    ) as dataset:  # fmt: skip
        last = np.full((10, 10), 7, np.uint8)
        dataset.write(last, 1, window=rasterio.windows.Window(side - 10, side - 10, 10, 10))
    with open_raster(path) as source:
        corner = source.read(Window(side - 20, side - 20, 30, 30))
        empty = source.read(Window(500_000, 500_000, 30, 30))
    there = np.zeros((30, 30), bool)
    there[10:20, 10:20] = True
    same = np.array_equal(corner.valid, there) and (corner.data[0][there] == 7).all()
    return "right" if same and not empty.valid.any() else "other cells"


def one_huge_block(folder: Path) -> str:
    """60,000 x 60,000 cells in one block would take gigabytes for a single cell."""
    path = folder / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=60_000, height=60_000, count=1, dtype="uint8",
        crs="EPSG:32633", transform=Affine(1, 0, 0, 0, -1, 5e6), tiled=True, blockxsize=60_000,
        blockysize=60_000, sparse_ok=True, compress="deflate",
    ):  # fmt: skip
        pass
    return _refused_map(path, "TILED=YES")


def floats_into_bytes(folder: Path) -> str:
    """NaN, inf, -1 and 300 are not cast into a file of uint8."""
    data = np.array([[[np.nan, np.inf], [-1, 300]]], np.float32)

    def write() -> None:
        with create_geotiff(
            folder / "a.tif", make_grid(2, 2), bands=["a"], dtype="uint8", nodata=0
        ) as writer:
            writer.write(data, Window(0, 0, 2, 2))

    return _refusal("takes 1 bands of uint8", write, folder / "a.tif")


def nodata_that_cannot_be_written(folder: Path) -> str:
    def write() -> None:
        with create_geotiff(
            folder / "a.tif", make_grid(2, 2), bands=["a"], dtype="uint8", nodata=-9999
        ) as writer:
            writer.write(np.ones((1, 2, 2), np.uint8), Window(0, 0, 2, 2))

    return _refusal("from 0 to 255, or None", write, folder / "a.tif")


def probabilities_that_are_none(folder: Path) -> str:
    """A model whose classes get 300 and 600 is not made a map of classes in per cent."""
    (folder / "m.onnx").write_bytes(image_model(bands=1, channels=2))
    path = write_tif(folder / "a.tif", np.full((80, 90), 300, np.uint16))
    settings = ForeignSettings(scale=1.0, classes=((1, "one"), (2, "two")))
    return _refusal(
        "no probabilities",
        lambda: map_predictions(
            folder / "m.onnx", path, folder / "map.tif", foreign=settings, confidence=True
        ),
        folder / "map.tif",
    )


HAZARDS: dict[str, tuple[Callable[[Path], str], str]] = {
    "NaN, no nodata declared": (nan_without_nodata, "right"),
    "inf and -inf": (infinite_cells, "right"),
    "NaN beside nodata -9999": (nan_beside_a_nodata_value, "right"),
    "nodata that float32 rounds": (nodata_that_the_cells_round, "right"),
    "nodata -9999 of uint16": (nodata_outside_the_dtype, "right"),
    "-9999 not declared": (undeclared_9999, "refused"),
    "-32768 not declared": (undeclared_32768, "refused"),
    "nodata named by the user": (nodata_that_is_named, "right"),
    "mask band": (mask_band, "right"),
    "alpha band": (alpha_band, "right"),
    "scale and offset": (scale_and_offset, "right"),
    "no CRS": (no_crs, "refused"),
    "no place": (no_place, "refused"),
    "rotated": (rotated, "right"),
    "south up, east to west": (south_up_and_east_to_west, "right"),
    "degrees across 180": (across_180_degrees, "right"),
    "UTM 1 onto degrees across 180": (utm_1_onto_degrees_across_180, "right"),
    "metres as degrees": (metres_as_degrees, "refused"),
    "cells without width": (cells_without_width, "refused"),
    "1,000,000 x 1,000,000": (million_by_million, "right"),
    "one block of 60,000 x 60,000": (one_huge_block, "refused"),
    "NaN, inf, -1, 300 into uint8": (floats_into_bytes, "refused"),
    "nodata that uint8 cannot hold": (nodata_that_cannot_be_written, "refused"),
    "probabilities of 300 and 600": (probabilities_that_are_none, "refused"),
}
"""Function and what has to come of it, by name."""
