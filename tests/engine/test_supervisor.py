"""geotools.engine.supervisor: units in processes that may die."""

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from engine_tasks import TwiceTask, TwiceWork

from geotools.engine.manifest import read_manifests
from geotools.engine.run import Running, run_job
from geotools.engine.supervisor import WorkerError
from geotools.errors import GeotoolsError, PartialError, RasterError
from geotools.grid import Window


def run(folder: Path, task: TwiceTask, *, memory: int | None = None, **more: object):
    """(the result, units and attempts, tiles told of)."""
    attempts: dict[str, int] = {}
    steps = []
    running = Running(
        executor="processes", workers=2, unit_cells=100, folder=folder / "job", **more
    )
    with ExitStack() as stack:
        (parts,), _ = run_job(
            task, TwiceWork(task), folder / "out.tif", running=running, threads=1, stack=stack,
            memory_bytes=memory, progress=steps.append,
        )  # fmt: skip
        attempts = {name: one.attempts for name, one in read_manifests(folder / "job").items()}
        return parts.read(Window(0, 0, 300, 200)).data, attempts, steps


@pytest.mark.parametrize("how", ["", "print"])
def test_processes_do_what_threads_do(tmp_path, how):
    """Whatever their libraries print; every unit is told of once."""
    found, attempts, steps = run(tmp_path, TwiceTask(how))
    np.testing.assert_array_equal(found, TwiceWork(TwiceTask()).source.data * 2)
    assert len(attempts) == 6
    assert set(attempts.values()) == {1}
    assert (steps[-1].done, steps[-1].total) == (24, 24)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("how", ["exit", "hang"])
def test_a_unit_whose_worker_dies_is_begun_again(tmp_path, how):
    """Twice, if need be."""
    marks = tmp_path / "marks"
    marks.mkdir()
    for name in "ab":
        (marks / name).touch()
    found, attempts, _ = run(tmp_path, TwiceTask(how, str(marks)), unit_limit_s=1.5)
    assert found.shape == (1, 200, 300)
    assert np.isfinite(found).all()
    assert sorted(attempts.values()) == [1, 1, 1, 1, 1, 3]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exit", r"killed its worker 3 times \(exit code 7\)"),
        ("memory", r"ran out of memory \(--memory gives more\), 3 times"),
    ],
)
def test_a_unit_that_takes_three_workers_is_given_up(tmp_path, how, reason):
    """The others are done, and kept."""
    with pytest.raises(PartialError, match=rf"1 of 6 units failed \(columns 100 .*{reason}"):
        run(tmp_path, TwiceTask(how), memory=2**30 if how == "memory" else None)
    states = [record.state for record in read_manifests(tmp_path / "job").values()]
    assert sorted(states) == ["done"] * 5 + ["failed"]


def test_errors_of_workers_are_those_of_the_run(tmp_path):
    """With their class and sentence; a bug has the traceback of the worker."""
    with pytest.raises(RasterError, match=r"^The raster refuses\.$"):
        run(tmp_path, TwiceTask("error"))
    (tmp_path / "bug").mkdir()
    with pytest.raises(WorkerError, match=r"(?s)engine_tasks.py.*ZeroDivisionError: of the model"):
        run(tmp_path / "bug", TwiceTask("bug"))


def test_workers_that_never_begin_are_said_to(tmp_path):
    """Instead of being started for ever."""
    with pytest.raises(GeotoolsError, match=r"end before they can begin \(exit code 7\)"):
        run(tmp_path, TwiceTask("stillborn"))
