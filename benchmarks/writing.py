"""What reading back costs: GeoTIFFs written with and without it, in one run.

    python benchmarks/writing.py [--side 8192] [--repeat 3]

Prints CPU and wall seconds of the whole write (tiles, overviews, sync, rename), interleaved, and
the ratio of the medians. Without reading back GDAL writes everything; with it, uncompressed
blocks are written by us.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from affine import Affine

from geotools.grid import Grid, TileScheme
from geotools.io import writer
from geotools.io.compression import LEVELS
from geotools.io.geotiff import parse_crs
from geotools.io.writer import GeotiffWriter
from geotools.io.writing import create_geotiff


def make(side: int, dtype: str) -> np.ndarray:
    """(1, side, side): a smooth surface with a little noise, as classes or heights."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:side, :side].astype(np.float32)
    surface = 300 * np.sin(row / 150) * np.cos(col / 190) + rng.normal(0, 1, (side, side))
    if dtype == "uint8":
        return np.clip(surface / 70 + 5, 1, 10).astype(np.uint8)[None]
    return (np.round(surface, 2)).astype(np.float32)[None]


def write(path: Path, data: np.ndarray, compress: str) -> tuple[float, float]:
    """CPU and wall seconds."""
    side = data.shape[1]
    grid = Grid(parse_crs("EPSG:32633"), Affine(10, 0, 5e5, 0, -10, 5e6), side, side)
    cpu, wall = time.process_time(), time.perf_counter()
    with create_geotiff(
        path, grid, bands=["a"], dtype=data.dtype.name, nodata=0, compress=compress, overwrite=True
    ) as made:
        for tile in TileScheme(1024).tiles(grid):
            made.write(data[:, *tile.write.slices()], tile.write)
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=8192)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'layout':18}{'plain CPU':>10}{'read back':>10}{'ratio':>7}{'wall ratio':>12}")
    for dtype, compress in (("uint8", "deflate"), ("float32", "zstd"), ("float32", "none")):
        data = make(options.side, dtype)
        plain, checked = [], []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.tif"
            for _ in range(options.repeat):
                by_gdal = {**LEVELS, "none": ("ZLEVEL", 1)}  # overviews too
                with (
                    mock.patch.object(GeotiffWriter, "_holds_what_was_written", return_value=True),
                    mock.patch.dict(LEVELS, by_gdal),
                    mock.patch.object(writer, "can_write_plain", return_value=False),
                ):
                    plain.append(write(path, data, compress))
                checked.append(write(path, data, compress))
        cpu = [statistics.median(run[0] for run in runs) for runs in (plain, checked)]
        wall = [statistics.median(run[1] for run in runs) for runs in (plain, checked)]
        print(
            f"{dtype + ' ' + compress:18}{cpu[0]:10.2f}{cpu[1]:10.2f}{cpu[1] / cpu[0]:7.2f}"
            f"{wall[1] / wall[0]:12.2f}"
        )


if __name__ == "__main__":
    main()
