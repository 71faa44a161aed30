"""Candidates that others look at ahead of their turn."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from pytest_edgebudget.types import Recipe, Trial

T = TypeVar("T")
STOP: contextvars.ContextVar[Future[None] | None] = contextvars.ContextVar("STOP", default=None)
"""Done as soon as nobody needs any more what the current thread works on."""


class NotNeeded(Exception):
    """What a thread of `Ahead` waited for is of no use any more; nobody sees it."""


class Ahead:
    """
    Looks at recipes: the one that is asked for, and meanwhile those that are expected next.

    What is found is handed out in the order in which it is asked for, so that a
    search decides as if it looked at one after the other. At most *size* are under
    way, and none is begun beyond the *room* that the search has left. *late* says of
    a recipe that costs too much to be begun before its turn: it and those behind it
    wait until one such recipe is asked for.
    """

    def __init__(
        self,
        look: Callable[[Recipe], Trial],
        *,
        size: int,
        late: Callable[[Recipe], bool],
        room: Callable[[], float],
    ) -> None:
        self._look = look
        self._size = size
        self._late = late
        self._room = room
        self._next: deque[Recipe] = deque()
        self._begun: dict[Recipe, Future[Trial]] = {}
        self._stop: Future[None] = Future()
        self._pool = ThreadPoolExecutor(size, "edgebudget-ahead") if size > 1 else None

    def expect(self, recipes: Iterable[Recipe]) -> None:
        """These are likely to be asked for next, in this order; whatever was expected is not."""
        self._next = deque(recipes)

    def look(self, recipe: Recipe) -> Trial:
        """The trial of *recipe*."""
        if self._pool is None:
            return self._look(recipe)
        mine = self._begun.get(recipe) or self._begin(recipe)
        self._fill(self._late(recipe))
        trial = mine.result()
        del self._begun[recipe]
        return trial

    def each(self, function: Callable[[Recipe], float], recipes: list[Recipe]) -> list[float]:
        """What *function* says of each recipe."""
        if self._pool is None:
            return [function(recipe) for recipe in recipes]
        return list(self._pool.map(lambda recipe: self._stoppable(function, recipe), recipes))

    def close(self) -> None:
        """Give up what nobody asked for."""
        if self._pool is not None:
            if not self._stop.done():
                self._stop.set_result(None)
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _fill(self, late: bool) -> None:
        """Begin what is expected, the first ones first."""
        while self._next and len(self._begun) < min(self._size, self._room()):
            if self._late(self._next[0]) and not late:
                return
            recipe = self._next.popleft()
            if recipe not in self._begun:
                self._begin(recipe)

    def _begin(self, recipe: Recipe) -> Future[Trial]:
        assert self._pool is not None
        if recipe in self._next:
            self._next.remove(recipe)
        self._begun[recipe] = self._pool.submit(self._stoppable, self._look, recipe)
        return self._begun[recipe]

    def _stoppable(self, function: Callable[[Recipe], T], recipe: Recipe) -> T:
        STOP.set(self._stop)
        return function(recipe)
