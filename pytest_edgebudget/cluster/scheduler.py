"""A cluster of dask.distributed as a team."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from pytest_edgebudget.cluster.tasks import version
from pytest_edgebudget.errors import BuildError, DeviceError, EdgeBudgetError, MissingExtra

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 30.0
"""Seconds to reach the scheduler, and to wait for its first worker."""

ALONE = 60.0
"""Seconds without any worker, or without a board that there was, until a search gives up."""

START = "dask worker {address} --nthreads 1"


_WORK = "pytest_edgebudget.cluster.remote:work"


def _call(reference: str, *arguments: Any) -> Any:
    """
    Over there: import the function, and call it.

    It travels as code and not as a name: a worker that cannot import what it was sent
    would not fail its task, but lose its scheduler.
    """
    import importlib

    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments)


_call.__module__ = "__main__"  # by which cloudpickle knows what to send as code


class Cluster:
    """
    The workers of the scheduler at *address*, such as ``tcp://scheduler:8786``.

    Measurements take one of the resource that is named like the device, where a worker
    declares it. A worker that is lost is dask's to replace: its task goes to another one.

    Raises:
        MissingExtra: dask.distributed is not installed.
        DeviceError: there is no scheduler, or it has no workers.
    """

    def __init__(self, address: str, *, patience: float = CONNECT, alone: float = ALONE) -> None:
        self._address = address
        self._alone = alone
        self._lock = threading.Lock()
        self._cases: dict[str, Any] = {}
        self._boards: set[str] = set()
        self._waited: float | None = None
        self._client = _connected(address, patience)
        self._check_workers(patience)

    def _check_workers(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._workers():
            if time.monotonic() > deadline:
                self.close()
                raise DeviceError(
                    f"the scheduler {self._address} has no workers",
                    f"start some: {START.format(address=self._address)}",
                )
            time.sleep(0.1)

    @property
    def size(self) -> int:
        """Threads of all workers: each does a task at a time."""
        return max(1, sum(int(each["nthreads"]) for each in self._workers().values()))

    @property
    def local(self) -> bool:
        """Workers have caches of their own, also where they run on this machine."""
        return False

    def _workers(self) -> Mapping[str, Mapping[str, Any]]:
        """The living workers by their address."""
        try:
            found: Mapping[str, Mapping[str, Any]] = self._client.scheduler_info(n_workers=-1)[
                "workers"
            ]
        except (OSError, TimeoutError, RuntimeError, ValueError) as error:
            raise self._lost(error) from None
        return found

    def _lost(self, error: BaseException) -> DeviceError:
        words = str(error).partition("\n")[0] or "the connection broke"
        return DeviceError(
            f"the scheduler {self._address} does not answer any more: {words}",
            "start it again; what was done is in the cache and is not done again",
        )

    def submit(
        self, version: str, digest: str, case: bytes, task: bytes, *, device: str, measures: bool
    ) -> Future[bytes]:
        """To any worker; a measurement to one with that device, where there are such."""
        how = self._how(device, measures)
        try:
            executor = self._client.get_executor(pure=False, **how)
            held = self._case(digest, case)
            found: Future[bytes] = executor.submit(_call, _WORK, version, digest, held, task)
            return found
        except (OSError, TimeoutError, RuntimeError, ValueError) as error:
            raise self._lost(error) from None

    def _how(self, device: str, measures: bool) -> dict[str, Any]:
        """One board for a measurement; a build leaves boards alone, as long as others are there."""
        workers = self._workers()
        others = [name for name, each in workers.items() if device not in each["resources"]]
        if measures and self.has(device):
            return {"resources": {device: 1}}
        if others and len(others) < len(workers) and not measures:
            return {"workers": others, "allow_other_workers": True}
        return {}

    def has(self, device: str) -> bool:
        """Whether a worker declares it, or did: a board that was there is waited for."""
        if device not in self._boards:
            declared = (each["resources"] for each in self._workers().values())
            if any(device in names for names in declared):
                self._boards.add(device)
        return device in self._boards

    def _case(self, digest: str, case: bytes) -> Any:
        """The case in the workers' memory: sent once, and not with each task."""
        with self._lock:
            held = self._cases.get(digest)
            if held is None or held.status in ("lost", "cancelled", "error"):
                held = self._client.scatter(case, broadcast=True, hash=False, timeout=CONNECT)
                self._cases[digest] = held
            return held

    def check(self) -> None:
        """Whether somebody is left who can do what was asked for."""
        workers = self._workers()
        declared = {name for each in workers.values() for name in each["resources"]}
        gone = self._boards - declared
        if workers and not gone:
            self._waited = None
            return
        now = time.monotonic()
        if self._waited is None:
            self._waited = now
        elif now - self._waited > self._alone:
            raise self._nobody(sorted(gone) if workers else [])

    def _nobody(self, boards: list[str]) -> DeviceError:
        start = START.format(address=self._address)
        for board in boards:
            return DeviceError(
                f"the last worker with a {board} left the cluster {self._address}",
                f'start one: {start} --resources "{board}=1"',
            )
        return DeviceError(
            f"all workers left the cluster {self._address}",
            f"start one: {start}; what was done is in the cache and is not done again",
        )

    def explain(self, error: BaseException, what: str) -> EdgeBudgetError:
        """What dask says of a task that it could not bring to an end."""
        name, words = type(error).__name__, str(error)
        if name == "KilledWorker":
            return BuildError(
                f"each worker that was {what} died",
                "it may take more memory than a worker has: dask worker --memory-limit",
            )
        if isinstance(error, CancelledError) or name == "FutureCancelledError":
            return self._lost(error)
        if "pytest_edgebudget" in words or isinstance(error, ModuleNotFoundError | ImportError):
            return DeviceError(
                f"a worker of {self._address} has no pytest-edgebudget {version()}: {words}",
                "install the same version there, with the extras that the recipes need",
            )
        return DeviceError(
            f"the cluster {self._address} failed while {what}: {name}: {words}",
            "what was done is in the cache and is not done again",
        )

    def close(self) -> None:
        """Leave the cluster; it goes on."""
        self._client.close(timeout=CONNECT)


def _connected(address: str, patience: float) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("distributed", "cluster", f"the cluster {address}") from None
    import logging
    import warnings

    # What it logs when it loses its scheduler is what we raise, in more words.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other versions of its libraries: ours is checked
            return Client(address, timeout=patience, set_as_default=False, name="pytest-edgebudget")
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise DeviceError(
            f"there is no scheduler at {address}: {words}",
            "start one (dask scheduler), or write the address that it prints: tcp://host:8786",
        ) from None
