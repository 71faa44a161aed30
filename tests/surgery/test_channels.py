from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NAMES = (
    *("chain", "residual", "inception", "separable", "dense_net", "squeeze_excite", "sequence"),
    *("autoencoder", "nested", "shared", "two_outputs", "attention"),
)
BOTH = ("chain", "residual", "inception", "dense_net", "two_outputs")
CASES = [*(f"{name} 0.3 1" for name in NAMES), *(f"{name} 0.6 2" for name in BOTH)]


@pytest.fixture(scope="session")
def cut(program) -> dict[str, Any]:
    return program("cut")


@pytest.fixture(scope="session")
def ranked(program) -> dict[str, Any]:
    return program("rank")


@pytest.mark.parametrize("case", CASES)
def test_the_narrow_network_answers_like_the_whole_one_with_the_channels_masked(cut, case):
    result = cut[case]
    assert result["apart"] < 1e-5
    assert result["changed"] > 1e-3, "the mask has to matter, or the comparison says nothing"


@pytest.mark.parametrize("case", CASES)
def test_inputs_and_outputs_keep_their_shape_and_the_model_itself_is_not_touched(cut, case):
    result = cut[case]
    assert result["untouched"]
    whole, narrow = result["outputs"]
    assert whole == narrow
    before, after = result["parameters"]
    assert after < before


def test_every_case_of_the_program_is_looked_at(cut):
    assert sorted(cut) == sorted(CASES)


def test_a_fraction_of_each_group_goes_rounded_down(cut):
    widths = cut["chain 0.3 1"]["widths"]
    assert widths == {
        "first": [10, 7],
        "norm": [10, 7],
        "second": [7, 5],
        "hidden": [9, 7],
        "last": [4, 4],
    }


def test_what_is_left_is_a_multiple_but_never_more_than_was_there(cut):
    widths = cut["chain 0.6 2"]["widths"]
    assert widths == {
        "first": [10, 4],
        "norm": [10, 4],
        "second": [7, 4],
        "hidden": [9, 4],
        "last": [4, 4],
    }


def test_models_inside_a_model_are_cut_like_its_own_layers(cut):
    widths = cut["nested 0.3 1"]["widths"]
    assert widths == {"outer": [6, 5], "inner": [9, 7], "inner_norm": [9, 7], "end": [4, 4]}


def test_channels_into_layers_that_are_not_known_are_left_whole_and_it_is_said(cut):
    result = cut["attention 0.3 1"]
    widths = {
        name: result["widths"][name] for name in ("before", "into", "mixing", "towards", "behind")
    }
    assert widths == {
        "before": [9, 7],
        "into": [8, 8],
        "mixing": [6, 6],
        "towards": [7, 7],
        "behind": [10, 7],
    }
    assert result["notes"] == [
        "channels into attention (MultiHeadAttention) are left whole",
        "channels into recurrent (LSTM) are left whole",
        "channels into and of grouped (Conv1D of 2 groups) are left whole",
        "channels of mixing (softmax) are left whole",
    ]


def test_an_output_that_others_read_too_stays_whole(cut):
    assert cut["two_outputs 0.6 2"]["widths"]["features"] == [6, 6]


def test_l1_sums_the_absolute_weights_of_a_channel(ranked):
    assert ranked["l1"] == pytest.approx(np.abs(ranked["kernel"]).sum(axis=(0, 1, 2)), rel=1e-5)


def test_bn_takes_the_scale_behind_a_channel_and_weights_where_there_is_none(ranked):
    assert ranked["first bn"] == pytest.approx(
        np.abs(ranked["gammas"][0]) + sum_of_residual(ranked), rel=1e-5
    )
    assert ranked["bn"] == pytest.approx(np.abs(ranked["last kernel"]).sum(axis=0), rel=1e-5)


def sum_of_residual(ranked: dict[str, Any]) -> np.ndarray:
    """The batch norm behind the first block's second convolution, which is added."""
    return np.abs(ranked["gammas"][2])


@pytest.mark.parametrize("layer", ["first", "hidden"])
def test_taylor_is_the_square_of_how_fast_the_loss_changes_with_a_channel(ranked, layer):
    slope = np.array(ranked["numeric"][layer])
    assert ranked["taylor"][layer] == pytest.approx(slope**2, rel=0.05, abs=1e-6)
    assert slope.std() > 1e-3


def test_channels_that_are_added_stay_or_go_together(ranked):
    kinds, kept = ranked["kinds"], ranked["tied"]
    adds = [name for name, kind in kinds.items() if kind == "Add"]
    assert len(adds) == 3
    convolutions = [name for name, kind in kinds.items() if kind == "Conv2D"]
    first, second = convolutions[0], convolutions[2]
    assert kept[first] == kept[second] == kept[adds[0]]
    assert len(kept[first]) == 8 - int(8 * 0.4)


def test_a_model_whose_graph_is_code_is_refused(ranked):
    assert ranked["subclass"] == (
        "Subclass has no graph of layers to change|"
        "build it with keras.Sequential or keras.Model(inputs, outputs) of Keras 3"
    )


def test_a_model_without_channels_of_its_own_is_refused(ranked):
    assert ranked["small"].startswith("the model has no channels that can be cut")


def test_a_fraction_of_less_than_a_channel_is_refused_with_the_widest_group(ranked):
    assert ranked["little"].startswith("nothing to cut: 0.01 of at most 10 channels in a group")


@pytest.mark.reference
def test_real_models_are_cut_without_changing_what_stays(program, reference_models: Path):
    models = (
        reference_models / "ic_resnet8/models/resnet8.h5",
        reference_models / "fsdd_trainable/models/baseline.keras",
    )
    found = program("real", *map(str, models))
    assert json.dumps(sorted(found)) == '["baseline", "resnet8"]'
    for result in found.values():
        assert result["apart"] < 1e-5
        assert result["changed"] > 0.1
