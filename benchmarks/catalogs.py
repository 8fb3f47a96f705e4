"""Earthquake catalogs: this package against ObsPy and others, in one run, at growing sizes.

    python benchmarks/catalogs.py [--jobs quakeml,csv] [--sizes 10000,100000,1000000]
                                  [--reference-limit 10000] [--repeat 2]

Times are seconds of one core (process time), memory is what the peak rises above that of the
process with everything imported and a small file read; every figure is the best of some fresh
processes. The reference reads files up to the limit alone: it takes minutes beyond.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "data" / "catalogs"
SWISS = SHARED / "switzerland_sed_quakeml.xml"


@dataclass(frozen=True)
class Job:
    """One thing that is timed: what is read, by whom, at which sizes."""

    make: Callable[[Path, int], None]
    """Writes a file of so many events."""
    suffix: str
    ours: str
    """Name of the function below that this package's process runs."""
    theirs: str = ""
    """The same of the reference; none where it cannot read the format."""


def make_quakeml(path: Path, count: int) -> None:
    """The events of a real file again and again, with ids of their own."""
    text = SWISS.read_text(encoding="utf-8")
    start, end = text.index("<event "), text.rindex("</event>") + len("</event>")
    events = re.findall(r"<event .*?</event>", text[start:end], re.DOTALL)
    ids = re.compile(r'(publicID="|<preferred\w+ID>|<originID>)([^"<]+)')
    with path.open("w", encoding="utf-8") as file:
        file.write(text[:start])
        for number in range(count):
            turn, place = divmod(number, len(events))
            file.write(ids.sub(rf"\g<1>\g<2>/{turn}", events[place]))
        file.write(text[end:])


def make_usgs(path: Path, count: int) -> None:
    _repeat_rows(path, count, SHARED / "global_usgs_m5_2009_2019.csv", id_column=11)


def make_table(path: Path, count: int) -> None:
    """Columns that ObsPy's CSV reader takes too."""
    import numpy as np

    rng = np.random.default_rng(1)
    times = np.datetime64("2000-01-01", "us") + np.sort(rng.integers(0, 6 * 10**14, count))
    places = rng.uniform((-180, -90, 0, 2), (180, 90, 100, 6), (count, 4)).round(4)
    with path.open("w", encoding="utf-8") as file:
        file.write("time,lon,lat,dep,mag,magtype,id\n")
        for number, (time, row) in enumerate(zip(times, places.tolist(), strict=True)):
            file.write(f"{time}Z,{row[0]},{row[1]},{row[2]},{row[3]},ml,id{number}\n")


def make_geojson(path: Path, count: int) -> None:
    features = json.loads((SHARED / "usgs_week_feed.geojson").read_bytes())["features"]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for number in range(count):
            turn, place = divmod(number, len(features))
            feature = features[place] | {"id": f"{features[place]['id']}-{turn}"}
            file.write((",\n" if number else "") + json.dumps(feature, separators=(",", ":")))
        file.write("]}")


def make_ndk(path: Path, count: int) -> None:
    import importlib.util

    origin = Path(importlib.util.find_spec("obspy").origin).parent
    lines = (origin / "io/ndk/tests/data/multiple_events.ndk").read_text().splitlines()[:30]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            block = lines[number % 6 * 5 : number % 6 * 5 + 5]
            block[1] = f"C{number:<14d} {block[1][16:]}"
            file.write("\n".join(block) + "\n")


def _repeat_rows(path: Path, count: int, source: Path, id_column: int) -> None:
    import csv

    with source.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for number in range(count):
            turn, place = divmod(number, len(rows))
            row = list(rows[place])
            row[id_column] += f"-{turn}"
            writer.writerow(row)


def read_ours(path: str) -> int:
    from geotools.io.catalogs import read_catalog

    events, report = read_catalog(path, all_types=True)
    return len(events) + report.skipped_count


def read_obspy(path: str, format: str = "QUAKEML", **options: object) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from obspy import read_events

        return len(read_events(path, format=format, **options))


def read_obspy_csv(path: str) -> int:
    return read_obspy(path, "CSV")


def read_obspy_ndk(path: str) -> int:
    return read_obspy(path, "NDK")


JOBS = {
    "quakeml": Job(make_quakeml, ".xml", "read_ours", "read_obspy"),
    "table": Job(make_table, ".csv", "read_ours", "read_obspy_csv"),
    "ndk": Job(make_ndk, ".ndk", "read_ours", "read_obspy_ndk"),
    "usgs-csv": Job(make_usgs, ".csv", "read_ours"),
    "geojson": Job(make_geojson, ".geojson", "read_ours"),
}


def measure(function: str, path: Path, small: Path, repeat: int) -> tuple[float, float, int]:
    """Least seconds and MiB, and the events, of one function in fresh processes."""
    order = (
        "import resource, sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"from catalogs import {function} as read\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        f"read({str(small)!r})\n"
        "before, start = peak(), time.process_time()\n"
        f"count = read({str(path)!r})\n"
        "print(time.process_time() - start, peak() - before, count)"
    )
    found = []
    for _ in range(repeat):
        done = subprocess.run(
            [sys.executable, "-c", order], capture_output=True, text=True, check=True
        )
        found.append([float(value) for value in done.stdout.split()[-3:]])
    seconds, mebibytes, counts = zip(*found, strict=True)
    return min(seconds), min(mebibytes), int(counts[0])


def run(name: str, job: Job, sizes: list[int], limit: int, repeat: int, folder: Path) -> None:
    small, path = folder / f"small{job.suffix}", folder / f"{name}{job.suffix}"
    job.make(small, 10)
    for size in sizes:
        job.make(path, size)
        seconds, mebibytes, count = measure(job.ours, path, small, repeat)
        assert count == size, (name, count, size)
        said = f"{seconds:7.2f} s {mebibytes:6.0f} MiB"
        if job.theirs and size <= limit:
            slow, large, count = measure(job.theirs, path, small, repeat)
            assert count == size, (name, count, size)
            said += (
                f"; ObsPy {slow:7.2f} s {large:6.0f} MiB: {slow / seconds:.0f} times the time, "
                f"{large / max(mebibytes, 0.1):.0f} times the memory"
            )
        megabytes = path.stat().st_size / 1e6
        print(f"{name:8} {size:>9,} events, {megabytes:6.1f} MB: {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--reference-limit", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=2)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    for name in given.jobs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            run(name, JOBS[name], sizes, given.reference_limit, given.repeat, Path(folder))


if __name__ == "__main__":
    main()
