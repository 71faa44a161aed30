"""The line of every key, whatever way TOML has to write it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.budget.positions import KeyPath, positions

TEXT = '''\
# a comment with [brackets] = "and more"
extends = "a.toml" # another

[models . keywords]
path = """
first
"quoted" and \\""" not the end"""
note = \'\'\'
[not.a.table]\'\'\'
optimize = [ # after the bracket
  "none", "float16",

  # between
  "in]t8",
]
budget.size = "64 KiB"
budget."late\\u006ecy" = { max = "8 ms", "a.b" = { c = [1, 2] } }
'single quoted'.x = 1

[models.keywords.waive.size]
until = 2027-01-31
at = 2027-01-31 10:00:00

[[points]]
x = 1
[points.sub]
y = 2.5
[[points]]
x = [[1], [{ z = true }]]
[[points.deep]]
w = -1
'''

KEYWORDS = ("models", "keywords")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("extends",), 2),
        (KEYWORDS, 4),
        ((*KEYWORDS, "path"), 5),
        ((*KEYWORDS, "note"), 8),
        ((*KEYWORDS, "optimize", 0), 11),
        ((*KEYWORDS, "optimize", 1), 11),
        ((*KEYWORDS, "optimize", 2), 14),
        ((*KEYWORDS, "budget"), 16),
        ((*KEYWORDS, "budget", "size"), 16),
        ((*KEYWORDS, "budget", "latency", "max"), 17),
        ((*KEYWORDS, "budget", "latency", "a.b", "c", 1), 17),
        ((*KEYWORDS, "single quoted", "x"), 18),
        ((*KEYWORDS, "waive", "size"), 20),
        ((*KEYWORDS, "waive", "size", "at"), 22),
        (("points", 0, "x"), 25),
        (("points", 0, "sub", "y"), 27),
        (("points", 1, "x", 1, 0, "z"), 29),
        (("points", 1, "deep", 0, "w"), 31),
    ],
)
def test_each_key_has_the_line_on_which_it_is_written(path: KeyPath, line: int) -> None:
    assert positions(TEXT)[path] == line


def test_a_table_is_where_its_header_is_even_when_a_child_comes_first() -> None:
    assert positions("[a.b]\n[a]\n")[("a",)] == 2


def _paths(value: object, path: KeyPath = ()) -> set[KeyPath]:
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    if isinstance(value, list):
        children = list(enumerate(value))
    return {path}.union(*(_paths(child, (*path, key)) for key, child in children))


def test_every_value_that_tomllib_reads_has_a_line() -> None:
    assert _paths(tomllib.loads(TEXT)) == set(positions(TEXT))


_KEYS = st.sampled_from(["a", "b-1", '"q.x"', "'s t'", '"\\u0041"', "a.b", ' c . "d" '])
_LEAVES = st.sampled_from(
    ["1", "-1.5e3", "true", "2027-01-31", '"x # ]"', "'}'", '"""m\n"" """', "'''l\n'''", "nan"]
)
_SPACES = st.sampled_from(["", " ", "\n", " # comment ]}\n"])


def _array(values: list[str], space: str) -> str:
    return f"[{space}" + f"{space},{space}".join(values) + f"{space}]"


_VALUES = st.recursive(
    _LEAVES,
    lambda values: (
        st.builds(_array, st.lists(values, max_size=3), _SPACES)
        | st.builds("{{ k1 = {} , 'k 2'.k3={}}}".format, values, values)
        | st.just("{}")
    ),
    max_leaves=6,
)
_LINES = st.builds("{}={}".format, _KEYS, _VALUES) | st.builds("[{}]".format, _KEYS)
_LINES |= st.builds("[[{}]]".format, _KEYS) | st.just("")


@given(st.lists(_LINES, max_size=8))
def test_every_key_of_any_toml_text_is_found(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert _paths(data) == set(positions(text))
