"""
A comment that ignores a rule does not say why, or names no rule.

What it finds
    Comments ``# edgebudget: ignore ...`` without a reason behind the codes, without a code,
    with a code that no rule has, or with another word than ``ignore``.

Why it hurts
    An ignored finding is a decision. Whoever meets the comment in a year cannot tell a decision
    from a leftover, so it is never removed. A comment without a known code ignores nothing at
    all, without a word.

Example:
    ::

        [models.keywords]   # edgebudget: ignore EB203

Instead
    Write the reason behind the codes, which may be several or the beginning of codes::

        [models.keywords]   # edgebudget: ignore EB203, EB21 - fused by the vendor's compiler
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, Rule, Severity
from pytest_edgebudget.lint.ignores import BadIgnores, Ignore
from pytest_edgebudget.lint.select import codes_near

_FORM = "write: # edgebudget: ignore EB203 - reason"


def check(comments: BadIgnores) -> Iterator[Finding]:
    """A finding for each comment that cannot be followed, or not understood in a year."""
    for ignore in comments.ignores:
        message, instead = _wrong(ignore, comments.known)
        if message:
            yield Finding(message, instead=instead, line=ignore.line, file=ignore.file)


def _wrong(ignore: Ignore, known: tuple[str, ...]) -> tuple[str, str]:
    if ignore.wrong:
        return f"{_lacks(ignore.wrong)}: it ignores nothing", _FORM
    for code in ignore.codes:
        if not any(each.startswith(code) for each in known):
            return f"there is no rule {code}: it ignores nothing", codes_near(code, known)
    if not ignore.reason:
        return f"no reason is given for ignoring {', '.join(ignore.codes)}", _FORM
    return "", ""


def _lacks(comment: str) -> str:
    """What a comment of another form lacks."""
    verb, _, rest = comment.partition(" ")
    if verb.rstrip(":") != "ignore":
        return f'"{verb}" is not understood, only "ignore" is'
    if not rest.strip(" -:"):
        return "no rule is named, and no reason given"
    if not rest[0].isalnum():
        return "no rule is named"
    return f'"{rest}" is not understood, a reason comes behind the codes and " - "'


RULE = Rule(
    code="EB101",
    name="ignore-without-reason",
    severity=Severity.WARNING,
    needs=BadIgnores,
    check=check,
)
