"""All mistakes of a budget file: the reader notes each and goes on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_edgebudget.errors import BudgetError, Mistake, Place


class Mistakes:
    """What was found so far. *files* are in the order in which they were read."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []
        self.files: list[Path] = []

    def add(self, place: Place, message: str, hint: str = "") -> None:
        """Note one mistake."""
        self.found.append(Mistake(place, message, hint))

    def about(self, place: Place) -> bool:
        """Whether anything below the key of *place* is wrong already."""
        return any(mistake.place.key.startswith(place.key) for mistake in self.found)

    def error(self) -> BudgetError:
        """The error that tells them all, in file order."""
        return BudgetError(sorted(dict.fromkeys(self.found), key=self._order))

    def _order(self, mistake: Mistake) -> tuple[int, int]:
        file = mistake.place.file
        rank = self.files.index(file) if file in self.files else len(self.files)
        return rank, mistake.place.line


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for a name that nobody knows: the closest one, else all of them."""
    from difflib import get_close_matches

    names = sorted(known)
    folded = {name.lower(): name for name in names}
    for name in get_close_matches(word.lower(), folded, n=1):
        return f"did you mean {folded[name]}?"
    return f"known: {', '.join(names)}" if names else ""
