"""Profiles: the boards' facts, and mistakes with file, line and a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.errors import EdgeBudgetError

GIB = 2**30


def test_the_boards_have_the_published_cores_clocks_and_memory() -> None:
    boards = {name: load_profile(path) for name, path in profiles().items()}
    facts = {name: (it.cpu, it.cores, it.clock_hz, it.ram) for name, it in boards.items()}
    assert facts == {
        "host": ("", None, None, None),
        "raspberry-pi-3": ("Cortex-A53", 4, 1.2e9, 1 * GIB),
        "raspberry-pi-4": ("Cortex-A72", 4, 1.5e9, 4 * GIB),
        "raspberry-pi-5": ("Cortex-A76", 4, 2.4e9, 4 * GIB),
    }
    assert all(it.sources for name, it in boards.items() if name != "host")
    assert {it.runtimes for it in boards.values()} == {("litert", "onnxruntime", "tflite-runtime")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runtimes = ['litert']\nclok = '1 GHz'\n", "2: clok: unknown key\n  did you mean clock?"),
        ("\nruntimes = ['litrt']\n", "2: runtimes: there is no runtime 'litrt'\n  did you mean"),
        ("title = 'x'\n", "1: runtimes: is empty\n  known: litert"),
        ("runtimes = 'litert'\n", "1: runtimes: must be a list of strings, not 'litert'"),
        ("runtimes = ['litert', 3]\n", "1: runtimes: must be a list of strings"),
        ("runtimes = ['litert']\ncores = true\n", "2: cores: must be a whole number, not True"),
        ("runtimes = ['litert']\ncores = 0\n", "2: cores: must be at least 1"),
        ("runtimes = ['litert']\nclock = '2'\n", "2: clock: '2' is not a frequency\n  write"),
        ("runtimes = ['litert']\nram = '4 GO'\n", '2: ram: "GO" is not a unit here'),
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


def test_a_missing_profile_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgeBudgetError, match="cannot be read: no such file"):
        load_profile(tmp_path / "board.toml")
