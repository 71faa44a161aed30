"""
What measures power or energy on a board, found below *root*.

Sources, in the kernel's documentation: power/powercap/powercap.rst (energy_uj),
hwmon/sysfs-interface.rst (power*_input in uW, energy*_input in uJ, in*_input in mV,
curr*_input in mA), hwmon/ina3221.rst. Jetson's rails before JetPack 5:
in_power*_input in mW, "Jetson Linux Developer Guide", Power Management.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .refusal import Refusal

WHOLE = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0", "VDD_MUX", "5V_IN")
"""Rails through which all of a Jetson is fed, by name."""

METERS = ("ina", "ltc2", "ltc4", "adm1", "pac19", "isl28")
"""Chips whose only work is to measure power; a GPU's own estimate is not the board's."""


class Sensor:
    """
    *read* returns joules that only rise (*counts*), or watts now.

    *domain*: in words, what of the board is measured. *pause*: seconds
    between two looks that tell something new.
    """

    def __init__(
        self, domain: str, counts: bool, read: Callable[[], float], pause: float = 0.02
    ) -> None:
        self.domain = domain
        self.counts = counts
        self.read = read
        self.pause = pause


def find(root: str = "/") -> Sensor:
    """The sensor that covers most of the board. Raises Refusal where there is none."""
    for look in (_rails, _hwmon, _rapl):
        found = look(Path(root))
        if found is not None:
            return found
    raise Refusal(
        "platform",
        "the board has no sensor of power that is known (hwmon, INA, Jetson rails, RAPL)",
        "name a program that reads yours: energy_command in [device]",
    )


# --- Jetson, before JetPack 5 -----------------------------------------------------


def _rails(root: Path) -> Sensor | None:
    for path in sorted(root.glob("sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*")):
        power = path.with_name(f"in_power{path.name.rpartition('_')[2]}_input")
        if _text(path) in WHOLE and _readable(power):
            return Sensor(f"the rail {_text(path)}", False, _scaled(power, 1e3))
    return None


# --- hwmon ------------------------------------------------------------------------


def _hwmon(root: Path) -> Sensor | None:
    found = []
    for chip in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if _text(chip / "name").startswith(METERS):
            found += _channels(chip)
    whole = [sensor for label, sensor in found if label in WHOLE]
    if whole:
        return whole[0]
    if len(found) > 1:
        names = ", ".join(sensor.domain for _, sensor in found)
        raise Refusal(
            "platform",
            f"the board measures several rails, and none is known to feed all of it: {names}",
            "name a program that reads the one you mean: energy_command in [device]",
        )
    return found[0][1] if found else None


def _channels(chip: Path) -> list[tuple[str, Sensor]]:
    """Labels and sensors of one chip: of energy, else of power, else of voltage times current."""
    pause = max(0.02, _number_or(chip / "update_interval", 0) / 1e3)
    for kind in ("energy", "power", "curr"):
        found = []
        for path in sorted(chip.glob(f"{kind}*_input")):
            number = path.name[len(kind) : -len("_input")]
            read, label = _reader(chip, kind, number), _label(chip, kind, number)
            if read is not None and not label.startswith("sum of"):
                words = f"{_text(chip / 'name')} {label}".strip()
                found.append((label, Sensor(words, kind == "energy", read, pause)))
        if found:
            return found
    return []


def _reader(chip: Path, kind: str, number: str) -> Callable[[], float] | None:
    path, volts = chip / f"{kind}{number}_input", chip / f"in{number}_input"
    if not _readable(path) or (kind == "curr" and not _readable(volts)):
        return None
    if kind != "curr":
        return _scaled(path, 1e6)
    return lambda: _number(path) / 1e3 * _number(volts) / 1e3


def _label(chip: Path, kind: str, number: str) -> str:
    kinds = (kind, "in") if kind == "curr" else (kind,)
    labels = [_text(chip / f"{each}{number}_label") for each in kinds]
    return next((label for label in labels if label), "")


# --- RAPL -------------------------------------------------------------------------


def _rapl(root: Path) -> Sensor | None:
    zones = [
        path
        for path in sorted(root.glob("sys/class/powercap/intel-rapl:*"))
        if path.name.count(":") == 1 and (path / "energy_uj").exists()
    ]
    whole = [zone for zone in zones if _text(zone / "name") == "psys"]
    chosen = whole or [zone for zone in zones if _text(zone / "name").startswith("package")]
    if not chosen:
        return None
    if not all(_readable(zone / "energy_uj") for zone in chosen):
        raise Refusal(
            "platform",
            "the CPU counts its energy (RAPL), and only root may read it",
            "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj",
        )
    counters = [Rollover(zone) for zone in chosen]
    names = " + ".join(_text(zone / "name") for zone in chosen)
    return Sensor(f"RAPL {names}", True, lambda: sum(counter.joules() for counter in counters))


class Rollover:
    """A counter that starts again at 0 after ``max_energy_range_uj``."""

    def __init__(self, zone: Path) -> None:
        self._path = zone / "energy_uj"
        self._range = _number_or(zone / "max_energy_range_uj", 0)
        self._last = _number(self._path)
        self._joules = 0.0

    def joules(self) -> float:
        """Since the first look; at least one look is needed in a round of the counter."""
        now = _number(self._path)
        rounds = self._range if now < self._last else 0
        self._joules += (now - self._last + rounds) / 1e6
        self._last = now
        return self._joules


def _scaled(path: Path, scale: float) -> Callable[[], float]:
    return lambda: _number(path) / scale


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def _number(path: Path) -> float:
    try:
        return float(_text(path))
    except ValueError:
        raise Refusal("platform", f"the sensor {path} tells no number") from None


def _number_or(path: Path, other: float) -> float:
    try:
        return float(_text(path))
    except ValueError:
        return other


def _readable(path: Path) -> bool:
    try:
        float(_text(path))
    except ValueError:
        return False
    return True
