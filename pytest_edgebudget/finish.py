"""The end of a run: reports, artifacts and locks, as far as they were asked for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pluggy

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.report.base import Report, Run
from pytest_edgebudget.session import GateSession
from pytest_edgebudget.wiring import reports_of


def formats_of(manager: pluggy.PluginManager) -> dict[str, Report]:
    """Report formats by name; the page is apart, since it draws what ``explain`` explains."""
    from pytest_edgebudget.html import REPORTS

    return {**reports_of(manager), **{report.name: report for report in REPORTS}}


def write_reports(asked: Iterable[tuple[Report, Path]], run: Run) -> Iterator[str]:
    """Write each report; yields what was written, or why not: nothing else is lost."""
    for report, path in asked:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = report.render(run)
            _write_whole(path, text)
            if report.name == "markdown":
                _summarise(text)
        except Exception as error:  # one report, an extension's maybe: the others go on
            yield f"error: the {report.name} report was not written: {error}"
        else:
            yield f"wrote {report.name} report: {path}"


def _summarise(text: str) -> None:
    """Add to the summary of GitHub's job, where there is one; several steps may."""
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def parse_report(text: str, formats: Mapping[str, Report], base: Path) -> tuple[Report, Path]:
    """
    ``FORMAT:PATH`` as a report and a file.

    Raises `ValueError` with a sentence.
    """
    name, colon, path = text.partition(":")
    if not colon or not path:
        raise ValueError(f"{text}: write FORMAT:PATH, such as json:report.json")
    if name not in formats:
        raise ValueError(f"{text}: no report format {name}; there are {', '.join(formats)}")
    return formats[name], base / path


def write_artifacts(folder: Path, run: Run) -> Iterator[str]:
    """
    Copy the files that were gated: ``DIR/pi4/digits.tflite``.

    A model with data files beside it gets a folder, since their names are
    written in it: ``DIR/pi4/digits/digits.onnx`` and ``DIR/pi4/digits/weights.bin``.
    """
    files = {model.file for model in run.models}
    for model in run.models:
        source, target = Path(model.artifact), folder / _folder_of(model.file, files)
        target = target / model.name if model.external else target
        file = target / f"{model.name}{source.suffix}"
        try:
            _copy(source, file)
            for name in model.external:
                _copy(source.parent / name, target / name)
        except OSError as error:
            yield f"error: the artifact of {model.name} was not written: {error}"
        else:
            kept = "" if model.fits else " (does not keep its budget)"
            yield f"wrote {file}: {model.name}, {model.recipe}, sha256 {model.sha256[:12]}{kept}"


def _folder_of(file: str, files: Collection[str]) -> str:
    """A budget file's stem; its whole path in one word where two have one stem."""
    path = Path(file)
    if sum(Path(other).stem == path.stem for other in files) == 1:
        return path.stem
    return "-".join(part for part in path.with_suffix("").parts if part not in ("/", ".."))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_locks(session: GateSession) -> Iterator[str]:
    """Write the locks; says too which models did not become a baseline."""
    try:
        changed = session.write_locks()
    except EdgeBudgetError as error:
        yield f"error: {error}"
        return
    for path in changed:
        yield f"wrote {session.name(path)}"
    for model in session.run().models:
        if not model.fits:
            yield f"not locked: {model.file}::{model.name} does not keep its budget"


def _write_whole(path: Path, text: str) -> None:
    """A reader sees the old file or the new one, never half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o666 & ~_umask())
    Path(file.name).replace(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
