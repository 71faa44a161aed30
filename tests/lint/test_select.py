"""Codes of the command line: whole or beginnings, and the longer one wins."""

from __future__ import annotations

import pytest

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lint.select import Selection, selection

CODES = ("EB101", "EB203", "EB204", "EB301", "ACME001")


@pytest.mark.parametrize(
    ("select", "ignore", "wanted"),
    [
        ([], [], list(CODES)),
        (["EB2"], [], ["EB203", "EB204"]),
        (["EB2,EB301"], [], ["EB203", "EB204", "EB301"]),
        (["eb2", "EB301"], ["EB203"], ["EB204", "EB301"]),
        ([], ["EB"], ["ACME001"]),
        (["EB203"], ["EB2"], ["EB203"]),
        (["EB203"], ["EB203"], []),
        (["ACME"], [], ["ACME001"]),
    ],
)
def test_rules_are_chosen_by_how_their_codes_begin(
    select: list[str], ignore: list[str], wanted: list[str]
) -> None:
    chosen = selection(select, ignore, CODES)

    assert [code for code in CODES if chosen.wants(code)] == wanted


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("EB205", "EB2 has the rules EB203 to EB204"),
        ("EB999", "a code begins with ACM, EB1, EB2, EB3; docs/rules.md lists them"),
        ("EB9", "a code begins with ACM, EB1, EB2, EB3"),
        ("unfused", "a code begins with"),
        ("", "a code begins with"),
    ],
)
def test_a_code_that_no_rule_has_is_an_error_with_those_that_there_are(
    word: str, hint: str
) -> None:
    with pytest.raises(EdgeBudgetError) as error:
        selection([], [f"EB301,{word}"], CODES)

    assert str(error.value).startswith(f"--ignore: there is no rule {word.upper()!r}\n  {hint}")


def test_nothing_asked_for_is_everything() -> None:
    assert Selection().wants("EB999")
