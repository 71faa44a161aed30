"""A recipe applied to a source: cached, checked, reloaded."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_edgebudget.build import artifacts, compiling, keys, training
from pytest_edgebudget.build.bound import CALIBRATION, Bound
from pytest_edgebudget.build.promises import check_promises, note_of
from pytest_edgebudget.build.reload import RUNTIMES
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices import runtimes as devices
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs import run
from pytest_edgebudget.locks import busy
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Profile, Recipe, Step

TIMEOUT = 600.0
"""Seconds for all steps of a recipe."""

RELOAD_TIMEOUT = 120.0


def build(
    recipe: Recipe,
    source: Artifact,
    *,
    passes: Mapping[str, Pass],
    data: DataFile | None,
    root: Path,
    store: Store,
    runtime: str | None = None,
    target: Profile | None = None,
    say: Callable[[str], None] = lambda text: None,
    tried: bool = True,
    cached: bool = False,
) -> Artifact:
    """
    Make the artifact of *recipe* from *source*, or take it from the cache.

    What each pass promises is looked for in the file, and the result runs once
    in *runtime* (absent: the format's default) before it counts; not where *tried*
    is false, for who looks at the file first. *target* is for
    passes that compile: then what they got is what runs. Steps that train come
    first, on the Keras model of the source; *say* is told how far they are.
    *cached*: make nothing that is not in the cache.

    Raises:
        LookupError: it is not in the cache, and nothing else was asked for.
        BuildError: a pass failed or did not keep its promise, or the runtime
            refuses the file.
        MissingExtra: a pass needs a library that is not installed.
    """
    named = [Bound(step, _named(step, passes)) for step in recipe.steps]
    steps = [bound for bound in named if bound.step.name != "none"]
    if not steps:
        return replace(source, recipe=recipe)
    for before, bound in zip([None, *steps], steps, strict=False):
        _check_usable(bound, source, data, before)
    training.check_trainable(steps, source, data)
    compiling.check_last([bound.chosen for bound in steps])
    lessons = [bound for bound in steps if bound.chosen.trains]
    behind = [bound for bound in steps if not bound.chosen.trains]
    school = training.School(
        data=data, root=root, store=store, say=say, behind=behind, cached=cached
    )
    source = training.trained(lessons, source, school) if lessons else _untrained(source)
    runtime = runtime or RUNTIMES[source.format]
    facts = compiling.facts(target) if behind and behind[-1].chosen.compiles else {}
    key = _key(recipe, source, behind, data, runtime) | facts
    if found := artifacts.fetch(store.record("build", key), recipe, store):
        return found
    if cached:
        return _before_it_ran(artifacts.fetch(store.record("made", key), recipe, store), tried)
    with store.lock(json.dumps(key, sort_keys=True)):
        found = artifacts.fetch(store.record("build", key), recipe, store)
        made = found or artifacts.fetch(store.record("made", key), recipe, store)
        if made is None:
            made = _make(recipe, source, behind, data, root, store, facts)
        if found is None:
            made = _tried(made, runtime, root) if tried else made
            store.write_record("build" if tried else "made", key, artifacts.record(made))
    return made


def _before_it_ran(made: Artifact | None, tried: bool) -> Artifact:
    if made is None or tried:
        raise LookupError
    return made


def _untrained(source: Artifact) -> Artifact:
    """The source as passes see it that do not train: what it was exported from is no matter."""
    return replace(source, trainable=None)


def _named(step: Step, passes: Mapping[str, Pass]) -> Pass:
    if step.name in passes:
        return passes[step.name]
    close = difflib.get_close_matches(step.name, passes, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(passes)}"
    raise BuildError(f"there is no pass {step.name}", hint)


def _check_usable(
    bound: Bound, source: Artifact, data: DataFile | None, before: Bound | None
) -> None:
    chosen = bound.chosen
    if source.format not in chosen.formats:
        formats = " and ".join(f".{name}" for name in sorted(chosen.formats))
        raise BuildError(f"{bound.step} works on {formats}, the model is .{source.format}")
    ranges_known = before is not None and before.chosen.then == bound.step.name
    if chosen.calibrated and not ranges_known and (data is None or not data.has(CALIBRATION)):
        where = f"{data.path} has no {CALIBRATION}" if data else "the model has no data"
        raise BuildError(
            f"{bound.step} needs calibration data, but {where}",
            f"add some 100 typical inputs as {CALIBRATION}",
        )


def _key(
    recipe: Recipe, source: Artifact, steps: Sequence[Bound], data: DataFile | None, runtime: str
) -> dict[str, str]:
    names = sorted({name for bound in steps for name in bound.chosen.libraries})
    key = {"source": source.sha256, "recipe": str(recipe), "runtime": runtime}
    key |= {f"library {name}": version for name, version in keys.libraries(names).items()}
    key |= {f"code {b.chosen.name}": keys.code(b.chosen.apply) for b in steps}
    if data is not None and any(bound.chosen.calibrated for bound in steps):
        key["calibration"] = data.digest_of(CALIBRATION)
    if source.trainable:
        key["trained"] = source.trainable.name
    return key


def _make(
    recipe: Recipe,
    source: Artifact,
    steps: Sequence[Bound],
    data: DataFile | None,
    root: Path,
    store: Store,
    facts: Mapping[str, str],
) -> Artifact:
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name, busy():
        results = _apply(recipe, source, steps, data, Path(name), root, facts)
        files = [source.path, *results]
        after = check_promises(source.path, [(b.step, b.chosen) for b in steps], results)
        said = source.notes if source.trainable else ()
        notes = [text for text in (*said, note_of(after)) if text]
        made = artifacts.put(files[-1], recipe, store, name=str(recipe), notes=notes)
        return replace(made, uncompiled=compiling.keep(files[-2], store) if facts else None)


def _tried(made: Artifact, runtime: str, root: Path) -> Artifact:
    """The artifact, after it ran once in *runtime*; with a note where that is not here."""
    with busy():
        note = run(
            "pytest_edgebudget.build.reload:reload",
            {"model": str(made.runs_as), "runtime": runtime, "recipe": str(made.recipe)},
            root=root,
            timeout=TIMEOUT if devices.RUNTIMES[runtime].prepare else RELOAD_TIMEOUT,
            purpose=f"running what {made.recipe} made in {runtime}",
        )
    return replace(made, notes=(*made.notes, str(note))) if note else made


def _apply(
    recipe: Recipe,
    source: Artifact,
    steps: Sequence[Bound],
    data: DataFile | None,
    folder: Path,
    root: Path,
    facts: Mapping[str, str],
) -> list[Path]:
    if not steps:
        return []
    arrays = data.named(CALIBRATION) if data else ()
    reply = run(
        "pytest_edgebudget.build.steps:apply_steps",
        {
            "model": str(source.path),
            "suffix": source.path.suffix,
            "folder": str(folder),
            "steps": [bound.reference() for bound in steps],
            "data": str(data.path) if data else None,
            "arrays": list(arrays),
            "target": dict(facts),
            "trained": str(source.trainable) if source.trainable else None,
        },
        root=root,
        timeout=TIMEOUT,
        purpose=f"applying {recipe}",
    )
    assert isinstance(reply, list)
    return [Path(str(path)) for path in reply]
