"""Where a device runs may be said on the command line, for CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from tests.plugin.conftest import Runner


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("pi4", "*--edge-budget-run 'pi4' is not NAME=URL*"),
        ("=host", "*'=host' is not NAME=URL*"),
        ("pi5=host", "*--edge-budget-run 'pi5' is neither a budget file's name nor a profile's; "
         "here are: pi4, raspberry-pi-4*"),
        ("pi4=shh://pi@pi4", '*pi4=shh://pi@pi4: there is no way to run called "shh"*'),
        ("pi4=ssh", '*pi4=ssh: run = "ssh" needs an address*'),
        ("pi4=host://pi", "*pi4=host://pi: host takes no address*"),
        ("pi4=ssh://-oProxyCommand=x", "*run = 'ssh://-oProxyCommand=x' is no address of a board*"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_a_usage_error(gate: Runner, asked: str, message: str) -> None:
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-run", asked)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.parametrize("name", ["pi4", "raspberry-pi-4"])
def test_the_name_of_the_file_or_of_its_profile_says_whose_place_it_is(
    gate: Runner, name: str
) -> None:
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-run", f"{name}=static")

    result.stdout.fnmatch_lines(["pi4.toml: raspberry-pi-4, run static, *"])
    result.stdout.fnmatch_lines(['*run = "static": no model runs on raspberry-pi-4*'])


def test_a_profile_that_no_budget_of_this_run_has_is_no_mistake(gate: Runner) -> None:
    result = gate(
        "--edge-budget", "pi4.toml", "--edge-budget-run", "raspberry-pi-5=ssh://pi@pi5", "-q"
    )

    assert result.ret == pytest.ExitCode.OK


def test_the_command_line_without_pytest_takes_the_same(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "pi4.toml", "--run", "pi4=static"]) == 1
    assert 'run = "static": no model runs on raspberry-pi-4' in capsys.readouterr().out
    assert main(["check", "pi4.toml", "--run", "pi4"]) == 2
    assert "error: --run 'pi4' is not NAME=URL\n  such as pi4=" in capsys.readouterr().err
