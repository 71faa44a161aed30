"""The memory plan of a model on one runtime."""

from __future__ import annotations

from collections.abc import Callable

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.graph.ir import Graph

PLANNED = frozenset(("tflm", "litert", "onnxruntime"))
"""Runtimes whose memory plan is known."""


def plan(graph: Graph, runtime: str, kernels: str = "") -> Plan:
    """
    Where *runtime* puts the activations of *graph*.

    Args:
        graph: a model, as `graph.files.read` gives it.
        runtime: "tflm" (TensorFlow Lite Micro), "litert" or "onnxruntime".
        kernels: the runtime's kernels, where they ask for different scratch
            memory: "cmsis-nn" for TensorFlow Lite Micro, or one build of it,
            "cmsis-nn-plain", "-dsp" or "-mve"; "" for its reference kernels.

    Raises:
        ValueError: no such runtime is known.
    """
    return _planner(runtime)(graph, kernels)


def _planner(runtime: str) -> Callable[[Graph, str], Plan]:
    # Each planner is imported when it is asked for: a cold start pays for one.
    if runtime == "tflm":
        from pytest_edgebudget.graph.memory_tflm import plan_tflm

        return plan_tflm
    if runtime == "litert":
        from pytest_edgebudget.graph.memory_litert import plan_litert

        return plan_litert
    if runtime == "onnxruntime":
        from pytest_edgebudget.graph.memory_onnx import plan_onnx

        return plan_onnx
    raise ValueError(f'runtime "{runtime}" has no memory plan: tflm, litert or onnxruntime')
