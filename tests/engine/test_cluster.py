"""geotools.engine.cluster: which schedulers are used, and what becomes of units there."""

import sys
from contextlib import ExitStack

import numpy as np
import pytest
from engine_tasks import TwiceTask, TwiceWork

from geotools.engine.cluster import check_address, on_cluster
from geotools.engine.run import Running, run_job
from geotools.errors import FileError, GeotoolsError, MissingExtraError
from geotools.grid import Window


@pytest.mark.parametrize(
    "address", ["tls://10.0.0.5:8786", "tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:1"]
)
def test_addresses_that_nobody_else_can_use(address):
    """Those of this machine, and those with TLS."""
    check_address(address, insecure=False)


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:8786", "scheduler:8786", "127.0.0.1.evil:1"])
def test_other_addresses_have_to_be_allowed(address):
    """Whoever reaches a scheduler without TLS can run code."""
    with pytest.raises(GeotoolsError, match="has no TLS"):
        check_address(address, insecure=False)
    check_address(address, insecure=True)


@pytest.mark.parametrize("address", ["", "http://10.0.0.5", "tls://"])
def test_what_is_no_address_is_said_to_be_none(address):
    with pytest.raises(GeotoolsError, match="is no address"):
        check_address(address, insecure=True)


def test_without_dask_it_says_what_to_install(monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"geotools-ml\[distributed\]"):
        on_cluster("local", workers=1)


def test_a_cluster_needs_a_folder_that_its_workers_share():
    with pytest.raises(GeotoolsError, match="--job FOLDER"):
        Running(scheduler="tcp://127.0.0.1:8786")


def test_units_on_a_cluster(tmp_path):
    """The same as anywhere; errors with their sentence; a scheduler that is not there."""
    pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    from distributed import LocalCluster

    def run(address, task):
        running = Running(scheduler=address, unit_cells=100, folder=tmp_path / "job")
        with ExitStack() as stack:
            (parts,), _ = run_job(
                task, TwiceWork(task), tmp_path / "out.tif", running=running, threads=2,
                stack=stack,
            )  # fmt: skip
            return parts.read(Window(0, 0, 300, 200)).data

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, host="127.0.0.1",
        dashboard_address=None, protocol="tcp://",
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        found = run(address, TwiceTask())
        np.testing.assert_array_equal(found, TwiceWork(TwiceTask()).source.data * 2)
        with pytest.raises(GeotoolsError, match=r"^The raster refuses\.$"):
            run(address, TwiceTask("error"))
        with pytest.raises(FileError, match="holds another job"):
            run(address, TwiceTask("bug"))


def test_a_scheduler_that_is_refused_leaves_no_folder(tmp_path):
    """Nothing of the job is written before it is known who runs it."""
    running = Running(scheduler="tcp://10.0.0.5:8786", folder=tmp_path / "job")
    with ExitStack() as stack, pytest.raises(GeotoolsError, match="insecure-scheduler"):
        run_job(
            TwiceTask(), TwiceWork(TwiceTask()), tmp_path / "out.tif", running=running, threads=1,
            stack=stack,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())
