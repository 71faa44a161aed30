"""Processes of this machine that can be told to drop what they do."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

ATTEMPTS = 3


class Processes(Executor):
    """
    *count* processes, each a pool of its own.

    A process that dies takes no task of another one with it: its task is done again in a new
    process, `ATTEMPTS` times in all. Cancelling a task that is under way ends its process.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        self._slots = [_Slot() for _ in range(count)]
        for slot in self._slots:
            self._free.put(slot)
        self._threads = ThreadPoolExecutor(count, "edgebudget-process")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call *fn*, which must be importable, in one of the processes."""
        done = _Task()
        self._threads.submit(self._do, done, lambda pool: pool.submit(fn, *args, **kwargs))
        return done

    def _do(self, done: _Task, start: Callable[[ProcessPoolExecutor], Future[Any]]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        slot = self._free.get()
        try:
            done.set_result(_tried(done, slot, start))
        except BaseException as error:  # whatever it is, it is for who asked
            done.set_exception(error)
        finally:
            done.slot = None
            self._free.put(slot)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes, whatever they do."""
        del cancel_futures
        self._threads.shutdown(wait=False, cancel_futures=True)
        for slot in self._slots:
            slot.close()
        if wait:
            self._threads.shutdown(wait=True)


def _tried(done: _Task, slot: _Slot, start: Callable[[ProcessPoolExecutor], Future[Any]]) -> object:
    for attempt in range(1, ATTEMPTS + 1):
        done.slot = slot
        try:
            return start(slot.pool()).result()
        except BrokenProcessPool:
            slot.end()
            if attempt == ATTEMPTS or done.dropped or slot.closed:
                raise
    raise AssertionError


class _Task(Future[Any]):
    """A future that ends the process that works for it when it is cancelled."""

    slot: _Slot | None = None
    dropped = False

    def cancel(self) -> bool:
        """Before it began, or while it runs: then it ends with an error soon."""
        if super().cancel():
            return True
        self.dropped = True
        slot = self.slot
        if slot is not None and not self.done():
            slot.end()
        return False


class _Slot:
    """One process at a time, begun when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._pipe: Connection | None = None
        self.closed = False

    def pool(self) -> ProcessPoolExecutor:
        """The pool of one process. Raises BrokenProcessPool after `close`."""
        with self._lock:
            if self.closed:
                raise BrokenProcessPool("the search has ended")
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                reader, self._pipe = context.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(1, context, _watch, (reader,))
            return self._pool

    def end(self) -> None:
        """The process ends at once; what it started notices by itself."""
        with self._lock:
            pool, self._pool = self._pool, None
            pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End it for good."""
        self.closed = True
        self.end()


def _watch(pipe: Connection) -> None:
    """In the process: end as soon as the other end of *pipe* is closed, or its process is gone."""
    threading.Thread(target=_wait, args=(pipe,), daemon=True).start()


def _wait(pipe: Connection) -> None:
    try:
        pipe.recv()
    finally:
        os._exit(1)
