"""edgebudget devices: every profile, one of them, and what to install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_edgebudget.catalogue.offers import offers
from pytest_edgebudget.catalogue.text import details
from pytest_edgebudget.cli import main
from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.devices.ways import ADDRESSES, WAYS, way_named
from pytest_edgebudget.extensions import command_line_manager, registry_of
from pytest_edgebudget.types import DeviceChoice, Evidence


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["devices", *words]) == 0
    return capsys.readouterr().out


def test_every_profile_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys).splitlines()
    assert [line.split()[0] for line in lines[1 : len(profiles()) + 1]] == [*profiles()]
    assert lines[0].split()[:4] == ["profile", "accuracy", "ram", "latency"]


def test_the_host_measures_what_a_stand_in_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {line.split()[0]: line.split()[1:] for line in shown(capsys).splitlines() if line}
    assert listed["host"][:3] == ["measured", "measured", "measured"]
    assert listed["raspberry-pi-4"][2:6] == ["estimated", "emulated", "-", "-"]
    assert listed["stm32l4r5-tflm"][2] == listed["stm32l4r5-tflm"][4] == "estimated"


def test_one_device_has_its_facts_and_each_way_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "raspberry-pi-4")
    assert "Raspberry Pi 4 Model B product brief: 1.5 GHz" in text
    assert 'run = "host"' in text
    assert "energy of this machine is not that of raspberry-pi-4" in text


def test_the_same_is_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown(capsys, "host", "--format", "json"))
    (host,) = told["devices"]
    assert host["runs"][0]["run"] == "host"
    assert host["runs"][0]["evidence"]["latency"] == "measured"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rasberry-pi-4"], "did you mean raspberry-pi-4?"),
        (["install"], "edgebudget devices install: which device?"),
        (["install", "host"], "host: there is nothing to install"),
        (["uninstall", "rasberry-pi-4"], "did you mean raspberry-pi-4?"),
    ],
)
def test_what_cannot_be_shown_or_installed_is_told(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["devices", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", profiles())
def test_the_default_way_of_a_profile_serves_it_and_opens(name: str) -> None:
    profile = load_profile(profiles()[name])
    assert profile.default_run not in ADDRESSES
    assert way_named(profile.default_run).refusal(profile) == ""
    device = open_device(DeviceChoice(profile=profile, run=profile.default_run))
    assert device.formats


@pytest.mark.parametrize("name", WAYS)
def test_every_way_is_what_it_is_called(name: str) -> None:
    way = way_named(name)
    assert way.name == name
    assert way.help.endswith(".")


def test_what_is_missing_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pytest_edgebudget.devices import host

    monkeypatch.setattr(host, "installed", lambda distribution, python: "")
    profile = load_profile(profiles()["raspberry-pi-4"])
    offer = next(
        it for it in offers(profile, registry_of(command_line_manager())) if it.run == "host"
    )
    assert not offer.ready
    assert offer.lacks[0].command == "pip install 'pytest-edgebudget[litert]'"
    assert offer.evidence["accuracy"] is Evidence.HOST


def test_a_runtime_that_only_other_models_need_leaves_the_way_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pytest_edgebudget.devices import host

    monkeypatch.setattr(
        host, "installed", lambda distribution, python: distribution == "ai-edge-litert"
    )
    profile = load_profile(profiles()["raspberry-pi-4"])
    registry = registry_of(command_line_manager())
    (offer,) = (it for it in offers(profile, registry) if it.run == "host")

    assert offer.ready
    assert [lack.what for lack in offer.lacks] == ["onnxruntime is not installed"]
    assert "  ready\n  missing for .onnx models: onnxruntime is not installed\n" in details(
        profile, [offer], ""
    )
