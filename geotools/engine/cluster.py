"""on_cluster: units by the workers of a Dask scheduler, which write their parts to a shared disk.

Futures only, and records as results: an array never passes the network. Dask is imported nowhere
else, and only when it is asked for (extra: distributed).
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geotools.engine.executors import Executor, Told
from geotools.engine.job import Job, Record, run_unit
from geotools.engine.units import Unit
from geotools.engine.work import Work
from geotools.engine.worker import error_of, tell_error
from geotools.errors import GeotoolsError, MissingExtraError
from geotools.io.parts import find_parts
from geotools.process import prepare, settings
from geotools.version import VERSION

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["SETTINGS", "check_address", "on_cluster"]

SETTINGS = {
    # Dask's own 15 s ends in a scheduler that waits for ever when workers die again and again.
    "distributed.deploy.lost-worker-timeout": "1h",
    "distributed.scheduler.no-workers-timeout": "300s",
    "distributed.scheduler.worker-ttl": "30s",  # 5 min: a frozen machine held a run for 10
    "distributed.scheduler.allowed-failures": 10,
    "distributed.admin.tick.limit": "1h",  # a loaded machine is no news
}
"""What a scheduler of ours is started with, and one of others should be."""

_NO_WORKERS_S = 300.0
"""For how long there may be none."""

_UNITS_OF_A_WORKER = 4
"""Units that a worker has been given, so that it need not wait for the next."""


def on_cluster(address: str, *, workers: int, insecure: bool = False) -> Executor:
    """Units by a Dask scheduler.

    Args:
        address: of the scheduler; `local` starts one on this machine, for itself alone.
        workers: of a local one.
        insecure: a scheduler on another machine need not have TLS.

    Raises:
        MissingExtraError: Dask is not installed.
        GeotoolsError: the address is that of another machine, without TLS.
    """
    if address != "local":
        check_address(address, insecure=insecure)
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise MissingExtraError("Dask", "distributed") from None

    def run(job: Job, work: Work, units: Iterable[Unit], told: Told) -> None:
        first = next(iterator := iter(units), None)
        if first is None:
            return
        with ExitStack() as stack:
            client = stack.enter_context(_client(address, workers))
            stack.enter_context(_opened(client, job))
            units_of_job = _Run(client, job, work, told)
            stack.callback(units_of_job.cancel)
            units_of_job.run(first, iterator)

    return run


def check_address(address: str, *, insecure: bool) -> None:
    """Nothing, when it is one that nobody else can run code through.

    Raises:
        GeotoolsError: it is no address, or one of another machine and without TLS.
    """
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.hostname is None or parts.scheme not in ("tcp", "tls", "ws", "wss", "ucx"):
        raise GeotoolsError(
            f"{address!r} is no address of a scheduler: give one such as tls://10.0.0.5:8786, or "
            "local."
        )
    try:
        here = ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        here = parts.hostname == "localhost"
    if not (here or insecure or parts.scheme in ("tls", "wss")):
        raise GeotoolsError(
            f"The scheduler {address} has no TLS, so whoever reaches it can run code as you: start "
            "it with TLS and give its tls:// address, or give --insecure-scheduler on a network "
            "that you trust."
        )


@contextmanager
def _client(address: str, workers: int) -> Iterator[Client]:
    """A connection to the scheduler."""
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set(SETTINGS), ExitStack() as stack:
        if address == "local":
            address = stack.enter_context(
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
                    dashboard_address=None, worker_dashboard_address=None, env=settings(),
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # 8787 may be taken
                )
            )  # fmt: skip
        try:
            client = Client(address, timeout="30s", set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise GeotoolsError(
                f"The scheduler {address} does not answer ({error}): check its address, and that "
                "it runs."
            ) from None
        stack.enter_context(client)
        stack.enter_context(client.as_current())
        yield client


@contextmanager
def _opened(client: Client, job: Job) -> Iterator[None]:
    """The job's task, open on every worker as long as the run lasts."""
    from distributed import WorkerPlugin

    class Opened(WorkerPlugin):  # type: ignore[misc]
        """The task on one worker."""

        name = _name(job)

        def setup(self, worker: Any) -> None:
            self.task = OpenTask()

        def teardown(self, worker: Any) -> None:
            self.task.close()

    client.register_plugin(Opened())
    try:
        yield
    finally:
        client.unregister_worker_plugin(_name(job))


def _name(job: Job) -> str:
    return f"geotools-{job.id}"


class OpenTask:
    """The open work of a job in a worker of Dask, and the one thread that uses it.

    GDAL's settings belong to the thread that made them, so that it opens, reads and closes.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="geotools")
        self._stack = ExitStack()
        self._work: Work | None = None

    def run(self, job: Job, unit: Unit) -> Record:
        """Runs a unit; the first opens the task.

        Raises:
            GeotoolsError: as `run_unit`, or an input cannot be used here.
        """
        return self._thread.submit(self._run, job, unit).result()

    def _run(self, job: Job, unit: Unit) -> Record:
        if self._work is None:
            self._work = self._stack.enter_context(job.task.open())
        return run_unit(job, unit, self._work)

    def close(self) -> None:
        """Closes its files."""
        self._thread.submit(self._stack.close).result()
        self._thread.shutdown()


def run_there(job: Job, unit: Unit, code: str) -> dict[str, Any]:
    """What became of a unit, on a worker: its record, or an error in plain text."""
    from distributed import get_worker

    prepare()
    worker = get_worker()
    try:
        if code != VERSION:
            raise GeotoolsError(
                f"The worker {worker.address} has geotools {VERSION}, not {code}: "
                "install the same version everywhere."
            )
        plugin = worker.plugins.get(_name(job))
        if plugin is None:
            raise GeotoolsError("The run has ended.")
        return asdict(plugin.task.run(job, unit))
    except GeotoolsError as error:
        return tell_error(error)


class _Run:
    """The units of one run on a cluster."""

    def __init__(self, client: Client, job: Job, work: Work, told: Told) -> None:
        self._client, self._job, self._work, self._told = client, job, work, told
        self._begun: dict[Future, Unit] = {}
        self._done: dict[str, Unit] = {}
        self._alone_since: float | None = None

    def run(self, first: Unit, others: Iterator[Unit]) -> None:
        """Runs them all; those that left no part once more."""
        self._run(first, others)
        missing = self._missing()
        if missing:
            time.sleep(1)  # a shared disk may show files late
            missing = self._missing()
        if missing:
            self._done.clear()
            self._run(missing[0], iter(missing[1:]), again=True)
            for unit in self._missing():
                reason = (
                    f"left no part in {self._job.folder}, which has to be on a disk that all "
                    "workers share"
                )
                self._told(0, Record(unit.name, "failed", len(unit.tiles), reason=reason))

    def cancel(self) -> None:
        """Takes back what is not done."""
        if self._begun:
            self._client.cancel(list(self._begun))

    def _missing(self) -> list[Unit]:
        """Units that are said to be done and whose parts are not there."""
        there = find_parts(self._job.folder, len(self._work.layers))
        return [unit for name, unit in self._done.items() if name not in there]

    def _run(self, first: Unit, others: Iterator[Unit], *, again: bool = False) -> None:
        from distributed import wait

        following: Unit | None = first
        while following is not None or self._begun:
            most = _UNITS_OF_A_WORKER * max(1, self._threads())
            while following is not None and len(self._begun) < most:
                self._begin(following, again=again)
                following = next(others, None)
            try:
                ended = wait(list(self._begun), timeout=5, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                continue
            for future in ended:
                unit = self._begun.pop(future)
                if not self._hear(future, unit, again=again):
                    self._begun[future] = unit

    def _begin(self, unit: Unit, *, again: bool) -> None:
        key = f"{_name(self._job)}-{unit.name}{'-again' * again}"
        code = VERSION
        future = self._client.submit(run_there, self._job, unit, code, key=key, pure=False)
        self._begun[future] = unit

    def _hear(self, future: Future, unit: Unit, *, again: bool) -> bool:
        """Tells of a unit that has ended; False when it runs once more, as its record was lost.

        Raises:
            GeotoolsError: as the worker said, or the scheduler knows nothing of it.
        """
        from distributed.scheduler import KilledWorker

        count = len(unit.tiles)
        if future.status == "finished":
            try:
                told = future.result(timeout=30)
            except TimeoutError:  # its worker died in this moment
                return False
            if "error" in told:
                raise error_of(told)
            record = Record(**told)
            if record.state == "done":
                self._done[unit.name] = unit
            if not again:
                self._told(count, record)
            return True
        if future.status in ("pending", "lost"):
            return False
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            times = SETTINGS["distributed.scheduler.allowed-failures"]
            reason = f"killed its worker more than {times} times"
            self._told(0 if again else count, Record(unit.name, "failed", count, reason=reason))
            return True
        if error is not None:
            raise error
        raise GeotoolsError(
            "The scheduler has given up (it was stopped, or has lost all it knew): run the same "
            "command again, what is done is kept."
        )

    def _threads(self) -> int:
        """Units that the workers run at the same time.

        Raises:
            GeotoolsError: there has been no worker for long.
        """
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        now = time.monotonic()
        if workers:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > _NO_WORKERS_S:
            raise GeotoolsError(
                f"The scheduler has had no worker for {_NO_WORKERS_S:g} s: start some, then run "
                "the same command again, what is done is kept."
            )
        return sum(int(worker["nthreads"]) for worker in workers)
