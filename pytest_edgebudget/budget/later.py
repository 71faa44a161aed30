"""Names of the design whose feature is not here yet: refused by name, never ignored."""

from __future__ import annotations

METRICS = frozenset(
    {
        "battery_life",
        "latency_pipeline",
        "update_size",
    }
)
NOT_YET = "not available in this version"
