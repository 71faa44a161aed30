from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.types import Step

from .conftest import PASSES
from .test_prune import MODELS, arrays, each_model, prune

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")


def cluster(count: int) -> Step:
    return Step("cluster", (count,))


@each_model
@pytest.mark.parametrize("count", [2, 16, 64])
def test_each_layer_has_so_many_values_and_every_weight_the_nearest_of_them(
    count: int, model: Path, run_pass
) -> None:
    before, after = arrays(model), arrays(run_pass("cluster", model, cluster(count)))
    assert before.keys() == after.keys()
    for name, old in before.items():
        values = np.unique(after[name])
        assert 2 <= len(values) <= count
        nearest = np.abs(old[..., None] - values).min(axis=-1)
        assert np.abs(old - after[name]) == pytest.approx(nearest, abs=1e-6)


def test_the_centroids_are_about_as_good_as_scikit_learns(run_pass) -> None:
    cluster_module = pytest.importorskip("sklearn.cluster", reason="pip install scikit-learn")
    before, after = (
        arrays(path) for path in (MODELS[0], run_pass("cluster", MODELS[0], cluster(16)))
    )
    for name, old in before.items():
        start = np.linspace(old.min(), old.max(), 16).reshape(-1, 1)
        other = cluster_module.KMeans(16, init=start, n_init=1).fit(old.reshape(-1, 1))
        assert ((old - after[name]) ** 2).sum() <= 1.02 * other.inertia_ + 1e-9


@each_model
def test_the_download_shrinks_and_the_file_does_not(model: Path, run_pass) -> None:
    old, new = model.read_bytes(), run_pass("cluster", model, cluster(16)).read_bytes()
    assert len(new) == len(old)
    assert len(zlib.compress(new, 9)) < 0.5 * len(zlib.compress(old, 9))


@each_model
def test_pruned_weights_stay_pruned_and_more_values_are_noticed(model: Path, run_pass) -> None:
    pruned = run_pass("prune", model, prune(0.3), name="pruned")
    out = run_pass("cluster", pruned, cluster(8))
    before, after = arrays(pruned), arrays(out)
    for name, old in before.items():
        assert not after[name][old == 0].any()
    check = PASSES["cluster"].check
    graphs = graph.read(pruned), graph.read(out)
    assert check(*graphs, cluster(8)) == ""
    assert check(*graphs, cluster(4)).startswith("more than 4 different weights in ")
    lost = check(graphs[0], graph.read(run_pass("cluster", model, cluster(8))), cluster(8))
    assert lost.startswith("zeros became other values in ")


def test_integers_share_values_after_quantization(run_pass) -> None:
    integer = run_pass("int8", MODELS[0], name="integer")
    out = run_pass("cluster", integer, cluster(16))
    assert PASSES["cluster"].check(graph.read(integer), graph.read(out), cluster(16)) == ""
    assert len(zlib.compress(out.read_bytes(), 9)) < len(zlib.compress(integer.read_bytes(), 9))


def test_a_number_of_centroids_has_to_be_given(run_pass) -> None:
    with pytest.raises(BuildError, match="such as cluster\\(32\\)"):
        run_pass("cluster", MODELS[0], Step("cluster"))
