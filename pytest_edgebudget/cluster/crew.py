"""A search's hands: what it asks for is done by a team, once, and kept in its own cache."""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_edgebudget.build import artifacts
from pytest_edgebudget.cluster import parcels
from pytest_edgebudget.cluster.parcels import Parcel
from pytest_edgebudget.cluster.remote import raised
from pytest_edgebudget.cluster.tasks import Build, Case, Measure, Record, Reply, Task, version
from pytest_edgebudget.cluster.team import Team
from pytest_edgebudget.errors import DeviceError, EdgeBudgetError
from pytest_edgebudget.facts import FileFacts, PlanFacts
from pytest_edgebudget.fit.ahead import STOP, NotNeeded
from pytest_edgebudget.fit.bench import Bench
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import Artifact, Limit, Measurement, Reading, Recipe

LOOK = 5.0
"""Seconds between two looks at whether somebody is left."""

SILENCE = 4 * 3600.0
"""Seconds in which nobody finished anything: longer than any step may take."""

KIND = "crew"


@dataclass(slots=True)
class Known:
    """What is known of a recipe: records of the cache where it was built, and its files."""

    records: dict[tuple[str, tuple[tuple[str, str], ...]], Record] = field(default_factory=dict)
    files: dict[str, Parcel] = field(default_factory=dict)


class Crew:
    """
    `Hands` for one search; see there.

    The same question is asked once, however many threads ask it. Files and records of
    an answer go into the search's cache before anybody learns of it: what was done
    stays done, whatever happens next.
    """

    def __init__(self, team: Team, bench: Bench) -> None:
        self._team = team
        self._case = _case(bench, team.local)
        self._sent = pickle.dumps(self._case)
        self._digest = hashlib.sha256(self._sent).hexdigest()
        self._lock = threading.Lock()
        self._asked: dict[str, Future[Any]] = {}
        self._known: dict[str, Known] = {}
        self._heard = time.monotonic()

    @property
    def size(self) -> int:
        """That of the team."""
        return self._team.size

    # --- what a search asks for -----------------------------------------------------

    def build(self, bench: Bench, recipe: Recipe, *, tried: bool) -> Artifact:
        """From the cache, or by the team."""
        if found := self._built(bench, recipe, tried):
            return found
        task = Build(recipe=recipe, tried=tried)
        made = self._once(f"build {recipe} {tried}", lambda: self._build(bench, task))
        assert isinstance(made, Artifact)
        return made

    def _built(self, bench: Bench, recipe: Recipe, tried: bool) -> Artifact | None:
        try:
            return bench.build_here(recipe, tried=tried, cached=True)
        except LookupError:
            return artifacts.fetch(
                bench.store.record(KIND, self._key(recipe, tried)), recipe, bench.store
            )

    def _key(self, recipe: Recipe, tried: bool) -> dict[str, str]:
        """
        Of a build by others, whose libraries may be other ones than ours.

        With the same code, for the same source and data.
        """
        case = self._case
        return {
            "source": case.source.sha256,
            "data": case.data.sha256 if case.data else "",
            "device": repr(case.choice),
            "recipe": str(recipe),
            "tuning": repr(case.source.tuning),
            "tried": str(tried),
            "version": version(),
        }

    def _build(self, bench: Bench, task: Build) -> Artifact:
        if not self._case.cache:
            task = self._with_known(task)
        reply, places = self._ask(bench, task)
        made = reply.value
        assert isinstance(made, Artifact)
        if self._case.cache:
            return made
        self._remember(task, reply)
        made = parcels.settled(made, places)
        bench.store.write_record(KIND, self._key(task.recipe, task.tried), artifacts.record(made))
        return made

    def _with_known(self, task: Build) -> Build:
        with self._lock:
            known = self._known.setdefault(_kin(task.recipe), Known())
            files, records = tuple(known.files.values()), tuple(known.records.values())
        return replace(task, files=files, records=records)

    def _remember(self, task: Build, reply: Reply) -> None:
        with self._lock:
            known = self._known[_kin(task.recipe)]
            known.files |= {parcel.sha256: parcel for parcel in reply.files}
            known.records |= {(each.kind, each.key): each for each in reply.records}

    def measure(
        self,
        bench: Bench,
        artifact: Artifact,
        limits: tuple[Limit, ...],
        split: str,
        first: int | None,
    ) -> Measurement:
        """What a file tells is read here; what was measured before is in the cache."""
        here = [limit for limit in limits if _static(bench, limit)]
        found = bench.measure_here(artifact, here, split, first)
        readings, missing = dict(found.readings), dict(found.missing)
        rest = [limit for limit in limits if limit.name not in readings | missing]
        if not self._team.has(self._case.choice.profile.name):  # a board tells what none here can
            for limit in rest:
                readings |= _measured(bench, artifact, limit, split, first)
        asked = tuple(limit for limit in rest if limit.name not in readings)
        if asked:
            task = Measure(artifact=artifact, limits=asked, split=split, first=first)
            more = self._once(repr(task), lambda: self._measure(bench, task))
            readings, missing = readings | dict(more.readings), missing | dict(more.missing)
        return Measurement(readings, missing)

    def _measure(self, bench: Bench, task: Measure) -> Measurement:
        if not self._case.cache:
            sent = {parcel.sha256 for parcel in self._case.files}
            files = parcels.of_artifact(task.artifact)
            task = replace(task, files=tuple(p for p in files if p.sha256 not in sent))
        reply, _ = self._ask(bench, task)
        assert isinstance(reply.value, Measurement)
        return reply.value

    # --- asking and waiting -----------------------------------------------------------

    def _once(self, key: str, do: Callable[[], Any]) -> Any:
        """What *do* returns, or raises; only one thread does it, the others wait for it."""
        while True:
            with self._lock:
                mine = key not in self._asked
                promise = self._asked.setdefault(key, Future())
            if mine:
                return self._kept(key, promise, do)
            self._wait(promise)
            if not isinstance(promise.exception(), NotNeeded):
                return promise.result()

    def _kept(self, key: str, promise: Future[Any], do: Callable[[], Any]) -> Any:
        try:
            promise.set_result(do())
        except BaseException as error:
            if not isinstance(error, EdgeBudgetError):  # it may be asked once more
                with self._lock:
                    del self._asked[key]
            promise.set_exception(error if isinstance(error, EdgeBudgetError) else NotNeeded())
            raise
        return promise.result()

    def _ask(self, bench: Bench, task: Task) -> tuple[Reply, dict[str, Path]]:
        """Let the team do it; what it made is in the cache and at these places."""
        reply = self._reply(task)
        own = {each.sha256: Path(each.path) for each in self._case.files}
        new = {
            each.sha256: parcels.unpacked(each, bench.store) for each in (*task.files, *reply.files)
        }
        for record in reply.records:
            bench.store.write_record(record.kind, dict(record.key), record.value)
        if reply.failure is not None:
            raise raised(reply.failure, reply.where)
        return reply, {**new, **own}

    def _reply(self, task: Task) -> Reply:
        sent = pickle.dumps(task)
        future = self._team.submit(
            version(),
            self._digest,
            self._sent,
            sent,
            device=self._case.choice.profile.name,
            measures=isinstance(task, Measure),
        )
        try:
            self._wait(future)
        except BaseException:
            future.cancel()
            raise
        try:
            content = future.result()
        except (Exception, CancelledError) as error:
            raise self._team.explain(error, str(task)) from None
        self._heard = time.monotonic()
        reply = pickle.loads(content)  # noqa: S301 who works for us runs our code
        assert isinstance(reply, Reply)
        return reply

    def _wait(self, future: Future[Any]) -> None:
        """Until it is done. Raises `NotNeeded` when the search has decided without it."""
        stop = STOP.get()
        awaited = {future} if stop is None else {future, stop}
        while not future.done():
            wait(awaited, timeout=LOOK, return_when=FIRST_COMPLETED)
            if stop is not None and stop.done():
                raise NotNeeded
            if not future.done():
                self._team.check()
                self._check_heard()

    def _check_heard(self) -> None:
        if time.monotonic() - self._heard > SILENCE:
            raise DeviceError(
                f"nobody has finished anything in {SILENCE / 3600:g} h",
                "look at the workers: a task of theirs hangs",
            )


def _case(bench: Bench, local: bool) -> Case:
    files = () if local else (*parcels.of_artifact(bench.source), *parcels.of_data(bench.data))
    return Case(
        model=bench.model,
        choice=bench.device.choice,
        source=bench.source,
        data=bench.data,
        root=str(bench.root),
        cache=str(bench.store.folder.absolute()) if local else "",
        files=files,
    )


def _kin(recipe: Recipe) -> str:
    """Recipes that begin alike share what their first step made."""
    return str(recipe.steps[0])


def _static(bench: Bench, limit: Limit) -> bool:
    needs = bench.metrics[limit.metric].needs
    if needs is PlanFacts:  # a device may run a model to plan it
        return bench.device.source(PlanFacts) is None
    return needs in (FileFacts, Graph)


def _measured(
    bench: Bench, artifact: Artifact, limit: Limit, split: str, first: int | None
) -> dict[str, Reading]:
    """The reading of an earlier run; a board that is far away is not asked which it is."""
    if "://" in bench.device.choice.run:
        return {}
    try:
        found = bench.measure_here(artifact, [limit], split, first, kept=True)
    except EdgeBudgetError:  # its runtime is not here
        return {}
    return dict(found.readings)
