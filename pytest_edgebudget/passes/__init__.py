"""One optimization a file, and the table of those that are built in."""

from __future__ import annotations

from pytest_edgebudget.passes import (
    channels,
    clean,
    cluster,
    dynamic_int8,
    finetune,
    fixed_point,
    float16,
    int4_weights,
    int8,
    int16x8,
    low_rank,
    mixed,
    none,
    pca,
    prune,
    qat,
    regularize,
    rfe,
    sparsify,
    tune,
    vela,
    weights_int8,
)
from pytest_edgebudget.passes.base import Pass

BUILT_IN: tuple[Pass, ...] = (
    none.PASS,
    float16.PASS,
    weights_int8.PASS,
    dynamic_int8.PASS,
    int8.PASS,
    int16x8.PASS,
    int4_weights.PASS,
    mixed.PASS,
    prune.PASS,
    cluster.PASS,
    clean.PASS,
    fixed_point.PASS,
    finetune.PASS,
    qat.PASS,
    sparsify.PASS,
    regularize.PASS,
    channels.PASS,
    low_rank.PASS,
    pca.PASS,
    rfe.PASS,
    tune.PASS,
    vela.PASS,
)
