"""
How the board is now: clock frequencies, heat, load, and who may run where.

Everything is read below *root*, which is "/" but for tests. Sources, in the
kernel's documentation: admin-guide/pm/cpufreq.rst (kHz), cpu-freq/cpufreq-stats.rst
(units of 10 ms), driver-api/thermal/sysfs-api.rst (thousandths of a degree),
ABI/testing/sysfs-devices-system-cpu (cpu_capacity), filesystems/proc.rst.
The Raspberry Pi's flags: vcgencmd(1), get_throttled.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

PI = "sys/devices/platform/soc/soc:firmware/get_throttled"  # hexadecimal, without 0x


class State:
    """What files below *root* tell."""

    def __init__(self, root: str = "/") -> None:
        self._root = Path(root)

    def read(self, own: list[int]) -> dict[str, Any]:
        """Everything at once, in the kernel's units; *own* are our processes."""
        return {
            "clock": time.monotonic(),
            "boot": self.text("proc/sys/kernel/random/boot_id"),
            "cpus": [self._cpu(path) for path in self._cpu_folders()],
            "zones": [self._zone(path) for path in self._paths("sys/class/thermal/thermal_zone*")],
            "cooling": self._cooling(),
            "throttled": self._throttled(),
            "busy": self._busy(),
            "own": sum(self._seconds_of(pid) for pid in {*own, os.getpid()}),
            "load": self._load(),
            "affinity": self.affinity(),
        }

    def model(self) -> str:
        """The board's name in its device tree; empty where there is none."""
        return self.text("proc/device-tree/model") or self.text(
            "sys/firmware/devicetree/base/model"
        )

    def affinity(self) -> list[int]:
        """The cores that the helper, and so its workers, may run on."""
        return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def text(self, path: str) -> str:
        """A file's text; empty when it cannot be read."""
        try:
            with (self._root / path).open("rb") as file:
                return file.read(1 << 16).decode("utf-8", "replace").strip("\0 \n\t")
        except OSError:
            return ""

    def number(self, path: str, base: int = 10) -> int | None:
        """A file's whole number."""
        try:
            return int(self.text(path), base)
        except ValueError:
            return None

    def _paths(self, pattern: str) -> list[str]:
        return sorted(str(path.relative_to(self._root)) for path in self._root.glob(pattern))

    def _cpu_folders(self) -> list[str]:
        found = self._paths("sys/devices/system/cpu/cpu[0-9]*")
        return sorted(found, key=lambda path: int(path.rpartition("cpu")[2]))

    def _cpu(self, path: str) -> dict[str, Any]:
        states = self.text(path + "/cpufreq/stats/time_in_state")
        pairs = [line.split() for line in states.splitlines()]
        return {
            "cpu": int(path.rpartition("cpu")[2]),
            "governor": self.text(path + "/cpufreq/scaling_governor"),
            "now": self.number(path + "/cpufreq/scaling_cur_freq"),
            "cap": self.number(path + "/cpufreq/scaling_max_freq"),
            "top": self.number(path + "/cpufreq/cpuinfo_max_freq"),
            "capacity": self.number(path + "/cpu_capacity"),
            "states": {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2},
            "throttles": self.number(path + "/thermal_throttle/core_throttle_count"),
        }

    def _zone(self, path: str) -> dict[str, Any]:
        trips = {}
        for kind in self._paths(path + "/trip_point_*_type"):
            trips[self.text(kind)] = self.number(kind[: -len("type")] + "temp")
        return {
            "type": self.text(path + "/type"),
            "now": self.number(path + "/temp"),
            "passive": trips.get("passive"),
        }

    def _cooling(self) -> int:
        """How far CPUs are slowed by the kernel's thermal governor: the sum of their states."""
        total = 0
        for path in self._paths("sys/class/thermal/cooling_device*"):
            if "cpu" in self.text(path + "/type").lower():
                total += self.number(path + "/cur_state") or 0
        return total

    def _throttled(self) -> int | None:
        found = self.number(PI, 16)
        if found is not None or self._root != Path("/"):
            return found
        try:
            said = subprocess.run(
                ["vcgencmd", "get_throttled"], capture_output=True, timeout=5, check=False
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(rb"throttled=0x([0-9a-fA-F]+)", said)
        return int(match.group(1), 16) if match else None

    def _busy(self) -> float | None:
        """Seconds that all CPUs together were not idle since boot."""
        fields = self.text("proc/stat").partition("\n")[0].split()
        if len(fields) < 6 or fields[0] != "cpu":
            return None
        ticks = [int(field) for field in fields[1:9]]  # guest time is in user time already
        return (sum(ticks) - ticks[3] - ticks[4]) / _ticks()

    def _seconds_of(self, pid: int) -> float:
        fields = self.text(f"proc/{pid}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _ticks() if len(fields) > 12 else 0.0

    def _load(self) -> float | None:
        words = self.text("proc/loadavg").split()
        return float(words[0]) if words else None


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")
