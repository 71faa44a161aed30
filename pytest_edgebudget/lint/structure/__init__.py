"""Rules over the structure of models, EB2xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.structure import (
    cancelling_ops,
    constant_work,
    dead_ops,
    dominant_layer,
    duplicate_constants,
    dynamic_shape,
    idle_bytes,
    idle_ops,
    looped_recurrence,
    repeated_ops,
    training_ops,
    unassigned_variable,
    unfolded_batch_norm,
    unfused_activation,
    unused_subgraph,
    unused_tensors,
    wasted_arena,
    wide_types,
)

RULES: tuple[Rule, ...] = (
    dynamic_shape.RULE,
    unfused_activation.RULE,
    unfolded_batch_norm.RULE,
    cancelling_ops.RULE,
    duplicate_constants.RULE,
    dead_ops.RULE,
    unused_tensors.RULE,
    unused_subgraph.RULE,
    dominant_layer.RULE,
    training_ops.RULE,
    wide_types.RULE,
    wasted_arena.RULE,
    idle_ops.RULE,
    constant_work.RULE,
    idle_bytes.RULE,
    repeated_ops.RULE,
    looped_recurrence.RULE,
    unassigned_variable.RULE,
)
