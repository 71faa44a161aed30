"""Under which key a reading may be compared, and under which it is cached."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from dataclasses import asdict
from pathlib import Path
from types import FunctionType

from pytest_edgebudget import __version__, graph
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.facts import (
    BatteryFacts,
    EnergyFacts,
    EstimatedCost,
    FileFacts,
    InstructionFacts,
    LinkFacts,
    NpuFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    SynthesisFacts,
    Timings,
    TwinAnswers,
)
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.twins import twin_words
from pytest_edgebudget.measure.wanted import Wanted
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Key, Profile

PACKAGE = Path(__file__).resolve().parent.parent
READING = (
    "facts.py",
    "pairs.py",
    "stats.py",
    "data",
    "devices",
    "graph",
    "measure",
    "metrics",
    "worker",
)
"""Files and folders between a model's file and a number."""
SUFFIXES = (".py", ".c", ".h", ".toml")
PROFILES = PACKAGE / "devices" / "profiles"
"""Each counts for its own device alone: see `_facts_of`."""
WORDS = ("title", "sources", "published", "default_run")
"""What a profile tells its reader, and no number depends on."""

STATIC = (FileFacts, graph.Graph, PlanFacts)
SAMPLED = (Predictions, TwinAnswers)


def comparison_key(wanted: Wanted, subject: Subject, facts: object = None) -> Key:
    """
    Sorted pairs of what decides the number beside the artifact.

    Static metrics have none, since the bytes decide: but a memory plan is one
    runtime's, with one set of kernels. *facts* may name a tool.
    """
    metric = wanted.metric
    if metric.needs is PlanFacts:
        kernels = kernels_of(subject.device.choice.profile)
        runtime = subject.device.runtime_for(subject.artifact.format)
        return (("kernels", kernels), ("runtime", runtime), *_release(subject))
    if metric.needs in STATIC:
        return ()
    if isinstance(facts, PlacementFacts):
        return _placement(facts, wanted, subject)
    if isinstance(facts, NpuFacts):
        pairs = {"device": subject.device.choice.profile.name, "tool": facts.tool}
        return tuple(sorted((pairs | dict(facts.conditions)).items()))
    if isinstance(facts, SynthesisFacts):
        return (("chip", facts.chip), ("tool", facts.tool))
    asked: dict[str, str] = {}
    if isinstance(facts, BatteryFacts):
        facts, asked = facts.energy, _asked(wanted)
    if isinstance(facts, EstimatedCost):
        return tuple(sorted((dict(facts.key) | asked).items()))
    choice = subject.device.choice
    identity = subject.device.identity(subject.artifact.format)
    pairs = {
        "runtime": identity.runtime,
        "version": identity.version,
        "cpu": identity.cpu,
        "device": choice.profile.name,
        "run": choice.way,
        "threads": str(choice.threads),
    }
    pairs |= dict(identity.conditions) | asked
    if metric.needs in SAMPLED:
        pairs |= _samples(subject) | _asked(wanted)
    if metric.needs is TwinAnswers:
        pairs["against"] = twin_words(subject)
    if metric.compares and subject.source is not None:
        pairs["source"] = subject.source.sha256[:12]
    if metric.needs is InstructionFacts:
        # Of one CPU model, and never compared across precisions.
        pairs |= {"cpu_model": identity.cpu, "recipe": str(subject.artifact.recipe)}
    if isinstance(facts, InstructionFacts | LinkFacts):
        pairs["tool"] = facts.tool
    if metric.needs in (Timings, EnergyFacts) and choice.sustained:
        pairs["sustained"] = f"{choice.sustained:g} s"
    if isinstance(facts, EnergyFacts):
        pairs["domain"] = facts.domain
    return tuple(sorted(pairs.items()))


def _placement(facts: PlacementFacts, wanted: Wanted, subject: Subject) -> Key:
    """What told, and of which device; the runtime beside it decides nothing."""
    pairs = {"device": subject.device.choice.profile.name, "tool": facts.tool} | _asked(wanted)
    return tuple(sorted(pairs.items()))


def _release(subject: Subject) -> Key:
    """The release of the runtime in which a model ran for its memory plan; none where none did."""
    if subject.device.source(PlanFacts) is None:
        return ()
    identity = subject.device.identity(subject.artifact.format)
    return (("version", identity.version), *identity.conditions)


def _asked(wanted: Wanted) -> dict[str, str]:
    """Options that are not the metric's defaults: another k is another number."""
    defaults = wanted.metric.defaults()
    asked = {
        name: value
        for name, value in wanted.options.items()
        if name != "confidence" and defaults.get(name) != value
    }
    named = wanted.metric.identity
    pairs = {"options": json.dumps(asked, sort_keys=True)} if asked else {}
    return pairs | ({"function": named} if named else {})


def _samples(subject: Subject) -> dict[str, str]:
    pairs = {"split": subject.split, "state": subject.state}
    if subject.data is not None:
        pairs["data"] = subject.data.sha256[:12]
    if subject.first is not None:
        pairs["first"] = str(subject.first)
    return pairs


def cache_key(wanted: Wanted, subject: Subject) -> dict[str, str] | None:
    """
    What decides a reading, all of it; None when it cannot be cached.

    Cached are metrics of facts that repeat on the device, and whose code is a plain function
    of a module: a closure may hide what decides its answer. What may be an estimate is not:
    it takes less time than the cache, and another table of estimates is another number.
    """
    metric, code = wanted.metric, _code(wanted.metric)
    repeats = metric.needs in STATIC or subject.device.repeats(metric.needs)
    if not metric.cacheable or metric.estimable or not repeats or not code:
        return None
    return {
        **dict(comparison_key(wanted, subject)),
        "artifact": subject.artifact.sha256,
        "data": _whole_data(metric, subject),
        "source": _source(wanted, subject),
        "name": wanted.name,
        "options": json.dumps(dict(wanted.options), sort_keys=True),
        "profile": _facts_of(subject.device.choice.profile),
        "code": code,
        "package": __version__,
    }


def _whole_data(metric: Metric, subject: Subject) -> str:
    return subject.data.sha256 if subject.data and metric.needs in SAMPLED else ""


def _source(wanted: Wanted, subject: Subject) -> str:
    compared = wanted.metric.compares or wanted.paired
    return subject.source.sha256 if subject.source and compared else ""


def _facts_of(profile: Profile) -> str:
    """A digest of what a profile says: a user's own may change under its name."""
    facts = {name: it for name, it in asdict(profile).items() if name not in WORDS}
    return hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()


def _code(metric: Metric) -> str:
    """
    A digest of the code behind a built-in metric; empty for any other.

    What an extension's function calls is not known, so its readings are not kept.
    """
    read = metric.read
    if not isinstance(read, FunctionType) or read.__closure__:
        return ""
    file = inspect.getsourcefile(read)
    return _own_code() if file and PACKAGE in Path(file).parents else ""


@functools.cache
def _own_code() -> str:
    """A digest of everything between a file and a number: between releases it changes."""
    sha256 = hashlib.sha256()
    for file in reading_files():
        sha256.update(file.read_bytes())
    return sha256.hexdigest()


def reading_files() -> list[Path]:
    """Our own files that a reading depends on."""
    found = [PACKAGE / name for name in READING]
    files = [file for each in found for file in ([each] if each.is_file() else each.rglob("*"))]
    return sorted(
        file for file in files if file.suffix in SUFFIXES and not file.is_relative_to(PROFILES)
    )
