from __future__ import annotations

import importlib.util
from typing import Any

import pytest


@pytest.fixture(scope="session")
def reduced(program) -> dict[str, Any]:
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("pip install 'pytest-edgebudget[search]'")
    return program("reduced")


@pytest.mark.parametrize("name", ["plain", "without bias"])
def test_a_projected_network_answers_like_the_whole_one_on_what_scikit_learn_projects(
    reduced, name
):
    result = reduced[name]
    assert result["apart"] < 1e-5
    assert result["changed"] > 0.1
    assert (
        result["note"] == f"5 of 12 components hold {result['share']:.1%} of the inputs' variance"
    )


def test_training_leaves_the_projection_alone_and_changes_what_is_behind(reduced):
    assert reduced["trained projection"] < 1e-6
    assert reduced["trained last"] > 1e-3


def test_the_projection_comes_behind_what_only_scales_and_gets_a_name_of_its_own(reduced):
    assert reduced["behind"] == ["pca_", "dense_2", "pca"]


def test_rfe_finds_the_inputs_that_the_labels_were_made_of(reduced):
    assert reduced["chosen"] == "reads the inputs 1, 4, 7 of 12"
    assert reduced["chosen for values"] == "reads the inputs 1, 4, 7 of 12"


def test_a_network_that_reads_some_inputs_answers_as_if_the_others_were_at_their_mean(reduced):
    assert reduced["apart"] < 1e-5
    assert reduced["changed"] > 0.1
    assert reduced["values"] == [None, 12]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "convolution",
            "pca(2, epochs=0) needs a model whose first layer is dense and reads one vector; here the input goes into first (Conv2D)|channels(0.3) and low_rank(0.9) make other models smaller",
        ),
        (
            "two inputs",
            "rfe(2, epochs=0) reduces a model's only input, and this one has 2|reduce each input before the model",
        ),
        (
            "not fewer",
            "rfe(12, epochs=0): the first dense layer reads 12 numbers, and 12 are not fewer|such as rfe(6)",
        ),
        (
            "costly",
            "pca(8, epochs=0): projecting 12 inputs for 16 units costs more than it saves|at most 6 components save work",
        ),
        (
            "unlabelled",
            "rfe(3, epochs=0) chooses inputs by labels, but the data have no y_train|add y_train to the data",
        ),
        (
            "few samples",
            "pca(5, epochs=0): 4 samples have no 5 components|add samples to x_train",
        ),
    ],
)
def test_what_cannot_be_reduced_is_refused_in_a_sentence(reduced, name, sentence):
    assert reduced[name] == sentence
