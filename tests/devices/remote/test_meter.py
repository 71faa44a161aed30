"""Energy meters of boards: found in their files, or a program of the user's."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from pytest_edgebudget.devices.remote.agent.meter import Meter
from pytest_edgebudget.devices.remote.agent.refusal import Refusal
from pytest_edgebudget.devices.remote.agent.sensors import find
from tests.devices.remote import board_files


def test_a_jetson_is_measured_by_the_rail_that_feeds_all_of_it(tmp_path: Path) -> None:
    sensor = find(str(board_files.jetson_orin(tmp_path)))
    assert sensor.domain == "ina3221 VDD_IN"
    assert sensor.read() == pytest.approx(5.056 * 1.152)
    assert not sensor.counts


def test_an_older_jetson_tells_milliwatts(tmp_path: Path) -> None:
    sensor = find(str(board_files.jetson_nano(tmp_path)))
    assert (sensor.domain, sensor.read()) == ("the rail POM_5V_IN", 2.345)


def test_a_single_chip_that_measures_power_is_the_boards(tmp_path: Path) -> None:
    chip = "sys/class/hwmon/hwmon3"
    files = {f"{chip}/name": "ina226", f"{chip}/power1_input": 3_125_000, f"{chip}/in1_input": 5010}
    sensor = find(str(board_files.write(tmp_path, files)))
    assert (sensor.domain, sensor.read(), sensor.counts) == ("ina226", 3.125, False)


def test_a_counter_is_preferred_to_power(tmp_path: Path) -> None:
    chip = "sys/class/hwmon/hwmon3"
    files = {
        f"{chip}/name": "ina228",
        f"{chip}/power1_input": 3_125_000,
        f"{chip}/energy1_input": 9_000_000,
    }
    sensor = find(str(board_files.write(tmp_path, files)))
    assert (sensor.read(), sensor.counts) == (9.0, True)


def test_several_rails_of_which_none_feeds_all_are_refused(tmp_path: Path) -> None:
    chip = "sys/class/hwmon/hwmon3"
    files = {f"{chip}/name": "ina260"}
    files |= {f"{chip}/power{n}_input": "1" for n in (1, 2)}
    files |= {f"{chip}/power{n}_label": f"VDD_{n}" for n in (1, 2)}
    with pytest.raises(Refusal, match=r"several rails, .*: ina260 VDD_1, ina260 VDD_2") as caught:
        find(str(board_files.write(tmp_path, files)))
    assert "energy_command" in caught.value.hint


def test_the_power_of_a_graphics_card_is_not_the_boards(tmp_path: Path) -> None:
    chip = "sys/class/hwmon/hwmon0"
    files = {f"{chip}/name": "amdgpu", f"{chip}/power1_input": 12_000_000}
    with pytest.raises(Refusal, match="no sensor of power that is known"):
        find(str(board_files.write(tmp_path, files)))


def test_packages_of_a_pc_are_added_and_begin_again_at_zero(tmp_path: Path) -> None:
    # 262,143.000 J, and 0.25 J after the counter's range of 262,143.328850 J: 0.578850 J more.
    sensor = find(str(board_files.intel(tmp_path, package=262_143_000_000)))
    assert sensor.domain == "RAPL package-0 + package-1"
    assert sensor.read() == 0.0
    board_files.intel(tmp_path, package=250_000)
    assert sensor.read() == pytest.approx(0.328850 + 0.25)


def test_a_laptop_that_measures_all_of_itself_does(tmp_path: Path) -> None:
    assert find(str(board_files.intel(tmp_path, psys=10))).domain == "RAPL psys"


def test_a_counter_that_is_roots_alone_is_told_with_the_command(tmp_path: Path) -> None:
    root = board_files.intel(tmp_path)
    for path in root.rglob("energy_uj"):
        path.unlink()
        path.mkdir()  # unreadable, for root too
    with pytest.raises(Refusal, match="only root may read it") as caught:
        find(str(root))
    assert caught.value.hint == "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


def test_watts_are_summed_up_over_time(tmp_path: Path) -> None:
    files = board_files.jetson_nano(tmp_path)
    meter = Meter(str(files))
    try:
        first = meter.read()
        time.sleep(0.3)
        last = meter.read()
    finally:
        meter.close()
    seconds = last["seconds"] - first["seconds"]
    assert last["joules"] - first["joules"] == pytest.approx(2.345 * seconds)
    assert last["looks"] - first["looks"] > 4


def program(tmp_path: Path, *says: str) -> list[str]:
    """A meter that prints one line after another, call by call."""
    (tmp_path / "calls").write_text("")
    script = tmp_path / "meter.py"
    script.write_text(
        "from pathlib import Path\n"
        f"calls = Path({str(tmp_path / 'calls')!r})\n"
        f"says = {says!r}\n"
        "number = len(calls.read_text())\n"
        "calls.write_text('x' * (number + 1))\n"
        "print('meter 1.0')\n"
        "print(says[min(number, len(says) - 1)])\n"
    )
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("first", "last", "joules"),
    [
        ("10 J", "12.5 J", 2.5),
        ("1500 mJ", "1750mJ", 0.25),
        ("2 Wh", "2.001 Wh", 3.6),
        ("1e6 uJ", "3e6 \u00b5J", 2.0),
    ],
)
def test_a_program_may_count_joules(tmp_path: Path, first: str, last: str, joules: float) -> None:
    meter = Meter(command=program(tmp_path, first, first, last))
    assert meter.domain == f"what {Path(sys.executable).name} meter.py measures"
    assert meter.read()["joules"] == pytest.approx(joules)
    meter.close()


@pytest.mark.parametrize("line", ["", "much", "12", "12 V", "nan J"])
def test_a_program_that_says_something_else_is_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(Refusal, match="energy_command printed") as caught:
        Meter(command=program(tmp_path, line))
    assert '"2.31 W" of this moment' in caught.value.hint


def test_a_program_that_fails_or_changes_its_mind_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"energy_command fails: .*No such file"):
        Meter(command=["/no/meter"])
    with pytest.raises(Refusal, match="returned non-zero exit status 3"):
        Meter(command=["sh", "-c", "exit 3"])
    meter = Meter(command=program(tmp_path, "1 J", "1 J", "2 W"))
    with pytest.raises(Refusal, match="says joules now and watts then"):
        meter.read()
