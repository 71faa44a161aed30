"""
The hooks of pytest-edgebudget, each with a complete example.

In a ``conftest.py`` they are found by pytest; the command line loads them
through the entry-point group ``pytest_edgebudget``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pytest_edgebudget.devices.base import Way
    from pytest_edgebudget.lint.base import Rule
    from pytest_edgebudget.metrics.base import Metric
    from pytest_edgebudget.passes.base import Pass
    from pytest_edgebudget.report.base import Report
    from pytest_edgebudget.types import Artifact, Measurement, Verdict

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_edgebudget_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """
    Add metrics.

    Example::

        from pytest_edgebudget.facts import FileFacts
        from pytest_edgebudget.metrics.base import STATIC, Metric, Value
        from pytest_edgebudget.types import Better, Unit

        def blocks(file, options):
            \"\"\"Flash blocks of 4 KiB that the file occupies.\"\"\"
            return Value(-(-file.size // 4096))

        def pytest_edgebudget_metrics():
            return [Metric(name="blocks", unit=Unit.COUNT, better=Better.LOWER,
                           needs=FileFacts, read=blocks, accepts=STATIC, exact=True)]
    """


@hookspec
def pytest_edgebudget_passes() -> Sequence[Pass]:  # type: ignore[empty-body]
    """
    Add passes. The function must be importable: it runs in a process of its own.

    Example, in a module ``shrink`` of yours::

        import shutil
        from pytest_edgebudget.passes.base import Pass

        def apply(job):
            \"\"\"Copy the model.\"\"\"
            shutil.copy(job.model, job.out)

        def check(before, after, step):
            return "" if len(after.ops) == len(before.ops) else "ops were lost"

        def pytest_edgebudget_passes():
            return [Pass(name="copy", apply=apply, check=check,
                         formats=frozenset({"tflite", "onnx"}))]
    """


@hookspec
def pytest_edgebudget_devices() -> Sequence[Way]:  # type: ignore[empty-body]
    """
    Add ways to run models, for ``[device] run``. `pytest_edgebudget.testing` has the
    contract that a device must keep.

    Example, a farm of boards whose workers a program of your own starts::

        import dataclasses
        from pytest_edgebudget.devices.base import Way
        from pytest_edgebudget.devices.host import HostDevice

        def pytest_edgebudget_devices():
            return [Way(name="farm", help="On the boards in the cellar.", open=HostDevice,
                        refusal=lambda profile: "", lacks=lambda choice: ())]
    """


@hookspec
def pytest_edgebudget_reports() -> Sequence[Report]:  # type: ignore[empty-body]
    """
    Add report formats for ``--edge-budget-report FORMAT:PATH``.

    Example::

        from pytest_edgebudget.report.base import Report

        def pytest_edgebudget_reports():
            return [Report(name="count", render=lambda run: f"{len(run.limits)} limits\\n")]
    """


@hookspec
def pytest_edgebudget_rules() -> Sequence[Rule]:  # type: ignore[empty-body]
    """
    Add rules to the linter. The docstring of the module that a rule's *check* is in is
    the rule's documentation; its first line says in a sentence what is wrong.

    Example, in a module ``long_names`` of yours that is an entry point in the group
    ``pytest_edgebudget``::

        \"\"\"A tensor has a name that our logger cuts short.\"\"\"

        from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity

        def check(model):
            for tensor in model.graph.tensors:
                if len(tensor.name) > 24:
                    yield Finding("the name has more than 24 characters", where=tensor.name)

        def pytest_edgebudget_rules():
            return [Rule(code="ACME001", name="long-name", severity=Severity.NOTE,
                         needs=ModelFile, check=check)]
    """


@hookspec(firstresult=True)
def pytest_edgebudget_executor() -> Executor | None:
    """
    Give a `concurrent.futures.Executor` that builds and measures for searches.

    It gets an importable function and bytes. Python's own executors work in the cache of the
    project; any other is sent the model and its data, with each task. Who made it ends it.

    Example::

        from concurrent.futures import ThreadPoolExecutor

        POOL = ThreadPoolExecutor(2)

        def pytest_edgebudget_executor():
            return POOL
    """


@hookspec
def pytest_edgebudget_measured(artifact: Artifact, measurement: Measurement) -> None:
    """
    Observe the readings of an artifact that was chosen, on the test split.

    Example::

        def pytest_edgebudget_measured(artifact, measurement):
            for reading in measurement.readings.values():
                print(artifact.recipe, reading.metric, reading.value)
    """


@hookspec
def pytest_edgebudget_verdict(verdict: Verdict) -> None:
    """
    Observe a verdict.

    Example::

        def pytest_edgebudget_verdict(verdict):
            if verdict.fails:
                print(verdict.model, verdict.limit.metric)
    """
