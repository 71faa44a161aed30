"""Rules over the ops and versions of a .tflite, beside what the runtimes do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.lint import runtimes
from pytest_edgebudget.lint.base import OnDevice, Severity
from pytest_edgebudget.lint.runtimes.custom_op import RULE as CUSTOM
from pytest_edgebudget.lint.runtimes.misread_op import RULE as MISREAD
from pytest_edgebudget.lint.runtimes.op_of_other_runtime import RULE as OTHER
from pytest_edgebudget.lint.runtimes.select_tf_op import RULE as SELECT_TF
from pytest_edgebudget.lint.runtimes.understated_version import RULE as UNDERSTATED
from pytest_edgebudget.lint.runtimes.unknown_op import RULE as UNKNOWN
from pytest_edgebudget.lint.runtimes.unknown_tensor_type import RULE as TYPE
from tests.lint import quantized as made
from tests.lint.check import findings, messages

DIGITS = made.DIGITS / "digits.tflite"
ETHOS = replace(made.MICRO, accelerator="ethos-u55-128", runtimes=("litert",))


def one_op(folder: Path, kind: str, version: int = 1, custom: str | None = None) -> Path:
    from tests.graph import tflite_models as tflite

    tensors = [tflite.tensor("x", [1, 4]), tflite.tensor("y", [1, 4])]
    main = tflite.subgraph(tensors, [tflite.op(0, [0], [1])], [0], [1])
    code = tflite.code(kind, version, custom=custom)
    path = folder / "m.tflite"
    path.write_bytes(tflite.pack(tflite.model([code], [main], [tflite.buffer()])))
    return path


# --- ops that nobody knows -------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "version", "said"),
    [
        ("RELU", 99, "RELU version 99: LiteRT 2.3.0 knows versions 1 to 3"),
        ("BROADCAST_TO", 1, "BROADCAST_TO version 1: LiteRT 2.3.0 knows versions 2 to 4"),
        ("STABLEHLO_TANH", 1, "STABLEHLO_TANH version 1: LiteRT 2.3.0 has no kernel for it"),
    ],
)
def test_an_op_that_litert_does_not_know_is_one_that_it_refuses(
    kind: str, version: int, said: str, tmp_path: Path
) -> None:
    model = one_op(tmp_path, kind, version)
    assert messages(UNKNOWN, model) == [said]
    refusal = f"refused: Didn't find op for builtin opcode '{kind}' version '{version}'"
    assert made.litert(model).startswith(refusal)
    assert findings(OTHER, model, made.OLD) == []  # one error says it


def test_an_op_that_litert_knows_is_no_finding(tmp_path: Path) -> None:
    model = one_op(tmp_path, "RELU", 3)
    assert findings(UNKNOWN, model) == []
    assert made.litert(model) == "loads"


# --- versions that one runtime knows and another does not ------------------------


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As litert-quantizer writes it."""
    return made.by_litert(tmp_path_factory.mktemp("dynamic") / "m.tflite", made.dynamic())


@pytest.fixture(scope="module")
def honest(dynamic: Path) -> Path:
    """The same with the versions that the ops need."""
    from pytest_edgebudget.passes._versions import set_versions

    return made.edited(dynamic, dynamic.parent / "honest.tflite", set_versions)


FULLY = "FULLY_CONNECTED needs version 12 and says 1: tflite-runtime 2.14.0 knows up to 10"


def test_versions_that_are_too_low_are_a_note(dynamic: Path, honest: Path) -> None:
    (finding,) = findings(UNDERSTATED, dynamic)
    assert finding.message == FULLY
    assert UNDERSTATED.severity is Severity.NOTE
    assert findings(UNDERSTATED, honest) == []


def test_a_runtime_that_cannot_see_what_it_misreads_computes_nonsense(dynamic: Path) -> None:
    assert messages(MISREAD, dynamic, made.OLD) == [f"{FULLY}, and takes it for version 1"]
    assert made.accuracy(dynamic, "tflite_runtime") < 0.3
    assert findings(OTHER, dynamic, made.OLD) == []


def test_a_runtime_that_knows_the_needed_version_computes_right(dynamic: Path) -> None:
    assert findings(MISREAD, dynamic, made.PI) == []
    assert made.accuracy(dynamic) > 0.95


def test_a_runtime_refuses_a_version_that_it_can_see(honest: Path) -> None:
    said = "FULLY_CONNECTED version 12 (2 ops): tflite-runtime 2.14.0 knows versions 1 to 10"
    assert messages(OTHER, honest, made.OLD) == [said]
    assert "'FULLY_CONNECTED' version '12'" in made.run("tflite_runtime", honest)
    assert findings(MISREAD, honest, made.OLD) == []
    assert findings(OTHER, honest, made.PI) == []


def convolutions(bits: int) -> Callable[[Any, Any], None]:
    return lambda work, qtyping: work.add_dynamic_config(
        ".*", qtyping.TFLOperationName.CONV_2D, bits
    )


def test_4_bit_convolutions_are_misread_by_the_old_runtime(tmp_path: Path) -> None:
    model = made.by_litert(tmp_path / "m.tflite", convolutions(4))
    (said,) = messages(MISREAD, model, made.OLD)
    assert said.startswith("CONV_2D needs version 8 and says 1")
    assert made.run("tflite_runtime", model, made.DIGITS / "data.npz") in ("crashed", "0.08")
    assert made.accuracy(model) > 0.95


def test_8_bit_convolutions_are_computed_right_by_the_old_runtime(tmp_path: Path) -> None:
    model = made.by_litert(tmp_path / "m.tflite", convolutions(8))
    assert findings(MISREAD, model, made.OLD) == []
    assert made.accuracy(model, "tflite_runtime") > 0.95


def test_full_integers_are_no_finding_for_any_runtime(tmp_path: Path) -> None:
    model = made.int8_digits(tmp_path / "m.tflite")
    for profile in (made.PI, made.OLD, made.CORAL, made.MICRO):
        for rule in (OTHER, MISREAD, TYPE):
            assert findings(rule, model, profile) == []
    assert made.accuracy(model, "tflite_runtime") > 0.95


# --- tensor types ----------------------------------------------------------------


def test_a_type_that_the_runtime_does_not_know_is_one_that_it_refuses(tmp_path: Path) -> None:
    model = made.by_litert(tmp_path / "m.tflite", made.dynamic(2))
    said = "4 tensors of int2, which tflite-runtime 2.14.0 does not know"
    assert messages(TYPE, model, made.OLD) == [said]
    assert "Unsupported data type 19" in made.run("tflite_runtime", model)
    assert findings(MISREAD, model, made.OLD) == []  # it never comes to the ops
    assert findings(TYPE, model, made.PI) == []
    assert made.litert(model) == "loads"


# --- custom ops ------------------------------------------------------------------


def test_a_custom_op_of_ones_own_needs_its_library(tmp_path: Path) -> None:
    model = one_op(tmp_path, "CUSTOM", custom="MyFilter")
    said = "custom op MyFilter, which no runtime known here has a kernel for"
    assert messages(CUSTOM, model) == [said]
    assert "unresolved custom op: MyFilter" in made.litert(model)
    assert findings(OTHER, model, made.PI) == []


def test_a_custom_op_that_another_runtime_has_is_said_for_the_device(tmp_path: Path) -> None:
    model = one_op(tmp_path, "CUSTOM", custom="SignalWindow")
    assert findings(CUSTOM, model) == []
    said = "SignalWindow: litert 2.3.0 has no kernel for it, but tflm has"
    assert messages(OTHER, model, made.PI) == [said]
    assert "unresolved custom op: SignalWindow" in made.litert(model)
    assert findings(OTHER, model, made.MICRO) == []


def test_a_custom_op_that_the_runtime_has_is_no_finding(tmp_path: Path) -> None:
    model = one_op(tmp_path, "CUSTOM", custom="TFLite_Detection_PostProcess")
    assert findings(CUSTOM, model) == []
    assert findings(OTHER, model, made.PI) == []


def test_a_compiled_model_belongs_to_its_accelerator(tmp_path: Path) -> None:
    model = one_op(tmp_path, "CUSTOM", custom="ethos-u")
    assert findings(CUSTOM, model) == []
    assert findings(OTHER, model, ETHOS) == []
    said = "ethos-u: litert 2.3.0 has no kernel for it: the file was compiled for ethos-u"
    assert messages(OTHER, model, made.PI) == [said]


@pytest.mark.slow
def test_an_op_of_tensorflow_itself_is_one_that_litert_refuses(tensorflow_models: Path) -> None:
    model = tensorflow_models / "flex.tflite"
    assert messages(SELECT_TF, model) == ["1 op needs TensorFlow itself: FlexMatrixInverse"]
    assert made.litert(model).startswith("refused: Select TensorFlow op(s), included in the given")
    assert findings(CUSTOM, model) == []
    assert findings(SELECT_TF, DIGITS) == []


# --- sound models ----------------------------------------------------------------


def test_the_reference_models_have_notes_at_most(reference_models: Path) -> None:
    found = []
    for path in [*reference_models.rglob("*.tflite"), *reference_models.rglob("*.onnx")]:
        for rule in runtimes.RULES:
            if path.suffix[1:] in rule.formats:
                profile = made.PI if rule.needs is OnDevice else None
                found += [rule.code for _ in findings(rule, path, profile)]
    assert set(found) == {"EB508"}
    assert len(found) == 7  # the README of the models: 7 of 10 have no signature


def test_ops_of_all_subgraphs_are_looked_at(tmp_path: Path) -> None:
    from tests.graph import tflite_models as tflite

    tensors = [tflite.tensor("x", [1, 4]), tflite.tensor("y", [1, 4])]
    graphs = [
        tflite.subgraph(tensors, [tflite.op(number, [0], [1])], [0], [1]) for number in (0, 1)
    ]
    codes = [tflite.code("RELU"), tflite.code("STABLEHLO_TANH")]
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite.pack(tflite.model(codes, graphs, [tflite.buffer()])))
    assert len(graph.read(path).subgraphs) == 2
    assert len(findings(UNKNOWN, path)) == 1
    assert np.size(findings(CUSTOM, path)) == 0
