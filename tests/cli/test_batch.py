"""geotools batch: exit codes, what is printed, what a signal leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import make_terrain, write_tif

JOB = """
operation = "terrain"
output = "out"
inputs = ["*.tif"]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "job.toml").write_text(JOB)
    write_tif(tmp_path / "a.tif", make_terrain(40, 60))
    (tmp_path / "b.tif").write_text("no raster")
    return tmp_path


def geotools(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "geotools", "batch", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def test_exit_codes(folder):
    """3 in part, 0 all, 1 nothing, 1 a job that cannot be; the result as an object for programs."""
    done = geotools("job.toml", "--progress", "json", cwd=folder)
    assert done.returncode == 3
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["counts"] == {"done": 1, "kept": 0, "failed": 1, "not done": 0}
    assert [event["event"] for event in events if event["event"] != "progress"] == [
        "warning", "result",
    ]  # fmt: skip
    (folder / "a.tif").rename(folder / "out" / "a.tif")
    done = geotools("job.toml", "--progress", "none", cwd=folder)
    assert done.returncode == 1
    assert "Error: out: terrain of 1 inputs, 1 failed" in done.stderr
    assert "see out/batch.html" in done.stderr
    write_tif(folder / "b.tif", make_terrain(40, 60))
    assert geotools("job.toml", "--data", ".", "-o", "other", cwd=folder).returncode == 0
    (folder / "job.toml").write_text(JOB.replace("terrain", "export"))
    done = geotools("job.toml", cwd=folder)
    assert done.returncode == 1
    assert "operation is 'export': allowed are predict" in done.stderr


def test_dry_runs_are_lists(folder):
    """A line for each input, and nothing on the disk."""
    done = geotools("job.toml", "--dry-run", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        "make  a_terrain.tif  from  a.tif", "make  b_terrain.tif  from  b.tif",
    ]  # fmt: skip
    assert not (folder / "out").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")
@pytest.mark.parametrize(("ending", "jobs"), [("SIGINT", "1"), ("SIGINT", "2"), ("SIGKILL", "2")])
def test_stopped_runs_leave_whole_files_and_no_process(tmp_path, ending, jobs):
    """Ctrl-C ends with 130 and a report; after either the same command does the rest."""
    (tmp_path / "job.toml").write_text(JOB + "[options]\nattributes = ['dev', 'relief', 'tri']\n")
    for number in range(6):
        write_tif(tmp_path / f"{number:02}.tif", make_terrain(400, 400, seed=number))
    command = [sys.executable, "-m", "geotools", "batch", "job.toml", "--progress", "none"]
    with subprocess.Popen(
        [*command, "--jobs", jobs], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        journal = tmp_path / "out" / "batch.jsonl"
        while not (journal.exists() and '"done"' in journal.read_text()):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(getattr(signal, ending))
        _, said = process.communicate()  # ends when all that hold the pipe have ended
    if ending == "SIGINT":
        assert process.returncode == 130
        assert "Cancelled" in said
        assert "Traceback" not in said
        values = json.loads((tmp_path / "out" / "batch.json").read_text())
        assert values["cancelled"]
        assert values["counts"]["done"] >= 1
        assert values["counts"]["not done"] >= 1
    done = geotools("job.toml", "--progress", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])["counts"]
    assert counts["kept"] >= 1
    assert counts["done"] + counts["kept"] == 6
    assert not [path for path in (tmp_path / "out").iterdir() if ".part" in path.name]
