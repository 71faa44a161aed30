"""What this machine is: enough to know which kernels a runtime chooses here."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

# Flags by which XNNPACK and MLAS choose their kernels.
KERNEL_FLAGS = (
    *("sse4_1", "avx", "f16c", "fma", "avx2", "avx512f", "avx512_vnni", "avx_vnni"),
    *("avx512_fp16", "avx_vnni_int8", "amx_int8", "amx_bf16"),
    *("neon", "asimd", "fphp", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme"),
)


def cpu_model(cpuinfo: str) -> str:
    """The CPU's name in the text of ``/proc/cpuinfo``; Arm kernels give part numbers."""
    fields = _fields(cpuinfo)
    if "model name" in fields:
        return fields["model name"]
    implementer, part = fields.get("CPU implementer"), fields.get("CPU part")
    return f"{implementer} {part}" if implementer and part else platform.processor()


def cpu_flags(cpuinfo: str) -> list[str]:
    """The flags among `KERNEL_FLAGS` that the CPU has, in that order."""
    fields = _fields(cpuinfo)
    has = set((fields.get("flags") or fields.get("Features") or "").split())
    return [flag for flag in KERNEL_FLAGS if flag in has]


def describe() -> dict[str, Any]:
    """Python, machine and CPU, for ``hello``."""
    cpuinfo = read_cpuinfo()
    return {
        "python": platform.python_version(),
        "system": sys.platform,
        "machine": platform.machine(),
        "cpu": cpu_model(cpuinfo),
        "cpu_flags": cpu_flags(cpuinfo),
    }


def read_cpuinfo() -> str:
    """``/proc/cpuinfo``, empty where there is none."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _fields(cpuinfo: str) -> dict[str, str]:
    """Fields of the first processor that has them."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields
