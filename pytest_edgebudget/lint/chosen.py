"""Which rules a budget file's ``[lint]`` table chooses."""

from __future__ import annotations

from pytest_edgebudget.errors import BudgetError, Mistake
from pytest_edgebudget.lint.select import Selection, codes_near
from pytest_edgebudget.types import Budget

OURS = "EB"


def chosen(budget: Budget) -> Selection:
    """
    The selection of the budget's ``[lint]`` table.

    Codes of other prefixes are an extension's: it may be a conftest, which is
    not loaded everywhere, so they are believed.

    Raises:
        BudgetError: no rule's code begins like one of ours that is named.
    """
    choice = budget.lint
    if choice.places:  # the table of rules is loaded only where codes are named
        from pytest_edgebudget.lint.table import RULES_BY_CODE

        known = tuple(RULES_BY_CODE)
        mistakes = [
            Mistake(place, f'there is no rule "{code}"', codes_near(code, known))
            for code, place in choice.places
            if code.startswith(OURS) and not any(each.startswith(code) for each in known)
        ]
        if mistakes:
            raise BudgetError(mistakes)
    return Selection(choice.select, choice.ignore)
