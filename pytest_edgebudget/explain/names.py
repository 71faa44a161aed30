"""The documentation of a metric, a rule, a recipe or a profile; lists of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_edgebudget.extensions import command_line_manager, registry_of
from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.families import all_rules
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.registry import Registry

_ARGUMENTS = re.compile(r"\(.*\)$")
_FAMILY = re.compile(r"[A-Za-z]{2,10}\d{0,2}x{0,2}")


SEARCH = """\
fit

`optimize = "fit"` in a budget file finds the recipe itself: what cannot fit by its
weights, its activations or its work is never built; the least harm comes first; bits by
layer are chosen by how much each layer minds; passes that train come last, only where
nothing else keeps the limits and only where they can close the gap. The lock remembers
what was found. `[models.NAME.fit]` sets objective, max_trials, max_time and train.
`edgebudget fit MODEL --budget FILE -o OUT` does the same by hand."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that has a name: what a budget file may use, and the rules."""

    registry: Registry
    rules: tuple[Rule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, for whoever misspelt one; codes are numbers, and have none near."""
        its = self.registry
        return (*its.metrics, *its.passes, *(rule.name for rule in self.rules), *its.profiles)


def documentation(name: str, *, as_json: bool = False) -> str:
    """
    What the user reads about a metric, a rule (its code or name), a recipe or a profile.

    ``EB2``, ``rules``, ``metrics`` and ``passes`` are lists of what there is.
    Raises EdgeBudgetError when there is none of that name; says which is near.
    """
    known = Known(registry_of(command_line_manager()), all_rules())
    items = list(_items(name.strip(), known))
    if as_json:
        import json

        found = [{"name": title, "documentation": text} for title, text in items]
        return json.dumps({"schema": 1, "items": found}, indent=2) + "\n"
    return "\n\n".join(_plain(text) for _, text in items) + "\n"


def _items(name: str, known: Known) -> Iterable[tuple[str, str]]:
    """What *name* is: name and text of each part."""
    if name.lower() == "fit":
        return [("fit", SEARCH)]
    if listed := _list(name, known):
        return [(name, listed)]
    if name in known.registry.profiles or name.endswith(".toml"):
        from pytest_edgebudget.devices import profile_named
        from pytest_edgebudget.explain.profiles import profile_text

        return [(name, profile_text(profile_named(name)))]
    one = _one(name, known)
    if one is not None:
        return [one]
    return _recipe(name, known)


def _one(name: str, known: Known) -> tuple[str, str] | None:
    """A metric or a rule, in either case."""
    low = name.lower()
    for metric_name, metric in known.registry.metrics.items():
        if metric_name.lower() == low:
            return metric_name, f"{metric_name}\n\n{metric.doc}"
    for rule in known.rules:
        if low in (rule.code.lower(), rule.name):
            return rule.code, f"{rule.code} {rule.name} ({rule.severity})\n\n{rule.doc}"
    return None


def _recipe(name: str, known: Known) -> list[tuple[str, str]]:
    """The passes of ``channels(0.3)+int8``; of several, how many and in which order they are."""
    passes: Mapping[str, object] = known.registry.passes
    steps = [_ARGUMENTS.sub("", step.strip()).strip() for step in name.split("+")]
    for step in steps:
        if step not in passes:
            from pytest_edgebudget.explain.unknown import unknown

            raise unknown(step, known.names, tuple(rule.code for rule in known.rules))
    texts = [(step, f"{step}\n\n{_pass_text(known.registry.passes[step])}") for step in steps]
    if len(steps) == 1:
        return texts
    first = f"{name}: {len(steps)} passes, one after the other: {', then '.join(steps)}"
    return [(steps[0], f"{first}\n\n{texts[0][1]}"), *texts[1:]]


def _pass_text(chosen: Pass) -> str:
    """What it does, and its arguments."""
    if not chosen.parameters:
        return chosen.doc
    rows = [(each.name, _default(each.default), each.help) for each in chosen.parameters]
    name, value = (max(len(row[i]) for row in rows) for i in (0, 1))
    lines = [f"    {row[0]:{name}}  {row[1]:{value}}  {row[2]}" for row in rows]
    return "\n".join([f"{chosen.doc}\n\nArguments, with what they are when left out:", *lines])


def _default(value: object) -> str:
    if value is None:
        return "required"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(name: str, known: Known) -> str:
    """A family of rules, or all metrics or passes: a line for each; "" when it is no such word."""
    word = name.lower()
    registry = known.registry
    if word in ("metrics", "metric"):
        return _lines((key, item.doc) for key, item in registry.metrics.items())
    if word in ("passes", "pass", "recipes"):
        return _lines((key, item.doc) for key, item in registry.passes.items())
    if not (_FAMILY.fullmatch(name) or word in ("rules", "rule")):
        return ""
    start = "" if word in ("rules", "rule") else name.upper().rstrip("X")
    found = [rule for rule in known.rules if rule.code.startswith(start)]
    return _lines((f"{rule.code} {rule.name}", rule.doc) for rule in found)


def _lines(items: Iterable[tuple[str, str]]) -> str:
    rows = [(title, doc.strip().partition("\n")[0]) for title, doc in items]
    width = max((len(title) for title, _ in rows), default=0)
    return "\n".join(f"{title:{width}}  {summary}" for title, summary in rows)


def _plain(text: str) -> str:
    """Documentation without the marks of its markup."""
    lines = [line for line in text.replace("``", "`").split("\n") if line.strip() != "::"]
    return "\n".join(line[:-1] if line.endswith("::") else line for line in lines)
