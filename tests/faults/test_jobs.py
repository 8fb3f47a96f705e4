"""Jobs that are killed, lose workers, or hold a unit that kills: the slice that always runs.

All cases: python benchmarks/faults.py --only R3,R4,R5,R6,R7,R13.
"""

import os
import sys
from pathlib import Path

import pytest
import rasterio

from faults.jobs import (
    interrupt,
    kill_and_resume,
    kill_once,
    lose_workers,
    make_job,
    orphans,
    poison,
    run,
    sha256,
    shas_of_executors,
    undisturbed,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, float]]:
    """A job of 64 units, and what it gives when nothing happens to it."""
    folder = make_job(tmp_path_factory.mktemp("job"))
    return folder, undisturbed(folder)


def test_a_killed_run_leaves_the_old_file_or_the_new_one(job):
    """Or none, where there was none: 10 kills at seeded times, half of them in the mosaic."""
    folder, whole = job
    found = [kill_once(folder, seed, whole) for seed in range(10)]
    assert set(found) <= {"absent", "old", "complete"}, found


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_killed_job_ends_with_the_same_bytes(job, executor):
    """However often it is killed; what is done is not done again."""
    folder, whole = job
    assert kill_and_resume(folder, 3, whole, "--executor", executor) == "equal"


def test_no_worker_outlives_its_coordinator(job):
    """Two seconds after it was killed."""
    assert orphans(job[0], 10) == (2, 0)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_cancelled_job_leaves_nothing(job, executor):
    """No worker, no part, and exit code 130."""
    assert interrupt(job[0], "--executor", executor) == (130, 0, [])
    assert not (job[0] / "out.tif").exists()


@pytest.mark.parametrize("losses", ["one", "both"])
def test_lost_processes_are_replaced(job, losses):
    """Their units are begun again, and the bytes are the same."""
    assert lose_workers(*job, "processes", losses) == "equal"


def test_lost_workers_of_dask_are_replaced(job):
    """The same of a scheduler's."""
    pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    assert lose_workers(*job, "dask", "both") == "equal"


@pytest.mark.parametrize("kind", ["kills", "hangs"])
def test_a_poisonous_unit_is_named(job, kind):
    """After three workers; all others are done, and kept."""
    folder, _ = job
    code, lines, err = poison(
        folder, kind, "--unit-limit", "2", "--job", str(folder / "poisoned"), "--overwrite"
    )
    assert code == 3, err
    (error,) = (line["message"] for line in lines if line["event"] == "error")
    assert "1 of 64 units failed (columns 512 to 768, rows 256 to 512" in error
    reason = "killed its worker 3 times (signal 9)" if kind == "kills" else "did not end within 2 s"
    assert reason in error
    assert len(list((folder / "poisoned").glob("*.tif"))) == 64 - 1 - 4
    code, _, err = run(folder, "--overwrite", "--job", str(folder / "poisoned"))
    assert (code, sha256(folder / "out.tif")) == (0, job[1][0]), err


def test_executors_agree(tmp_path):
    """To the byte in units of one size, to the cell over sizes."""
    pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    folder = make_job(tmp_path, rows=1100, cols=700)
    cells = []
    for unit in (512, 2048):
        assert len(set(shas_of_executors(folder, unit).values())) == 1
        with rasterio.open(folder / "out.tif") as dataset:
            cells.append(dataset.read().tobytes())
    assert cells[0] == cells[1]
    assert not [name for name in os.listdir(folder) if name in ("job", "parts")]
