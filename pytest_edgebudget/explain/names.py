"""The documentation of a metric, a rule or a recipe."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lint.table import RULES
from pytest_edgebudget.wiring import command_line_manager, registry_of


def documentation(name: str, *, as_json: bool = False) -> str:
    """
    What the user reads about a metric, a rule (its code or name), a pass or a recipe.

    Raises EdgeBudgetError when there is none of that name; says which is near.
    """
    known = _known()
    steps = _steps(name)
    for step in steps:
        if step not in known:
            raise _unknown(step, known)
    if as_json:
        import json

        items = [{"name": step, "documentation": known[step]} for step in steps]
        return json.dumps({"schema": 1, "items": items}, indent=2) + "\n"
    return "\n\n".join(known[step] for step in steps) + "\n"


def _known() -> Mapping[str, str]:
    registry = registry_of(command_line_manager())
    passes = {name: f"{name}\n\n{item.doc}" for name, item in registry.passes.items()}
    metrics = {name: f"{name}\n\n{item.doc}" for name, item in registry.metrics.items()}
    rules = {
        key: f"{rule.code} {rule.name} ({rule.severity})\n\n{rule.doc}"
        for rule in RULES
        for key in (rule.code, rule.name)
    }
    return {**rules, **passes, **metrics}


def _steps(name: str) -> list[str]:
    """The passes of a recipe: ``channels(0.3)+int8``; a code in either case."""
    steps = [step.partition("(")[0].strip() for step in name.split("+")]
    return [
        step.upper() if step[:2].lower() == "eb" and step[2:].isdigit() else step for step in steps
    ]


def _unknown(name: str, known: Mapping[str, str]) -> EdgeBudgetError:
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return EdgeBudgetError(f"there is no model, metric, pass or rule {name}", hint)
