"""Recipes: one meaning, one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.budget import parse_recipe
from pytest_edgebudget.types import Recipe, Step
from tests.budget.project import PASSES

KNOWN = {each.name: each for each in PASSES}


@pytest.mark.parametrize(
    ("text", "recipe", "canonical"),
    [
        ("none", Recipe((Step("none"),)), "none"),
        ("prune(0.3)+int8", Recipe((Step("prune", (0.3,)), Step("int8"))), "prune(0.3)+int8"),
        (" prune( .30 ) + int8 ", Recipe((Step("prune", (0.3,)), Step("int8"))), "prune(0.3)+int8"),
        ("prune(fraction=3e-1)", Recipe((Step("prune", (0.3,)),)), "prune(0.3)"),
        ("prune(0.3, 0, false)", Recipe((Step("prune", (0.3,)),)), "prune(0.3)"),
        (
            "prune(blocks=true, seed=7, fraction=0)",
            Recipe((Step("prune", (0.0,), (("seed", 7), ("blocks", True))),)),
            "prune(0.0, seed=7, blocks=true)",
        ),
        ("int8()", Recipe((Step("int8"),)), "int8"),
    ],
)
def test_a_recipe_is_read_and_written_in_one_way(text: str, recipe: Recipe, canonical: str) -> None:
    assert parse_recipe(text, KNOWN) == recipe
    assert str(recipe) == canonical
    assert parse_recipe(canonical, KNOWN) == recipe


def _sentence(text: str) -> str:
    try:
        parse_recipe(text, KNOWN)
    except ValueError as error:
        return str(error)
    return ""


@given(
    st.text()
    | st.text(alphabet="prune(0.3)+int8,=seed e-9")
    | st.builds("prune({}, seed={})".format, st.floats(), st.integers())
)
def test_any_text_is_a_recipe_or_one_sentence(text: str) -> None:
    assert "\n" not in _sentence(text).replace(text, "").replace(text.strip(), "")
