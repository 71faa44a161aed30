"""Profiles: the boards' facts, and mistakes with file, line and a suggestion."""

from __future__ import annotations

import configparser
import importlib.metadata
from pathlib import Path

import pytest

from pytest_edgebudget.devices import docs, load_profile, profiles
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError
from pytest_edgebudget.types import Profile, Region

KIB = 2**10
MIB = 2**20
GIB = 2**30
DOCS = Path(__file__).parents[2] / "docs" / "profiles.md"


def built_in() -> dict[str, Profile]:
    return {name: load_profile(path) for name, path in profiles().items()}


def test_the_boards_have_the_published_cores_clocks_and_memory() -> None:
    boards = built_in()
    names = ("host", "raspberry-pi-3", "raspberry-pi-4", "raspberry-pi-5", "coral-dev-board")
    facts = {n: (it.cpu, it.cores, it.clock_hz, it.ram) for n in names if (it := boards[n])}
    assert facts == {
        "host": ("", None, None, None),
        "raspberry-pi-3": ("Cortex-A53", 4, 1.2e9, 1 * GIB),
        "raspberry-pi-4": ("Cortex-A72", 4, 1.5e9, 4 * GIB),
        "raspberry-pi-5": ("Cortex-A76", 4, 2.4e9, 4 * GIB),
        "coral-dev-board": ("Cortex-A53", 4, 1.5e9, 1 * GIB),
    }


def test_microcontrollers_have_the_clocks_and_memory_of_their_datasheets() -> None:
    boards = built_in()
    facts = {
        name: (it.cpu, it.clock_hz, _total(it, "ram"), it.largest("ram"), it.largest("flash"))
        for name, it in boards.items()
        if it.runtimes == ("tflm",) and not it.accelerator
    }
    assert facts == {
        "nrf52840-tflm": ("Cortex-M4", 64e6, 256 * KIB, 256 * KIB, 1 * MIB),
        "esp32s3-tflm": ("Xtensa LX7", 240e6, 480 * KIB, 480 * KIB, 8 * MIB),
        "stm32h7a3-tflm": ("Cortex-M7", 280e6, 1376 * KIB, 1024 * KIB, 2 * MIB),
        "stm32h743-tflm": ("Cortex-M7", 480e6, 1056 * KIB, 512 * KIB, 2 * MIB),
        "stm32l4r5-tflm": ("Cortex-M4", 120e6, 640 * KIB, 640 * KIB, 2 * MIB),
        "stm32u575-tflm": ("Cortex-M33", 160e6, 784 * KIB, 768 * KIB, 2 * MIB),
        "rp2040-tflm": ("Cortex-M0+", 133e6, 264 * KIB, 264 * KIB, 2 * MIB),
        "stm32f746-tflm": ("Cortex-M7", 216e6, 336 * KIB, 320 * KIB, 1 * MIB),
    }


def test_the_sections_of_each_ethos_u_are_in_velas_own_configuration() -> None:
    config = configparser.ConfigParser()
    vela = importlib.metadata.distribution("ethos-u-vela")
    config.read(str(vela.locate_file("ethosu/config_files/Arm/vela.ini")))
    npus = {name: it for name, it in built_in().items() if it.accelerator.startswith("ethos-u")}
    assert len(npus) == 11
    for name, profile in npus.items():
        assert name == profile.accelerator
        assert f"System_Config.{profile.vela_system}" in config, name
        assert f"Memory_Mode.{profile.vela_memory}" in config, name
        family = name.split("-")[1].upper()
        assert profile.vela_system.startswith(f"Ethos_{family}_")


def test_a_vendors_configuration_of_vela_lies_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "vendor.ini").write_text("[Memory_Mode.Mine]\n")
    path = tmp_path / "board.toml"
    path.write_text("runtimes = ['tflm']\nvela_config = 'vendor.ini'\n")
    assert load_profile(path).vela_config == str(tmp_path / "vendor.ini")


def _total(profile: Profile, kind: str) -> int:
    return sum(region.size for region in profile.regions if region.kind == kind)


def test_every_fact_of_a_built_in_profile_names_its_source() -> None:
    for name, profile in built_in().items():
        told = {source.partition(":")[0] for source in profile.sources}
        facts = {
            "cpu": profile.cpu,
            "cores": profile.cores,
            "clock": profile.clock_hz,
            "ram": profile.ram,
            "memory": profile.regions,
            "kernels": profile.kernels,
            "accelerator": profile.accelerator,
            "luts": profile.luts,
            "flip_flops": profile.flip_flops,
            "dsps": profile.dsps,
            "block_ram": profile.block_ram,
            "vela_system": profile.vela_system,
            "vela_memory": profile.vela_memory,
        }
        assert {fact for fact, value in facts.items() if value} <= told, name


def test_a_profile_has_one_runtime_for_each_format() -> None:
    for name, profile in built_in().items():
        first = {f: r for r in reversed(profile.runtimes) for f in RUNTIMES[r].formats}
        assert first.keys() & {"tflite", "keras"}, name
        assert set(first.values()) <= set(profile.runtimes), name
    pi = built_in()["raspberry-pi-4"]
    assert pi.runtimes == ("litert", "onnxruntime", "tflite-runtime")


def test_regions_that_touch_are_one_piece() -> None:
    def region(name: str, size: int, address: int | None, kind: str = "ram") -> Region:
        return Region(name, kind, size, address)

    def largest(*regions: Region) -> int | None:
        return Profile(name="x", title="x", runtimes=("tflm",), regions=regions).largest("ram")

    assert largest(region("a", 64, 0x100), region("b", 64, 0x140)) == 128
    assert largest(region("b", 64, 0x140), region("a", 64, 0x100)) == 128
    assert largest(region("a", 64, 0x100), region("b", 64, 0x180)) == 64
    assert largest(region("a", 64, None), region("b", 32, None)) == 64
    assert largest(region("a", 64, 0x100), region("f", 64, 0x140, "flash")) == 64
    assert largest(region("f", 64, 0x140, "flash")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runtimes = ['litert']\nclok = '1 GHz'\n", "2: clok: unknown key (did you mean clock?)"),
        ("\nruntimes = ['litrt']\n", "2: runtimes: there is no runtime 'litrt' (did you mean"),
        ("title = 'x'\n", "1: runtimes: is empty (known: litert"),
        ("runtimes = 'litert'\n", "1: runtimes: must be a list of strings, not 'litert'"),
        ("runtimes = ['litert', 3]\n", "1: runtimes: must be a list of strings"),
        (
            "runtimes = ['litert', 'tflite-runtime']\n",
            "1: runtimes: both litert and tflite-runtime run .tflite models, and a profile has "
            'one (write alternatives = ["tflite-runtime"])',
        ),
        ("runtimes = ['litert']\ncores = true\n", "2: cores: must be a whole number, not 'True'"),
        ("runtimes = ['litert']\ncores = 0\n", "2: cores: must be at least 1"),
        ("runtimes = ['litert']\nclock = '2'\n", "2: clock: '2' is not a frequency (write"),
        ("runtimes = ['litert']\nram = '4 GO'\n", '2: ram: "GO" is not a unit here'),
        (
            "runtimes = ['tflm']\naccelerator = 'ethos-u55'\n",
            "2: accelerator: there is no accelerator 'ethos-u55' (did you mean ethos-u55-",
        ),
        (
            "runtimes = ['tflm']\nkernels = 'cmsisnn'\n",
            "2: kernels: 'cmsisnn' is not one of its words (did you mean cmsis-nn?)",
        ),
        (
            "runtimes = ['tflm']\ndefault_run = 'statics'\n",
            "2: default_run: 'statics' is not one of its words (did you mean static?)",
        ),
        ("runtimes = ['tflm']\nmemory = 'all'\n", "2: memory: must be tables (write [[memory]]"),
        (
            "runtimes = ['tflm']\nram = '1 KiB'\n[[memory]]\nname = 'a'\nkind = 'ram'\nsize = '1 KiB'\n",
            "2: ram: there are regions of it, too (write one of the two)",
        ),
        (
            "runtimes = ['tflm']\nvela_config = 'vendor.ini'\n",
            "2: vela_config: there is no configuration 'vendor.ini' (name an .ini file of Vela)",
        ),
        ("runtimes = [\n", " not TOML: "),
    ],
)
def test_a_mistake_is_told_with_file_line_and_what_to_do(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(EdgeBudgetError) as caught:
        load_profile(path)
    assert str(caught.value).startswith(f"{path}:{message}")


def test_all_mistakes_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(
        "runtimes = ['tflm']\ncores = 0\n\n[[memory]]\nname = 'SRAM1'\nkind = 'ram'\nsize = '64 KiB'\n"
        "\n[[memory]]\nname = 'SRAM2'\nkind = 'rom'\nsize = 64\n\n[[memory]]\nname = 'flash'\n"
        "\n[sources]\nkind = 'a book'\nsize = 3\n"
    )
    with pytest.raises(BudgetError) as caught:
        load_profile(path)
    assert str(caught.value).splitlines() == [
        f"{path}:2: cores: must be at least 1",
        f"{path}:11: memory.kind: 'rom' is not one of its words (did you mean ram?)",
        f"{path}:12: memory.size: must be a string, not '64'",
        f'{path}:14: memory.kind: is missing (write kind = "ram")',
        f'{path}:14: memory.size: is missing (write size = "192 KiB")',
        f"{path}:17: sources: must be a table of strings or a list of strings",
    ]


def test_a_missing_profile_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgeBudgetError, match="cannot be read: no such file"):
        load_profile(tmp_path / "board.toml")


def test_the_documentation_shows_what_the_reader_and_the_tables_hold() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert docs.render(page) == page, (
        "run: python -m pytest_edgebudget.devices.docs docs/profiles.md"
    )
