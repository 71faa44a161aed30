"""Compiled models, kept by content: a second run starts no compiler."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import subprocess
import tempfile
from pathlib import Path

from pytest_edgebudget.devices.fpga import firmware
from pytest_edgebudget.errors import BuildError, DeviceError, MissingExtra
from pytest_edgebudget.jobs import JSON, run
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.files import digest

TIMEOUT = 900.0
"""Seconds for hls4ml and the compiler; a small network takes 5 to 20."""

LIMIT = 512 << 20
KIND = "fpga"


def compiled(model: Path) -> Path:
    """
    The library of the fixed-point `.keras` file *model*, with its files beside it.

    Raises:
        ModelError: it holds no precision, or hls4ml cannot convert it.
        DeviceError: hls4ml or the compiler failed, or took too long.
        MissingExtra: hls4ml or Keras is not installed.
    """
    store, key = Store(folder(), LIMIT), _key(model)
    if found := _found(store, key):
        return found
    with store.lock(json.dumps(key, sort_keys=True)):
        found = _found(store, key)
        return found or _make(model, store, key)


def folder() -> Path:
    """Where compiled models are kept, for all projects of this user."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "edgebudget" / "fpga"


def _key(model: Path) -> dict[str, str]:
    return {
        "model": digest(model),
        "hls4ml": version("hls4ml"),
        "keras": version("keras"),
        "compiler": _compiler(),
        "code": hashlib.sha256(digest(Path(firmware.__file__)).encode()).hexdigest(),
    }


def version(distribution: str, extra: str = "fpga") -> str:
    """
    The version of a distribution in this Python, which *extra* of ours brings.

    Raises MissingExtra where it is not installed.
    """
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtra(distribution, extra, "running models as an FPGA does") from None


@functools.cache
def _compiler() -> str:
    """Version and target of the compiler."""
    try:
        done = subprocess.run(
            [firmware.COMPILER, "-dumpfullversion", "-dumpmachine"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise DeviceError(
            f"{firmware.COMPILER} is not there, which compiles the model as hls4ml writes it",
            firmware.MISSING_COMPILER,
        ) from error
    return " ".join(done.stdout.split())


def _found(store: Store, key: dict[str, str]) -> Path | None:
    record = store.record(KIND, key)
    return store.file(str(record), ".so") if isinstance(record, str) else None


def _make(model: Path, store: Store, key: dict[str, str]) -> Path:
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        out = Path(name)
        files = _compile(model, out)
        beside = {str(file): out / str(file) for file in files if file != firmware.LIBRARY}
        sha256, place = store.put_file(out / firmware.LIBRARY, ".so", beside)
    store.write_record(KIND, key, sha256)
    return place


def _compile(model: Path, out: Path) -> list[JSON]:
    try:
        files = run(
            "pytest_edgebudget.devices.fpga.firmware:compile_model",
            {"model": str(model), "out": str(out)},
            root=out,  # empty, and ours
            timeout=TIMEOUT,
            purpose=f"compiling {model.name} as hls4ml writes it",
        )
    except BuildError as error:
        raise DeviceError(error.message, error.hint) from error
    assert isinstance(files, list)
    return files
