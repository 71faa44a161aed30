"""Which rules were asked for: ``--select EB2,EB301 --ignore EB203``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_edgebudget.errors import EdgeBudgetError


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Codes, or how codes begin. Without *select*, all rules.

    The longer of two prefixes wins: ``--select EB203 --ignore EB2`` leaves EB203.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether no rule is left out."""
        return not (self.select or self.ignore)

    def wants(self, code: str) -> bool:
        """Whether the rule with this code is asked for."""
        return _longest(code, self.select or ("",)) > _longest(code, self.ignore)


def selection(select: Sequence[str], ignore: Sequence[str], known: Iterable[str]) -> Selection:
    """
    The selection that the options say; each holds codes between commas.

    Raises:
        EdgeBudgetError: no code of *known* begins like that.
    """
    codes = tuple(known)
    return Selection(_codes("--select", select, codes), _codes("--ignore", ignore, codes))


def _codes(option: str, texts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    words = [word.strip().upper() for text in texts for word in text.split(",")]
    for word in words:
        if not word or not any(code.startswith(word) for code in known):
            raise EdgeBudgetError(f"{option}: there is no rule {word!r}", near(word, known))
    return tuple(words)


def near(word: str, known: Sequence[str]) -> str:
    """A hint for a code that nobody knows."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, 1)
    return f"did you mean {found[0]}?" if found else "docs/rules.md lists the rules"


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
