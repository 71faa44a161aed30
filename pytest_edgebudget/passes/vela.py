"""``vela``: compiled for the Arm Ethos-U of the device."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pytest_edgebudget.devices.ethos_u.settings import DISTRIBUTION, OPTIMISE, from_facts
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.memory_tflm_scratch import ETHOS_U
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="optimise",
        type=str,
        help="performance, or size for the least SRAM",
        default=OPTIMISE[0],
    ),
)


def apply(job: Job) -> None:
    """
    Compile for the Arm Ethos-U of the device's profile: the file that is flashed.

    The last step, behind one that makes an integer model: ``int8+vela``, or
    ``int8+vela(optimise=size)``, which takes the least SRAM and more cycles
    (``npu_sram``, ``npu_cycles``). ``size`` is then that of the compiled file.
    Nothing here runs it: answers are those of the model before it was compiled,
    which is what Vela promises. What Vela does not take stays for the CPU.
    """
    optimise = _optimise(job.step)
    if not job.target.get("accelerator", "").startswith("ethos-u"):
        raise BuildError(
            f"{job.step} compiles for an Arm Ethos-U, and the device has none",
            'name a profile such as "ethos-u55-128"',
        )
    from pytest_edgebudget.devices.ethos_u.child import compile_here

    load("ethosu.vela", f"the pass {job.step.name}")
    settings = from_facts(job.target, optimise)
    with tempfile.TemporaryDirectory(dir=job.out.parent) as folder:
        try:
            made = compile_here(job.model.resolve(), settings.arguments, Path(folder))
        except RuntimeError as error:
            raise BuildError(f"Vela refuses the model: {error}") from None
        shutil.copyfile(made["model"], job.out)


def _optimise(step: Step) -> str:
    """Raises BuildError for a word that Vela does not know."""
    word = str(arguments(step, PARAMETERS)["optimise"])
    if word not in OPTIMISE:
        raise BuildError(f"{step}: Vela does not optimise for {word}", f"known: {_WORDS}")
    return word


_WORDS = " and ".join(OPTIMISE)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Something in the file is for the NPU, and the interface is as it was."""
    pieces = sum(op.custom and op.kind == ETHOS_U for op in after.ops)
    return all_of(
        "" if pieces else "no operator is left for the NPU: it runs integer models (int8) only",
        interface(before, after),
    )


PASS = Pass(
    name="vela",
    apply=apply,
    check=check,
    formats=frozenset({"tflite"}),
    parameters=PARAMETERS,
    libraries=(DISTRIBUTION,),
    compiles=True,
)
