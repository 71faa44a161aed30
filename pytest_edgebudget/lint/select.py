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
            raise EdgeBudgetError(f"{option}: there is no rule {word!r}", codes_near(word, known))
    return tuple(words)


def codes_near(word: str, known: Sequence[str]) -> str:
    """
    A hint for a code that no rule has: the codes of its family, else the families.

    A number one off is no misspelling: the rule beside it is about something else.
    """
    family = sorted(code for code in known if code[:_FAMILY] == word[:_FAMILY])
    if len(word) >= _FAMILY and family:
        return f"{word[:_FAMILY]} has the rules {family[0]} to {family[-1]}"
    families = sorted({code[:_FAMILY] for code in known})
    return f"a code begins with {', '.join(families)}; docs/rules.md lists them"


_FAMILY = 3  # characters of a code: EB and the first digit


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
