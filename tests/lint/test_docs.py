"""Each rule is documented, and the page of all rules is fresh."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import OnDevice, Rule, Severity
from pytest_edgebudget.lint.docs import render
from pytest_edgebudget.lint.markdown import SECTIONS, markdown, sections
from pytest_edgebudget.lint.table import RULES, RULES_BY_CODE

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_rules_is_fresh() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")

    assert page == render(), "run: python -m pytest_edgebudget.lint.docs docs/rules.md"


def test_codes_and_names_are_unique_and_in_order() -> None:
    assert [rule.code for rule in RULES] == sorted(RULES_BY_CODE)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_finds_why_it_hurts_and_what_to_do(rule: Rule) -> None:
    found = {heading: "\n".join(lines).strip() for heading, lines in sections(rule.doc)}

    assert tuple(found) == ("", *SECTIONS)
    assert all(found.values())
    assert rule.summary.endswith(".")
    assert len(rule.summary) < 120
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)


@pytest.mark.parametrize("rule", [r for r in RULES if r.code[:3] == "EB4"], ids=lambda r: r.code)
def test_rules_about_devices_need_one(rule: Rule) -> None:
    assert rule.needs is OnDevice


def test_documentation_becomes_markdown() -> None:
    doc = """\
A sentence with ``code``.

What it finds
    Lines of
    text::

        [models.a]
          indented = 1

    And more.

Example
    ::

        code

Instead
    Do ``this``.
"""

    assert (
        markdown(doc)
        == """\
A sentence with `code`.

**What it finds**

Lines of
text:

```
[models.a]
  indented = 1
```

And more.

**Example**

```
code
```

**Instead**

Do `this`.
"""
    )


@pytest.mark.parametrize("code", ["EB600", "EB99", "X001", "EBX001", "acme001", "ACMEACMEACME001"])
def test_a_rule_with_an_odd_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="a code is EB and three digits, the first 1 to 5"):
        Rule(code=code, name="x", severity=Severity.NOTE, needs=OnDevice, check=lambda _: ())
