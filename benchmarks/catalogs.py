"""Earthquake catalogs: reading against ObsPy, features and forecasts, at growing sizes.

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
from datetime import UTC, datetime
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "data" / "catalogs"
CALIFORNIA = SHARED / "california_comcat_m32_1971_2020.csv"
ISSUE = datetime(2020, 1, 14, tzinfo=UTC)
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


def make_california(path: Path, count: int) -> None:
    """Events of California drawn again and again, each a little elsewhere and at another time."""
    import numpy as np
    import pandas as pd

    table = pd.read_csv(CALIFORNIA, usecols=["time", "longitude", "latitude", "magnitude"])
    random = np.random.default_rng(0)
    drawn = table.iloc[np.sort(random.integers(0, len(table), count))].reset_index(drop=True)
    moved = random.normal(0, 0.05, (2, count))
    drawn["longitude"] = (drawn["longitude"] + moved[0]).round(4)
    drawn["latitude"] = (drawn["latitude"] + moved[1]).round(4)
    times = pd.to_datetime(drawn["time"], format="ISO8601", utc=True)
    drawn["time"] = times + pd.to_timedelta(random.uniform(0, 86_400e6, count).round(), unit="us")
    drawn["time"] = drawn["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    drawn.insert(0, "id", [f"c{number}" for number in range(count)])
    drawn.to_csv(path, index=False)


def forecast_ours(path: str) -> int:
    """From a file to the GeoTIFF and the GeoPackage, thirty days."""
    from geotools.maps.forecast import map_forecast

    output = Path(path).with_suffix(".tif")
    made = map_forecast(
        path, output, cells=output.with_suffix(".gpkg"), model="seismicity-california-v1",
        start=ISSUE, horizon_days=30, overwrite=True,
    )  # fmt: skip
    return len(made.events)


def features_ours(path: str) -> int:
    """The features of 7,682 cells at one issue time, from a table that has been read."""
    import numpy as np

    from geotools.inference.choosing import forecaster_of
    from geotools.inference.model import shipped_model
    from geotools.seismicity.features import cell_features

    events = np.load(path)
    backbone = forecaster_of(shipped_model("seismicity-california-v1")).backbone
    issue = (ISSUE - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400
    cell_features(backbone, *events, issue_days=issue, horizon_days=30.0)
    return events.shape[1]


def make_arrays(path: Path, count: int) -> None:
    """The same events as (4, count) numbers: days, longitude, latitude, magnitude."""
    import numpy as np

    from geotools.events import days
    from geotools.io.catalogs import read_events

    table = path.with_suffix(".csv")
    make_california(table, count)
    events = read_events(table)
    columns = [events[name].to_numpy() for name in ("longitude", "latitude", "magnitude")]
    np.save(path, np.stack([days(events["time"]), *columns]))


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
    "features": Job(make_arrays, ".npy", "features_ours"),
    "forecast": Job(make_california, ".csv", "forecast_ours"),
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
