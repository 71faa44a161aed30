"""A model's budget to the candidates to try, in order. Pure."""

from __future__ import annotations

from pytest_edgebudget.types import AS_IT_IS, ModelBudget, Recipe


def candidates(model: ModelBudget, *, locked: str | None, optimize: bool) -> tuple[Recipe, ...]:
    """
    The recipes to try, the locked one first.

    A locked recipe that the budget no longer lists is not tried: the budget
    file is what the owner reviews. *optimize* false: the model as it is.
    """
    if not optimize or not model.optimize:
        return (AS_IT_IS,)
    listed = model.optimize
    return tuple(sorted(listed, key=lambda recipe: str(recipe) != locked))
