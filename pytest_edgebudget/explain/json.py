"""
The account of a model as JSON.

A stable shape; keys may be added, and *schema* becomes another number when one
changes its meaning. Quantities are plain numbers, and the unit is in the name:

    schema                1
    path, format          as in the text; opset: null for .tflite
    size_bytes            of the file; external_bytes: of the files beside it
    inputs, outputs       name, shape (-1: dynamic), dtype
    batch_of_one          whether a dynamic batch was counted as one
    totals                macs, macs_by_kind, operations, read_bytes, written_bytes,
                          parameters, constant_bytes, constant_bytes_by_dtype,
                          uncounted_ops, evidence ("exact", or "bound" where ops
                          could not be counted)
    layers                subgraph, op (indices), kind, name, shape, dtype,
                          parameters, macs (null: cannot be counted), macs_by_kind,
                          operations, read_bytes, written_bytes, constant_bytes,
                          constant_bytes_by_dtype, live_bytes (null: never runs)
    open_dimensions       name of an input, axes (from 0) that are dynamic, the batch apart;
                          memory counts 1 for each
    memory                runtime (whose plan it is), device_runtime, kernels, profile,
                          replaced_by (the accelerator whose compiler plans anew; or
                          null), size_bytes, evidence ("exact" or "bound"), reasons,
                          lower_bound_bytes, persistent_bytes (value, low, high, evidence; or null),
                          peak (subgraph, op, step, live_bytes; or null),
                          steps (subgraph, op, live_bytes),
                          buffers (name, size_bytes, offset_bytes (null: the runtime
                          asks for each buffer alone), first_step, last_step,
                          subgraph, tensor; -1: scratch)
    time                  with --profile, else null: runtime, reason (why there is no
                          estimate; or null), estimate (or null) and what_if (name, note, and
                          an estimate each): latency_s and energy_j (value, low, high: 80 %;
                          energy_j may be null), basis, median_error, notes, and for the model
                          as it is ops (name, kind, seconds, bound: "compute", "bandwidth"
                          or "overhead")
                          Of a runtime that nobody knows to plan, schema, path and time
                          are all there is.
    advice                text, size_bytes (of the arena then), evidence ("exact" or
                          "estimated"), order (op indices in another order; or null)
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.graph.arena import Band
from pytest_edgebudget.graph.cost import LayerCost

if TYPE_CHECKING:
    from pytest_edgebudget.estimate import Estimate
    from pytest_edgebudget.explain.time import Times

SCHEMA = 1


def as_json(account: Account) -> str:
    """The whole account; see the module for its shape."""
    graph, main = account.graph, account.graph.main
    content = {
        "schema": SCHEMA,
        "path": str(account.path),
        "format": graph.format,
        "opset": graph.opset,
        "size_bytes": graph.size,
        "external_bytes": graph.external_size,
        "inputs": [_tensor(account, index) for index in main.inputs],
        "outputs": [_tensor(account, index) for index in main.outputs],
        "batch_of_one": account.batch,
        "open_dimensions": [
            {"name": opened.tensor.name, "axes": opened.axes} for opened in account.open_sizes
        ],
        "totals": _totals(account),
        "layers": [_layer(account, cost) for cost in account.costs],
        "memory": _memory(account),
        "time": _time(account.times),
        "advice": [
            {
                "text": item.text,
                "size_bytes": item.size,
                "evidence": item.evidence,
                "order": item.order or None,
            }
            for item in account.advice
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def time_as_json(path: Path, times: Times) -> str:
    """*schema*, *path* and *time* alone, where nothing else is known."""
    content = {"schema": SCHEMA, "path": str(path), "time": _time(times)}
    return json.dumps(content, indent=2) + "\n"


def _time(times: Times | None) -> dict[str, Any] | None:
    if times is None:
        return None
    found = times.found
    estimate = None
    if found is not None:
        estimate = _estimate(found) | {"ops": [asdict(op) for op in found.ops]}
    return {
        "runtime": times.runtime,
        "reason": times.reason or None,
        "estimate": estimate,
        "what_if": [
            {"name": each.name, "note": each.note, **_estimate(each.found)}
            for each in times.what_if
        ],
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    return {
        "latency_s": asdict(found.latency),
        "energy_j": asdict(found.energy) if found.energy else None,
        "basis": found.basis,
        "median_error": found.median_error,
        "notes": list(found.notes),
    }


def _tensor(account: Account, index: int) -> dict[str, Any]:
    tensor = account.graph.tensors[index]
    return {"name": tensor.name, "shape": tensor.shape, "dtype": tensor.dtype}


def _totals(account: Account) -> dict[str, Any]:
    totals = account.totals
    return {
        "macs": totals.macs,
        "macs_by_kind": dict(totals.macs_by_kind),
        "operations": totals.operations,
        "read_bytes": totals.read,
        "written_bytes": totals.written,
        "parameters": totals.parameters,
        "constant_bytes": sum(totals.stored.values()),
        "constant_bytes_by_dtype": dict(totals.stored),
        "uncounted_ops": totals.uncounted,
        "evidence": "bound" if totals.uncounted else "exact",
    }


def _layer(account: Account, cost: LayerCost) -> dict[str, Any]:
    return {
        "subgraph": cost.subgraph,
        "op": cost.op,
        "kind": cost.kind,
        "name": cost.name,
        "shape": cost.shape,
        "dtype": cost.dtype,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "macs_by_kind": dict(cost.macs_by_kind),
        "operations": cost.operations,
        "read_bytes": cost.read,
        "written_bytes": cost.written,
        "constant_bytes": cost.weight_bytes,
        "constant_bytes_by_dtype": dict(cost.stored),
        "live_bytes": account.live.get((cost.subgraph, cost.op)),
    }


def _memory(account: Account) -> dict[str, Any]:
    plan, profile = account.plan, account.profile
    steps = [
        {"subgraph": step.subgraph, "op": step.op, "live_bytes": live}
        for step, live in zip(plan.steps, plan.live, strict=True)
    ]
    return {
        "runtime": plan.runtime,
        "device_runtime": account.device_runtime,
        "kernels": profile.kernels if profile else "",
        "profile": profile.name if profile else None,
        "replaced_by": account.compiler or None,
        "size_bytes": plan.size,
        "evidence": "exact" if account.exact else "bound",
        "reasons": plan.reasons,
        "lower_bound_bytes": plan.lower_bound,
        "persistent_bytes": _band(plan.persistent),
        "peak": {"step": plan.peak, **steps[plan.peak]} if steps else None,
        "steps": steps,
        "buffers": _buffers(account),
    }


def _buffers(account: Account) -> list[dict[str, Any]]:
    return [
        {
            "name": item.buffer.name,
            "size_bytes": item.buffer.size,
            "offset_bytes": item.offset if account.placed else None,
            "first_step": item.buffer.first,
            "last_step": item.buffer.last,
            "subgraph": item.buffer.subgraph,
            "tensor": item.buffer.tensor,
        }
        for item in account.plan.allocations
    ]


def _band(band: Band | None) -> dict[str, Any] | None:
    if band is None:
        return None
    return {"value": band.value, "low": band.low, "high": band.high, "evidence": "estimated"}
