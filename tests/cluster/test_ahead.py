"""What is begun before its turn, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_edgebudget.fit.ahead import STOP, Ahead, NotNeeded
from pytest_edgebudget.types import Recipe, Step, Trial

RECIPES = {name: Recipe((Step(name),)) for name in ("a", "b", "c", "train1", "train2", "d")}


class Looker:
    """Notes what was begun; *held* ones end when they are told to, or needed no more."""

    def __init__(self, *held: str) -> None:
        self.begun: list[str] = []
        self.held = held
        self.go = threading.Event()
        self.stopped = threading.Event()
        self._lock = threading.Condition()

    def __call__(self, recipe: Recipe) -> Trial:
        name = str(recipe)
        with self._lock:
            self.begun.append(name)
            self._lock.notify_all()
        if name in self.held:
            stop = STOP.get()
            assert stop is not None
            stop.result(60)
            self.stopped.set()
            raise NotNeeded
        return Trial(recipe=recipe, state="rejected")

    def await_begun(self, *names: str) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: set(self.begun) >= set(names), 60)


@contextmanager
def ahead(looker: Looker, *, size: int = 3, room: float = 99) -> Iterator[Ahead]:
    found = Ahead(
        looker, size=size, late=lambda recipe: str(recipe).startswith("train"), room=lambda: room
    )
    try:
        yield found
    finally:
        found.close()


def test_expected_ones_are_begun_together_and_handed_out_in_turn() -> None:
    looker = Looker("b", "c")
    with ahead(looker) as found:
        found.expect([RECIPES[name] for name in ("a", "b", "c")])
        assert str(found.look(RECIPES["a"]).recipe) == "a"
        looker.await_begun("a", "b", "c")
    assert looker.stopped.is_set()


def test_one_that_trains_waits_for_its_turn_and_so_do_those_behind_it() -> None:
    looker = Looker()
    with ahead(looker) as found:
        found.expect([RECIPES[name] for name in ("a", "train1", "train2", "d")])
        found.look(RECIPES["a"])
        assert looker.begun == ["a"]
        found.look(RECIPES["train1"])
        looker.await_begun("train1", "train2", "d")


def test_none_is_begun_beyond_what_a_search_may_try() -> None:
    looker = Looker()
    with ahead(looker, room=1) as found:
        found.expect([RECIPES[name] for name in ("a", "b", "c")])
        found.look(RECIPES["a"])
    assert looker.begun == ["a"]


def test_an_error_comes_when_it_is_the_turn_of_its_recipe() -> None:
    class Failing(Looker):
        def __call__(self, recipe: Recipe) -> Trial:
            trial = super().__call__(recipe)
            if str(recipe) == "b":
                raise ValueError("b")
            return trial

    looker = Failing()
    with ahead(looker) as found:
        found.expect([RECIPES[name] for name in ("a", "b", "c")])
        found.look(RECIPES["a"])
        looker.await_begun("b")
        with pytest.raises(ValueError, match="b"):
            found.look(RECIPES["b"])
        found.look(RECIPES["c"])
