"""Terrain against gdaldem, GRASS and WhiteboxTools: same DEM, same run, file to file.

    python benchmarks/terrain.py --data S33W071.tif

Every program runs as a whole process that reads one GeoTIFF (GRASS: a map in its own format, which
took it an import that is not counted) and writes its result to a new file: to take the place of an
old one costs the file system a tenth of a second. They take turns, `--repeat` times; the table
shows the median wall time, CPU time, and the largest memory, and beside the bars the ratio of the
medians of the wall times. Programs that are not installed are left out. We alone wait until the
disk has the result: `TMPDIR=/dev/shm` (a file system in memory) shows what the programs themselves
take.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT

sys.path.insert(0, str(Path(__file__).parent))
from programs import Program

GDALDEM_EIGHT = (
    ("slope",), ("aspect",), ("hillshade",), ("TPI",), ("TRI",), ("TRI", "-alg", "Wilson"),
    ("roughness",), ("slope", "-alg", "ZevenbergenThorne"),
)  # fmt: skip
OUR_EIGHT = (
    "slope", "aspect", "hillshade", "tpi", "tri", "tri_wilson", "roughness", "profile_curvature",
)  # fmt: skip

WHITEBOX = """
import sys, whitebox_workflows as w
e = w.WbEnvironment(); e.verbose = False
d = e.read_raster(sys.argv[1])
r = {call}
e.write_raster(r, sys.argv[2])
"""


def real_dem(data: Path | None) -> np.ndarray:
    """Real elevation, (rows, cols) float32 metres, no voids, 90 m cells."""
    if data is None or not data.exists():
        from matplotlib import cbook

        with cbook.get_sample_data("jacksboro_fault_dem.npz") as sample:
            return np.asarray(sample["elevation"], dtype=np.float32)
    with (
        rasterio.open(data) as file,
        WarpedVRT(
            file, crs="EPSG:32719", resampling=rasterio.enums.Resampling.bilinear,
            dtype="float32", nodata=-9999,
        ) as warped,
    ):  # fmt: skip
        z = warped.read(1)
    rows, cols = z.shape
    half = min(rows, cols) // 2
    while (
        crop := z[rows // 2 - half : rows // 2 + half, cols // 2 - half : cols // 2 + half]
    ).min() < -1000:
        half -= 4
    return crop


def write_mirrored(z: np.ndarray, size: int, path: Path) -> None:
    """The DEM mirrored to size x size cells of 90 m, uncompressed, tiled."""
    rows, cols = z.shape
    big = np.pad(z, ((0, max(0, size - rows)), (0, max(0, size - cols))), mode="symmetric")
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, dtype="float32",
        crs="EPSG:32719", transform=from_origin(300_000, 6_500_000, 90, 90),
        tiled=True, blockxsize=256, blockysize=256,
    ) as file:  # fmt: skip
        file.write(big[:size, :size], 1)


class Bench:
    """The programs that are there, and the files they work on."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.threads = threads
        self.gdaldem = shutil.which("gdaldem")
        self.grass = shutil.which("grass")
        self.whitebox = importlib.util.find_spec("whitebox_workflows") is not None

    def out(self, name: str) -> str:
        """A path for a result."""
        return str(self.folder / name)

    def geotools(self, dem: Path, command: str, *options: str) -> Program:
        """`geotools COMMAND DEM -o OUT.tif OPTIONS`."""
        output = self.out("ours.tif")
        line = [sys.executable, "-m", "geotools", command, str(dem), "-o", output]
        line += ["--overwrite", "--threads", str(self.threads), *options]
        return Program("geotools", [line], outputs=[output])

    def gdal(self, dem: Path, *modes: tuple[str, ...]) -> list[Program]:
        """The gdaldem program, once for every mode."""
        if self.gdaldem is None:
            return []
        outputs = [self.out(f"gdal{i}.tif") for i in range(len(modes))]
        lines = [
            [self.gdaldem, mode, str(dem), output, "-q", *options]
            for output, (mode, *options) in zip(outputs, modes, strict=True)
        ]
        name = f"gdaldem x {len(modes)}" if len(modes) > 1 else "gdaldem"
        return [Program(name, lines, outputs=outputs)]

    def grass_module(self, dem: Path, module: str, result: str, **options: object) -> list[Program]:
        """A module of GRASS on the imported DEM, without the start of a GRASS session."""
        if self.grass is None:
            return []
        base = subprocess.run(
            [self.grass, "--config", "path"], capture_output=True, text=True, check=True
        ).stdout.strip()
        data = self.folder / "grassdata"
        location = data / dem.stem
        settings = self.folder / "gisrc"
        environment = {
            "GISBASE": base,
            "GISRC": str(settings),
            "LD_LIBRARY_PATH": f"{base}/lib",
            "PATH": f"{base}/bin:{base}/scripts:{os.environ['PATH']}",
        }
        if not location.exists():
            data.mkdir(exist_ok=True)
            quiet = {"capture_output": True, "check": True}
            subprocess.run([self.grass, "-c", str(dem), "-e", str(location)], **quiet)
            settings.write_text(
                f"GISDBASE: {data}\nLOCATION_NAME: {dem.stem}\nMAPSET: PERMANENT\nGUI: text\n"
            )
            into = {"env": {**os.environ, **environment}, **quiet}
            subprocess.run(["r.in.gdal", f"input={dem}", "output=dem", "--overwrite"], **into)
            subprocess.run(["g.region", "raster=dem"], **into)
        line = [f"{base}/bin/{module}", "elevation=dem", result, "--overwrite", "--quiet"]
        line += [f"{key}={value}" for key, value in options.items()]
        settings.write_text(
            f"GISDBASE: {data}\nLOCATION_NAME: {dem.stem}\nMAPSET: PERMANENT\nGUI: text\n"
        )
        return [Program("GRASS", [line], environment)]

    def white(self, dem: Path, call: str) -> list[Program]:
        """A tool of whitebox-workflows in a process of its own."""
        if not self.whitebox:
            return []
        output = self.out("whitebox.tif")
        line = [sys.executable, "-c", WHITEBOX.format(call=call), str(dem), output]
        return [Program("whitebox-workflows", [line], outputs=[output])]


@dataclass
class Job:
    """What is compared, and how many times faster than whom ours should be."""

    title: str
    size: int
    programs: Callable[[Bench, Path], list[Program]]
    bars: dict[str, float]
    memory_bar: float | None = None


def forms(search: int) -> Callable[[Bench, Path], list[Program]]:
    """Geomorphons with this search radius, by all who have them."""
    return lambda b, dem: [
        b.geotools(dem, "landforms", "--method", "geomorphons", "--search", str(search)),
        *b.grass_module(dem, "r.geomorphon", "forms=forms", search=search),
        *b.white(
            dem,
            f"e.geomorphons(d, search_distance={search}, flatness_threshold=1.0, "
            "flatness_distance=0, skip_distance=0, output_forms=True)",
        ),
    ]


def slope(b: Bench, dem: Path) -> list[Program]:
    """Slope by all who have it."""
    return [
        b.geotools(dem, "terrain", "--attribute", "slope", "--compress", "none"),
        *b.gdal(dem, ("slope",)),
        *b.grass_module(dem, "r.slope.aspect", "slope=slope"),
        *b.white(dem, "e.slope(d, units='degrees')"),
    ]


def eight(b: Bench, dem: Path) -> list[Program]:
    """Eight attributes in one pass, and eight runs of gdaldem."""
    options = [word for name in OUR_EIGHT for word in ("--attribute", name)]
    return [
        b.geotools(dem, "terrain", *options, "--compress", "none"),
        *b.gdal(dem, *GDALDEM_EIGHT),
    ]


JOBS = {
    "slope-4096": Job("slope, 4096²", 4096, slope, {"gdaldem": 1}, 300),
    "slope-8192": Job("slope, 8192²", 8192, slope, {"gdaldem": 2}, 300),
    "eight-8192": Job("eight attributes, 8192²", 8192, eight, {"gdaldem x 8": 5}),
    "forms10-4096": Job(
        "geomorphons, search 10, 4096²", 4096, forms(10), {"GRASS": 30, "whitebox-workflows": 5}
    ),
    "forms50-4096": Job(
        "geomorphons, search 50, 4096²", 4096, forms(50), {"GRASS": 25, "whitebox-workflows": 8}
    ),
    "forms10-8192": Job(
        "geomorphons, search 10, 8192²", 8192, forms(10), {"GRASS": 30, "whitebox-workflows": 5}
    ),
}


def report(job: Job, programs: list[Program], repeat: int, alone: set[str]) -> None:
    """Run the programs in turn and print the table and the bars."""
    for turn in range(repeat):
        for program in programs:
            if turn == 0 or program.name not in alone:
                program.run()
    print(f"\n{job.title}")
    print(f"{'program':24s}{'wall s':>9s}{'CPU s':>9s}{'peak MB':>9s}{'wall / ours':>13s}")
    ours = statistics.median(programs[0].wall)
    for p in programs:
        wall, cpu = statistics.median(p.wall), statistics.median(p.cpu)
        ratio = f"{wall / ours:.1f}"
        bar = job.bars.get(p.name)
        note = f"   bar {bar:g}: {'reached' if wall / ours >= bar else 'missed'}" if bar else ""
        print(f"{p.name:24s}{wall:9.2f}{cpu:9.2f}{max(p.memory):9.0f}{ratio:>13s}{note}")
    if job.memory_bar:
        peak = max(programs[0].memory)
        print(f"memory {peak:.0f} MB, bar {job.memory_bar:g}: "
              f"{'reached' if peak <= job.memory_bar else 'missed'}")  # fmt: skip


def agreement(folder: Path, name: str, job: Job, programs: list[Program]) -> None:
    """Print how far our last result is from that of gdaldem or r.geomorphon."""
    ours = folder / "ours.tif"
    others = {program.name: program for program in programs}
    if name.startswith("slope") and "gdaldem" in others:
        with rasterio.open(ours) as a, rasterio.open(folder / "gdal0.tif") as b:
            inner = np.s_[1:-1, 1:-1]
            gap = np.abs(a.read(1)[inner].astype(np.float64) - b.read(1)[inner])
        print(f"largest difference to gdaldem: {gap.max():.6f} degrees")
    if name.startswith("forms") and "GRASS" in others:
        theirs = folder / "grass.tif"
        export = ["r.out.gdal", "-cf", "input=forms", f"output={theirs}", "type=Byte", "nodata=255"]
        environment = {**os.environ, **others["GRASS"].environment}
        subprocess.run([*export, "--overwrite", "--quiet"], env=environment, check=True)
        edge = int(name.removeprefix("forms").split("-")[0]) + 1
        with rasterio.open(ours) as a, rasterio.open(theirs) as b:
            inner = np.s_[edge:-edge, edge:-edge]
            same = a.read(1)[inner] == b.read(1)[inner]
        print(
            f"inner cells with the form of r.geomorphon: {100 * same.mean():.5f} % of {same.size}"
        )


def main() -> None:
    """Make the DEMs, run the jobs asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a DEM to mirror; else matplotlib's sample")
    parser.add_argument("--work", type=Path, help="folder for files; else a temporary one")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--once", nargs="*", default=["GRASS", "whitebox-workflows"],
        help="programs that run once only, being slow",
    )  # fmt: skip
    parser.add_argument("--only", nargs="*", help="leave out all but these programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.work or Path(temporary)
        folder.mkdir(exist_ok=True)
        z = real_dem(arguments.data)
        print(
            f"DEM of {z.shape[0]} x {z.shape[1]} cells, {z.min():.0f} to {z.max():.0f} m, mirrored"
        )
        bench = Bench(folder, arguments.threads)
        small = folder / "dem256.tif"
        write_mirrored(z, 256, small)
        for make in (forms(10), slope, eight):  # compiled code and file caches are warm from here
            make(bench, small)[0].run()
        for name in arguments.jobs:
            job = JOBS[name]
            dem = folder / f"dem{job.size}.tif"
            if not dem.exists():
                write_mirrored(z, job.size, dem)
            programs = job.programs(bench, dem)
            if arguments.only:
                programs = [p for p in programs if p.name in ("geotools", *arguments.only)]
            report(job, programs, arguments.repeat, set(arguments.once))
            agreement(folder, name, job, programs)


if __name__ == "__main__":
    main()
