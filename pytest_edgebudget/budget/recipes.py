"""Recipes as text: ``prune(0.3)+int8`` to steps whose arguments fit their passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pytest_edgebudget.budget.mistakes import suggest
from pytest_edgebudget.passes.base import Parameter, Pass
from pytest_edgebudget.types import Recipe, Step

Argument = float | int | str | bool
"""A value in the parentheses of a step."""

_STEP = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\(([^()]*)\)\s*)?(\+|$)", re.ASCII)
_ARGUMENT = re.compile(r"(?:([A-Za-z_]\w*)\s*=\s*)?([^\s=]+)", re.ASCII)


def parse_recipe(text: str, passes: Mapping[str, Pass]) -> Recipe:
    """
    The recipe that *text* names.

    One meaning has one text, since the text addresses the cache: required
    arguments come first and by position, the others by name, and only when
    they differ from the default.

    Raises:
        ValueError: with one sentence for the user.
    """
    steps = tuple(_step(name, arguments, passes) for name, arguments in _split(text))
    if len(steps) > 1 and any(step.name == "none" for step in steps):
        raise ValueError(f'"none" stands alone: "{text}" has other steps too')
    return Recipe(steps)


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Name and arguments of each step; a "+" inside parentheses belongs to a number."""
    at = 0
    while match := _STEP.match(text, at):
        yield match[1], match[2]
        at = match.end()
        if not match[3]:
            return
    raise ValueError(f'"{text}" is not a recipe: write steps such as "prune(0.3)+int8"')


def _step(name: str, arguments: str | None, passes: Mapping[str, Pass]) -> Step:
    if name in passes:
        given = _arguments(name, arguments or "", passes[name].parameters)
        return _canonical(name, given, passes[name].parameters)
    raise ValueError(f'there is no pass "{name}" ({suggest(name, passes)})')


def _arguments(name: str, text: str, parameters: tuple[Parameter, ...]) -> dict[str, Argument]:
    """The arguments by the name of their parameter."""
    given: dict[str, Argument] = {}
    for index, word in enumerate(text.split(",") if text.strip() else ()):
        match = _ARGUMENT.fullmatch(word.strip())
        if match is None:
            raise ValueError(f'"{word.strip()}" is not an argument of {name}')
        parameter = _parameter(name, match[1], index, parameters)
        if parameter.name in given:
            raise ValueError(f"{name} is given {parameter.name} twice")
        given[parameter.name] = _value(name, match[2], parameter)
    return given


def _parameter(
    name: str, key: str | None, index: int, parameters: tuple[Parameter, ...]
) -> Parameter:
    known = {parameter.name: parameter for parameter in parameters}
    if key is None and index < len(parameters):
        return parameters[index]
    if key in known:
        return known[key]
    takes = f"its arguments: {', '.join(known)}" if known else "it takes none"
    wrong = f'no argument "{key}"' if key else "fewer arguments"
    raise ValueError(f"{name} takes {wrong} ({takes})")


def _value(name: str, word: str, parameter: Parameter) -> Argument:
    what = f"{name}: {parameter.name}"
    try:
        value = _READ[parameter.type](word)
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"{what} must be {_WORDS[parameter.type]}, not {word}") from None
    low, high = parameter.minimum, parameter.maximum
    if isinstance(value, str):
        return value
    if not _within(value, low, high):
        raise ValueError(f"{what} must be {_range(low, high)}, not {word}")
    return value


def _within(value: float, low: float | None, high: float | None) -> bool:
    """Whether low <= value <= high; never for nan."""
    floor = float("-inf") if low is None else low
    ceiling = float("inf") if high is None else high
    return floor <= value <= ceiling and abs(value) != float("inf")


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "a finite number"
    if low is None or high is None:
        return f"at most {high:g}" if low is None else f"at least {low:g}"
    return f"between {low:g} and {high:g}"


def _canonical(name: str, given: Mapping[str, Argument], parameters: tuple[Parameter, ...]) -> Step:
    required = [parameter for parameter in parameters if parameter.default is None]
    for parameter in required:
        if parameter.name not in given:
            raise ValueError(f"{name} needs {parameter.name}: {parameter.help}")
    options = [
        (parameter.name, given[parameter.name])
        for parameter in parameters
        if parameter.default is not None
        and given.get(parameter.name, parameter.default) != parameter.default
    ]
    return Step(name, tuple(given[parameter.name] for parameter in required), tuple(options))


_READ: dict[type, Callable[[str], Argument]] = {
    int: int,
    float: float,
    bool: {"true": True, "false": False}.__getitem__,
    str: lambda word: word.strip("\"'"),
}
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
