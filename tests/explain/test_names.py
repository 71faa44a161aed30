"""`edgebudget explain NAME`: metrics, rules, recipes; and what cannot be explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.lint import families
from pytest_edgebudget.lint.base import ModelFile, Rule, Severity
from pytest_edgebudget.lint.table import RULES

Explain = Callable[..., str]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_found_by_its_code_and_its_name(explained: Explain, rule: object) -> None:
    code, name, doc = rule.code, rule.name, rule.doc  # type: ignore[attr-defined]
    for asked in (code, code.lower(), name):
        text = explained(asked)
        assert text.startswith(f"{code} {name} (")
        assert text.split("\n")[2] == doc.split("\n")[0]
        assert "``" not in text
        assert "::\n" not in text


def test_a_recipe_is_the_documentation_of_its_passes(explained: Explain) -> None:
    text = explained("prune(0.5)+int8")
    assert text.startswith(
        "prune(0.5)+int8: 2 passes, one after the other: prune, then int8\n\nprune\n\n"
    )
    assert "\n\nint8\n\nWeights and activations in int8" in text


def test_a_pass_lists_its_arguments_with_their_defaults(explained: Explain) -> None:
    text = explained("channels")
    assert "Arguments, with what they are when left out:" in text
    assert "    epochs          5         passes over the train data\n" in text
    assert "    fraction        required  " in text


def test_the_search_is_explained(explained: Explain) -> None:
    assert explained("fit").startswith('fit\n\n`optimize = "fit"` in a budget file finds')


def test_documentation_as_json(explained: Explain) -> None:
    found = json.loads(explained("macs", format="json"))
    assert [item["name"] for item in found["items"]] == ["macs"]
    assert found["items"][0]["documentation"].startswith("macs\n\nMultiply-accumulates")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Latency", "latency"),
        ("RAM", "ram"),
        ("EB2", "EB201 dynamic-shape"),
        ("eb20", "EB201 dynamic-shape"),
        ("EB3xx", "EB301 float-ops-in-integer-model"),
        ("rules", "EB100 unreadable-file"),
        ("metrics", "size "),
        ("passes", "none "),
        ("raspberry-pi-4", "raspberry-pi-4: Raspberry Pi 4 Model B"),
    ],
)
def test_case_does_not_matter_and_lists_and_profiles_are_explained(
    explained: Explain, name: str, first: str
) -> None:
    assert explained(name).startswith(first)


def test_a_family_of_rules_is_a_line_for_each(explained: Explain) -> None:
    lines = explained("EB4").splitlines()
    assert [line.split()[0] for line in lines] == [r.code for r in RULES if r.code[:3] == "EB4"]
    assert all(len(line.split("  ", 1)[1].strip()) > 10 for line in lines)


def test_a_profile_is_its_facts_and_where_they_come_from(explained: Explain) -> None:
    text = explained("stm32l4r5-tflm")
    assert "\nclock         120 MHz\n" in text
    assert "\nSRAM2         64.0 KiB of ram at 0x20030000\n" in text
    assert "\n  clock: STM32L4R5xx datasheet DS12023: up to 120 MHz\n" in text


def test_a_rule_of_an_extension_is_explained(
    explained: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(model: ModelFile) -> tuple[()]:
        return ()

    added = Rule(
        code="ACME001", name="of-ours", severity=Severity.NOTE, needs=ModelFile, check=check
    )
    monkeypatch.setattr(families, "added", lambda: (added,))

    assert explained("acme001").startswith("ACME001 of-ours (note)\n")
    assert explained("ACME").startswith("ACME001 of-ours  ")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("bananas", r"profile bananas\n  explain takes a .tflite"),
        ("EB299", r"no rule EB299\n  EB2 has the rules EB201 to EB2"),
        ("eb999", r"no rule EB999\n  a code begins with EB1, EB2, EB3, EB4, EB5"),
        (".", r"a folder\n  name one model"),
        ("saved", r"saved: a SavedModel, .*\n  it is exported to .tflite first"),
        ("pi-4", "did you mean raspberry-pi-4"),
        ("kws", r"did you mean kws.tflite\?"),
        ("some/where", "there is no file some/where"),
        ("/dev/null", "not a regular file"),
        ("budget.toml", "this is a budget file"),
        ("model.keras", "this is a zip archive"),
    ],
)
def test_what_names_nothing_is_told_in_two_lines(
    explained: Explain, asked: str, message: str
) -> None:
    Path("saved").mkdir()
    Path("saved/saved_model.pb").write_bytes(b"")
    Path("kws.tflite").write_bytes(b"")
    Path("model.keras").write_bytes(b"PK\x03\x04")
    Path("budget.toml").write_text("[models.a]\n")

    with pytest.raises(EdgeBudgetError, match=message) as error:
        explained(asked)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("asked", "near"),
    [("latensy", "latency"), ("unfused-activations", "unfused-activation"), ("int9", "int8")],
)
def test_a_misspelt_name_gets_a_suggestion(explained: Explain, asked: str, near: str) -> None:
    with pytest.raises(EdgeBudgetError, match=f"did you mean {near}"):
        explained(asked)


def test_a_profile_is_for_models_only(explained: Explain) -> None:
    with pytest.raises(EdgeBudgetError, match="--profile are for models"):
        explained("macs", profile="host")


# --- models that cannot be explained ----------------------------------------------------------


def test_a_model_that_is_not_there_is_not_taken_for_a_name(explained: Explain) -> None:
    for name in ("nothing.tflite", "nothing.onnx", "no/such/folder/x.TFLITE"):
        with pytest.raises(ModelError, match="cannot be read"):
            explained(name)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x00\x00\x08TFL3" + bytes(40)])
def test_a_damaged_model_is_exit_code_2_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    assert main(["explain", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {path}: ")
    assert "Traceback" not in err


def test_a_file_of_another_kind_says_what_it_is(explained: Explain) -> None:
    Path("model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    with pytest.raises(ModelError, match="a Keras"):
        explained(Path("model.h5"))


def test_an_unknown_profile_gets_a_suggestion(explained: Explain) -> None:
    import tflite_models as tfl

    model = tfl.pack(tfl.small_cnn())
    with pytest.raises(EdgeBudgetError, match="did you mean raspberry-pi-4"):
        explained(model, profile="rasberry-pi-4")
    with pytest.raises(EdgeBudgetError, match="cannot be read"):
        explained(model, profile="mine.toml")


def test_a_device_that_does_not_run_the_format_is_an_error(explained: Explain) -> None:
    import onnx_models as om

    with pytest.raises(ModelError, match=r"cannot run \.onnx models"):
        explained(om.small_cnn().SerializeToString(), name="m.onnx", profile="stm32l4r5-tflm")
