"""
Trees of files as real boards have them, in the kernel's own formats.

Sources: cpufreq.rst, cpufreq-stats.rst, thermal/sysfs-api.rst, hwmon/sysfs-interface.rst,
hwmon/ina3221.rst, powercap.rst and proc_stat(5); the Pi's get_throttled is printed
as hexadecimal without 0x by drivers/firmware/raspberrypi.c. The values are made up.
"""

from __future__ import annotations

from pathlib import Path


def write(root: Path, files: dict[str, object]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def raspberry_pi_4(
    root: Path,
    *,
    slow_ticks: int = 0,
    fast_ticks: int = 1000,
    flags: int = 0,
    millidegrees: int = 48200,
    busy_ticks: int = 5000,
) -> Path:
    """
    A Pi 4: *slow_ticks* and *fast_ticks* at 600 MHz and 1.8 GHz so far; *busy_ticks* of 4 cores.
    """
    files: dict[str, object] = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/loadavg": "0.31 0.20 0.11 1/204 1712",
        "proc/stat": f"cpu  {busy_ticks} 0 0 90000 700 0 0 0 0 0\ncpu0 1 0 0 9 0 0 0 0 0 0",
        "proc/sys/kernel/random/boot_id": "0c39bd10-7d2f-4c37-a4a1-2b2ff3a4b0b5",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
        "sys/class/thermal/thermal_zone0/temp": millidegrees,
        "sys/class/thermal/thermal_zone0/trip_point_0_type": "critical",
        "sys/class/thermal/thermal_zone0/trip_point_0_temp": 110000,
        "sys/devices/platform/soc/soc:firmware/get_throttled": f"{flags:x}",
    }
    for cpu in range(4):
        folder = f"sys/devices/system/cpu/cpu{cpu}/cpufreq"
        files |= {
            f"{folder}/scaling_governor": "ondemand",
            f"{folder}/scaling_cur_freq": 600000,
            f"{folder}/scaling_max_freq": 1800000,
            f"{folder}/cpuinfo_max_freq": 1800000,
            f"{folder}/stats/time_in_state": f"600000 {slow_ticks}\n1800000 {fast_ticks}",
        }
    return write(root, files)


def rock_5(root: Path, *, cooling: int = 0) -> Path:
    """An RK3588: four Cortex-A55, four Cortex-A76; the kernel throttles from 85 degrees on."""
    files: dict[str, object] = {
        "proc/loadavg": "0.00 0.00 0.00 1/204 1712",
        "proc/stat": "cpu  5000 0 0 90000 700 0 0 0 0 0",
        "sys/class/thermal/thermal_zone0/type": "soc-thermal",
        "sys/class/thermal/thermal_zone0/temp": 81000,
        "sys/class/thermal/thermal_zone0/trip_point_0_type": "passive",
        "sys/class/thermal/thermal_zone0/trip_point_0_temp": 85000,
        "sys/class/thermal/cooling_device0/type": "thermal-cpufreq-0",
        "sys/class/thermal/cooling_device0/cur_state": cooling,
        "sys/class/thermal/cooling_device1/type": "pwm-fan",
        "sys/class/thermal/cooling_device1/cur_state": 3,
    }
    for cpu in range(8):
        big = cpu >= 4
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files |= {
            f"{folder}/cpu_capacity": 1024 if big else 530,
            f"{folder}/cpufreq/scaling_governor": "performance",
            f"{folder}/cpufreq/scaling_cur_freq": 1200000 if big else 1800000,
            f"{folder}/cpufreq/scaling_max_freq": 2400000 if big else 1800000,
            f"{folder}/cpufreq/cpuinfo_max_freq": 2400000 if big else 1800000,
        }
    return write(root, files)


def jetson_orin(root: Path) -> Path:
    """An INA3221: 5.056 V and 1.152 A in all, two more rails, and the chip's own sum."""
    chip = "sys/class/hwmon/hwmon1"
    files: dict[str, object] = {f"{chip}/name": "ina3221", f"{chip}/update_interval": 2}
    rails = {1: ("VDD_IN", 5056, 1152), 2: ("VDD_CPU_GPU_CV", 5048, 400), 3: ("VDD_SOC", 5048, 296)}
    for number, (label, volts, amperes) in rails.items():
        files[f"{chip}/in{number}_label"] = label
        files[f"{chip}/in{number}_input"] = volts
        files[f"{chip}/curr{number}_input"] = amperes
    files[f"{chip}/in7_label"] = "sum of shunt voltages"
    files[f"{chip}/curr4_input"] = 1848
    files["sys/class/hwmon/hwmon0/name"] = "cpu_thermal"
    return write(root, files)


def jetson_nano(root: Path) -> Path:
    """JetPack 4: rails as iio channels, in milliwatts."""
    chip = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    rails = {0: ("POM_5V_IN", 2345), 1: ("POM_5V_GPU", 120), 2: ("POM_5V_CPU", 480)}
    files: dict[str, object] = {}
    for number, (name, milliwatts) in rails.items():
        files[f"{chip}/rail_name_{number}"] = name
        files[f"{chip}/in_power{number}_input"] = milliwatts
    return write(root, files)


def intel(root: Path, *, package: int = 262_143_000_000, psys: int | None = None) -> Path:
    """RAPL: two packages with their cores; *psys* where a laptop measures all of itself."""
    files: dict[str, object] = {}
    zones = [("intel-rapl:0", "package-0", package), ("intel-rapl:0:0", "core", 7)]
    zones += [("intel-rapl:1", "package-1", 500_000)]
    zones += [("intel-rapl:2", "psys", psys)] if psys is not None else []
    for folder, name, energy in zones:
        path = f"sys/class/powercap/{folder}"
        files |= {
            f"{path}/name": name,
            f"{path}/energy_uj": energy,
            f"{path}/max_energy_range_uj": 262_143_328_850,
        }
    return write(root, files)
