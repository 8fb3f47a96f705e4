"""Polygons of a class raster: this package against rasterio's and shapely's, in one run.

    python benchmarks/polygons.py [--size 4096] [--cases smooth,medium] [--write] [--large 16384]

Class rasters are the largest of five fields of noise with a power-law spectrum. Times are seconds
of one core (process time), the best of `--repeat` runs of each, turn by turn. The reference is
`rasterio.features.shapes` with `shapely.geometry.shape` for each feature, in the two ways in which
it is written.
"""

from __future__ import annotations

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from rasterio import features
from rasterio.crs import CRS

from geotools.convert import polygonize
from geotools.grid import Grid, Window
from geotools.io.geopackage import write_layer
from geotools.raster import Raster
from geotools.spec import ClassInfo

CLASSES = [ClassInfo(code, f"class {code}", f"#{code}0{code}0{code}0") for code in range(1, 6)]

CASES = {"smooth": (0.002, 1.6, 100), "medium": (0.02, 1.55, 12), "noise": (0.28, 4.0, 0)}
"""Corner frequency in cycles a cell, slope above it, and cells of the sieve."""


def class_raster(size: int, corner: float, slope: float, least: int, seed: int = 1) -> Raster:
    """Five classes, cells of 30 m."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    amplitude = (1 + (frequency / corner) ** 2) ** (-slope / 2)
    codes = np.zeros((size, size), np.uint8)
    best = np.full((size, size), -np.inf)
    for code in range(1, 6):
        white = rng.standard_normal((size, size), np.float32)
        field = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=(size, size))
        field /= field.std()
        larger = field > best
        best[larger] = field[larger]
        codes[larger] = code
    if least:
        codes = features.sieve(codes, least, connectivity=4)
    grid = Grid(CRS.from_epsg(32633), Affine(30, 0, 5e5, 0, -30, 5e6), size, size)
    return Raster(codes[None], np.ones(codes.shape, bool), grid, ("class",))


def ours(source: Raster, **options: object) -> list:
    return list(polygonize(source, class_info=CLASSES, **options))


def one_by_one(source: Raster) -> list:
    found = features.shapes(source.data[0], transform=source.grid.transform)
    return [(int(value), shapely.geometry.shape(shape)) for shape, value in found]


def listed_first(source: Raster) -> list:
    found = list(features.shapes(source.data[0], transform=source.grid.transform))
    return [(int(value), shapely.geometry.shape(shape)) for shape, value in found]


def timed(function, *arguments, **options):
    gc.collect()
    start = time.process_time()
    result = function(*arguments, **options)
    return time.process_time() - start, result


def compare(name: str, size: int, repeat: int, write: bool) -> None:
    source = class_raster(size, *CASES[name])
    listed, single, fast = [], [], []
    for _ in range(repeat):
        listed.append(timed(listed_first, source)[0])
        seconds, theirs = timed(one_by_one, source)
        single.append(seconds)
        codes = np.array([code for code, _ in theirs])
        areas = shapely.area([polygon for _, polygon in theirs])
        their_area = np.bincount(codes, areas, 6)
        their_count = np.bincount(codes, minlength=6)
        del theirs
        seconds, batches = timed(ours, source)
        fast.append(seconds)
    table = pd.concat(batches)
    assert (np.bincount(table["class"], minlength=6) == their_count).all()
    assert np.allclose(np.bincount(table["class"], table["area_m2"], 6), their_area, rtol=1e-12)
    assert np.allclose(table["area_m2"], table.area, rtol=1e-12)
    assert shapely.is_valid(table.geometry.values).all()
    corners = shapely.get_num_coordinates(table.geometry.values).sum()
    print(f"{name:7} {len(table):,} polygons, {corners:,} corners: {min(fast):.2f} s")
    print(f"{'':7} rasterio + shapely, all shapes listed first {min(listed):6.2f} s: "
          f"{min(listed) / min(fast):.1f} times")  # fmt: skip
    print(f"{'':7} rasterio + shapely, one shape at a time     {min(single):6.2f} s: "
          f"{min(single) / min(fast):.1f} times")  # fmt: skip
    print(f"{'':7} counts and areas equal, all valid")
    del table
    for label, options in (
        ("min_area_m2 = 10 cells", {"min_area_m2": 9000}),
        ("simplify_m = 1 cell", {"simplify_m": 30}),
    ):
        seconds, changed = timed(ours, source, **options)
        count = sum(map(len, changed))
        corners = sum(shapely.get_num_coordinates(batch.geometry.values).sum() for batch in changed)
        print(f"{'':7} {label}: {seconds:.2f}, {count:,} polygons, {corners:,} corners")
        del changed
    if write:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.gpkg"
            seconds, count = timed(write_layer, path, batches, layer="classes", classes=CLASSES)
            print(
                f"{'':7} GeoPackage: {seconds:.2f}, {count / seconds / 1000:.0f} k features/s, "
                f"{path.stat().st_size / 2**20:.0f} MB, checked"
            )
    sys.stdout.flush()


class Repeated:
    """A raster of any size that is one square over and over: nothing of it is in memory."""

    bands = ("class",)

    def __init__(self, square: Raster, size: int) -> None:
        self._square = square.data[0]
        self.grid = Grid(square.grid.crs, square.grid.transform, size, size)

    def read(self, window: Window) -> Raster:
        side = self._square.shape[0]
        rows = np.arange(window.row_off, window.row_stop) % side
        cols = np.arange(window.col_off, window.col_stop) % side
        data = self._square[np.ix_(rows, cols)]
        return Raster(data[None], np.ones(data.shape, bool), self.grid.cut(window), self.bands)


def memory(name: str, size: int, options: str) -> None:
    """Peak memory of a raster that is never whole in memory, its batches counted and dropped."""
    source = Repeated(class_raster(2048, *CASES[name]), size)
    gc.collect()
    start = time.process_time()
    ours(Raster(source._square[None, :64], np.ones((64, 2048), bool),
                source.grid.cut(Window(0, 0, 2048, 64)), ("class",)))  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    for batch in polygonize(source, class_info=CLASSES, **eval(options)):
        count += len(batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.process_time() - start
    print(
        f"{name:7} {size} x {size} {options}: {count:,} polygons, {seconds:.0f} s, "
        f"peak {peak / 1024:.0f} MB, {(peak - before) / 1024:.0f} MB of it for this"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--cases", default="smooth,medium,noise")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="also write a GeoPackage")
    parser.add_argument("--large", type=int, default=0, help="side of the memory test")
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        memory(args.memory[0], int(args.memory[1]), args.memory[2])
        return
    ours(class_raster(64, *CASES["noise"]), simplify_m=30, min_area_m2=900)  # compile
    for name in filter(None, args.cases.split(",")):
        compare(name, args.size, 1 if name == "noise" else args.repeat, args.write)
    if args.large:
        for name in ("smooth", "medium"):
            for options in ("{}", "{'simplify_m': 30}", "{'min_area_m2': 9000}"):
                subprocess.run(
                    [sys.executable, __file__, "--memory", name, str(args.large), options],
                    check=True,
                )


if __name__ == "__main__":
    main()
