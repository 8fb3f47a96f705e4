"""geotools forecast by command line: a right result or one sentence, whatever the catalog."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import make_terrain, write_tif

from geotools import cli
from geotools.io.geotiff import open_raster
from geotools.io.layers import read_layer

HEADER = "time,longitude,latitude,depth,magnitude,mag_type,id,type\n"
DAY = np.timedelta64(1, "D")


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def rows(count=60, *, begin="2015-01-01", x=20.0, y=38.0, lowest=5.0, seed=0, kinds=("Mw",)):
    """Lines of a catalog about a place."""
    random = np.random.default_rng(seed)
    times = np.datetime64(begin, "s") + np.sort(random.integers(0, 500 * 86_400, count))
    made = []
    for number, time in enumerate(times):
        place = f"{random.normal(x, 0.5):.3f},{random.normal(y, 0.5):.3f}"
        size = f"{lowest + random.exponential(0.4):.1f}"
        kind = kinds[number % len(kinds)]
        made.append(f"{time}Z,{place},10,{size},{kind},e{number},earthquake\n")
    return made


def write(path: Path, lines) -> Path:
    path.write_text(HEADER + "".join(lines))
    return path


CATALOGS = {
    "unsorted": rows()[::-1],
    "duplicates": [*rows(), *rows()],
    "mixed-types": rows(kinds=("Mw", "mb", "ML", "")),
    "before-1900": rows(begin="1895-01-01"),
    "to-360": rows(x=200.0),
    "across-180": rows(x=179.9),
    "one-event": rows(1),
}


@pytest.mark.parametrize("name", CATALOGS)
def test_odd_catalogs_are_forecast_from(name, tmp_path, capsys):
    """Every one gives both files; the number is that of the global model and never absurd."""
    catalog = write(tmp_path / "events.csv", CATALOGS[name])
    code, out, err = run(
        capsys, "forecast", catalog, "-o", tmp_path / "f.tif", "--cells", tmp_path / "f.gpkg",
        "--progress", "none",
    )  # fmt: skip
    assert code == 0, err
    assert "seismicity-global-v1" in out
    summary = read_layer(tmp_path / "f.gpkg", "summary")
    assert 5 < summary["expected"][0] < 200
    assert summary["events_used"][0] == len(set(CATALOGS[name]))
    assert "Traceback" not in err


@pytest.mark.parametrize("first", ["unsorted", "duplicates"])
def test_order_and_repetition_change_nothing(first, tmp_path, capsys):
    expected = []
    for name, lines in (("as-is", rows()), (first, CATALOGS[first])):
        catalog = write(tmp_path / f"{name}.csv", lines)
        run(capsys, "forecast", catalog, "-o", tmp_path / f"{name}.tif", "--progress", "none")
        with open_raster(tmp_path / f"{name}.tif") as file:
            expected.append(file.read(file.grid.window).data)
    assert np.array_equal(*expected)


REFUSED = {
    "empty": ([], (), "holds no"),
    "no-magnitudes": (["2020-01-01T00:00:00Z,1,2,3,,,a,earthquake\n"], (), "magnitude"),
    "all-small": (rows(3, lowest=1.0), (), "needs 5"),
    "start-too-early": (rows(), ("--start", "1990-01-01"), "before the start"),
    "no-such-model": (rows(), ("--model", "nothing.onnx"), "does not exist"),
    "other-model": (rows(), ("--model", "landforms-v1"), "issues no forecasts"),
    "horizon": (rows(), ("--horizon", "400"), "7 to 30 days"),
    "no-horizon": (rows(), ("--horizon", "0"), "more than 0"),
    "same-output": (rows(), ("--cells", "f.tif"), "two outputs"),
    "cells-tif": (rows(), ("--cells", "g.tif"), ".gpkg"),
    "picture": (rows(), ("--picture", "p.pdf"), ".png"),
    "far": (rows(), ("--start", "9999-12-30"), "9999"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_one_sentence(name, tmp_path, capsys, monkeypatch):
    """Exit 1, one line, nothing written."""
    lines, options, message = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    catalog = write(tmp_path / "events.csv", lines)
    code, _, err = run(capsys, "forecast", catalog, "-o", "f.tif", "--progress", "none", *options)
    assert code == 1
    assert message in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]


def test_a_raster_is_no_catalog(tmp_path, capsys):
    raster = write_tif(tmp_path / "dem.tif", make_terrain(9, 9))
    code, _, err = run(capsys, "forecast", raster, "-o", tmp_path / "f.tif")
    assert code == 1
    assert "not an earthquake catalog" in err


def test_events_of_the_future_do_not_set_the_start(tmp_path, capsys):
    """The default issue time follows the last event that has happened."""
    lines = [*rows(), "2199-01-01T00:00:00Z,20,38,10,5.5,Mw,future,earthquake\n"]
    code, out, err = run(
        capsys, "forecast", write(tmp_path / "events.csv", lines), "-o", tmp_path / "f.tif",
        "--progress", "none",
    )  # fmt: skip
    assert code == 0
    assert "2199" not in out
    assert "future" in err


def test_json_tells_the_numbers(tmp_path):
    """--progress json: the result holds window, numbers, interval, baseline and notes."""
    catalog = write(tmp_path / "events.csv", rows())
    done = subprocess.run(
        [
            sys.executable, "-m", "geotools", "forecast", str(catalog), "-o", "f.tif",
            "--start", "2016-08-01", "--horizon", "14", "--progress", "json",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines()]
    result = said[-1]
    assert result["event"] == "result"
    assert result["start"] == "2016-08-01T00:00:00+00:00"
    assert result["end"] == "2016-08-15T00:00:00+00:00"
    low, high = result["interval_95"]
    assert low <= result["expected"][0] <= high
    assert result["model"]["name"] == "seismicity-global-v1"
