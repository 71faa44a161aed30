"""Comments of budget files: which there are, and what each is about."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.budget.positions import comments
from pytest_edgebudget.lint.comments import read_ignores
from pytest_edgebudget.lint.ignores import Ignore

FILE = Path("pi4.toml")


def only(text: str) -> Ignore:
    (found,) = read_ignores(text.encode(), FILE).ignores
    return found


def scopes(text: str) -> list[tuple[int, tuple[str | int, ...], bool]]:
    return [(i.line, i.scope, i.alone) for i in read_ignores(text.encode(), FILE).ignores]


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# edgebudget: ignore EB203 - vendor fuses", ("EB203",), "vendor fuses"),
        ("#edgebudget:ignore eb203, EB3 -- two - parts", ("EB203", "EB3"), "two - parts"),
        ("# edgebudget: ignore EB203: why", ("EB203",), "why"),
        ("# edgebudget: ignore EB203 \u2013 why", ("EB203",), "why"),
        ("# edgebudget: ignore EB203 \u2014 why", ("EB203",), "why"),
        ("## edgebudget: ignore EB203,EB204", ("EB203", "EB204"), ""),
        ("# edgebudget: ignore EB203 -", ("EB203",), ""),
    ],
)
def test_a_comment_has_codes_and_a_reason(
    comment: str, codes: tuple[str, ...], reason: str
) -> None:
    found = only(comment)

    assert (found.codes, found.reason, found.wrong) == (codes, reason, "")


@pytest.mark.parametrize("text", ["ignore", "ignore - all of it", "skip EB203 - x", "noqa: EB203"])
def test_a_comment_of_another_form_is_kept_as_it_is_written(text: str) -> None:
    assert only(f"# edgebudget: {text}").wrong == text


@pytest.mark.parametrize(
    "text",
    [
        'a = "# edgebudget: ignore EB203 - x"',
        "a = '# edgebudget: ignore EB203 - x'",
        'a = """\n# edgebudget: ignore EB203 - x\n"""',
        "a = '''\n# edgebudget: ignore EB203 - x\n'''",
        'a = "\\"# edgebudget: ignore EB203 - x"',
        '"# edgebudget: ignore EB203 - x" = 1',
        "# see edgebudget: ignore EB203 - x",
        "a = 1 # edge budget: ignore EB203",
    ],
)
def test_what_is_in_a_string_or_about_something_else_is_no_such_comment(text: str) -> None:
    assert read_ignores(text.encode(), FILE).ignores == ()


def test_a_comment_is_about_the_table_that_it_stands_in() -> None:
    text = """\
# edgebudget: ignore EB101 - at the top: the file
extends = "base.toml"   # edgebudget: ignore EB102 - this line
[device]                # edgebudget: ignore EB103 - this line of the device
profile = "host"
# edgebudget: ignore EB104 - the device

# edgebudget: ignore EB105 - right above a header: digits
# (a remark)
[models.digits]         # edgebudget: ignore EB106 - this line of digits
path = "d.tflite"
[models.digits.budget]
size = [
  1,  # edgebudget: ignore EB107 - inside an array
]
# edgebudget: ignore EB108 - digits, after its limits

[groups.both]
# edgebudget: ignore EB109 - the group
models = ["digits"]
"""

    assert scopes(text) == [
        (1, (), True),
        (2, (), False),
        (3, ("device",), False),
        (5, ("device",), True),
        (7, ("models", "digits"), True),
        (9, ("models", "digits"), False),
        (13, ("models", "digits"), False),
        (15, ("models", "digits"), True),
        (18, ("groups", "both"), True),
    ]


def test_models_may_be_inline_tables_and_dotted_keys() -> None:
    text = """\
[models]
a = { path = "a.tflite" }  # edgebudget: ignore EB2 - a
b.path = "b.tflite"        # edgebudget: ignore EB2 - b
"a b".path = "c.tflite"    # edgebudget: ignore EB2 - a b
"""

    assert [scope for _, scope, _ in scopes(text)] == [
        ("models", "a"),
        ("models", "b"),
        ("models", "a b"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    text = "\ufeff[models.a]\r\npath = 'a'  # edgebudget: ignore EB2 - x\r\n"

    (found,) = read_ignores(text.encode(), FILE).ignores
    assert (found.line, found.scope, found.reason) == (2, ("models", "a"), "x")


# --- any text that TOML allows -----------------------------------------------------


def _array(values: list[str]) -> str:
    """An array over several lines."""
    return "[\n" + "".join(f"  {value},\n" for value in values) + "]"


_WORDS = st.text(st.sampled_from("ab#\"'\\[]{}=,. \t\u00e9"), max_size=12)
_STRINGS = st.one_of(
    _WORDS.map(json.dumps),
    _WORDS.map(lambda text: "'" + text.replace("'", "") + "'"),
    _WORDS.map(lambda text: '"""\n' + json.dumps(text)[1:-1] + '\n# no comment\n"""'),
    _WORDS.map(lambda text: "'''\n" + text.replace("'", "") + "\n# no comment\n'''"),
)
_VALUES = st.one_of(
    _STRINGS, st.just("[1, 2]"), st.just("{ a = '#' }"), st.lists(_STRINGS, max_size=2).map(_array)
)
_COMMENTS = st.one_of(st.just(""), _WORDS.map(lambda text: f"# {text}".rstrip()))


@given(st.lists(st.tuples(_VALUES, _COMMENTS, _COMMENTS), max_size=5))
def test_comments_are_found_and_nothing_else(parts: list[tuple[str, str, str]]) -> None:
    lines, expected = [], []
    for number, (value, behind, below) in enumerate(parts):
        lines += f"k{number} = {value} {behind}".split("\n")
        expected += [(len(lines), behind)] if behind else []
        lines.append(below)
        expected += [(len(lines), below)] if below else []
    text = "\n".join(lines)
    tomllib.loads(text)

    assert comments(text) == expected
