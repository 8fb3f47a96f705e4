"""The engine against bare ONNX Runtime: whole runs, from file to finished GeoTIFF.

    python benchmarks/predict.py [--sizes 4096 8192] [--nets "0.07 M" "0.45 M"] [--repeat 3]

Every run is a process of its own; they take turns. `bare` holds the same tiles in memory and calls
`session.run` from two threads; what it takes to start and to cut the tiles is not counted. The
ratio is bare over ours, of CPU seconds (medians) and of wall time; ours includes the start of the
interpreter, reading, deciding, writing, overviews, the record, and reading back.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

sys.path.insert(0, str(Path(__file__).parent))
from programs import Program
from terrain import real_dem

from geotools.io.layers import describe_layers

BARE = """
import json, resource, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from geotools.inference.model import open_model
from geotools.inference.prediction import tiling_of
from geotools.io.geotiff import open_raster
model = open_model(sys.argv[1])
threads = int(sys.argv[3])
with open_raster(sys.argv[2]) as file:
    tiles = list(tiling_of(model, None).tiles(file.grid))
    few = [file.read(tile.read).filled()[None] for tile in tiles[:: max(1, len(tiles) // 8)]]
blocks = [few[n % len(few)] for n in range(len(tiles))]
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start, before = time.perf_counter(), cpu()
with ThreadPoolExecutor(threads) as pool:
    for given in pool.map(lambda block: model.run({"raster": block})[0].shape, blocks):
        pass
print(json.dumps([time.perf_counter() - start, cpu() - before, len(blocks)]))
"""


def write_rasters(folder: Path, size: int, data: Path | None) -> dict[str, Path]:
    """A DEM and an image of four uint16 bands, each in tiles and in strips."""
    z = real_dem(data)
    rows, cols = z.shape
    big = np.pad(z, ((0, max(0, size - rows)), (0, max(0, size - cols))), mode="symmetric")
    big = big[:size, :size]
    shades = np.stack([(big * (n + 1) / 4 + 37 * n) % 10_000 for n in range(4)])
    layouts = {
        "tiled": {"tiled": True, "blockxsize": 512, "blockysize": 512},
        "striped": {"blockysize": 1},
    }
    found = {}
    for name, cells, predictor in (("dem", big[None], 3), ("image", shades.astype(np.uint16), 2)):
        for layout, options in layouts.items():
            path = folder / f"{name}-{layout}-{size}.tif"
            with rasterio.open(
                path, "w", driver="GTiff", width=size, height=size, count=len(cells),
                dtype=cells.dtype.name, crs="EPSG:32719", compress="deflate", predictor=predictor,
                transform=from_origin(300_000, 6_500_000, 30, 30), num_threads=2, **options,
            ) as file:  # fmt: skip
                file.write(cells)
            found[f"{name} {layout}"] = path
    return found


def bare(model: Path, raster: Path, threads: int) -> tuple[float, float]:
    """(wall, CPU) seconds of `session.run` alone."""
    line = [sys.executable, "-c", BARE, str(model), str(raster), str(threads)]
    out = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    wall, cpu, _ = json.loads(out.splitlines()[-1])
    return wall, cpu


def ours(model: Path, raster: Path, out: Path, threads: int, *more: str) -> Program:
    """A run of `geotools predict`."""
    line = [
        sys.executable, "-m", "geotools", "predict", str(model), str(raster), "-o", str(out),
        "--overwrite", "--progress", "none", "--threads", str(threads), *more,
    ]  # fmt: skip
    return Program("geotools", [line])


def main() -> None:
    """Writes nets and rasters, runs all in turn, prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 8192])
    parser.add_argument("--nets", nargs="+", default=["0.07 M", "0.45 M", "1.8 M"])
    parser.add_argument("--inputs", nargs="+", default=["dem tiled", "dem striped", "image tiled",
                                                        "image striped"])  # fmt: skip
    parser.add_argument("--data", type=Path, help="a real DEM; the demo's otherwise")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--polygons", action="store_true", help="with the polygon GeoPackage too")
    parser.add_argument("--finest", type=float, default=1.0,
                        help="weight of what nets see at full resolution: 0.1 of the 0.45 M net "
                        "gives 30 thousand polygons, not 122, at 4096 cells a side")  # fmt: skip
    options = parser.parse_args()
    bars = {"0.07 M": (0.85, 0.60), "0.45 M": (0.95, 0.87)}
    from predict_nets import write_net

    print(f"{'input':22s}{'net':8s}{'what':10s}{'bare CPU':>9s}{'ours CPU':>9s}{'ratio':>7s}"
          f"{'wall':>7s}{'ratio':>7s}{'peak MB':>9s}  bar")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in options.sizes:
            rasters = write_rasters(folder, size, options.data)
            for net in options.nets:
                for kind in options.inputs:
                    bands = 1 if kind.startswith("dem") else 4
                    model = folder / f"{net.replace(' ', '')}-{bands}.onnx"
                    if not model.exists():
                        write_net(model, net, bands, finest=options.finest)
                    raster = rasters[kind]
                    runs = {"raster": ours(model, raster, folder / "out.tif", options.threads)}
                    if options.polygons:
                        more = ("--polygons", str(folder / "out.gpkg"))
                        runs["polygons"] = ours(
                            model, raster, folder / "out.tif", options.threads, *more
                        )
                    walls, cpus = [], []
                    for _ in range(options.repeat):
                        wall, cpu = bare(model, raster, options.threads)
                        walls.append(wall)
                        cpus.append(cpu)
                        for run in runs.values():
                            run.run()
                    wall, cpu = statistics.median(walls), statistics.median(cpus)
                    for place, (what, run) in enumerate(runs.items()):
                        mine = statistics.median(run.cpu)
                        took = statistics.median(run.wall)
                        bar = bars[net][place] if net in bars else None
                        note = "" if bar is None else (
                            f"{bar}: {'reached' if cpu / mine >= bar else 'missed'}"
                        )  # fmt: skip
                        if what == "polygons":
                            (layer,) = describe_layers(folder / "out.gpkg")
                            note += f", {layer.features:,} polygons"
                        print(f"{kind + ' ' + str(size):22s}{net:8s}{what:10s}{cpu:9.2f}{mine:9.2f}"
                              f"{cpu / mine:7.2f}{took:7.1f}{wall / took:7.2f}"
                              f"{max(run.memory):9.0f}  {note}", flush=True)  # fmt: skip
            for path in rasters.values():
                path.unlink()


if __name__ == "__main__":
    main()
