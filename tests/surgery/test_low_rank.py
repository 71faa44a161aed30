from __future__ import annotations

from typing import Any

import pytest

ENERGIES = {
    "wide": 0.5,
    "windows": 0.3,
    "residual": 0.3,
    "inception": 0.3,
    "shared": 0.2,
    "nested": 0.3,
}


@pytest.fixture(scope="session")
def factored(program) -> dict[str, Any]:
    return program("factored")


@pytest.mark.parametrize("name", ENERGIES)
def test_two_layers_answer_like_the_one_whose_kernel_is_numpys_truncated_svd(factored, name):
    result = factored[name]
    assert result["apart"] < 1e-5
    assert result["changed"] > 0.01, "the rank has to matter, or the comparison says nothing"


@pytest.mark.parametrize(("name", "energy"), ENERGIES.items())
def test_each_layer_keeps_the_energy_that_was_asked_for(factored, name, energy):
    kept = {layer: share for layer, (share, _, _) in factored[name]["kept"].items()}
    assert kept
    assert min(kept.values()) >= energy


@pytest.mark.parametrize("name", ENERGIES)
def test_fewer_parameters_are_left(factored, name):
    before, after = factored[name]["parameters"]
    assert after < before


def test_a_window_is_split_in_the_cheaper_of_two_ways(factored):
    ways = {way for _, _, way in factored["inception"]["kept"].values()}
    assert ways == {"pointwise", "separated"}


def test_the_layer_on_the_side_of_the_output_keeps_the_name_and_it_is_said_what_became_of_it(
    factored,
):
    result = factored["wide"]
    assert result["layers"] == ["x", "first_in", "first", "second_in", "second", "last_in", "last"]
    # 24 inputs to 40 units by rank 6: 6 * (24 + 40) of 24 * 40 products.
    assert result["notes"][0] == "first: rank 6, 40% of its multiply-accumulates"


def test_layers_that_need_their_whole_rank_are_refused(factored):
    assert factored["refused"] == (
        "no layer computes less as two: 1 of the energy needs nearly the whole rank|"
        "keep less, such as low_rank(0.7); train after it"
    )
