"""Which table is whose, and which predicates a table may name."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.devices.constraints import (
    attribute_checks,
    shape_checks,
    tensor_checks,
    weight_checks,
)
from pytest_edgebudget.devices.constraints.view import Check

TABLES: Mapping[str, str] = {
    "ethos-u55-32": "ethos-u55",
    "ethos-u55-64": "ethos-u55",
    "ethos-u55-128": "ethos-u55",
    "ethos-u55-256": "ethos-u55",
    "ethos-u65-256": "ethos-u55",
    "ethos-u65-512": "ethos-u55",
    "ethos-u85-128": "ethos-u85",
    "ethos-u85-256": "ethos-u85",
    "ethos-u85-512": "ethos-u85",
    "ethos-u85-1024": "ethos-u85",
    "ethos-u85-2048": "ethos-u85",
    "edge-tpu": "edge-tpu",
    "gpu-delegate": "gpu-delegate",
    "xnnpack": "xnnpack",
    "cmsis-nn": "cmsis-nn",
    "esp-nn": "esp-nn",
    "tflm": "tflm",
}
"""Accelerators, kernels and runtimes, and the file that holds their constraints."""

CHECKS: Mapping[str, Check] = {
    **tensor_checks.CHECKS,
    **attribute_checks.CHECKS,
    **shape_checks.CHECKS,
    **weight_checks.CHECKS,
}
"""All predicates by name."""
