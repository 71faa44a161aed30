"""
Variables are read that nothing assigns: the weights are not in the file.

What it finds
    READ_VARIABLE of a resource variable that no op of any subgraph assigns, or is handed
    to assign. An .onnx has no such thing: its variables are values.

Why it hurts
    The model loads, and its answers mean nothing. LiteRT's default delegate computes on
    memory that nobody wrote (a MobileNet-like network answered NaN ten times), its plain
    kernels fail in the middle ("variable != nullptr was not true"), and TensorFlow Lite
    Micro takes zeros: each of ten classes had 0.1.

Example
    ``TFLiteConverter.from_concrete_functions([function], model)`` with a model of Keras 3
    writes a VAR_HANDLE for each weight, and nothing that initializes it: 57 variables of
    45 KiB in that network, and none of them in the file.

Instead
    ``model.export(folder)`` and ``TFLiteConverter.from_saved_model(folder)``, or
    ``TFLiteConverter.from_keras_model(model)``: they freeze the weights into constants.
    Variables that are meant (state, training on the device) need an initializer: a
    subgraph with ASSIGN_VARIABLE that a CALL_ONCE or a signature runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import bytes_once, output_of, plural, result, size

Name = tuple[object, object]
"""Container and name: what two handles of one variable share."""


def check(model: ModelFile) -> Iterator[Finding]:
    """Compare the variables that are read with those that something else uses, too."""
    read: dict[Name, tuple[Op, Tensor | None]] = {}
    handed: set[Name] = set()
    for links in model.links:
        for handle in links.subgraph.ops:
            if handle.kind == "VAR_HANDLE" and result(handle) >= 0:
                name = _name(handle)
                for op in _users(handle, links):
                    if op is not None and op.kind == "READ_VARIABLE":
                        read.setdefault(name, (handle, output_of(links.subgraph, op)))
                    else:
                        handed.add(name)
    lost = [value for name, value in read.items() if name not in handed]
    if lost:
        yield Finding(_message(lost, len(read)), lost[0][0].name)


def _users(handle: Op, links: Links) -> Iterator[Op | None]:
    """The ops that take the handle; None when it leaves the subgraph: a caller may assign it."""
    index = result(handle)
    if index in links.kept:
        yield None
    for user in links.consumers.get(index, ()):
        yield links.subgraph.ops[user]


def _name(handle: Op) -> Name:
    return handle.attributes.get("container", ""), handle.attributes.get("shared_name", "")


def _message(lost: list[tuple[Op, Tensor | None]], count: int) -> str:
    total = sum(bytes_once(tensor) for _, tensor in lost)
    if len(lost) == count:
        what = plural(count, "variable")
    else:
        what = f"{len(lost)} of {plural(count, 'variable')}"
    verb = "is" if len(lost) == 1 else "are"
    amount = f": {size(total)} that are not in the file" if total else ""
    return f"{what} {verb} read that nothing assigns{amount}"


RULE = Rule(
    code="EB218",
    name="unassigned-variable",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
