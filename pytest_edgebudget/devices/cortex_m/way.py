"""``run = "cortex-m"``."""

from __future__ import annotations

from pytest_edgebudget.devices.base import Way
from pytest_edgebudget.devices.cortex_m.device import open_core, refusal
from pytest_edgebudget.devices.cortex_m.tools import lacks

WAY = Way(
    name="cortex-m",
    help="As a program of generated C on an emulated Cortex-M: its flash, RAM and instructions.",
    open=open_core,
    refusal=refusal,
    lacks=lambda choice: lacks(),
)
