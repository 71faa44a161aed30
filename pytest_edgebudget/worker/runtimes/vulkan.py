"""Which Vulkan drivers this process has loaded: ONNX Runtime does not name its WebGPU adapter."""

from __future__ import annotations

from pathlib import Path

SOFTWARE = {"libvk_swiftshader.so": "SwiftShader", "libvulkan_lvp.so": "llvmpipe"}
"""Drivers that are programs, by their libraries."""


def software() -> list[str]:
    """The software drivers that are loaded; none where there is no /proc."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return sorted(name for library, name in SOFTWARE.items() if library in maps)
