"""What onnxruntime says it knows: the ONNX part of probe_runtimes.py."""

from __future__ import annotations

import importlib
from typing import Any


def onnxruntime(module: str) -> dict[str, Any]:
    """What onnxruntime knows."""
    runtime = importlib.import_module(module)
    state = importlib.import_module("onnxruntime.capi._pybind_state")
    runtime.set_default_logger_severity(4)
    opsets = [v for v in range(1, 60) if loads(runtime, opset=v, ir=10)]
    versions = [v for v in range(1, 40) if loads(runtime, opset=13, ir=v)]
    assert opsets == list(range(opsets[0], opsets[-1] + 1))
    found = state.get_all_operator_schema()
    schemas = {(item.domain, item.name) for item in found}
    internal = "com.ms.internal.nhwc", "com.microsoft.nchwc"
    standard: dict[str, dict[int, Any]] = {}
    for item in found:
        if not item.domain:
            standard.setdefault(item.name, {})[item.since_version] = item
    return {
        "opsets": [opsets[0], opsets[-1]],
        "ir_version": versions[-1],
        "schemas": sorted(f"{d}:{n}" if d else n for d, n in schemas if d not in internal),
        **running(standard, opsets, kernels(state)),
        "attributes": {name: attributes(old) for name, old in sorted(standard.items())},
    }


def kernels(state: Any) -> dict[str, list[tuple[int, int]]]:
    """Between which versions a standard op has kernels for the CPU."""
    found: dict[str, list[tuple[int, int]]] = {"Constant": [(1, 1 << 31)]}  # it becomes a value
    for kernel in state.get_all_opkernel_def():
        if not kernel.domain and kernel.provider == "CPUExecutionProvider":
            found.setdefault(kernel.op_name, []).append(kernel.version_range)
    return found


def running(
    standard: dict[str, dict[int, Any]],
    opsets: list[int],
    known: dict[str, list[tuple[int, int]]],
) -> dict[str, Any]:
    """The first and last opset in which each standard op runs, where not the ends of *opsets*."""
    runs = {
        name: [opset for opset in opsets if computed(name, opset, versions, known.get(name, []))]
        for name, versions in sorted(standard.items())
    }
    for name, there in runs.items():
        assert not there or there == list(range(there[0], there[-1] + 1)), (name, there)
    return {
        "first": {n: there[0] for n, there in runs.items() if there and there[0] > opsets[0]},
        "last": {n: there[-1] for n, there in runs.items() if there and there[-1] < opsets[-1]},
        "missing": [name for name, there in runs.items() if not there],
    }


def computed(name: str, opset: int, versions: dict[int, Any], known: list[tuple[int, int]]) -> bool:
    """Whether an op has a kernel in that opset, or is a function of others."""
    from onnx import defs

    since = max((version for version in versions if version <= opset), default=0)
    if not since or versions[since].deprecated:
        return False
    if any(low <= since <= high for low, high in known):
        return True
    if not defs.has(name, opset):
        return False
    schema = defs.get_schema(name, opset, "")
    return bool(schema.has_function or schema.has_context_dependent_function)


def attributes(versions: dict[int, Any]) -> str:
    """The attributes, and in which opsets where not in all: ``axis broadcast:1-6 keepdims:13-``."""
    order = sorted(versions)
    words = []
    for name in sorted({name for item in versions.values() for name in item.attributes}):
        there = [version for version in order if name in versions[version].attributes]
        places = [order.index(version) for version in there]
        assert places == list(range(places[0], places[-1] + 1)), name
        until = order[places[-1] + 1] - 1 if places[-1] + 1 < len(order) else ""
        always = there[0] == order[0] and until == ""
        words.append(name if always else f"{name}:{there[0]}-{until}")
    return " ".join(words)


def loads(runtime: Any, *, opset: int, ir: int) -> bool:
    """Whether it loads a Relu of that opset and IR version."""
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    content.ir_version = ir
    try:
        runtime.InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:  # its errors have no base of their own
        return False
    return True
