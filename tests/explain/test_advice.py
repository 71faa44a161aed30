"""What would lower the peak, against models that were really changed so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.explain.account import Account, account
from pytest_edgebudget.graph import read
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.types import Profile

MICRO = Profile(name="board", title="A board", runtimes=("tflm",))


def advised(folder: Path, content: bytes, profile: Profile | None = None) -> Account:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return account(path, profile)


def texts(found: Account) -> str:
    return "\n".join(item.text for item in found.advice)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("floating", "integer"),
    [
        ("ic_resnet8/models/resnet8_float32.tflite", "ic_resnet8/models/resnet8_int8.tflite"),
        ("kws_dscnn/models/kws_float32.tflite", "kws_dscnn/models/kws_int8.tflite"),
        ("ad_autoencoder/models/ad01_float32.tflite", "ad_autoencoder/models/ad01_int8.tflite"),
    ],
)
def test_int8_activations_need_what_the_integer_model_really_needs(
    reference_models: Path, floating: str, integer: str
) -> None:
    found = account(reference_models / floating, None)
    (advice,) = [item for item in found.advice if item.text.startswith("int8 activations")]
    real = plan(read(reference_models / integer), "litert").size
    assert advice.size == pytest.approx(real, rel=0.02)
    assert advice.evidence == "estimated"


@pytest.mark.reference
def test_an_integer_model_is_not_told_to_become_one(reference_models: Path) -> None:
    found = account(reference_models / "ic_resnet8/models/resnet8_int8.tflite", None)
    assert "int8 activations" not in texts(found)


def test_halved_tensors_need_what_the_halved_model_needs(tmp_path: Path) -> None:
    whole = advised(tmp_path, two_steps(64))
    half = advised(tmp_path, two_steps(32))
    (advice,) = [item for item in whole.advice if item.text.startswith("half the channels")]
    assert advice.size == half.plan.lower_bound


def two_steps(width: int) -> bytes:
    """Two convolutions whose inner tensors have *width* channels."""
    from static_builder import File

    file = File(seed=7)
    net = file.graph("INT8")
    x = net.conv(net.input([1, 8, 8, 2]), width, 1)
    net.outputs = [net.reduce("MEAN", net.conv(x, width, 1), [1, 2])]
    return file.pack()


def test_another_order_of_the_ops_is_advised_with_its_arena(tmp_path: Path) -> None:
    # Two branches, each first wide, then narrow: done one after the other, the wide
    # tensors never meet.
    from static_builder import File

    file = File(seed=7)
    net = file.graph("INT8")
    x = net.input([1, 16, 16, 2])
    wide = [net.conv(x, 32, 1) for _ in range(3)]
    net.outputs = [net.concat(*(net.conv(y, 2, 1) for y in wide))]
    found = advised(tmp_path, file.pack())
    (advice,) = [item for item in found.advice if item.order]
    assert "another order of the ops" in advice.text
    assert advice.size <= 0.5 * found.plan.size
    assert sorted(advice.order) == list(range(len(found.graph.ops)))


def test_a_lone_activation_at_the_peak_could_be_fused(tmp_path: Path) -> None:
    # TensorFlow Lite Micro computes a RELU from one tensor into another; the same network
    # with the RELU in its convolution needs what the advice says.
    lone, fused = (advised(tmp_path, activated(fused), MICRO) for fused in (False, True))
    (advice,) = [item for item in lone.advice if "fused into the op before it" in item.text]
    assert advice.size == fused.plan.lower_bound


def activated(fused: bool) -> bytes:
    from static_builder import File

    file = File(seed=7)
    net = file.graph("INT8")
    x = net.conv(net.input([1, 8, 8, 2]), 64, 1)
    if not fused:
        x = net.relu(x)
    net.outputs = [net.reduce("MEAN", x, [1, 2])]
    return file.pack()


def test_each_figure_is_smaller_than_the_plan_and_they_come_in_order(
    tmp_path: Path,
) -> None:
    from static_models import MODELS

    for make in MODELS.values():
        found = advised(tmp_path, make())
        sizes = [item.size for item in found.advice]
        assert sizes == sorted(sizes)
        assert all(0 <= size < found.plan.size for size in sizes)
