"""
A comment ignores a finding that is not there any more.

What it finds
    Comments ``# edgebudget: ignore EB203 - reason`` for whose code nothing was found in the
    lines, tables or models that they are about. Only codes of rules that ran count: with
    ``--select EB3`` a comment about EB203 is left alone.

Why it hurts
    The next finding of that rule in the same place would be ignored for a reason that was given
    for another one.

Example:
    The model was exported anew and its activations are fused now, but the comment stayed::

        [models.keywords]   # edgebudget: ignore EB203 - the converter does not fuse them

Instead
    Remove the comment, or the code from its list.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, Rule, Severity
from pytest_edgebudget.lint.ignores import UnusedIgnores


def check(unused: UnusedIgnores) -> Iterator[Finding]:
    """A finding for each code that ignored nothing."""
    for ignore, code in unused.codes:
        yield Finding(
            f"nothing is found that {code} would ignore here",
            instead="remove the comment" if len(ignore.codes) == 1 else f"remove {code} from it",
            line=ignore.line,
            file=ignore.file,
        )


RULE = Rule(
    code="EB102",
    name="unused-ignore",
    severity=Severity.WARNING,
    needs=UnusedIgnores,
    check=check,
)
