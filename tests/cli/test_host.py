"""geotools.cli for programs that start it: help as JSON, the end of standard input, schemas."""

import json
import subprocess
import sys

from conftest import make_terrain, write_tif


def geotools(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geotools", *map(str, arguments)],
        capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


def test_help_json_holds_every_command_and_option():
    """Commands, those of groups too, with arguments, flags, choices and defaults."""
    told = json.loads(geotools("--help-json").stdout)
    assert told["schema"] == 1
    commands = told["commands"]
    assert {"landforms", "evaluate map", "evaluate forecast", "batch"} <= set(commands)
    assert "evaluate" not in commands
    options = {one["name"]: one for one in commands["landforms"]["options"]}
    assert options["method"]["choices"] == ["model", "geomorphons"]
    assert options["method"]["default"] == "model"
    assert options["confidence"]["default"] is False
    assert options["search"]["default"] is None
    assert options["min_area"]["default"] == 0.0
    assert options["min_area"]["flags"] == ["--min-area"]
    assert [one["name"] for one in commands["predict"]["arguments"]] == ["model", "inputs"]
    attribute = {one["name"]: one for one in commands["terrain"]["options"]}["names"]
    assert attribute["multiple"]
    assert attribute["default"] == ["slope"]
    assert all(one["help"] for body in commands.values() for one in body["options"])


def test_doctor_says_which_form_it_speaks():
    """`doctor --json` names the schema of all messages, the version and the interpreter."""
    told = json.loads(geotools("doctor", "--json").stdout)
    assert told["schema"] == 1
    assert told["version"]
    assert told["python"] == sys.executable
    assert "landforms-v1" in told["models"]


def test_progress_carries_figures_where_there_are_some():
    """A step with losses tells them by name; others look as they did."""
    code = (
        "from geotools.cli.reporting import reporting\n"
        "from geotools.stream import Step\n"
        "with reporting('json') as report:\n"
        "    report.step(Step('fit', 1, 2, (('training loss', 0.5),)))\n"
        "    report.step(Step('map', 1, 2))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["figures"] == {"training loss": 0.5}
    assert "figures" not in second


def test_a_closed_input_stops_the_run_and_leaves_nothing(tmp_path):
    """With --stop-on-eof the end of standard input is Ctrl-C: exit 130 and no file."""
    dem = write_tif(tmp_path / "dem.tif", make_terrain(1200, 1200))
    process = subprocess.Popen(
        [
            sys.executable, "-m", "geotools", "--stop-on-eof", "landforms", dem.name,
            "-o", "out.tif", "--polygons", "out.gpkg", "--method", "geomorphons", "--search", "60",
            "--tile", "64", "--threads", "1", "--progress", "json",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    first = json.loads(process.stdout.readline())
    process.stdin.close()
    rest = [json.loads(line) for line in process.stdout]
    process.stderr.read()
    assert process.wait() == 130
    assert first["event"] == "progress"
    assert rest[-1]["event"] == "error"
    assert "Cancelled" in rest[-1]["message"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dem.tif"]
    process.stdout.close()
    process.stderr.close()


def test_without_the_flag_the_input_does_not_matter(dem_tif, tmp_path):
    """A run with an empty standard input ends as any other."""
    done = geotools(
        "terrain", dem_tif, "-o", "out.tif", stdin=subprocess.DEVNULL, cwd=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_with_the_flag_an_open_input_does_not_matter(dem_tif, tmp_path):
    """A run ends by itself while its input stays open, and quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "geotools", "--stop-on-eof", "terrain", dem_tif, "-o", "out.tif"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    # communicate() would close the input before the end.
    assert process.wait() == 0
    assert process.stderr.read().count(b"Traceback") == 0
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
