"""The steps of a recipe, one after the other, in a process of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_edgebudget.build import tuning
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs.resolve import resolve
from pytest_edgebudget.passes._calibration import ONLY, SAMPLES
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step


def apply_steps(payload: dict[str, Any]) -> list[str]:
    """Apply each step to the result of the one before; return the paths of all results."""
    folder, suffix = Path(payload["folder"]), str(payload["suffix"])
    model = Path(payload["model"])
    trained = Path(payload["trained"]) if payload.get("trained") else None
    calibration = _calibration(payload["data"], payload["arrays"], folder, payload["steps"])
    results = []
    for number, step in enumerate(payload["steps"]):
        out = folder / f"step{number}{suffix}"
        job = Job(model=model, out=out, step=_step(step), calibration=calibration)
        _apply(step, replace(job, target=payload.get("target", {}), trained=trained))
        model = out
        results.append(str(out))
    return results


def train_step(payload: dict[str, Any]) -> dict[str, Any]:
    """Apply one step that trains, and export its result; return where both are."""
    from pytest_edgebudget.build.export import export

    folder, model = Path(payload["folder"]), Path(payload["model"])
    job = Job(
        model=model,
        out=folder / f"trained{model.suffix}",
        step=_step(payload["step"]),
        data=Path(payload["data"]) if payload["data"] else None,
        calibration=_calibration(
            payload["data"], payload["arrays"], folder, payload.get("behind") or ()
        ),
        teacher=Path(payload["teacher"]),
        checkpoint=Path(payload["checkpoint"]),
        progress=Path(payload["progress"]),
    )
    found = tuning.read(payload.get("tuning"))
    deployed = _deployed(payload, job) if payload.get("behind") is not None else None
    _apply(payload["step"], replace(job, tuning=found, deployed=deployed))
    job.tell("converting")
    asked = {"source": str(job.out), "format": payload["format"], "out": str(folder)}
    if payload["format"] == "keras":
        return {"path": str(job.out), "notes": _notes(job), "trainable": str(job.out)}
    return {**export(asked), "notes": _notes(job), "trainable": str(job.out)}


def _deployed(payload: dict[str, Any], job: Job) -> Callable[[Path], Path]:
    """What makes of a `.keras` file what the steps behind would; one file at a time."""
    from pytest_edgebudget.build.export import export

    def deploy(model: Path) -> Path:
        folder = Path(payload["folder"], "deployed")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        wanted = str(payload["format"])
        made = model
        if wanted != "keras":
            asked = {"source": str(model), "format": wanted, "out": str(folder)}
            made = Path(str(export(asked)["path"]))
        for number, step in enumerate(payload["behind"]):
            out = folder / f"step{number}{made.suffix}"
            _apply(step, Job(model=made, out=out, step=_step(step), calibration=job.calibration))
            made = out
        return made

    return deploy


def _notes(job: Job) -> list[str]:
    """What the pass said of its result."""
    path = job.out.with_suffix(".notes")
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _step(step: dict[str, Any]) -> Step:
    options = tuple((str(key), value) for key, value in step["options"])
    return Step(step["name"], tuple(step["args"]), options)


def _apply(step: dict[str, Any], job: Job) -> None:
    file = Path(step["file"]) if step["file"] else None
    try:
        resolve(step["function"], file)(job)
    except BuildError:
        raise
    except MemoryError:
        raise BuildError(f"{job.step} ran out of memory") from None
    if not job.out.is_file():
        raise BuildError(f"{job.step} wrote no file", "a pass writes its result to job.out")


def _calibration(
    data: str | None, arrays: list[str], folder: Path, steps: Sequence[dict[str, Any]]
) -> Path | None:
    """The first samples of ``x_calibration``, as many as any of *steps* asks for."""
    if data is None or not arrays:
        return None
    import numpy as np

    asked = [int(dict(_step(step).options).get("samples", SAMPLES)) for step in steps]
    count = max(SAMPLES, *asked, 0)
    with np.load(data, allow_pickle=False) as file:
        first = {_input(name): file[name][:count] for name in arrays}
    path = folder / "calibration.npz"
    np.savez(path, **first)
    return path


def _input(array: str) -> str:
    """``x_calibration/NAME`` is for the input NAME; ``x_calibration`` for the only one."""
    return array.partition("/")[2] or ONLY
