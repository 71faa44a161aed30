"""
An operator set or a format version that onnxruntime does not read.

What it finds
    `.onnx` files whose opset or IR version is newer than the newest onnxruntime known
    here, or whose opset is older than its kernels.

Why it hurts
    onnxruntime refuses the file when it loads it ("Opset 29 is under development and
    support for this is limited", "Unsupported model IR version"). An exporter is often
    newer than the runtime on the device. Which versions it reads was asked of the
    runtime itself.

Example
    opset 29, where onnxruntime 1.32.0 reads 6 to 28

Instead
    Export with a lower opset (``opset_version=17`` is read by every release since 1.12),
    or convert with ``onnx.version_converter``. A lower ``ir_version`` may simply be
    written, when the model uses nothing of the newer one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes.knowledge import onnx_runtime


def _check(model: ModelFile) -> Iterator[Finding]:
    name, runtime = onnx_runtime(None)
    if runtime is None:
        return
    graph, who = model.graph, f"{name} {runtime.version}"
    low, high = runtime.first_opset, runtime.last_opset
    if graph.opset is not None and not low <= graph.opset <= high:
        yield Finding(f"opset {graph.opset}, where {who} reads {low} to {high}")
    if graph.ir_version > runtime.ir_version:
        yield Finding(
            f"IR version {graph.ir_version}, where {who} reads up to {runtime.ir_version}"
        )


RULE = Rule(
    code="EB509",
    name="unknown-opset",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"onnx"}),
)
