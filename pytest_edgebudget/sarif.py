"""
SARIF 2.1.0, as GitHub's code scanning takes it: generic results in, text out.

Sources: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0",
OASIS Standard, 2020; "SARIF support for code scanning", GitHub Docs, for what
of it is shown and how much is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pytest_edgebudget import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 5000
"""Results of a run that GitHub shows; of more than 25,000 it refuses the file."""

LEVELS = ("error", "warning", "note")
_ROOT = "SRCROOT"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifRule:
    """
    A rule: *id*, *name*, *summary* (one sentence), *help* (markdown), *level*, *tags*.

    *level*: "error", "warning" or "note".
    """

    id: str
    name: str
    summary: str
    help: str
    level: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SarifPlace:
    """A file, from the top of the checkout and with slashes, and its line (from 1)."""

    path: str
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """
    One result of *rule* (its id) at *place*.

    *identity*: what tells this result from others of the rule and stays when
    lines and numbers change: GitHub follows an alert by it. *related*: another
    place that belongs to it, and what it is.
    """

    rule: str
    level: str
    message: str
    place: SarifPlace
    identity: str
    related: tuple[SarifPlace, str] | None = None


def render(
    rules: Sequence[SarifRule],
    results: Sequence[SarifResult],
    *,
    category: str,
    failures: Iterable[str] = (),
) -> str:
    """
    The log of one run as text.

    *category* tells this run from others of the same commit; *failures* are
    mistakes of the tool, one sentence each. Only the worst results are written
    when there are more than GitHub shows, and a notification says so.
    """
    used = {result.rule for result in results}
    kept = [rule for rule in rules if rule.id in used]
    worst = sorted(results, key=lambda result: LEVELS.index(result.level))[:MOST]
    told = [_notification("error", text) for text in failures]
    if len(worst) < len(results):
        left = f"{len(results) - len(worst)} results are left out, the least severe ones"
        told.append(_notification("warning", left))
    run = {
        "tool": {"driver": _driver(kept)},
        "automationDetails": {"id": f"{category}/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the checkout."}}},
        "invocations": [_invocation(told)],
        "results": _results(worst, [rule.id for rule in kept]),
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1) + "\n"


def _driver(rules: Sequence[SarifRule]) -> Json:
    return {
        "name": "edgebudget",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: SarifRule) -> Json:
    severity = {"note": "recommendation"}.get(rule.level, rule.level)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.help, "markdown": rule.help},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": list(rule.tags), "problem.severity": severity},
    }


def _invocation(told: Sequence[Json]) -> Json:
    failed = any(notification["level"] == "error" for notification in told)
    return {"executionSuccessful": not failed, "toolExecutionNotifications": list(told)}


def _notification(level: str, text: str) -> Json:
    return {"level": level, "message": {"text": text}}


def _results(results: Iterable[SarifResult], ids: Sequence[str]) -> list[Json]:
    index = {name: number for number, name in enumerate(ids)}
    seen: Counter[str] = Counter()
    return [_result(result, index, seen) for result in results]


def _result(result: SarifResult, index: Mapping[str, int], seen: Counter[str]) -> Json:
    text = f"{result.rule}\0{result.identity}"
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    seen[digest] += 1
    written: Json = {
        "ruleId": result.rule,
        "ruleIndex": index[result.rule],
        "level": result.level,
        "message": {"text": result.message},
        "locations": [_location(result.place)],
        "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{seen[digest]}"},
    }
    if result.related:
        place, what = result.related
        written["relatedLocations"] = [{**_location(place), "id": 1, "message": {"text": what}}]
    return written


def _location(place: SarifPlace) -> Json:
    """A place; one outside of the checkout is an absolute URI, which GitHub does not show."""
    outside = place.path.startswith("/")
    artifact = {"uri": ("file://" if outside else "") + quote(place.path, errors="surrogateescape")}
    if not outside:
        artifact["uriBaseId"] = _ROOT
    region = {"startLine": max(1, place.line)}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}
