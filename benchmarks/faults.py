"""Faults: the reliability bars in full, each figure beside its bar.

    python benchmarks/faults.py [--only R1,R9] [--repeat 3] [--side 4096]

A small file system is mounted for R1 and R2, which needs root; without it they are skipped, and
said to be. Exit 1 when a bar is missed. The procedures are those of tests/faults, which runs a
slice of them.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

import rasterio  # noqa: E402
from conftest import make_grid, write_tif  # noqa: E402
from faults import damaged, full_disk, hazards, jobs, memory  # noqa: E402
from writing import make  # noqa: E402

from geotools.inference.model import shipped_models  # noqa: E402
from geotools.io.records import Recorder  # noqa: E402
from geotools.io.writer import GeotiffWriter  # noqa: E402
from geotools.maps import map_terrain  # noqa: E402
from geotools.maps.predict import map_predictions  # noqa: E402

_TWO_PERCENT = 764
"""Blocks of 512 x 512 cells, of 100,000 x 100,000."""


class Outcome(NamedTuple):
    """What was measured."""

    figure: str
    met: bool | None  # None: it could not be measured
    notes: tuple[str, ...] = ()


class Bar(NamedTuple):
    """One bar."""

    title: str
    bar: str
    measure: Callable[[Path, argparse.Namespace], Outcome]


def counted(outcomes: list[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(outcomes).items()))


def full_disk_rasters(folder: Path, options: argparse.Namespace) -> Outcome:
    """R1: 126 writes by create_geotiff, 18 whole predictions."""
    try:
        with full_disk.small_disk(folder / "disk") as disk:
            written = [full_disk.write_raster(disk, case) for case in full_disk.RASTER_CASES]
            predicted = [
                full_disk.predict(disk, folder, step, probabilities=both)
                for both in (False, True)
                for step in (0, 1, 2, 3, 4, 5, 6, 7, 9)
            ]
    except full_disk.NoMountError as error:
        return Outcome(f"SKIPPED: {error}", None)
    told = written.count("told")
    silent = sum(one not in ("told", "right") for one in written + predicted)
    notes = (f"create_geotiff: {counted(written)}", f"predict: {counted(predicted)}")
    return Outcome(f"{silent} silent of {told + silent}", silent == 0 and told > 0, notes)


def full_disk_layers(folder: Path, options: argparse.Namespace) -> Outcome:
    """R2: GeoPackages that are new, replaced, or get a layer more."""
    try:
        with full_disk.small_disk(folder / "disk") as disk:
            found = [full_disk.write_geopackage(disk, *case) for case in full_disk.LAYER_CASES]
    except full_disk.NoMountError as error:
        return Outcome(f"SKIPPED: {error}", None)
    bad = sum(one not in ("told", "right") for one in found)
    return Outcome(f"{bad} bad of {len(found)}", bad == 0 and "told" in found, (counted(found),))


def damage(folder: Path, options: argparse.Namespace) -> Outcome:
    """R9: inputs that were cut, outputs that were damaged."""
    cut = [damaged.cut_input(folder, *case) for case in damaged.CUTS]
    states = [damaged.damage_output(folder, *case) for case in damaged.DAMAGES]
    named, whole = cut.count("named"), states.count("whole")
    found = len(states) - whole
    return Outcome(
        f"{named}/{len(cut)} named, {found}/{len(states)} found",
        named == 21 and found == 14,
        (f"damage of outputs: {counted(states)} (read: no error but the record's)",),
    )


def numbers(folder: Path, options: argparse.Namespace) -> Outcome:
    """R14: rasters whose numbers often go wrong."""
    found = {}
    for name, (procedure, expected) in hazards.HAZARDS.items():
        place = folder / str(len(found))
        place.mkdir()
        found[name] = (procedure(place), expected)
    wrong = [f"{name}: {got}" for name, (got, expected) in found.items() if got != expected]
    figure = f"{len(found) - len(wrong)}/{len(found)} right or refused"
    return Outcome(figure, not wrong and len(found) == 24, tuple(wrong))


def kills(folder: Path, options: argparse.Namespace) -> Outcome:
    """R3: the command line under SIGKILL, by threads and by processes."""
    jobs.make_job(folder)
    whole = jobs.undisturbed(folder)
    found = []
    for seed in range(options.kills):
        executor = "processes" if seed % 5 == 4 else "threads"
        found.append(jobs.kill_once(folder, seed, whole, "--executor", executor))
    good = sum(one in ("absent", "old", "complete") for one in found)
    return Outcome(f"{good}/{len(found)}", good == len(found) >= 100, (counted(found),))


def resumed(folder: Path, options: argparse.Namespace) -> Outcome:
    """R4: jobs that are killed one to three times."""
    jobs.make_job(folder)
    whole = jobs.undisturbed(folder)
    found = [
        jobs.kill_and_resume(folder, seed, whole, "--executor", ("threads", "processes")[seed % 2])
        for seed in range(20)
    ]
    return Outcome(
        f"{found.count('equal')}/20 byte-equal", found.count("equal") == 20, (counted(found),)
    )


def orphaned(folder: Path, options: argparse.Namespace) -> Outcome:
    """R5: workers 2 s after the SIGKILL of their coordinator."""
    jobs.make_job(folder)
    found = [jobs.orphans(folder, 3 + 4 * number) for number in range(10)]
    workers, alive = (sum(column) for column in zip(*found, strict=True))
    return Outcome(f"{alive} of {workers} alive", alive == 0 and workers > 10)


def worker_loss(folder: Path, options: argparse.Namespace) -> Outcome:
    """R6: one worker of two, or both, lost at 10, 25 and 40 units."""
    jobs.make_job(folder)
    whole = jobs.undisturbed(folder)
    by_threads = statistics.median(jobs.seconds(folder, "threads")[0] for _ in range(3))
    outcomes, notes, most = [], [], 0.0
    for kind in ("processes", "dask"):
        timed = [jobs.seconds(folder, kind) for _ in range(3)]
        first, plain = (statistics.median(column) for column in zip(*timed, strict=True))
        restart = max(0.0, first - by_threads)  # what a worker takes before its first unit
        for losses in ("one", "both"):
            found, took = [], []
            for _ in range(6):
                begin = time.monotonic()
                found.append(jobs.lose_workers(folder, whole, kind, losses))
                took.append(time.monotonic() - begin)
            over = (statistics.median(took) - 3 * restart) / plain - 1
            outcomes, most = outcomes + found, max(most, over)
            notes.append(
                f"{kind}, {losses}: {counted(found)}; {statistics.median(took):.1f} s for "
                f"{plain:.1f} s and three restarts of {restart:.1f} s: {over:+.0%}"
            )
    hangs = sum("HANGS" in one for one in outcomes)
    equal = outcomes.count("equal")
    return Outcome(
        f"{hangs} hangs, {equal}/{len(outcomes)} equal, {most:+.0%} at most",
        hangs == 0 and equal == 24 and most <= 0.15,
        tuple(notes),
    )


def poisoned(folder: Path, options: argparse.Namespace) -> Outcome:
    """R7: a unit that kills its process, and one that never ends."""
    jobs.make_job(folder)
    named, notes = 0, []
    for kind in ("kills", "hangs"):
        job = folder / kind
        code, lines, _ = jobs.poison(
            folder, kind, "--unit-limit", "5", "--job", str(job), "--overwrite"
        )
        said = " ".join(line["message"] for line in lines if line["event"] == "error")
        others = len(list(job.glob("*.tif"))) == jobs.UNITS - jobs.EMPTY - 1
        times = "3 times" in said
        named += (
            code == 3 and "1 of 64 units failed (columns 512 to 768" in said and others and times
        )
        notes.append(f"{kind}: exit {code}: {said}")
    return Outcome(f"{named}/2 named, others done", named == 2, tuple(notes))


def large(folder: Path, options: argparse.Namespace) -> Outcome:
    """R10: 100,000 x 100,000 cells, few of float32, 2 % of uint8; full rasters of three sizes."""
    model = memory.make_model(folder)
    bare = memory.opened(model).peak
    sparse = memory.predict(folder, model, memory.make_raster(folder, 100_000, blocks=6))
    beyond = (sparse.peak - bare) / 2**20
    bytes_ = memory.make_raster(folder, 100_000, blocks=_TWO_PERCENT, dtype="uint8")
    filled = memory.predict(folder, model, bytes_, "--tile", "512")
    more = (filled.peak - bare) / 2**20
    peaks = {}
    for side in (4096, 8192, 16384):
        raster = memory.make_raster(folder, side)
        peaks[side] = memory.predict(folder, model, raster, "--tile", "512").peak / 2**20
        raster.unlink()
    spread = max(peaks.values()) / min(peaks.values()) - 1
    sides = ", ".join(f"{side}: {peak:.0f} MB" for side, peak in peaks.items())
    met = sparse.code == filled.code == 0 and max(beyond, more) <= 512
    met = met and sparse.wall <= 60 and spread <= 0.10
    return Outcome(
        f"{beyond:.0f} MB beyond, {sparse.wall:.0f} s, {spread:.1%} apart", met,
        (f"sparse: {sparse.cpu:.0f} s of CPU, interpreter and model {bare / 2**20:.0f} MB",
         f"2 % of uint8: {more:.0f} MB beyond, {filled.wall:.0f} s",
         f"dense, whole processes: {sides}"),
    )  # fmt: skip


def limited(folder: Path, options: argparse.Namespace) -> Outcome:
    """R11: 30,000 x 30,000 x 12 bands, sparse, with --memory 1G, and with too little."""
    model = memory.make_model(folder, bands=12)
    raster = memory.make_raster(folder, 30_000, bands=12, blocks=40)
    kept = memory.predict(folder, model, raster, "--memory", "1G", "--probabilities")
    little = memory.predict(folder, model, raster, "--memory", "150M")
    met = kept.code == 0 and kept.peak <= 2**30 and little.code == 1
    return Outcome(
        f"exit {kept.code}, {kept.peak / 2**20:.0f} MB, {kept.wall:.0f} s", met,
        (f"--memory 150M: exit {little.code}: {little.said.strip()}",),
    )  # fmt: skip


def executors(folder: Path, options: argparse.Namespace) -> Outcome:
    """R13: serial, threads, processes, Dask, four shards; units of 512, 1024 and 2048 cells."""
    jobs.make_job(folder, rows=4500, cols=2200)
    shas, cells = {}, set()
    for unit in (512, 1024, 2048):
        shas[unit] = set(jobs.shas_of_executors(folder, unit).values())
        with rasterio.open(folder / "out.tif") as dataset:
            cells.add(dataset.read().tobytes())
    agree = all(len(some) == 1 for some in shas.values()) and len(cells) == 1
    files = len(set.union(*shas.values()))
    return Outcome(
        f"{sum(len(some) == 1 for some in shas.values())}/3 sizes of units agree", agree,
        (f"different files over all: {files}",),
    )  # fmt: skip


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """Writing without reading back, and without records."""
    with (
        mock.patch.object(GeotiffWriter, "_holds_what_was_written", return_value=True),
        mock.patch.object(Recorder, "write"),
    ):
        yield


def cost(
    work: Callable[[], object],
    repeat: int,
    without: Callable[[], contextlib.AbstractContextManager[object]],
) -> tuple[tuple[float, float], ...]:
    """Median wall seconds as it is and without, then CPU seconds, of interleaved runs."""
    walls: dict[str, list[float]] = {"with": [], "without": []}
    cpus: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(repeat):
        for kind, context in (("without", without), ("with", contextlib.nullcontext)):
            wall, cpu = time.perf_counter(), time.process_time()
            with context():
                work()
            walls[kind].append(time.perf_counter() - wall)
            cpus[kind].append(time.process_time() - cpu)
    return tuple(
        (statistics.median(times["with"]), statistics.median(times["without"]))
        for times in (walls, cpus)
    )


def writing(folder: Path, options: argparse.Namespace) -> Outcome:
    """R15: a whole prediction with and without reading back and record; the record alone."""
    side = options.side
    dem = write_tif(
        folder / "dem.tif", make(side, "float32"), make_grid(side, side), tiled=True,
        blockxsize=512, blockysize=512, compress="zstd",
    )  # fmt: skip
    model = shipped_models()["landforms-v1"]

    def predict() -> None:
        map_predictions(model, dem, folder / "map.tif", overwrite=True)

    def terrain() -> None:
        map_terrain(dem, folder / "slope.tif", ["slope"], overwrite=True)

    def no_record() -> contextlib.AbstractContextManager[object]:
        return mock.patch.object(Recorder, "write")

    terrain()
    (with_wall, without_wall), (_, _) = cost(terrain, options.repeat, no_record)
    size = (folder / "slope.tif").stat().st_size
    note = (
        f"record alone, geotools terrain, slope of {side} x {side} ({size / 1e6:.0f} MB): "
        f"{with_wall:.2f} s, without {without_wall:.2f} s"
    )
    (wall, bare), (cpu, bare_cpu) = cost(predict, options.repeat, unchecked)
    return Outcome(
        f"{cpu / bare_cpu:.3f} x CPU, {wall / bare:.3f} x wall",
        cpu / bare_cpu <= 1.10,
        (f"predict, landforms-v1, {side} x {side}: {wall:.1f} s, without {bare:.1f} s", note),
    )


BARS = {
    "R1": Bar("silent bad rasters on a full disk", "0 silent", full_disk_rasters),
    "R2": Bar("bad GeoPackages on a full disk", "0 bad", full_disk_layers),
    "R3": Bar("output after a SIGKILL", "100/100 absent, old or complete", kills),
    "R4": Bar("killed and gone on with", "20/20 byte-equal", resumed),
    "R5": Bar("workers without their coordinator", "0 after 2 s, 10 runs", orphaned),
    "R6": Bar("loss of workers", "0 hangs, 24/24 equal, 15 % and restarts", worker_loss),
    "R7": Bar("poisonous units", "2/2 named, others done", poisoned),
    "R9": Bar("truncated inputs, damaged outputs", "21/21 named, 14/14 found", damage),
    "R10": Bar("memory of large rasters", "512 MB, 60 s, 10 %", large),
    "R11": Bar("a limit of memory", "exit 0 within 1G, or an error", limited),
    "R13": Bar("executors agree", "same bytes; same cells over sizes", executors),
    "R14": Bar("hazards of numbers", "24/24 right or refused", numbers),
    "R15": Bar("cost of verification, whole predict", "<= 1.10 x", writing),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(BARS), help="bars, such as R1,R9")
    parser.add_argument("--repeat", type=int, default=3, help="runs of what is timed")
    parser.add_argument("--side", type=int, default=4096, help="cells on a side of what is timed")
    parser.add_argument("--kills", type=int, default=100, help="of R3")
    options = parser.parse_args()
    names = [name.strip() for name in options.only.split(",")]
    if unknown := set(names) - set(BARS):
        parser.error(f"no bar {', '.join(sorted(unknown))}: there are {', '.join(BARS)}")
    missed = False
    print(f"{'':5}{'':38}{'measured':38}{'bar':28}")
    for name in names:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            outcome = BARS[name].measure(Path(folder), options)
        word = {True: "met", False: "MISSED", None: "not measured"}[outcome.met]
        missed |= outcome.met is False
        print(
            f"{name:5}{BARS[name].title:38}{outcome.figure:38}{BARS[name].bar:28}{word} "
            f"({time.monotonic() - begun:.0f} s)"
        )
        for note in outcome.notes:
            print(f"     {note}")
        sys.stdout.flush()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
