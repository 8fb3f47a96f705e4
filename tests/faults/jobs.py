"""Procedures of jobs that are killed: the command line under SIGKILL, and what is left of it.

Run over a slice by test_jobs.py, in full by benchmarks/faults.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from conftest import make_terrain, write_tif
from onnx_bytes import neighbourhood_model

UNITS, EMPTY = 64, 4
"""Of the job, with --unit 256; those that have no valid cell."""

HOW = {
    "threads": (),
    "processes": ("--executor", "processes", "--workers", "2"),
    "dask": ("--scheduler", "local", "--workers", "2"),
}
"""Options of the executors."""

_OPTIONS = ("--unit", "256", "--tile", "256", "--progress", "json", "--confidence")
_HANG_S = 300.0


def make_job(folder: Path, *, rows: int = 2048, cols: int = 2000) -> Path:
    """The folder, with a DEM with a hole and a model that looks 8 cells far."""
    terrain = make_terrain(rows, cols)
    terrain[700:1400, 300:1100] = -9999
    write_tif(folder / "dem.tif", terrain, nodata=-9999.0)
    (folder / "m.onnx").write_bytes(neighbourhood_model(8))
    return folder


def command(folder: Path, *options: str, output: str = "out.tif") -> list[str]:
    """The command line of the job."""
    what = ["predict", str(folder / "m.onnx"), str(folder / "dem.tif")]
    return [
        sys.executable, "-m", "geotools", *what, "-o", str(folder / output), *_OPTIONS, *options
    ]  # fmt: skip


def start(arguments: Sequence[str], **more: object) -> subprocess.Popen[str]:
    """A process that begins to run."""
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[dict], str]:
    """(exit code, lines of its report, stderr)."""
    try:
        out, err = process.communicate(timeout=_HANG_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += "HANGS"
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def run(folder: Path, *options: str, output: str = "out.tif") -> tuple[int, list[dict], str]:
    """The same of the job."""
    return finish(start(command(folder, *options, output=output)))


def sha256(path: Path) -> str:
    """Of a file; empty when it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def parts(folder: Path, output: str = "out.tif") -> list[str]:
    """Names of the parts beside an output, or in a job's folder."""
    found = [*folder.glob(f".{output}.*.parts/*.tif"), *folder.glob("job/*.tif")]
    return [part.name for part in found]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """True when the condition came true while the process ran."""
    deadline = time.monotonic() + _HANG_S
    while process.poll() is None and time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.002)
    return False


def undisturbed(folder: Path, output: str = "whole.tif") -> tuple[str, float]:
    """(sha256, seconds) of the job when nothing happens to it."""
    begin = time.monotonic()
    code, _, err = run(folder, "--overwrite", output=output)
    assert code == 0, err
    return sha256(folder / output), time.monotonic() - begin


def seconds(folder: Path, kind: str) -> tuple[float, float]:
    """(until the first part, in all) of the job by an executor, when nothing happens to it."""
    (folder / "out.tif").unlink(missing_ok=True)
    begin = time.monotonic()
    process = start(command(folder, "--overwrite", *HOW[kind]))
    wait_for(lambda: bool(parts(folder)), process)
    first = time.monotonic() - begin
    code, lines, err = finish(process)
    assert code == 0, (lines[-1:], err)
    return first, time.monotonic() - begin


def kill_once(folder: Path, seed: int, whole: tuple[str, float], *options: str) -> str:
    """What the output is after a SIGKILL: absent, old or complete, or what is wrong with it.

    Half of the kills are at any time; the others when all units are done, so that they meet the
    mosaic, its reading back and the renames. Half of the runs replace an old file.
    """
    rng = random.Random(seed)
    target, (right, seconds) = folder / "out.tif", whole
    for path in (target, Path(f"{target}.json")):
        path.unlink(missing_ok=True)
    old = b"old"
    if seed % 4 < 2:
        target.write_bytes(old)
    process = start(command(folder, "--overwrite", *options))
    if seed % 2:
        wait_for(lambda: len(parts(folder)) >= UNITS - 5, process)
        time.sleep(rng.uniform(0, 0.35 * seconds))
    else:
        time.sleep(rng.uniform(0, seconds))
    process.kill()
    process.communicate()
    if not target.exists():
        return "absent" if seed % 4 >= 2 else "bad: the old file is gone"
    if target.read_bytes() == old:
        return "old"
    return "complete" if sha256(target) == right else "bad: neither old nor complete"


def kill_and_resume(folder: Path, seed: int, whole: tuple[str, float], *options: str) -> str:
    """`equal` when a job that is killed one to three times ends with the same bytes.

    What was done before a kill is found by the next run, and not done again.
    """
    rng = random.Random(seed)
    target, (right, seconds) = folder / "out.tif", whole
    target.unlink(missing_ok=True)
    for _ in range(rng.randint(1, 3)):
        process = start(command(folder, "--overwrite", *options))
        time.sleep(rng.uniform(0.3 * seconds, seconds))
        process.kill()
        process.communicate()
    time.sleep(2)  # the workers of a killed run may be at their last unit
    there = len(parts(folder))
    code, lines, err = run(folder, "--overwrite", *options)
    if code != 0:
        return f"exit {code}: {err}"
    said = " ".join(line["message"] for line in lines if line["event"] == "warning")
    found = int(said.split("run: ")[1].split()[0]) if "run: " in said else 0
    if not there <= found <= there + EMPTY:
        return f"{there} units had parts, {found} were found"
    left = [name for name in os.listdir(folder) if name.endswith(".parts")]
    if left:
        return f"left: {left}"
    return "equal" if sha256(target) == right else "other bytes"


def children(process: int) -> list[int]:
    """Process ids of the workers that a process has started."""
    found = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                line = Path(f"/proc/{child}/cmdline").read_bytes()
                if b"geotools.engine.worker" in line or b"spawn_main" in line:
                    found.append(int(child))
    return found


def is_alive(process: int) -> bool:
    """False for one that has ended, waited for or not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def orphans(folder: Path, done: int) -> tuple[int, int]:
    """(workers, those that live 2 s after their coordinator got a SIGKILL with so many done)."""
    process = start(command(folder, "--overwrite", "--executor", "processes", "--workers", "2"))
    wait_for(lambda: len(parts(folder)) >= done, process)
    workers = children(process.pid)
    process.kill()
    process.communicate()
    time.sleep(2)
    return len(workers), sum(is_alive(worker) for worker in workers)


def interrupt(folder: Path, *options: str) -> tuple[int, int, list[str]]:
    """(exit code, workers alive, what is left) of a job that gets Ctrl-C in the middle."""
    (folder / "out.tif").unlink(missing_ok=True)
    before = len(parts(folder))  # what an earlier run that was killed has left
    process = start(command(folder, "--overwrite", *options))
    wait_for(lambda: len(parts(folder)) >= before + 10, process)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    code, _, _ = finish(process)
    left = [name for name in os.listdir(folder) if name.startswith(".out.tif")]
    return code, sum(is_alive(worker) for worker in workers), left


def lose_workers(folder: Path, whole: tuple[str, float], kind: str, losses: str) -> str:
    """`equal` when a job gives the same bytes although its workers are killed.

    Args:
        folder: of the job.
        whole: what is right.
        kind: `processes` or `dask`.
        losses: `one`: one of two when 10, 25 and 40 units are done; `both`: both of them.
    """
    (folder / "out.tif").unlink(missing_ok=True)
    process = start(command(folder, "--overwrite", *HOW[kind]))
    killed: set[int] = set()
    for done in (10, 25, 40):
        wait_for(lambda done=done: len(parts(folder)) >= done, process)
        # Those that have just been started count for the next loss.
        workers = [pid for pid in children(process.pid) if pid not in killed]
        for worker in workers[: 1 if losses == "one" else 2]:
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
    code, lines, err = finish(process)
    if code != 0:
        return f"exit {code}: {lines[-1:]} {err[-2000:]}"
    if not killed:
        return "no worker was there to be killed"
    return "equal" if sha256(folder / "out.tif") == whole[0] else "other bytes"


def poison(folder: Path, kind: str, *options: str) -> tuple[int, list[dict], str]:
    """What comes of a job of which one unit kills its process (`kills`) or never ends (`hangs`)."""
    arguments = command(folder, "--executor", "processes", "--workers", "2", *options)
    script = Path(__file__).with_name("poisoned.py")
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parents[1])])
    arguments[1:3] = [str(script), kind]
    return finish(start(arguments, env={**os.environ, "PYTHONPATH": paths}))


def shas_of_executors(folder: Path, unit: int) -> dict[str, str]:
    """sha256 of the same map by every executor, in units of so many cells."""
    ways = {
        "serial": ["--executor", "serial"],
        "threads": ["--executor", "threads", "--threads", "2"],
        "processes": ["--executor", "processes", "--workers", "2"],
        "dask": ["--scheduler", "local", "--workers", "2"],
    }
    found = {}
    for name, options in ways.items():
        code, _, err = run(folder, "--unit", str(unit), "--overwrite", *options)
        assert code == 0, (name, err)
        found[name] = sha256(folder / "out.tif")
    job = ["--unit", str(unit), "--overwrite", "--job", str(folder / "job")]
    for number in (2, 4, 1, 3):
        code, _, err = run(folder, *job, "--shard", f"{number}/4")
        assert code == 0, err
    merge = [sys.executable, "-m", "geotools", "merge", str(folder / "job"), "--overwrite"]
    subprocess.run(merge, check=True, capture_output=True, cwd="/")
    found["shards"] = sha256(folder / "out.tif")
    return found
